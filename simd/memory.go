package simd

import (
	"fmt"
	"runtime"
	"unsafe"
)

// memory is a block that holds one packed matrix. It is given back once, by release or when the
// matrix that it was made for is no longer reachable, whichever comes first.
type memory struct {
	bytes   []byte
	unmap   func() // gives bytes back; nil when they are ordinary Go memory
	cleanup runtime.Cleanup
}

// releaseWith gives the block back when m becomes unreachable.
func (b *memory) releaseWith(m *Matrix) {
	if b.unmap != nil {
		b.cleanup = runtime.AddCleanup(m, func(unmap func()) { unmap() }, b.unmap)
	}
}

// release gives the block back now. It may be called on nil and more than once.
func (b *memory) release() {
	if b == nil || b.unmap == nil {
		return
	}
	b.cleanup.Stop()
	b.unmap()
	b.bytes, b.unmap = nil, nil
}

// AllocateFloat16 returns zeroed memory for n float16 numbers that lives as long as its owner is reachable: a KV cache reads
// much memory in an order that only huge pages make fast. Whoever uses the memory must keep the owner reachable.
func AllocateFloat16[T any](owner *T, n int) ([]uint16, error) {
	block, err := allocateAlone(2 * n)
	if err != nil {
		return nil, fmt.Errorf("simd: memory for %d float16 numbers: %w", n, err)
	}
	if block.unmap != nil {
		runtime.AddCleanup(owner, func(unmap func()) { unmap() }, block.unmap)
	}
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(block.bytes))), n), nil
}

// allocateGo takes the block from the Go heap, on a cache line's border.
func allocateGo(size int) *memory {
	const cacheLine = 64
	bytes := make([]byte, size+cacheLine-1)
	skip := int(-addressOf(bytes) & (cacheLine - 1))
	return &memory{bytes: bytes[skip : skip+size : skip+size]}
}
