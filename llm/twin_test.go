package llm_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/test/vectors"
)

// twin is the network once more, in plain float64 arithmetic from the description of the model, with nothing of the package
// under test: dequantizing, rotation, attention and the rest are its own.
//
// It computes two streams side by side. The exact one rounds nothing. The rounded one rounds what the runtime rounds:
// activations that meet quantized weights to int8 in groups of 32, keys and values to float16. Rounding is a choice between
// two neighbors, and where a value lies on the border between them, the last bit of a float32 decides; a choice made the other
// way moves everything behind it (TestRoundingIsDiscontinuous measures how far). So the rounded stream compares each value that
// is to be rounded with the runtime's, and then takes the neighbor that the runtime's value has, in the twin's own arithmetic.
// What is left between the two is float32.
type twin struct {
	file  *gguf.File
	shape vectors.Shape

	fault string // a mistake to make, for TestTwinNotices
	own   bool   // the rounded stream rounds its own values, for TestRoundingIsDiscontinuous

	// Of the rounded stream: what the runtime multiplied and stored, step after step; how far that was from the twin's, in
	// units of the vector's root mean square; and how many values lay on a border.
	recorded []float32
	worst    float64
	borders  int
}

// The two streams.
const (
	exactStream = iota
	roundedStream
	streams
)

// newTwin runs tokens through the runtime, with a model of the shape, and returns its logits and the twin to compare with.
func newTwin(t testing.TB, shape vectors.Shape, tokens []llm.Token) (logits []float32, w *twin) {
	t.Helper()
	file := parseShape(t, shape)
	m := load(t, file)
	r := llm.Record(m)
	logits = prefillAll(t, m, tokens)
	return logits, &twin{file: file, shape: shape, recorded: r.Values}
}

// again is a twin to compare the same run with.
func (w *twin) again() *twin { return &twin{file: w.file, shape: w.shape, recorded: w.recorded} }

func (w *twin) tensor(name string) gguf.Tensor {
	t, ok := w.file.Tensor(name)
	if !ok {
		panic("twin: no tensor " + name)
	}
	return t
}

// halves are the values of all binary16 numbers.
var halves = func() []float64 {
	out := make([]float64, 1<<16)
	for h := range out {
		out[h] = halfValue(uint16(h))
	}
	return out
}()

// row dequantizes a row of a matrix into out.
func (w *twin) row(out []float64, t gguf.Tensor, r int) []float64 {
	cols := t.Shape[len(t.Shape)-1]
	le := binary.LittleEndian
	out = out[:cols]
	switch t.Type {
	case gguf.F32:
		for i := range out {
			out[i] = float64(math.Float32frombits(le.Uint32(t.Data[(r*cols+i)*4:])))
		}
	case gguf.F16:
		for i := range out {
			out[i] = halves[le.Uint16(t.Data[(r*cols+i)*2:])]
		}
	case gguf.BF16:
		for i := range out {
			out[i] = float64(math.Float32frombits(uint32(le.Uint16(t.Data[(r*cols+i)*2:])) << 16))
		}
	case gguf.Q8_0:
		for g := 0; g < cols; g += 32 {
			block := t.Data[(r*cols+g)/32*34:][:34]
			scale := halves[le.Uint16(block)]
			for i, q := range block[2:] {
				out[g+i] = scale * float64(int8(q))
			}
		}
	case gguf.Q4_0:
		for g := 0; g < cols; g += 32 {
			block := t.Data[(r*cols+g)/32*18:][:18]
			scale := halves[le.Uint16(block)]
			for i, q := range block[2:] {
				out[g+i], out[g+16+i] = scale*float64(int(q&15)-8), scale*float64(int(q>>4)-8)
			}
		}
	default:
		panic(fmt.Sprint("twin: type ", t.Type))
	}
	w.spoil(out, t.Type, r)
	return out
}

// spoil makes the faults in weights: each in one row of each matrix.
func (w *twin) spoil(row []float64, kind gguf.Type, r int) {
	if r != 1 || kind == gguf.F32 {
		return
	}
	switch w.fault {
	case "a group's scale is 1/1024 too large": // the last bit of a float16
		for i := range row[:32] {
			row[i] *= 1 + 1.0/1024
		}
	case "a group has its halves swapped":
		for i := range row[:16] {
			row[i], row[16+i] = row[16+i], row[i]
		}
	case "a weight is left out":
		row[5] = 0
	}
}

// halfValue is the value of a finite IEEE binary16 number.
func halfValue(h uint16) float64 {
	mantissa, exponent := float64(h&0x3ff), int(h>>10&31)
	value := math.Ldexp(1024+mantissa, exponent-25)
	if exponent == 0 {
		value = math.Ldexp(mantissa, -24)
	}
	if h&0x8000 != 0 {
		return -value
	}
	return value
}

// roundHalf rounds to the nearest binary16 number, ties to even.
func roundHalf(x float64) float64 {
	_, exponent := math.Frexp(x)
	quantum := math.Ldexp(1, max(exponent, -13)-11)
	return math.RoundToEven(x/quantum) * quantum
}

// activations are what a product multiplies: of the exact stream x itself, of the rounded one x rounded if the weights are
// quantized. x is [streams][tokens][cols], flattened to a list of tokens.
func (w *twin) activations(x [][]float64, kind gguf.Type) [][]float64 {
	quantized := kind == gguf.Q8_0 || kind == gguf.Q4_0
	n := len(x) / streams
	out := append([][]float64(nil), x[:n]...)
	for _, token := range x[n:] {
		theirs := w.next(token)
		if quantized {
			token = w.round(token, theirs)
		}
		out = append(out, token)
	}
	return out
}

// next returns what the runtime has in the place of the next vector, and notes how far it is from that.
func (w *twin) next(ours []float64) (theirs []float32) {
	if len(w.recorded) < len(ours) {
		w.worst = math.Inf(1)
		return make([]float32, len(ours))
	}
	theirs, w.recorded = w.recorded[:len(ours)], w.recorded[len(ours):]
	size := math.Sqrt(dot(ours, ours) / float64(len(ours)))
	for i, v := range ours {
		d := math.Abs(v-float64(theirs[i])) / size
		if !(d <= w.worst) { // NaN too
			w.worst = d
		}
	}
	return theirs
}

// round rounds groups of 32 values to 127ths of their largest.
func (w *twin) round(ours []float64, theirs []float32) []float64 {
	out := make([]float64, len(ours))
	for g := 0; g < len(ours); g += 32 {
		largest, theirLargest := 0.0, float32(0)
		for i, v := range ours[g : g+32] {
			largest = max(largest, math.Abs(v))
			theirLargest = max(theirLargest, float32(math.Abs(float64(theirs[g+i]))))
		}
		if largest == 0 {
			continue
		}
		step, inverse := largest/127, 127/theirLargest
		for i, v := range ours[g : g+32] {
			own := math.RoundToEven(v / step)
			q := math.RoundToEven(float64(theirs[g+i] * inverse))
			if q != own {
				w.borders++
			}
			switch {
			case w.own:
				q = own
			case w.fault == "activations are cut, not rounded":
				q = math.Trunc(v / step)
			case w.fault == "activations reach from -128":
				step = largest / 128
			}
			out[g+i] = q * step
		}
	}
	return out
}

// store rounds the keys or values of a token to float16.
func (w *twin) store(ours []float64) {
	for i, theirs := range w.next(ours) {
		own, rounded := roundHalf(ours[i]), roundHalf(float64(theirs))
		if rounded != own {
			w.borders++
		}
		switch {
		case w.own:
			rounded = own
		case w.fault == "keys and values are not rounded":
			rounded = ours[i]
		}
		ours[i] = rounded
	}
}

// product returns x times the rows of a matrix, for each token; rows nil are all.
func (w *twin) product(name string, x [][]float64, rows []llm.Token) [][]float64 {
	t := w.tensor(name)
	if rows == nil {
		rows = make([]llm.Token, t.Shape[0])
		for r := range rows {
			rows[r] = llm.Token(r)
		}
	}
	out := make([][]float64, len(x))
	for i := range out {
		out[i] = make([]float64, len(rows))
	}
	var workers sync.WaitGroup
	n := runtime.GOMAXPROCS(0)
	for worker := range n {
		workers.Add(1)
		go func() {
			defer workers.Done()
			weights := make([]float64, t.Shape[1])
			for at := worker; at < len(rows); at += n {
				w.row(weights, t, int(rows[at]))
				for i, token := range x {
					out[i][at] = dot(weights, token)
				}
			}
		}()
	}
	workers.Wait()
	return out
}

// dot is the inner product of two vectors whose length is a multiple of 4.
func dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0, s1, s2, s3 = s0+a[0]*b[0], s1+a[1]*b[1], s2+a[2]*b[2], s3+a[3]*b[3]
		a, b = a[4:], b[4:]
	}
	return s0 + s1 + s2 + s3
}

func (w *twin) norm(name string, x [][]float64) [][]float64 {
	weight := w.row(make([]float64, w.shape.Dim), w.tensor(name), 0)
	out := make([][]float64, len(x))
	for i, token := range x {
		squares := 0.0
		for _, v := range token {
			squares += v * v
		}
		eps := 1e-5
		if w.fault == "the norms' epsilon is 1e-3" {
			eps = 1e-3
		}
		scale := 1 / math.Sqrt(squares/float64(len(token))+eps)
		out[i] = make([]float64, len(token))
		for c, v := range token {
			out[i][c] = v * scale * weight[c]
		}
	}
	return out
}

// rotate turns the pairs (2i, 2i+1) of each head by the token's position.
func (w *twin) rotate(x [][]float64) {
	half := w.shape.HeadDim / 2
	divisors := make([]float64, half)
	for i := range divisors {
		divisors[i] = 1
	}
	if t, ok := w.file.Tensor("rope_freqs.weight"); ok {
		divisors = w.row(divisors, t, 0)
	}
	for at, token := range x {
		position := at % (len(x) / streams)
		if w.fault == "two tokens are at one position" && position == 1 {
			position = 2
		}
		for i := 0; i < len(token); i += 2 {
			pair := i / 2 % half
			frequency := math.Pow(500000, -float64(pair)/float64(half)) / divisors[pair]
			switch {
			case w.fault == "a pair's frequency is 1 % too high" && pair == 4:
				frequency *= 1.01
			case w.fault == "frequencies are not scaled":
				frequency *= divisors[pair]
			}
			sin, cos := math.Sincos(float64(position) * frequency)
			if w.fault == "rotations go the other way" {
				sin = -sin
			}
			token[i], token[i+1] = token[i]*cos-token[i+1]*sin, token[i]*sin+token[i+1]*cos
		}
	}
}

// logits returns the logits of the last position, of the tokens wanted or of all, for both streams.
func (w *twin) logits(tokens, wanted []llm.Token) (exact, rounded []float64) {
	s, x := w.shape, w.stream(tokens)
	head, kind := "token_embd.weight", s.Type
	if s.Untied {
		head = "output.weight"
	}
	if s.EmbeddingType != 0 {
		kind = s.EmbeddingType
	}
	last := [][]float64{x[len(tokens)-1], x[2*len(tokens)-1]}
	out := w.product(head, w.activations(w.norm("output_norm.weight", last), kind), wanted)
	return out[exactStream], out[roundedStream]
}

// hidden returns the hidden states of all positions after the last norm, for both streams.
func (w *twin) hidden(tokens []llm.Token) (exact, rounded [][]float64) {
	x := w.norm("output_norm.weight", w.stream(tokens))
	return x[:len(tokens)], x[len(tokens):]
}

// stream returns the residual stream of all positions after the last layer: the exact one's, then the rounded one's.
func (w *twin) stream(tokens []llm.Token) [][]float64 {
	s := w.shape
	embedding := w.tensor("token_embd.weight")
	var x [][]float64
	for range streams {
		for _, t := range tokens {
			x = append(x, w.row(make([]float64, s.Dim), embedding, int(t)))
		}
	}
	add := func(y [][]float64) {
		for i := range x {
			for c := range x[i] {
				x[i][c] += y[i][c]
			}
		}
	}
	for layer := range s.NLayers {
		name := func(part string) string { return fmt.Sprintf("blk.%d.%s.weight", layer, part) }
		a := w.activations(w.norm(name("attn_norm"), x), s.Type)
		q, k, v := w.product(name("attn_q"), a, nil), w.product(name("attn_k"), a, nil), w.product(name("attn_v"), a, nil)
		w.rotate(q)
		w.rotate(k)
		n := len(tokens)
		for _, token := range append(k[n:2*n:2*n], v[n:]...) {
			w.store(token)
		}
		attended := append(w.attend(q[:n], k[:n], v[:n]), w.attend(q[n:], k[n:], v[n:])...)
		add(w.product(name("attn_output"), w.activations(attended, s.Type), nil))
		f := w.activations(w.norm(name("ffn_norm"), x), s.Type)
		gate, up := w.product(name("ffn_gate"), f, nil), w.product(name("ffn_up"), f, nil)
		for i := range gate {
			for c, z := range gate[i] {
				gate[i][c] = z / (1 + math.Exp(-z)) * up[i][c]
			}
		}
		add(w.product(name("ffn_down"), w.activations(gate, s.Type), nil))
	}
	return x
}

func (w *twin) attend(q, k, v [][]float64) [][]float64 {
	s := w.shape
	out := make([][]float64, len(q))
	scores := make([]float64, len(q))
	for i := range q {
		out[i] = make([]float64, s.NHeads*s.HeadDim)
		for h := range s.NHeads {
			kv := h / (s.NHeads / s.NKVHeads) * s.HeadDim
			if w.fault == "heads share keys in turn, not in groups" {
				kv = h % s.NKVHeads * s.HeadDim
			}
			query, head := q[i][h*s.HeadDim:][:s.HeadDim], out[i][h*s.HeadDim:][:s.HeadDim]
			scores, largest := scores[:i+1], math.Inf(-1)
			if w.fault == "tokens do not see themselves" && i > 0 {
				scores = scores[:i]
			}
			for j := range scores {
				scores[j] = dot(query, k[j][kv:][:s.HeadDim]) / math.Sqrt(float64(s.HeadDim))
				largest = max(largest, scores[j])
			}
			total := 0.0
			for j := range scores {
				scores[j] = math.Exp(scores[j] - largest)
				total += scores[j]
			}
			for j := range scores {
				for d, x := range v[j][kv:][:s.HeadDim] {
					head[d] += scores[j] / total * x
				}
			}
		}
	}
	return out
}

// difference is the largest deviation of the logits, relative to the largest magnitude among those wanted.
func difference[A, B float32 | float64](got []A, want []B) float64 {
	worst, largest := 0.0, 0.0
	for i := range want {
		worst = max(worst, math.Abs(float64(got[i])-float64(want[i])))
		largest = max(largest, math.Abs(float64(want[i])))
		if got[i] != got[i] {
			return math.Inf(1)
		}
	}
	return worst / largest
}

// What the runtime may differ from the rounded stream by is float32's rounding in sums of thousands: logits relative to the
// largest, the vectors on the way relative to their root mean square.
const (
	logitTolerance      = 1e-5
	activationTolerance = 1e-4
)

// check compares the runtime's logits, of the tokens wanted, and the vectors on the way with the rounded stream.
func (w *twin) check(got []float32, rounded []float64) error {
	switch d := difference(got, rounded); {
	case len(w.recorded) > 0:
		return fmt.Errorf("the runtime computed %d values that the twin knows nothing of", len(w.recorded))
	case !(w.worst <= activationTolerance):
		return fmt.Errorf("an activation differs by %.2g of the root mean square of its vector, want at most %g", w.worst, activationTolerance)
	case !(d <= logitTolerance):
		return fmt.Errorf("logits differ by %.2g of the largest, want at most %g", d, logitTolerance)
	}
	return nil
}

// TestTwin compares the runtime with the twin on small models of every format and many shapes.
func TestTwin(t *testing.T) {
	shapes := map[string]func(*vectors.Shape){
		"tied":                 func(*vectors.Shape) {},
		"untied":               func(s *vectors.Shape) { s.Untied = true },
		"no scaling":           func(s *vectors.Shape) { s.RoPEFactor = 0 },
		"factor 8":             func(s *vectors.Shape) { s.RoPEFactor = 8 },
		"groups of 3":          func(s *vectors.Shape) { s.NHeads, s.NKVHeads = 6, 2 },
		"one head for 12":      func(s *vectors.Shape) { s.NHeads, s.NKVHeads, s.HeadDim = 12, 1, 32 },
		"no groups":            func(s *vectors.Shape) { s.NKVHeads = 4 },
		"heads wider than dim": func(s *vectors.Shape) { s.HeadDim = 128 },
		"Q8_0 embedding":       func(s *vectors.Shape) { s.EmbeddingType = gguf.Q8_0 },
		"ragged vocabulary":    func(s *vectors.Shape) { s.VocabSize = 331 },
	}
	for _, kind := range []gguf.Type{gguf.F32, gguf.F16, gguf.BF16, gguf.Q8_0, gguf.Q4_0} {
		for name, change := range shapes {
			t.Run(kind.String()+" "+name, func(t *testing.T) {
				shape := smallShape(kind)
				change(&shape)
				for _, n := range []int{3, 70} { // within a block of the cache, and beyond
					if n == 70 && testing.Short() && name != "tied" && name != "one head for 12" {
						continue
					}
					tokens := vectors.Tokens("twin", n, shape.VocabSize)
					got, w := newTwin(t, shape, tokens)
					values := len(w.recorded)
					_, rounded := w.logits(tokens, nil)
					t.Logf("%d tokens: activations differ by %.2g, logits by %.2g; %d of %d values on a border",
						n, w.worst, difference(got, rounded), w.borders, values)
					if err := w.check(got, rounded); err != nil {
						t.Errorf("%d tokens: %v", n, err)
					}
				}
			})
		}
	}
}

// TestTwinNotices makes sure that a comparison with the twin fails when either of the two is wrong, if only a little: the twin
// makes one mistake at a time.
func TestTwinNotices(t *testing.T) {
	for _, kind := range []gguf.Type{gguf.Q4_0, gguf.Q8_0, gguf.BF16} {
		shape := smallShape(kind)
		tokens := vectors.Tokens("notices", 9, shape.VocabSize)
		got, fresh := newTwin(t, shape, tokens)
		for _, fault := range []string{
			"",
			"a group's scale is 1/1024 too large", "a group has its halves swapped", "a weight is left out",
			"activations are cut, not rounded", "activations reach from -128", "keys and values are not rounded",
			"the norms' epsilon is 1e-3", "two tokens are at one position", "a pair's frequency is 1 % too high",
			"frequencies are not scaled", "rotations go the other way", "heads share keys in turn, not in groups",
			"tokens do not see themselves",
		} {
			if kind == gguf.BF16 && strings.HasPrefix(fault, "activations") {
				continue // they are not rounded
			}
			w := fresh.again()
			w.fault = fault
			_, rounded := w.logits(tokens, nil)
			err := w.check(got, rounded)
			if (err != nil) != (fault != "") {
				t.Errorf("%v, fault %q: %v; activations differ by %.2g, logits by %.2g", kind, fault, err, w.worst, difference(got, rounded))
			}
			t.Logf("%v %s: %v", kind, fault, err)
		}
	}
}

// TestRoundingIsDiscontinuous shows why the twin must take over how the runtime rounds: left to itself, it rounds a value on a
// border the other way, that shifts all values behind it, more of them cross a border, and its logits end hundreds of times
// farther away than float32 explains, though not farther than rounding moves them at all.
func TestRoundingIsDiscontinuous(t *testing.T) {
	shape := smallShape(gguf.Q4_0)
	for try := range 20 {
		tokens := vectors.Tokens(fmt.Sprint("discontinuous ", try), 40, shape.VocabSize)
		got, fresh := newTwin(t, shape, tokens)
		w := fresh.again()
		_, together := w.logits(tokens, nil)
		if err := w.check(got, together); err != nil {
			t.Error(err)
		}
		w = fresh.again()
		w.own = true
		exact, alone := w.logits(tokens, nil)
		if d := difference(got, alone); d > 100*logitTolerance {
			t.Logf("%d of %d values are rounded otherwise and move the logits by %.2g of the largest; rounding moves them by %.2g",
				w.borders, len(fresh.recorded), d, difference(got, exact))
			if d > difference(got, exact) {
				t.Error("that is more than rounding itself")
			}
			return
		}
	}
	t.Error("no value of 20 prompts lies on a border: the twin need not take over the runtime's choices")
}
