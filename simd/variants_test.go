package simd

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// forEachVariant runs a test body once with the twin's results to compare with, for every variant that this CPU has.
func forEachVariant(t *testing.T, body func(t *testing.T, twin, variant func(func()))) {
	original := active
	defer func() { active = original }()
	with := func(k kernels) func(func()) {
		return func(f func()) {
			active = k
			defer func() { active = original }()
			f()
		}
	}
	for _, k := range variants() {
		t.Run(k.name, func(t *testing.T) { body(t, with(goKernels()), with(k)) })
	}
}

// A machine that CI expects to have a variant must really use it, or its tests would pass by falling back to the twin.
func TestRequiredVariant(t *testing.T) {
	if want := os.Getenv("DROVER_REQUIRE_SIMD"); want != "" && Variant() != want {
		t.Errorf("the variant in use is %q, DROVER_REQUIRE_SIMD wants %q", Variant(), want)
	}
	if !slices.Contains(Variants(), "go") {
		t.Error("the twin is missing")
	}
	if choose("nonsense").name != "go" {
		t.Error("an unknown name does not fall back to the twin")
	}
}

// randomWeights fills rows × cols weights as a file would have them, with scales of all magnitudes.
func randomWeights(r *rand.Rand, f Format, rows, cols int) []byte {
	data := make([]byte, f.Size(rows, cols))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	scale := func(i int) {
		h := Float32ToFloat16((r.Float32() - 0.5) * float32(math.Exp2(float64(r.IntN(20)-16))))
		data[i], data[i+1] = byte(h), byte(h>>8)
	}
	switch f {
	case Q4_0, Q8_0:
		for i := 0; i < len(data); i += f.Size(1, GroupSize) {
			scale(i)
		}
	case F16:
		for i := 0; i < len(data); i += 2 {
			scale(i)
		}
	case BF16:
		for i := 0; i < len(data); i += 2 {
			h := Float32ToBFloat16(r.Float32() - 0.5)
			data[i], data[i+1] = byte(h), byte(h>>8)
		}
	case F32:
		for i := 0; i < len(data); i += 4 {
			b := math.Float32bits(r.Float32() - 0.5)
			data[i], data[i+1], data[i+2], data[i+3] = byte(b), byte(b>>8), byte(b>>16), byte(b>>24)
		}
	}
	return data
}

func randomFloats(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func sameBits(a, b []float32) int {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) && (a[i] == a[i] || b[i] == b[i]) {
			return i
		}
	}
	return -1
}

// Every format, ragged shapes, batches of 1 to 17 tokens: the variants give the twin's bits, and so does each token alone
// and each way of splitting the rows.
func TestMatMul(t *testing.T) {
	forEachVariant(t, func(t *testing.T, twin, variant func(func())) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, f := range []Format{Q4_0, Q8_0, F16, BF16, F32} {
			for _, shape := range [][2]int{{1, 32}, {16, 32}, {15, 64}, {48, 256}, {50, 704}, {129, 2048}} {
				rows, cols := shape[0], shape[1]
				m, err := Pack(f, rows, cols, randomWeights(r, f, rows, cols))
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 17, 24} {
					if rows*cols*n > 1<<20 {
						continue
					}
					x := randomFloats(r, n*cols)
					got, want, split := make([]float32, n*rows), make([]float32, n*rows), make([]float32, n*rows)
					var a Activations
					twin(func() { a.Set(x, n, cols, f); MatMul(want, m, &a, 0, rows) })
					variant(func() {
						a.Set(x, n, cols, f)
						MatMul(got, m, &a, 0, rows)
						for begin := 0; begin < rows; begin += 2 * RowAlign {
							MatMul(split, m, &a, begin, min(begin+2*RowAlign, rows))
						}
					})
					if i := sameBits(got, want); i >= 0 {
						t.Fatalf("%v %d × %d, %d tokens: value %d is %g, the twin has %g", f, rows, cols, n, i, got[i], want[i])
					}
					if i := sameBits(split, want); i >= 0 {
						t.Fatalf("%v %d × %d, %d tokens, rows split: value %d is %g, want %g", f, rows, cols, n, i, split[i], want[i])
					}
					alone := make([]float32, rows)
					variant(func() { a.Set(x[(n-1)*cols:], 1, cols, f); MatMul(alone, m, &a, 0, rows) })
					if i := sameBits(alone, want[(n-1)*rows:]); i >= 0 {
						t.Fatalf("%v %d × %d: the last of %d tokens differs when it is alone", f, rows, cols, n)
					}
				}
			}
		}
	})
}

// The products are those of the dequantized weights, up to what rounding the activations to int8 explains: half a step of
// 127 per value, so at most Σ|w|·amax/254.
func TestMatMulAgainstFloat64(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, f := range []Format{Q4_0, Q8_0, F16, BF16, F32} {
		const rows, cols, n = 40, 256, 3
		m, err := Pack(f, rows, cols, randomWeights(r, f, rows, cols))
		if err != nil {
			t.Fatal(err)
		}
		x := randomFloats(r, n*cols)
		var a Activations
		a.Set(x, n, cols, f)
		got := make([]float32, n*rows)
		MatMul(got, m, &a, 0, rows)
		w := make([]float32, cols)
		for row := range rows {
			m.Row(w, row)
			for token := range n {
				exact, bound := 0.0, 0.0
				for g := 0; g < cols; g += GroupSize {
					amax, weights := 0.0, 0.0
					for c := g; c < g+GroupSize; c++ {
						v := float64(x[token*cols+c])
						exact += float64(w[c]) * v
						amax = max(amax, math.Abs(v))
						weights += math.Abs(float64(w[c]))
					}
					bound += weights * (1e-5 + amax*1e-6)
					if f.Quantized() {
						bound += weights * amax / 254
					}
				}
				if diff := math.Abs(float64(got[token*rows+row]) - exact); diff > bound {
					t.Errorf("%v row %d token %d: off by %g, at most %g is explained", f, row, token, diff, bound)
				}
			}
		}
	}
}

// Every float16 number, and rounding next to every border between two of them.
func TestFloat16(t *testing.T) {
	forEachVariant(t, func(t *testing.T, twin, variant func(func())) {
		all := make([]uint16, 1<<16)
		for i := range all {
			all[i] = uint16(i)
		}
		got, want := make([]float32, len(all)), make([]float32, len(all))
		twin(func() { DecodeFloat16(want, all) })
		variant(func() { DecodeFloat16(got, all) })
		if i := sameBits(got, want); i >= 0 {
			t.Fatalf("float16 %04x is %g, the twin has %g", i, got[i], want[i])
		}
		var x []float32
		for i := range 0x7c00 {
			middle := (float64(want[i]) + float64(want[i+1])) / 2
			m := float32(middle)
			x = append(x, m, math.Nextafter32(m, 0), math.Nextafter32(m, 1e9), -m)
		}
		back, twinBack := make([]uint16, len(x)), make([]uint16, len(x))
		twin(func() { EncodeFloat16(twinBack, x) })
		variant(func() { EncodeFloat16(back, x) })
		for i := range back {
			if back[i] != twinBack[i] {
				t.Fatalf("%g becomes %04x, the twin has %04x", x[i], back[i], twinBack[i])
			}
		}
	})
}

// The assembly reads groups of activations by these offsets; see simd/_asm/panels.go.
func TestActivationLayout(t *testing.T) {
	got := [4]int{groupBytes, groupScaleOffset, groupMinus8Offset, groupMinus128Offset}
	if want := [4]int{48, 32, 36, 40}; got != want {
		t.Errorf("layout is %v, the assembly reads %v", got, want)
	}
}

func TestFusedMultiplyAdd(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200000 {
		x, y, z := math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32())
		got := fma32(x, y, z)
		// math.FMA rounds the exact sum to 53 bits; taking it towards odd first makes the second rounding exact as well, and
		// most sums are exact in float64 anyway: those decide.
		p := float64(x) * float64(y)
		if s := p + float64(z); s-p == float64(z) && s-float64(z) == p {
			if want := float32(s); math.Float32bits(got) != math.Float32bits(want) && want == want {
				t.Fatalf("%g · %g + %g is %g, want %g", x, y, z, got, want)
			}
		}
	}
}

// Values of all magnitudes and what is no number, in lengths with and without whole lanes: the variants give the twin's bits.
func TestElementwise(t *testing.T) {
	forEachVariant(t, func(t *testing.T, twin, variant func(func())) {
		r := rand.New(rand.NewPCG(17, 18))
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		for _, n := range []int{1, 15, 16, 17, 32, 64, 100, 4096} {
			x, up := make([]float32, n), randomFloats(r, n)
			for i := range x {
				x[i] = float32(r.NormFloat64() * math.Exp2(float64(r.IntN(14)-6)))
			}
			if n > 20 {
				copy(x[3:], []float32{0, float32(math.Copysign(0, -1)), 88.72, 88.73, -88.72, 87.33, -87.33, -87.34, 1e-40, inf, -inf, nan})
			}
			got, want := make([]float32, n), make([]float32, n)
			twin(func() { SwiGLU(want, x, up) })
			variant(func() { SwiGLU(got, x, up) })
			if i := sameBits(got, want); i >= 0 {
				t.Fatalf("SwiGLU of %g, %g is %g, the twin has %g", x[i], up[i], got[i], want[i])
			}
		}
	})
}

// Activations are rounded alike by all variants: random ones, ties, groups of zero and next to it, huge ones, and no numbers.
func TestQuantize(t *testing.T) {
	forEachVariant(t, func(t *testing.T, twin, variant func(func())) {
		r := rand.New(rand.NewPCG(19, 20))
		x := randomFloats(r, 400*GroupSize)
		for g := range 400 {
			group := x[g*GroupSize:][:GroupSize]
			switch {
			case g < 100: // any magnitude
				for i := range group {
					group[i] *= float32(math.Exp2(float64(r.IntN(250) - 125)))
				}
			case g < 200: // ties: multiples of half a step
				group[0] = 127
				for i := range group[1:] {
					group[1+i] = float32(r.IntN(509)-254) / 2
				}
			case g < 210:
				clear(group)
			case g < 220:
				for i := range group {
					group[i] = math.Float32frombits(uint32(r.IntN(1 << 28)))
				}
			case g < 230:
				group[r.IntN(32)] = []float32{float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.MaxFloat32, -math.MaxFloat32}[g%5]
			}
		}
		got, want := make([]activationGroup, 400), make([]activationGroup, 400)
		got[5].values[3] = 1 // what was there before must not matter
		twin(func() { active.quantize(want, x) })
		variant(func() { active.quantize(got, x) })
		for g := range want {
			a, b := got[g], want[g]
			if math.Float32bits(a.scale) != math.Float32bits(b.scale) && (a.scale == a.scale || b.scale == b.scale) {
				t.Fatalf("group %d has the scale %g, the twin %g", g, a.scale, b.scale)
			}
			a.scale, b.scale = 0, 0
			if a != b {
				t.Fatalf("group %d is %v, the twin has %v, of %v", g, a, b, x[g*GroupSize:][:GroupSize])
			}
		}
	})
}

func TestNoAllocations(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	m, err := Pack(Q4_0, 50, 256, randomWeights(r, Q4_0, 50, 256))
	if err != nil {
		t.Fatal(err)
	}
	x, out := randomFloats(r, 5*256), make([]float32, 5*50)
	var a Activations
	a.Set(x, 5, 256, Q4_0)
	if n := testing.AllocsPerRun(50, func() { a.Set(x, 5, 256, Q4_0); MatMul(out, m, &a, 0, 50) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// What is no number stays visible: it must not become a plausible result.
func TestNotANumber(t *testing.T) {
	forEachVariant(t, func(t *testing.T, _, variant func(func())) {
		m, err := Pack(Q8_0, 16, 64, randomWeights(rand.New(rand.NewPCG(13, 14)), Q8_0, 16, 64))
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			x, out := make([]float32, 64), make([]float32, 16)
			x[40] = bad
			var a Activations
			variant(func() { a.Set(x, 1, 64, Q8_0); MatMul(out, m, &a, 0, 16) })
			for i, v := range out {
				if v == v {
					t.Errorf("row %d of a product with %g is %g", i, bad, v)
				}
			}
		}
	})
}

func BenchmarkMatMul(b *testing.B) {
	r := rand.New(rand.NewPCG(15, 16))
	const rows, cols = 8192, 2048
	for _, f := range []Format{Q4_0, Q8_0, BF16, F16, F32} {
		m, err := Pack(f, rows, cols, randomWeights(r, f, rows, cols))
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range []struct {
			name string
			n    int
		}{{"decode", 1}, {"prefill", 128}} {
			x, out := randomFloats(r, c.n*cols), make([]float32, c.n*rows)
			var a Activations
			a.Set(x, c.n, cols, f)
			b.Run(f.String()+"/"+c.name, func(b *testing.B) {
				b.SetBytes(int64(m.Bytes()))
				for b.Loop() {
					MatMul(out, m, &a, 0, rows)
				}
				b.ReportMetric(float64(c.n)*rows*cols*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
			})
		}
	}
}
