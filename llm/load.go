package llm

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/llm/tokenizer"
	"github.com/drover-ai/drover/simd"
)

// loader turns the tensors of a file into what the forward pass multiplies by. It keeps the first error.
type loader struct {
	file       *gguf.File
	used       map[string]bool // tensors that are part of the model
	matrices   []matrixPlan
	parameters int64
	err        error
}

// matrixPlan is a matrix to be packed, and where it goes.
type matrixPlan struct {
	tensor gguf.Tensor
	format simd.Format
	to     **simd.Matrix
}

func (l *loader) fail(tensor string, format string, args ...any) {
	if l.err == nil {
		t, _ := l.file.Tensor(tensor)
		l.err = &TensorError{File: l.file.Name(), Tensor: tensor, Offset: t.Offset, Err: fmt.Errorf(format, args...)}
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
	l.used[name] = true
	return t, true
}

// count adds a tensor to the model's parameters.
func (l *loader) count(t gguf.Tensor) {
	n := int64(1)
	for _, side := range t.Shape {
		n *= int64(side)
	}
	l.parameters += n
}

// formats are the element types that the kernels take.
var formats = map[gguf.Type]simd.Format{
	gguf.F32: simd.F32, gguf.F16: simd.F16, gguf.BF16: simd.BF16, gguf.Q8_0: simd.Q8_0, gguf.Q4_0: simd.Q4_0,
}

// matrix plans a linear layer; pack makes it.
func (l *loader) matrix(to **simd.Matrix, name string, rows, cols int) {
	t, ok := l.tensor(name, rows, cols)
	if !ok {
		return
	}
	format, ok := formats[t.Type]
	if !ok {
		l.fail(name, "it is stored as %v; supported are F32, F16, BF16, Q8_0 and Q4_0: quantize the model to one of them", t.Type)
		return
	}
	l.count(t)
	l.matrices = append(l.matrices, matrixPlan{t, format, to})
}

// pack makes all planned matrices, several at a time. Float formats are used where they are; quantized ones are copied into
// the kernels' layout. It returns what was made, also if there is an error.
func (l *loader) pack(threads int) []*simd.Matrix {
	if l.err != nil {
		return nil
	}
	made, errs := make([]*simd.Matrix, len(l.matrices)), make([]error, len(l.matrices))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(threads, len(l.matrices)) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := int(next.Add(1) - 1); i < len(made); i = int(next.Add(1) - 1) {
				t := l.matrices[i].tensor
				build := simd.Alias
				if l.matrices[i].format.Quantized() {
					build = simd.Pack
				}
				made[i], errs[i] = build(l.matrices[i].format, t.Shape[0], t.Shape[1], t.Data)
			}
		}()
	}
	workers.Wait()
	for i, plan := range l.matrices {
		if errs[i] != nil {
			l.fail(plan.tensor.Name, "%w", errs[i])
		}
		*plan.to = made[i]
	}
	return slices.DeleteFunc(made, func(m *simd.Matrix) bool { return m == nil })
}

// vector reads a short tensor of floats, such as the weights of a norm.
func (l *loader) vector(name string, n int) []float32 {
	t, ok := l.tensor(name, n)
	if !ok {
		return nil
	}
	out := make([]float32, n)
	for i := range out {
		switch t.Type {
		case gguf.F32:
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
		case gguf.F16:
			out[i] = simd.Float16ToFloat32(binary.LittleEndian.Uint16(t.Data[2*i:]))
		case gguf.BF16:
			out[i] = simd.BFloat16ToFloat32(binary.LittleEndian.Uint16(t.Data[2*i:]))
		default:
			l.fail(name, "it is stored as %v, want F32, F16 or BF16", t.Type)
			return nil
		}
	}
	return out
}

// norm is a vector that counts as parameters.
func (l *loader) norm(name string, n int) []float32 {
	v := l.vector(name, n)
	l.parameters += int64(len(v))
	return v
}

// layer plans the weights of one block.
func (l *loader) layer(i int, c *Config) *layer {
	name := func(part string) string { return fmt.Sprintf("blk.%d.%s.weight", i, part) }
	heads, kvHeads := c.NHeads*c.HeadDim, c.NKVHeads*c.HeadDim
	b := &layer{attentionNorm: l.norm(name("attn_norm"), c.Dim), ffnNorm: l.norm(name("ffn_norm"), c.Dim)}
	l.matrix(&b.query, name("attn_q"), heads, c.Dim)
	l.matrix(&b.key, name("attn_k"), kvHeads, c.Dim)
	l.matrix(&b.value, name("attn_v"), kvHeads, c.Dim)
	l.matrix(&b.output, name("attn_output"), c.Dim, heads)
	l.matrix(&b.gate, name("ffn_gate"), c.HiddenDim, c.Dim)
	l.matrix(&b.up, name("ffn_up"), c.HiddenDim, c.Dim)
	l.matrix(&b.down, name("ffn_down"), c.Dim, c.HiddenDim)
	return b
}

// refuseOthers fails if the file has a tensor that was not used, such as a bias: leaving it out would give wrong answers.
func (l *loader) refuseOthers() {
	for _, t := range l.file.Tensors() {
		if !l.used[t.Name] {
			l.fail(t.Name, "it is no part of a Llama model as its metadata describes it, and computing without it would give wrong answers")
		}
	}
}

// vocabulary is where the tokenizer is in a file.
type vocabulary struct {
	tokens, types gguf.Value // types may be missing
	size          int
}

const (
	tokensKey = "tokenizer.ggml.tokens"
	typesKey  = "tokenizer.ggml.token_type"
)

// findVocabulary finds the vocabulary and checks its size. It takes no memory: that a file of nothing but tokens is no model
// turns out before they are read.
func findVocabulary(f *gguf.File) (v vocabulary, err error) {
	const modelKey, sizeKey = "tokenizer.ggml.model", "llama.vocab_size"
	model, err := stringKey(f, modelKey)
	if err != nil {
		return v, err
	}
	if model != "gpt2" {
		return v, keyError(f, modelKey, `it is %q; only byte-level BPE, "gpt2", is supported`, model)
	}
	var ok bool
	if v.tokens, ok = f.Lookup(tokensKey); !ok || !v.tokens.IsStrings() {
		return v, keyError(f, tokensKey, "want an array of strings")
	}
	if v.size = v.tokens.Len(); v.size < 256 {
		return v, keyError(f, tokensKey, "there are %d tokens; a byte-level vocabulary has at least 256", v.size)
	}
	if v.types, ok = f.Lookup(typesKey); ok && v.types.Len() != v.size {
		return v, keyError(f, typesKey, "it is %s, want an array of %d integers, one a token", describe(v.types), v.size)
	}
	if _, ok := f.Lookup(sizeKey); ok {
		var size int
		if err := intKey(f, sizeKey, &size, math.MaxInt32); err != nil {
			return v, err
		}
		if size != v.size {
			return v, keyError(f, sizeKey, "it is %d, but %s has %d tokens", size, tokensKey, v.size)
		}
	}
	return v, nil
}

// tokenizer makes the tokenizer.
func (v *vocabulary) tokenizer(f *gguf.File) (*tokenizer.Tokenizer, error) {
	var types []int64
	if v.types.Len() > 0 {
		var ok bool
		if types, ok = v.types.Ints(); !ok {
			return nil, keyError(f, typesKey, "it is %s, want integers", describe(v.types))
		}
	}
	t, err := tokenizer.FromGGUF(v.tokens.Strings, types)
	if err != nil {
		return nil, keyError(f, tokensKey, "%w", err)
	}
	return t, nil
}
