package simd

import (
	"os"
	"sync"
	"syscall"
)

const (
	hugePage        = 2 << 20
	madviseHugePage = 14 // MADV_HUGEPAGE in <linux/mman.h>

	// What is smaller than smallestShare comes from the Go heap, what is larger than a slab has a mapping of its own.
	smallestShare = 64 << 10
	slabSize      = 32 << 20
)

// slab is a mapping that several blocks share, so that those that are smaller than a huge page, and what is left over of
// larger ones, lie in huge pages too: with 4 KiB pages, address translation costs up to a quarter of the read bandwidth. It is
// given back when none of them is in use.
type slab struct {
	mapping, free []byte
	users         int
}

// slabs hands out shares of the slab at hand.
var slabs struct {
	sync.Mutex
	current *slab
}

// allocate returns size zeroed bytes on a cache line's border, in huge pages if the system has them. No more than the pages
// that are written to take memory.
func allocate(size int) (*memory, error) {
	switch {
	case size < smallestShare:
		return allocateGo(size), nil
	case size > slabSize:
		return allocateAlone(size)
	}
	slabs.Lock()
	defer slabs.Unlock()
	s := slabs.current
	if s == nil || len(s.free) < size {
		mapping, bytes, err := mapHuge(slabSize)
		if err != nil {
			return nil, err
		}
		s = &slab{mapping: mapping, free: bytes}
		slabs.current = s
	}
	const line = 64
	bytes := s.free[:size:size]
	s.free = s.free[min((size+line-1)&^(line-1), len(s.free)):]
	s.users++
	return &memory{bytes: bytes, unmap: s.release}, nil
}

// release gives up one user's share.
func (s *slab) release() {
	slabs.Lock()
	defer slabs.Unlock()
	if s.users--; s.users > 0 {
		return
	}
	if slabs.current == s {
		slabs.current = nil
	}
	_ = syscall.Munmap(s.mapping)
}

// allocateAlone is allocate with a mapping that nothing else is in. What is left behind the last whole huge page stays on
// small pages, so that the block never occupies more than it needs.
func allocateAlone(size int) (*memory, error) {
	if size < hugePage {
		return allocateGo(size), nil
	}
	mapping, bytes, err := mapHuge(size)
	if err != nil {
		return nil, err
	}
	return &memory{bytes: bytes, unmap: func() { _ = syscall.Munmap(mapping) }}, nil
}

// mapHuge maps size bytes that begin on a huge page's border.
func mapHuge(size int) (mapping, bytes []byte, err error) {
	mapping, err = syscall.Mmap(-1, 0, size+hugePage, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	skip := int(-addressOf(mapping) & (hugePage - 1))
	bytes = mapping[skip : skip+size : skip+size]
	// Advice only: a kernel without huge pages refuses it, and everything works, slower.
	_ = syscall.Madvise(bytes[:size&^(hugePage-1)], madviseHugePage)
	return mapping, bytes, nil
}
