package simd

import (
	"fmt"
	"math"
)

// RMSNorm sets out[i] = weight[i] · x[i] / √(mean(x²) + eps) for each run of len(weight) values of x: one token or several,
// [tokens][dim]. The mean is taken in float32, in 16 lanes. out may be x. (Zhang and Sennrich, Root Mean Square Layer
// Normalization, 2019.)
func RMSNorm(out, x, weight []float32, eps float32) {
	dim := len(weight)
	if dim == 0 || len(x)%dim != 0 || len(out) < len(x) {
		panic(fmt.Sprintf("simd: RMSNorm of %d values into %d, with %d weights", len(x), len(out), dim))
	}
	for t := 0; t < len(x); t += dim {
		token := x[t : t+dim]
		var sums lanes
		for i, v := range token {
			sums[i%laneCount] += v * v
		}
		scale := float32(1 / math.Sqrt(float64(sums.sum()/float32(dim)+eps)))
		for i, v := range token {
			out[t+i] = v * scale * weight[i]
		}
	}
}

// Add sets dst[i] += x[i]. It panics if the lengths differ.
func Add(dst, x []float32) {
	checkLengths("Add", len(dst), len(x))
	for i, v := range x {
		dst[i] += v
	}
}
