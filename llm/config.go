package llm

import (
	"fmt"
	"math"

	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/simd"
)

// Config holds a model's hyperparameters, under their names in the papers.
type Config struct {
	Dim       int // width of the residual stream
	HiddenDim int // width inside the feed-forward network
	NLayers   int
	NHeads    int // query heads
	NKVHeads  int // key and value heads; query head h uses key head h / (NHeads / NKVHeads)
	HeadDim   int
	VocabSize int

	ContextLength int       // positions that the model was trained for
	RoPEBase      float64   // θ
	RoPEFreqs     []float32 // [HeadDim/2] what the frequencies are divided by, "rope_freqs"; nil for no scaling
	RMSNormEps    float32
	Tied          bool // the LM head is the embedding
}

// largest values that a checkpoint may claim: far above any real model, and small enough that no product overflows.
const (
	maxSide    = 1 << 20
	maxLayers  = 1 << 12
	maxContext = 1 << 24
)

// readConfig reads the hyperparameters of a Llama model from a GGUF file's metadata.
func readConfig(f *gguf.File) (Config, error) {
	architecture, err := stringKey(f, "general.architecture")
	if err != nil {
		return Config{}, err
	}
	if architecture != "llama" {
		return Config{}, &ArchitectureError{File: f.Name(), Got: architecture}
	}
	var c Config
	for _, field := range []struct {
		key  string
		to   *int
		most int64
	}{
		{"llama.embedding_length", &c.Dim, maxSide}, {"llama.feed_forward_length", &c.HiddenDim, maxSide},
		{"llama.block_count", &c.NLayers, maxLayers}, {"llama.attention.head_count", &c.NHeads, maxSide},
		{"llama.context_length", &c.ContextLength, maxContext},
	} {
		if err := intKey(f, field.key, field.to, field.most); err != nil {
			return Config{}, err
		}
	}
	c.NKVHeads, c.HeadDim = c.NHeads, c.Dim/c.NHeads
	for _, field := range []struct {
		key string
		to  *int
	}{
		{"llama.attention.head_count_kv", &c.NKVHeads}, {"llama.attention.key_length", &c.HeadDim},
	} {
		if _, ok := f.Lookup(field.key); ok {
			if err := intKey(f, field.key, field.to, maxSide); err != nil {
				return Config{}, err
			}
		}
	}
	if err := refuseOtherKinds(f, &c); err != nil {
		return Config{}, err
	}
	if c.RoPEBase, err = floatKey(f, "llama.rope.freq_base", 10000); err != nil {
		return Config{}, err
	}
	eps, err := floatKey(f, "llama.attention.layer_norm_rms_epsilon", 1e-5)
	if err != nil {
		return Config{}, err
	}
	c.RMSNormEps = float32(eps)
	_, untied := f.Tensor("output.weight")
	c.Tied = !untied
	return c, c.check(f)
}

// refuseOtherKinds fails for what the architecture "llama" also covers in other runtimes and this one does not compute: an
// ignored key would give wrong answers.
func refuseOtherKinds(f *gguf.File, c *Config) error {
	for _, field := range []struct {
		key  string
		want int
	}{
		{"llama.rope.dimension_count", c.HeadDim}, // all of a head is rotated
		{"llama.attention.value_length", c.HeadDim},
		{"llama.expert_count", 0},
	} {
		v, ok := f.Lookup(field.key)
		if !ok {
			continue
		}
		if n, ok := v.Int(); !ok || n != int64(field.want) {
			return keyError(f, field.key, "it is %s, only %d is supported here", describe(v), field.want)
		}
	}
	const scaling = "llama.rope.scaling.type"
	if v, ok := f.Lookup(scaling); ok {
		if kind, ok := v.Text(); !ok || kind != "none" && kind != "linear" {
			return keyError(f, scaling,
				"it is %v; supported are none, linear, and Llama 3's scaling by the tensor rope_freqs.weight", describe(v))
		}
	}
	return nil
}

// linearRoPEFactor is what all RoPE frequencies are divided by, 1 as a rule.
func linearRoPEFactor(f *gguf.File) (float64, error) {
	if v, ok := f.Lookup("llama.rope.scaling.type"); ok {
		if kind, _ := v.Text(); kind == "linear" {
			return floatKey(f, "llama.rope.scaling.factor", 1)
		}
	}
	return 1, nil
}

// check refuses sizes that do not fit together.
func (c *Config) check(f *gguf.File) error {
	fail := func(key, format string, args ...any) error { return keyError(f, key, format, args...) }
	switch {
	case c.Dim%simd.RowAlign != 0:
		return fail("llama.embedding_length", "it is %d, want a multiple of %d", c.Dim, simd.RowAlign)
	case c.HiddenDim%simd.RowAlign != 0:
		return fail("llama.feed_forward_length", "it is %d, want a multiple of %d", c.HiddenDim, simd.RowAlign)
	case c.NHeads%c.NKVHeads != 0:
		return fail("llama.attention.head_count_kv", "%d key and value heads cannot serve %d query heads alike", c.NKVHeads, c.NHeads)
	case c.HeadDim < 32 || c.HeadDim%32 != 0 || c.HeadDim > 1024:
		return fail("llama.attention.key_length", "heads have %d dimensions, want a multiple of 32 up to 1024", c.HeadDim)
	case int64(c.NHeads)*int64(c.HeadDim) > maxSide:
		return fail("llama.attention.head_count", "%d heads of %d dimensions are more than any model has", c.NHeads, c.HeadDim)
	}
	return nil
}

// keyError tells what is wrong with a key, and where in the file its value is.
func keyError(f *gguf.File, key, format string, args ...any) error {
	e := &ConfigError{File: f.Name(), Key: key, Err: fmt.Errorf(format, args...)}
	if v, ok := f.Lookup(key); ok {
		e.Offset = v.Offset()
	}
	return e
}

// describe shows a metadata value in an error.
func describe(v gguf.Value) string {
	if v.Kind() == gguf.Array {
		return fmt.Sprintf("an array of %d %vs", v.Len(), v.Element())
	}
	if text, ok := v.Text(); ok {
		const enough = 40
		if len(text) > enough {
			return fmt.Sprintf("%q…", text[:enough])
		}
		return fmt.Sprintf("%q", text)
	}
	if b, ok := v.Bool(); ok {
		return fmt.Sprint(b)
	}
	x, _ := v.Float()
	return fmt.Sprint(x)
}

func stringKey(f *gguf.File, key string) (string, error) {
	v, ok := f.Lookup(key)
	if !ok {
		return "", keyError(f, key, "it is missing; the file is no complete Llama model")
	}
	text, ok := v.Text()
	if !ok {
		return "", keyError(f, key, "it is %s, want a string", describe(v))
	}
	return text, nil
}

func intKey(f *gguf.File, key string, to *int, most int64) error {
	v, ok := f.Lookup(key)
	if !ok {
		return keyError(f, key, "it is missing; the file is no complete Llama model")
	}
	n, ok := v.Int()
	if !ok || n < 1 || n > most {
		return keyError(f, key, "it is %s, want an integer from 1 to %d", describe(v), most)
	}
	*to = int(n)
	return nil
}

func floatKey(f *gguf.File, key string, fallback float64) (float64, error) {
	v, ok := f.Lookup(key)
	if !ok {
		return fallback, nil
	}
	x, ok := v.Float()
	if !ok || !(x > 0) || math.IsInf(x, 0) {
		return 0, keyError(f, key, "it is %s, want a positive number", describe(v))
	}
	return x, nil
}
