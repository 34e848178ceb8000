package simd

import (
	"os"
	"syscall"
)

const hugePage = 2 << 20

// allocate returns size zeroed bytes. From a huge page's size on, they come from an anonymous mapping
// that begins on a huge page's border and is advised to use huge pages: with 4 KiB pages, address
// translation costs up to a quarter of the read bandwidth. What is left behind the last whole huge
// page stays on small pages, so that a matrix never occupies more than it needs.
func allocate(size int) (*memory, error) {
	if size < hugePage {
		return allocateGo(size), nil
	}
	mapping, err := syscall.Mmap(-1, 0, size+hugePage, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	skip := int(-addressOf(mapping) & (hugePage - 1))
	bytes := mapping[skip : skip+size : skip+size]
	// Advice only: a kernel without huge pages refuses it, and everything works, slower.
	_ = syscall.Madvise(bytes[:size&^(hugePage-1)], madviseHugePage)
	return &memory{bytes: bytes, mapping: mapping}, nil
}

const madviseHugePage = 14 // MADV_HUGEPAGE in <linux/mman.h>

// unmap ends a mapping made by allocate.
func unmap(mapping []byte) { _ = syscall.Munmap(mapping) }
