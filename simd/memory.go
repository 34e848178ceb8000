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
	mapping []byte // the whole mapping that bytes is a part of; nil when bytes is ordinary Go memory
	cleanup runtime.Cleanup
}

// releaseWith gives the block back when m becomes unreachable.
func (b *memory) releaseWith(m *Matrix) {
	if b.mapping != nil {
		b.cleanup = runtime.AddCleanup(m, unmap, b.mapping)
	}
}

// release gives the block back now. It may be called on nil and more than once.
func (b *memory) release() {
	if b == nil || b.mapping == nil {
		return
	}
	b.cleanup.Stop()
	unmap(b.mapping)
	b.bytes, b.mapping = nil, nil
}

// AllocateFloat16 returns zeroed memory for n float16 numbers that lives as long as its owner is reachable: a KV cache reads
// much memory in an order that only huge pages make fast. Whoever uses the memory must keep the owner reachable.
func AllocateFloat16[T any](owner *T, n int) ([]uint16, error) {
	block, err := allocate(2 * n)
	if err != nil {
		return nil, fmt.Errorf("simd: memory for %d float16 numbers: %w", n, err)
	}
	if block.mapping != nil {
		runtime.AddCleanup(owner, unmap, block.mapping)
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
