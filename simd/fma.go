package simd

import "math"

// fma32 returns x·y + z rounded once to float32, which is what a CPU's fused multiply-add gives.
// The twins use it so that they agree bit for bit with the assembly.
//
// In float64 the product is exact and the sum is rounded to 53 bits. Rounding that again to 24 bits
// goes wrong only if it lies exactly between two float32 values without being the exact sum, or if
// the result is subnormal and so has fewer bits; fma32Slow takes care of both.
func fma32(x, y, z float32) float32 {
	s := float64(x)*float64(y) + float64(z)
	if math.Float64bits(s)&(1<<29-1) == 1<<28 || math.Abs(s) < 0x1p-126 {
		return fma32Slow(x, y, z)
	}
	return float32(s)
}

// fma32Slow rounds the sum in float64 to odd instead of to nearest: when it is inexact, the neighbor
// whose last bit is 1 stands for "somewhere between", which the second rounding then gets right.
// (Boldo and Melquiond, Emulation of FMA and correctly rounded sums, 2008.)
func fma32Slow(x, y, z float32) float32 {
	p, c := float64(x)*float64(y), float64(z)
	s := p + c
	back := s - p
	rest := (p - (s - back)) + (c - back) // s + rest is the exact sum
	bits := math.Float64bits(s)
	if rest != 0 && bits&1 == 0 && !math.IsInf(s, 0) {
		if (rest > 0) == (s > 0) {
			bits++
		} else {
			bits--
		}
	}
	return float32(math.Float64frombits(bits))
}

// lanes holds the 16 partial sums of a sum over a vector.
type lanes [laneCount]float32

// sum adds the lanes as a CPU folds a register: halves onto each other, four times.
func (l *lanes) sum() float32 {
	var s [8]float32
	for i := range s {
		s[i] = l[i] + l[i+8]
	}
	for i := range 4 {
		s[i] += s[i+4]
	}
	return (s[0] + s[2]) + (s[1] + s[3])
}
