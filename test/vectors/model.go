package vectors

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/drover-ai/drover/llm/gguf"
)

// Shape is a model to be made.
type Shape struct {
	Name                             string
	Dim, HiddenDim, NLayers          int
	NHeads, NKVHeads, HeadDim        int
	VocabSize, ContextLength         int
	RoPEFactor                       float64 // of Llama 3's scaling; 0 for none
	Untied                           bool    // with an output.weight of its own
	Type                             gguf.Type
	EmbeddingType                    gguf.Type // of token_embd and output; 0, which is F32, stands for Type
	OmitTensor, OmitKey, ExtraTensor string    // for tests of damaged files
	Set                              map[string]any
	BreakShapeOf                     string // a tensor that gets a wrong shape
}

// Llama1B and Llama3B return Llama 3.2's shapes, with a number of layers: 16 and 28 are the real ones.
func Llama1B(kind gguf.Type, layers int) Shape {
	return Shape{
		Name: "synthetic 1B", Dim: 2048, HiddenDim: 8192, NLayers: layers, NHeads: 32, NKVHeads: 8, HeadDim: 64,
		VocabSize: 128256, ContextLength: 131072, RoPEFactor: 32, Type: kind,
	}
}

// Llama3B is like [Llama1B].
func Llama3B(kind gguf.Type, layers int) Shape {
	return Shape{
		Name: "synthetic 3B", Dim: 3072, HiddenDim: 8192, NLayers: layers, NHeads: 24, NKVHeads: 8, HeadDim: 128,
		VocabSize: 128256, ContextLength: 131072, RoPEFactor: 32, Type: kind,
	}
}

// Bytes returns the model file.
func (s Shape) Bytes() ([]byte, error) {
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// WriteTo implements [io.WriterTo]: it writes the model file.
func (s Shape) WriteTo(out io.Writer) (int64, error) {
	w := &writer{shape: s}
	w.metadata()
	w.tensors()
	if w.err != nil {
		return 0, w.err
	}
	return w.WriteTo(out)
}

type writer struct {
	gguf.Writer
	shape Shape
	err   error
}

// metadata writes the keys, where Set may replace a value.
func (w *writer) metadata() {
	s := w.shape
	tokens, types := vocabulary(s.VocabSize)
	replaced := map[string]bool{}
	set := func(key string, value any) {
		if key == s.OmitKey {
			return
		}
		if v, ok := s.Set[key]; ok {
			value, replaced[key] = v, true
		}
		w.Set(key, value)
	}
	set("general.architecture", "llama")
	set("general.name", s.Name)
	set("llama.embedding_length", s.Dim)
	set("llama.feed_forward_length", s.HiddenDim)
	set("llama.block_count", s.NLayers)
	set("llama.attention.head_count", s.NHeads)
	set("llama.attention.head_count_kv", s.NKVHeads)
	set("llama.attention.key_length", s.HeadDim)
	set("llama.attention.value_length", s.HeadDim)
	set("llama.attention.layer_norm_rms_epsilon", float32(1e-5))
	set("llama.context_length", s.ContextLength)
	set("llama.rope.freq_base", float32(500000))
	set("llama.rope.dimension_count", s.HeadDim)
	set("llama.vocab_size", s.VocabSize)
	set("tokenizer.ggml.model", "gpt2")
	set("tokenizer.ggml.pre", "llama-bpe")
	set("tokenizer.ggml.tokens", tokens)
	set("tokenizer.ggml.token_type", types)
	set("tokenizer.chat_template", "{{ messages }}")
	for key, value := range s.Set {
		if !replaced[key] {
			w.Set(key, value)
		}
	}
}

// tensors writes the weights.
func (w *writer) tensors() {
	s := w.shape
	embedding := s.EmbeddingType
	if embedding == 0 {
		embedding = s.Type
	}
	w.matrix("token_embd.weight", embedding, s.VocabSize, s.Dim)
	if s.Untied {
		w.matrix("output.weight", embedding, s.VocabSize, s.Dim)
	}
	w.floats("output_norm.weight", norm("output_norm.weight", s.Dim))
	if s.RoPEFactor != 0 {
		w.floats("rope_freqs.weight", Divisors(s.HeadDim, s.RoPEFactor))
	}
	for i := range s.NLayers {
		name := func(part string) string { return fmt.Sprintf("blk.%d.%s.weight", i, part) }
		heads, kvHeads := s.NHeads*s.HeadDim, s.NKVHeads*s.HeadDim
		w.floats(name("attn_norm"), norm(name("attn_norm"), s.Dim))
		w.matrix(name("attn_q"), s.Type, heads, s.Dim)
		w.matrix(name("attn_k"), s.Type, kvHeads, s.Dim)
		w.matrix(name("attn_v"), s.Type, kvHeads, s.Dim)
		w.matrix(name("attn_output"), s.Type, s.Dim, heads)
		w.floats(name("ffn_norm"), norm(name("ffn_norm"), s.Dim))
		w.matrix(name("ffn_gate"), s.Type, s.HiddenDim, s.Dim)
		w.matrix(name("ffn_up"), s.Type, s.HiddenDim, s.Dim)
		w.matrix(name("ffn_down"), s.Type, s.Dim, s.HiddenDim)
	}
	if s.ExtraTensor != "" {
		w.floats(s.ExtraTensor, make([]float32, 32))
	}
}

func (w *writer) matrix(name string, kind gguf.Type, rows, cols int) {
	if name == w.shape.OmitTensor || w.err != nil {
		return
	}
	if name == w.shape.BreakShapeOf {
		rows += 32
	}
	data, err := matrix(name, kind, rows, cols)
	if err != nil {
		w.err = err
		return
	}
	w.Tensor(name, kind, []int{rows, cols}, data)
}

func (w *writer) floats(name string, x []float32) {
	if name == w.shape.OmitTensor {
		return
	}
	if name == w.shape.BreakShapeOf {
		x = append(x, 1)
	}
	data := make([]byte, 0, 4*len(x))
	for _, v := range x {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	w.Tensor(name, gguf.F32, []int{len(x)}, data)
}

// Divisors returns rope_freqs for Llama 3's RoPE scaling of base 500,000, from the definition in Hugging Face's
// modeling_rope_utils: frequencies of short wavelengths stay, those of long ones are divided, those between are blended.
func Divisors(headDim int, factor float64) []float32 {
	out := make([]float32, headDim/2)
	for i := range out {
		inverse := math.Pow(500000, -2*float64(i)/float64(headDim))
		wavelength := 2 * math.Pi / inverse
		scaled := inverse
		if wavelength > 8192 {
			scaled = inverse / factor
		} else if wavelength > 2048 {
			smooth := (8192/wavelength - 1) / 3
			scaled = (1-smooth)*inverse/factor + smooth*inverse
		}
		out[i] = float32(inverse / scaled)
	}
	return out
}

// SpecialTokens are the last ones of every vocabulary made here.
var SpecialTokens = []string{"<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"}

// vocabulary returns n tokens as GGUF has them: the 256 bytes in GPT-2's letters, words, and the special tokens.
func vocabulary(n int) (tokens []string, types []int32) {
	shifted := rune(0x100)
	for b := range 256 {
		r := rune(b)
		if b < 33 || 126 < b && b < 161 || b == 173 {
			r = shifted
			shifted++
		}
		tokens = append(tokens, string(r))
	}
	for len(tokens) < n-len(SpecialTokens) {
		tokens = append(tokens, fmt.Sprintf("Ġw%d", len(tokens)))
	}
	tokens = append(tokens[:n-len(SpecialTokens)], SpecialTokens...)
	for i := range tokens {
		types = append(types, 1)
		if i >= n-len(SpecialTokens) {
			types[i] = 3
		}
	}
	return tokens, types
}
