package simd

import "math"

// Softmax sets x[i] to exp(x[i]) / Σ exp(x[j]), taking the largest away first so that nothing overflows. An empty x stays so.
func Softmax(x []float32) {
	if len(x) == 0 {
		return
	}
	most := x[0]
	for _, v := range x {
		most = max(most, v)
	}
	var sum float32
	for i, v := range x {
		x[i] = exp32(v - most)
		sum += x[i]
	}
	inverse := 1 / sum
	for i := range x {
		x[i] *= inverse
	}
}

// exp32 is e^x with a relative error below 2·10⁻⁷: 2^k · p(r) with r = x − k·ln 2, |r| ≤ ln 2 / 2, and p the Taylor
// polynomial of degree 7, whose remainder there is below 6·10⁻⁹. Results below 2⁻¹²⁶ are 0. All of it is float32 arithmetic,
// so that 16 values fit into a register: ln 2 is taken away in two parts, the first of which has so few bits that its product
// with k is exact.
func exp32(x float32) float32 {
	const (
		log2e   = 1.44269504088896
		ln2High = 0.693359375
		ln2Low  = -2.12194440e-4
	)
	switch {
	case x != x:
		return x
	case x > 88.72:
		return float32(math.Inf(1))
	case x < -87.33:
		return 0
	}
	k := int32(math.RoundToEven(float64(x * log2e)))
	r := fma32(float32(-k), ln2High, x)
	r = fma32(float32(-k), ln2Low, r)
	p := float32(1.0 / 5040)
	for _, term := range [...]float32{1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1, 1} {
		p = fma32(p, r, term)
	}
	return math.Float32frombits(math.Float32bits(p) + uint32(k)<<23) // times 2^k
}
