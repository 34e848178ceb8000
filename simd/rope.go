package simd

import "fmt"

// RoPE rotates the pairs (2i, 2i+1) of each head of one token: y[2i] = x[2i]·cos[i] − x[2i+1]·sin[i],
// y[2i+1] = x[2i]·sin[i] + x[2i+1]·cos[i]. x is [heads][2·len(cos)], in Meta's and GGUF's order of rows. (Su et al.,
// RoFormer, 2021.)
func RoPE(x, cos, sin []float32) {
	headDim := 2 * len(cos)
	if headDim == 0 || len(sin) != len(cos) || len(x)%headDim != 0 {
		panic(fmt.Sprintf("simd: RoPE of %d values with %d cosines and %d sines", len(x), len(cos), len(sin)))
	}
	for h := 0; h < len(x); h += headDim {
		head := x[h : h+headDim]
		for i, c := range cos {
			a, b, s := head[2*i], head[2*i+1], sin[i]
			head[2*i] = a*c - b*s
			head[2*i+1] = a*s + b*c
		}
	}
}
