//go:build !linux

package simd

// allocate returns size zeroed bytes.
func allocate(size int) (*memory, error) { return allocateGo(size), nil }

// unmap is never called here: allocate makes no mapping.
func unmap([]byte) {}
