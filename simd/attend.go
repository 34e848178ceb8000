package simd

import (
	"fmt"
	"math"
)

// AttendScores sets scores[p] to the dot product of a query and the key at position p:
// scores[p] = Σ_d q[d]·keys[p][d], for one block of the KV cache.
//
// q is [headDim], keys [len(scores)][headDim] in float16. headDim must be a multiple of 32. Sums are taken in 16 lanes in
// the order of the dimensions, so that they do not depend on the variant or on what else is computed.
func AttendScores(scores, q []float32, keys []uint16) {
	checkAttend("AttendScores", len(q), len(scores), len(keys))
	if len(scores) > 0 {
		active.attendScores(scores, q, keys)
	}
}

// AttendSum adds the weighted values of one block of the KV cache to out: out[d] += Σ_p weights[p]·values[p][d].
//
// out is [headDim], values [len(weights)][headDim] in float16. headDim must be a multiple of 32. Positions are added in order.
func AttendSum(out, weights []float32, values []uint16) {
	checkAttend("AttendSum", len(out), len(weights), len(values))
	if len(weights) > 0 {
		active.attendSum(out, weights, values)
	}
}

func checkAttend(what string, headDim, n, cached int) {
	if headDim == 0 || headDim%GroupSize != 0 || cached < n*headDim {
		panic(fmt.Sprintf("simd: %s of heads of %d dimensions and %d positions over %d cached values", what, headDim, n, cached))
	}
}

func attendScoresGo(scores, q []float32, keys []uint16) {
	for p := range scores {
		var sums lanes
		for d := 0; d < len(q); d += laneCount {
			for l := range sums {
				sums[l] = fma32(q[d+l], Float16ToFloat32(keys[p*len(q)+d+l]), sums[l])
			}
		}
		scores[p] = sums.sum()
	}
}

func attendSumGo(out, weights []float32, values []uint16) {
	for p, w := range weights {
		for d := range out {
			out[d] = fma32(w, Float16ToFloat32(values[p*len(out)+d]), out[d])
		}
	}
}

// OnlineSoftmax turns the scores of one block of positions into weights that go with those of earlier blocks. With
// *most the largest scaled score so far, −Inf at first, it sets *most to the new one, scores[p] to
// exp(scale·scores[p] − *most), and multiplies out, the sum so far, by the returned factor exp(old − new), by which the
// caller multiplies the sum of the weights so far, to which it adds sum, that of the new ones, taken in 16 lanes.
func OnlineSoftmax(scores []float32, scale float32, most *float32, out []float32) (factor, sum float32) {
	whole := wholeLanes(len(scores))
	before := *most
	*most = scaleMaxGo(scores[whole:], scale, active.scaleMax(scores[:whole], scale, before))
	factor = 1
	if *most > before {
		factor = exp32(before - *most)
		for d := range out {
			out[d] *= factor
		}
	}
	sums := expSumsGo(scores[whole:], *most, active.expSums(scores[:whole], *most, lanes{}))
	return factor, sums.sum()
}

// scaleMaxGo multiplies x by scale and returns the largest value, or most if that is larger.
func scaleMaxGo(x []float32, scale, most float32) float32 {
	for i := range x {
		x[i] *= scale
		most = max(most, x[i])
	}
	return most
}

// expSumsGo sets x[i] to exp(x[i] − shift) and adds it to sums[i%16].
func expSumsGo(x []float32, shift float32, sums lanes) lanes {
	for i := range x {
		x[i] = exp32(x[i] - shift)
		sums[i%laneCount] += x[i]
	}
	return sums
}

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
// polynomial of degree 7, whose remainder there is below 6·10⁻⁹. Results below 2⁻¹²⁶ are 0.
func exp32(x float32) float32 {
	const (
		log2e = 1.44269504088896
		ln2   = 0.693147180559945
	)
	switch {
	case x != x:
		return x
	case x > 88.72:
		return float32(math.Inf(1))
	case x < -87.33:
		return 0
	}
	k := math.Floor(math.FMA(float64(x), log2e, 0.5))
	r := math.FMA(-k, ln2, float64(x))
	p := 1.0 / 5040
	for _, term := range [...]float64{1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1, 1} {
		p = math.FMA(p, r, term)
	}
	return float32(p * math.Float64frombits(uint64(int64(k)+1023)<<52))
}
