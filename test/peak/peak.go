// Package peak measures what this processor can do at most, which benchmarks are compared with: int8 multiply-adds with the
// best instruction of a variant of package simd, and nothing else in the loop.
package peak

// MultiplyAdds does at least n int8 multiply-adds with the instructions of a variant, "avx512" or "avx2", in registers only,
// and returns how many it did: 0 if the variant or the processor is another one.
func MultiplyAdds(variant string, n int) int { return multiplyAdds(variant, n) }
