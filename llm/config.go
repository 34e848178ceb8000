package llm

import (
	"errors"
	"fmt"
	"math"

	"github.com/drover-ai/drover/llm/gguf"
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

	ContextLength int     // positions that the model was trained for
	RoPEBase      float64 // θ
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
		{"llama.rope.dimension_count", &c.HeadDim},
	} {
		if _, ok := f.Lookup(field.key); ok {
			if err := intKey(f, field.key, field.to, maxSide); err != nil {
				return Config{}, err
			}
		}
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
	return c, c.check(f.Name())
}

// check refuses sizes that do not fit together.
func (c *Config) check(file string) error {
	fail := func(key, format string, args ...any) error {
		return &ConfigError{File: file, Key: key, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case c.NHeads%c.NKVHeads != 0:
		return fail("llama.attention.head_count_kv", "%d key and value heads cannot serve %d query heads alike", c.NKVHeads, c.NHeads)
	case c.HeadDim%32 != 0 || c.HeadDim > 1024:
		return fail("llama.rope.dimension_count", "heads have %d dimensions, want a multiple of 32 up to 1024", c.HeadDim)
	case int64(c.NHeads)*int64(c.HeadDim) > maxSide:
		return fail("llama.attention.head_count", "%d heads of %d dimensions are more than any model has", c.NHeads, c.HeadDim)
	}
	return nil
}

func stringKey(f *gguf.File, key string) (string, error) {
	v, ok := f.Lookup(key)
	if !ok {
		return "", &ConfigError{File: f.Name(), Key: key, Err: errors.New("it is missing")}
	}
	text, ok := v.Text()
	if !ok {
		return "", &ConfigError{File: f.Name(), Key: key, Err: fmt.Errorf("it is of type %v, want a string", v.Kind())}
	}
	return text, nil
}

func intKey(f *gguf.File, key string, to *int, most int64) error {
	v, ok := f.Lookup(key)
	if !ok {
		return &ConfigError{File: f.Name(), Key: key, Err: errors.New("it is missing; the file is no complete Llama model")}
	}
	n, ok := v.Int()
	if !ok || n < 1 || n > most {
		return &ConfigError{File: f.Name(), Key: key, Err: fmt.Errorf("want an integer from 1 to %d", most)}
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
		return 0, &ConfigError{File: f.Name(), Key: key, Err: errors.New("want a positive number")}
	}
	return x, nil
}
