package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// attention is what a group of rows attends to: blocks of keys and values, and the state on the way through them.
type attention struct {
	rows, headDim, capacity, length int
	scale                           float32
	queries                         []float32
	keys, values                    [][]uint16 // of each block
	most, sums, out, scores         []float32
}

func newAttention(r *rand.Rand, rows, headDim, capacity, length int) *attention {
	a := &attention{rows: rows, headDim: headDim, capacity: capacity, length: length, scale: 0.3}
	a.queries = randomFloats(r, rows*headDim)
	for range (length + capacity - 1) / capacity {
		keys, values := make([]uint16, headDim*capacity), make([]uint16, headDim*capacity)
		EncodeFloat16(keys, randomFloats(r, len(keys)))
		EncodeFloat16(values, randomFloats(r, len(values)))
		a.keys, a.values = append(a.keys, keys), append(a.values, values)
	}
	if used := length % capacity; used > 0 { // what lies behind the end of the cache is no number, and must not matter
		keys, values := a.keys[len(a.keys)-1], a.values[len(a.values)-1]
		for d := range headDim {
			for p := used; p < capacity; p++ {
				keys[d*capacity+p], values[p*headDim+d] = 0x7e00, 0x7e00
			}
		}
	}
	a.reset()
	return a
}

func (a *attention) reset() {
	a.most, a.sums = make([]float32, a.rows), make([]float32, a.rows)
	a.out, a.scores = make([]float32, a.rows*a.headDim), make([]float32, a.rows*a.capacity)
	for r := range a.most {
		a.most[r] = negativeInfinity
	}
}

func (a *attention) run() {
	for block := range a.keys {
		n := min(a.capacity, a.length-block*a.capacity)
		AttendScores(a.scores, a.queries, a.keys[block], a.values[block], a.rows, n)
		OnlineSoftmax(a.scores, a.scale, a.most, a.sums, a.out, n)
		AttendSum(a.out, a.scores, a.values[block], a.keys[(block+1)%len(a.keys)], a.rows, n)
	}
}

// row is a row alone.
func (a *attention) row(r int) *attention {
	alone := *a
	alone.rows, alone.queries = 1, a.queries[r*a.headDim:][:a.headDim]
	alone.reset()
	return &alone
}

// exact is the result of a row in float64.
func (a *attention) exact(r int) []float64 {
	scores, most := make([]float64, a.length), math.Inf(-1)
	for p := range scores {
		for d, q := range a.queries[r*a.headDim:][:a.headDim] {
			scores[p] += float64(q) * float64(Float16ToFloat32(a.keys[p/a.capacity][d*a.capacity+p%a.capacity]))
		}
		scores[p] *= float64(a.scale)
		most = max(most, scores[p])
	}
	out, sum := make([]float64, a.headDim), 0.0
	for p, s := range scores {
		w := math.Exp(s - most)
		sum += w
		for d := range out {
			out[d] += w * float64(Float16ToFloat32(a.values[p/a.capacity][p%a.capacity*a.headDim+d]))
		}
	}
	for d := range out {
		out[d] /= sum
	}
	return out
}

// Attention of all numbers of rows and of positions at the ends of blocks: the variants give the twin's bits, each row gives
// the same alone, and it is what float64 gives.
func TestAttend(t *testing.T) {
	forEachVariant(t, func(t *testing.T, twin, variant func(func())) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, headDim := range []int{32, 64, 96, 128} {
			for _, capacity := range []int{32, 64} {
				for _, length := range []int{1, 2, 31, 32, 33, 63, 64, 65, 200} {
					for rows := 1; rows <= 9; rows++ {
						a := newAttention(r, rows, headDim, capacity, length)
						what := fmt.Sprintf("%d rows, %d dimensions, %d positions in blocks of %d", rows, headDim, length, capacity)
						twin(a.run)
						want, wantSums := a.out, a.sums
						a.reset()
						variant(a.run)
						if i := sameBits(a.out, want); i >= 0 {
							t.Fatalf("%s: value %d is %g, the twin has %g", what, i, a.out[i], want[i])
						}
						if i := sameBits(a.sums, wantSums); i >= 0 {
							t.Fatalf("%s: the weights of row %d add up to %g, the twin's to %g", what, i, a.sums[i], wantSums[i])
						}
						alone := a.row(rows - 1)
						variant(alone.run)
						if i := sameBits(alone.out, want[(rows-1)*headDim:]); i >= 0 {
							t.Fatalf("%s: the last row differs when it is alone", what)
						}
						for d, exact := range a.exact(rows - 1) {
							if got := float64(alone.out[d] / alone.sums[0]); !(math.Abs(got-exact) < 1e-5) {
								t.Fatalf("%s: dimension %d is %g, in float64 %g", what, d, got, exact)
							}
						}
					}
				}
			}
		}
	})
}

func TestExp(t *testing.T) {
	worst := 0.0
	for x := float32(-87.33); x <= 88.72; x += 0.0007 {
		want := math.Exp(float64(x))
		worst = max(worst, math.Abs(float64(exp32(x))-want)/want)
	}
	t.Logf("relative error %.3g", worst)
	if worst > 2e-7 {
		t.Errorf("relative error %g, 2e-7 is promised", worst)
	}
	for x, want := range map[float32]float32{-1000: 0, 1000: float32(math.Inf(1)), 0: 1} {
		if got := exp32(x); got != want {
			t.Errorf("exp(%g) is %g", x, got)
		}
	}
}

func TestSoftmax(t *testing.T) {
	x := []float32{1000, 1001, 999, -1e30}
	Softmax(x)
	want := []float64{0.24472847, 0.66524096, 0.09003057, 0}
	for i := range x {
		if math.Abs(float64(x[i])-want[i]) > 1e-6 {
			t.Errorf("value %d is %g, want %g", i, x[i], want[i])
		}
	}
}

// Scores of all magnitudes: the variants give the twin's bits.
func TestOnlineSoftmax(t *testing.T) {
	forEachVariant(t, func(t *testing.T, twin, variant func(func())) {
		r := rand.New(rand.NewPCG(23, 24))
		for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 63, 64} {
			const rows, capacity, headDim = 3, 64, 32
			type state struct{ scores, most, sums, out []float32 }
			a := state{randomFloats(r, rows*capacity), randomFloats(r, rows), randomFloats(r, rows), randomFloats(r, rows*headDim)}
			for i := range a.scores {
				a.scores[i] *= float32(math.Exp2(float64(r.IntN(14) - 6)))
			}
			copy(a.scores, []float32{0, float32(math.Copysign(0, -1)), 300, -300, 1e-40, negativeInfinity})
			b := state{slices.Clone(a.scores), slices.Clone(a.most), slices.Clone(a.sums), slices.Clone(a.out)}
			twin(func() { OnlineSoftmax(a.scores, 0.3, a.most, a.sums, a.out, n) })
			variant(func() { OnlineSoftmax(b.scores, 0.3, b.most, b.sums, b.out, n) })
			for name, pair := range map[string][2][]float32{"score": {b.scores, a.scores}, "largest": {b.most, a.most}, "sum": {b.sums, a.sums}, "value": {b.out, a.out}} {
				if i := sameBits(pair[0], pair[1]); i >= 0 {
					t.Errorf("%d positions: %s %d is %g, the twin has %g", n, name, i, pair[0][i], pair[1][i])
				}
			}
		}
	})
}

// BenchmarkAttend is a block of 64 positions for the four query heads of a token, as in Llama 3.2 1B.
func BenchmarkAttend(b *testing.B) {
	for _, headDim := range []int{64, 128} {
		a := newAttention(rand.New(rand.NewPCG(25, 26)), 4, headDim, 64, 64)
		for name, step := range map[string]func(){
			"scores":  func() { AttendScores(a.scores, a.queries, a.keys[0], nil, a.rows, 64) },
			"softmax": func() { OnlineSoftmax(a.scores, a.scale, a.most, a.sums, a.out, 64) },
			"sum":     func() { AttendSum(a.out, a.scores, a.values[0], nil, a.rows, 64) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, headDim), func(b *testing.B) {
				for b.Loop() {
					step()
				}
				if name != "softmax" {
					b.ReportMetric(4*64*float64(headDim)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
				}
			})
		}
	}
}
