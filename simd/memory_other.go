//go:build !linux

package simd

// allocate returns size zeroed bytes.
func allocate(size int) (*memory, error) { return allocateGo(size), nil }

// allocateAlone does the same.
func allocateAlone(size int) (*memory, error) { return allocateGo(size), nil }
