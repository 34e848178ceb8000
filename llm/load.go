package llm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/llm/tokenizer"
	"github.com/drover-ai/drover/simd"
)

// loader turns the tensors of a file into what the forward pass multiplies by. It keeps the first error.
type loader struct {
	file       *gguf.File
	matrices   []*simd.Matrix
	parameters int64
	err        error
}

func (l *loader) fail(tensor string, format string, args ...any) {
	if l.err == nil {
		l.err = &TensorError{File: l.file.Name(), Tensor: tensor, Err: fmt.Errorf(format, args...)}
	}
}

// tensor finds a tensor and checks its shape, rows first.
func (l *loader) tensor(name string, shape ...int) (gguf.Tensor, bool) {
	t, ok := l.file.Tensor(name)
	switch {
	case l.err != nil:
		return t, false
	case !ok:
		l.fail(name, "it is missing; the file is no complete Llama model")
		return t, false
	case !slices.Equal(t.Shape, shape):
		l.fail(name, "its shape is %v, want %v as the metadata says", t.Shape, shape)
		return t, false
	}
	n := int64(1)
	for _, side := range shape {
		n *= int64(side)
	}
	l.parameters += n
	return t, true
}

// formats are the element types that the kernels take.
var formats = map[gguf.Type]simd.Format{
	gguf.F32: simd.F32, gguf.F16: simd.F16, gguf.BF16: simd.BF16, gguf.Q8_0: simd.Q8_0, gguf.Q4_0: simd.Q4_0,
}

// matrix packs a linear layer. Float formats are used where they are; quantized ones are copied into the kernels' layout.
func (l *loader) matrix(name string, rows, cols int) *simd.Matrix {
	t, ok := l.tensor(name, rows, cols)
	if !ok {
		return nil
	}
	format, ok := formats[t.Type]
	if !ok {
		l.fail(name, "it is stored as %v; supported are F32, F16, BF16, Q8_0 and Q4_0: quantize the model to one of them", t.Type)
		return nil
	}
	build := simd.Alias
	if format.Quantized() {
		build = simd.Pack
	}
	m, err := build(format, rows, cols, t.Data)
	if err != nil {
		l.fail(name, "%w", err)
		return nil
	}
	l.matrices = append(l.matrices, m)
	return m
}

// vector reads a short tensor of float32, such as the weights of a norm.
func (l *loader) vector(name string, n int) []float32 {
	t, ok := l.tensor(name, n)
	if !ok {
		return nil
	}
	if t.Type != gguf.F32 {
		l.fail(name, "it is stored as %v, want F32", t.Type)
		return nil
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
	}
	return out
}

// layer reads the weights of one block.
func (l *loader) layer(i int, c *Config) layer {
	name := func(part string) string { return fmt.Sprintf("blk.%d.%s.weight", i, part) }
	heads, kvHeads := c.NHeads*c.HeadDim, c.NKVHeads*c.HeadDim
	return layer{
		attentionNorm: l.vector(name("attn_norm"), c.Dim),
		query:         l.matrix(name("attn_q"), heads, c.Dim),
		key:           l.matrix(name("attn_k"), kvHeads, c.Dim),
		value:         l.matrix(name("attn_v"), kvHeads, c.Dim),
		output:        l.matrix(name("attn_output"), c.Dim, heads),
		ffnNorm:       l.vector(name("ffn_norm"), c.Dim),
		gate:          l.matrix(name("ffn_gate"), c.HiddenDim, c.Dim),
		up:            l.matrix(name("ffn_up"), c.HiddenDim, c.Dim),
		down:          l.matrix(name("ffn_down"), c.Dim, c.HiddenDim),
	}
}

// frequencies are those of RoPE, scaled by the file's divisors if it has them.
func (l *loader) frequencies(c *Config) []float64 {
	var divisors []float32
	if _, ok := l.file.Tensor("rope_freqs.weight"); ok {
		divisors = l.vector("rope_freqs.weight", c.HeadDim/2)
		for i, d := range divisors {
			if !(d > 0) || math.IsInf(float64(d), 0) {
				l.fail("rope_freqs.weight", "divisor %d is %g, want a positive number", i, d)
				return nil
			}
		}
	}
	return ropeFrequencies(c.HeadDim, c.RoPEBase, divisors)
}

// readTokenizer makes the tokenizer of the vocabulary in the file.
func readTokenizer(f *gguf.File) (*tokenizer.Tokenizer, error) {
	const tokensKey, typesKey = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
	tokens, ok := f.Lookup(tokensKey)
	if !ok || !tokens.IsStrings() {
		return nil, &ConfigError{File: f.Name(), Key: tokensKey, Err: errors.New("want an array of strings")}
	}
	var types []int64
	if v, ok := f.Lookup(typesKey); ok {
		if types, ok = v.Ints(); !ok || len(types) != tokens.Len() {
			return nil, &ConfigError{File: f.Name(), Key: typesKey, Err: fmt.Errorf("want an array of %d integers, one a token", tokens.Len())}
		}
	}
	if model, err := stringKey(f, "tokenizer.ggml.model"); err != nil || model != "gpt2" {
		return nil, &ConfigError{File: f.Name(), Key: "tokenizer.ggml.model", Err: fmt.Errorf(`it is %q; only byte-level BPE, "gpt2", is supported`, model)}
	}
	t, err := tokenizer.FromGGUF(tokens.Strings, types)
	if err != nil {
		return nil, &ConfigError{File: f.Name(), Key: tokensKey, Err: err}
	}
	return t, nil
}
