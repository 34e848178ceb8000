package simd

import "math"

var negativeInfinity = float32(math.Inf(-1))

// ArgMax returns the index of the largest value, the first of several, and −1 if x is empty or has nothing but NaN and −Inf.
func ArgMax(x []float32) int {
	best, at := negativeInfinity, -1
	for i, v := range x {
		if v > best {
			best, at = v, i
		}
	}
	return at
}
