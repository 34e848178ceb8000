package llm_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/test/vectors"
)

// goldenCase is what test/vectors/logits.py computed in PyTorch for a synthetic model.
type goldenCase struct {
	Shape, Type                string
	Dim, Hidden, Layers, Heads int
	KVHeads                    int `json:"kv_heads"`
	HeadDim                    int `json:"head_dim"`
	Vocab, Tokens              int
	Factor                     float64
	Largest, LogSumExp         float64
	Top                        []struct {
		ID    llm.Token
		Logit float64
	}
	Sample []float64
}

func goldenCases(t *testing.T) []goldenCase {
	t.Helper()
	text, err := os.ReadFile("../test/vectors/logits.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []goldenCase }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 9 {
		t.Fatalf("logits.json has %d cases, want the 9 that logits.py computes", len(file.Cases))
	}
	return file.Cases
}

var types = map[string]gguf.Type{"F16": gguf.F16, "BF16": gguf.BF16, "Q8_0": gguf.Q8_0, "Q4_0": gguf.Q4_0}

func (c *goldenCase) shape() vectors.Shape {
	return vectors.Shape{
		Name: c.Shape, Dim: c.Dim, HiddenDim: c.Hidden, NLayers: c.Layers, NHeads: c.Heads, NKVHeads: c.KVHeads,
		HeadDim: c.HeadDim, VocabSize: c.Vocab, ContextLength: 131072, RoPEFactor: c.Factor, Type: types[c.Type],
	}
}

func (c *goldenCase) prompt() []llm.Token {
	return vectors.Tokens("prompt "+c.Shape, c.Tokens, c.Vocab)
}

// ids are the tokens whose logits the file has: a sample, then the highest.
func (c *goldenCase) ids() []llm.Token {
	ids := vectors.Tokens("sample "+c.Shape, len(c.Sample), c.Vocab)
	for _, top := range c.Top {
		ids = append(ids, top.ID)
	}
	return ids
}

// pick returns the logits of these.
func pick(c *goldenCase, logits []float32) []float32 {
	var out []float32
	for _, id := range c.ids() {
		out = append(out, logits[id])
	}
	return out
}

// want are PyTorch's.
func (c *goldenCase) want() []float64 {
	want := append([]float64(nil), c.Sample...)
	for _, top := range c.Top {
		want = append(want, top.Logit)
	}
	return want
}

// rms returns the root mean square of got−want, and of want.
func rms(got []float32, want []float64) (deviation, size float64) {
	for i, w := range want {
		d := float64(got[i]) - w
		deviation += d * d
		size += w * w
	}
	return math.Sqrt(deviation / float64(len(want))), math.Sqrt(size / float64(len(want)))
}

// TestLogitsAgreeWithPyTorch compares the last position's logits of models with Llama 3.2's real shapes, and of small ones with
// 9,000 positions, with PyTorch's in float32.
//
// Float formats: every logit within 1e-3 of the largest one. The KV cache's rounding to float16 is in that.
//
// Quantized formats multiply int8 activations, and agree by two steps that have the twin between them. Its exact stream
// agrees with PyTorch as a float format does. The runtime agrees with its rounded stream, which differs from the exact one by
// nothing but the rounding, to 1e-3 as well, activations before every product included.
//
// How far rounding takes the logits then follows from theory: rounding a group of 32 values to steps of s = amax/127 adds an
// error of variance s²/12 to each, so that every product on the way adds the relative variance Σ(s²/12)/Σx² to what it
// computes. Errors of different products are independent, so that the relative deviation of the logits, root mean square, is
// about the square root of the sum: measured, it is 0.9 to 1.0 of that, and 1.5 among 9,000 positions.
func TestLogitsAgreeWithPyTorch(t *testing.T) {
	for _, c := range goldenCases(t) {
		t.Run(c.Shape+" "+c.Type, func(t *testing.T) {
			if testing.Short() {
				t.Skip("computes with hundreds of megabytes of weights")
			}
			shape := c.shape()
			logits, w := newTwin(t, shape, c.prompt())
			got, want := pick(&c, logits), c.want()
			deviation, size := rms(got, want)
			t.Logf("largest difference %.2g of the largest logit, root mean square %.2g of theirs", difference(got, want), deviation/size)
			if c.Type == "F16" || c.Type == "BF16" {
				if d := difference(got, want); d > 1e-3 {
					t.Errorf("logits differ by %.2g of the largest, want at most 1e-3", d)
				}
				if d := math.Abs(llm.LogSumExp(logits) - c.LogSumExp); d > 1e-3*c.Largest {
					t.Errorf("log-sum-exp is %g, want %g", llm.LogSumExp(logits), c.LogSumExp)
				}
				if top := llm.TopLogprobs(logits, 1); top[0].Token != c.Top[0].ID {
					t.Errorf("the highest logit is of token %d, want %d", top[0].Token, c.Top[0].ID)
				}
				return
			}
			explained := math.Sqrt(roundingNoise(shape, w.recorded, c.Tokens))
			t.Logf("activation rounding explains a root mean square of %.2g", explained)
			factor := noiseFactor
			if c.Tokens > 100 {
				factor = longNoiseFactor
			}
			if deviation > factor*explained*size {
				t.Errorf("logits deviate by %.2g of their root mean square, activation rounding explains %.2g", deviation/size, explained)
			}
			if c.Tokens > 100 {
				return // the twin would take minutes
			}
			values := len(w.recorded)
			exact, rounded := w.logits(c.prompt(), c.ids())
			if d := difference(exact, want); d > 1e-4 {
				t.Errorf("without rounding, the twin differs from PyTorch by %.2g of the largest logit, want at most 1e-4", d)
			}
			t.Logf("runtime and twin: activations differ by %.2g, logits by %.2g; %d of %d values on a border; exact and PyTorch: %.2g",
				w.worst, difference(got, rounded), w.borders, values, difference(exact, want))
			if err := w.check(got, rounded); err != nil {
				t.Error(err)
			}
		})
	}
}

// How much more than the square root of the summed variances the logits may deviate by: attention's softmax and the product in
// SwiGLU may enlarge what comes in. Among thousands of positions softmax does, since it picks a few.
const (
	noiseFactor     = 1.25
	longNoiseFactor = 2.0
)

// roundingNoise is the relative variance that rounding brings into the logits of a prompt of n tokens: of each step on the way
// that prepares a product, what rounding adds to the activations of the last pass, Σ(s²/12)/Σx². recorded is what llm.Record
// has recorded; keys and values are left out, float16's steps being far smaller.
func roundingNoise(shape vectors.Shape, recorded []float32, n int) (noise float64) {
	heads, kvHeads := shape.NHeads*shape.HeadDim, shape.NKVHeads*shape.HeadDim
	n = (n-1)%llm.BatchLength + 1
	rest := recorded[len(recorded)-shape.Dim-n*shape.NLayers*(2*shape.Dim+heads+2*kvHeads+shape.HiddenDim):]
	step := func(size int) {
		noise += relativeNoise(rest[:size])
		rest = rest[size:]
	}
	for range shape.NLayers {
		step(n * shape.Dim)
		rest = rest[2*n*kvHeads:]
		step(n * heads)
		step(n * shape.Dim)
		step(n * shape.HiddenDim)
	}
	step(shape.Dim)
	return noise
}

// relativeNoise is Σ(s²/12)/Σx² of values that are rounded to steps of s, a 127th of the largest in a group of 32.
func relativeNoise(x []float32) float64 {
	var errors, squares float64
	for g := 0; g < len(x); g += 32 {
		largest := 0.0
		for _, v := range x[g : g+32] {
			largest = max(largest, math.Abs(float64(v)))
			squares += float64(v) * float64(v)
		}
		errors += 32 * largest / 127 * largest / 127 / 12
	}
	return errors / squares
}

// TestLongPositionsNeedTheRightRoPE shows that the cases of 9,000 positions test RoPE's scaling: with Llama 3.1's factor 8
// instead of 32, or with none, the logits are not PyTorch's, by far.
func TestLongPositionsNeedTheRightRoPE(t *testing.T) {
	if testing.Short() {
		t.Skip("computes 9,000 tokens twice")
	}
	for _, c := range goldenCases(t) {
		if c.Shape != "long64" || c.Type != "Q8_0" {
			continue
		}
		for _, factor := range []float64{8, 0} {
			shape := c.shape()
			shape.RoPEFactor = factor
			got := pick(&c, prefillAll(t, loadShape(t, shape), c.prompt()))
			if d := difference(got, c.want()); d < 0.1 { // with 32 it is 0.015
				t.Errorf("with factor %g the logits differ from those with 32 by %.2g only", factor, d)
			} else {
				t.Logf("with factor %g the logits differ by %.2g", factor, d)
			}
		}
		return
	}
	t.Fatal("logits.json has no case of 9,000 positions")
}
