//go:build !amd64

package simd

// variants are the implementations that this CPU can run, best first.
func variants() []kernels { return []kernels{goKernels()} }
