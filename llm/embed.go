package llm

import (
	"context"
	"fmt"
	"math"
)

// embedWindow is how many tokens of a text are read together at most: attention costs the square of them, and the KV cache of
// Llama 3.2 1B takes 256 MiB for so many.
const embedWindow = 8192

// EmptyTextError is returned for a text that has no tokens, and so no vector.
type EmptyTextError struct{ Index int } // among the texts given

func (e *EmptyTextError) Error() string {
	return fmt.Sprintf("text %d is empty, and an empty text has no embedding; leave it out", e.Index)
}

// Embed returns a vector [Dim] of length 1 for each text: the mean of the hidden states of its tokens, as the last norm leaves
// them. The nearer two texts are to the model, the greater the product of their vectors. The same text has the same vector,
// bit for bit, whatever the other texts and the number of threads.
//
// <|begin_of_text|> comes before each text, if the vocabulary has it, and is left out of the mean: its state is always the
// same. Names of special tokens in a text are text. A text that is longer than the context, or than 8,192 tokens, is read in
// pieces of that length, and the mean is that of all its tokens: nothing is cut off, but pieces do not see each other.
//
// Texts are read one after another, each token batch by all threads, with memory for one of them beside the vectors.
//
// The loader takes files of the architecture "llama" only. Llama 3.2 is not trained for this: its vectors tell topics apart, and
// lose against any model that is trained for retrieval. For one of that architecture the file's key llama.pooling_type is
// honored: mean (1, or absent), or the last token's state (3), that of the end
// of the text if tokenizer.ggml.add_eos_token says so; then a text that is too long is no pieces but a *[ContextLengthError].
// A file with another pooling, or with attention to both sides (llama.attention.causal is false), is refused with a
// *[ConfigError]: its vectors would be wrong.
//
// Other errors: *[EmptyTextError], [ErrClosed], and ctx's own, within milliseconds. There are no vectors then.
func (m *Model) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	e, err := m.newEmbedding()
	if err != nil {
		return nil, err
	}
	defer e.session.Close()
	out := make([][]float32, len(texts))
	for i, text := range texts {
		e.tokens = append(e.tokens[:0], e.begin...)
		if e.tokens = m.tokenizer.Encode(e.tokens, text); len(e.tokens) == len(e.begin) {
			return nil, &EmptyTextError{i}
		}
		e.tokens = append(e.tokens, e.end...)
		if most := len(e.begin) + e.window; e.last && len(e.tokens) > most {
			return nil, fmt.Errorf("text %d: %w", i, &ContextLengthError{Tokens: len(e.tokens), ContextLength: most})
		}
		if err := e.read(ctx, e.tokens[len(e.begin):]); err != nil {
			return nil, err
		}
		out[i] = e.vector()
	}
	return out, nil
}

// embedding reads texts, one after another.
type embedding struct {
	session    *Session
	begin, end []Token // what comes before and after each text
	last       bool    // the last token's state is the vector, not the mean
	window     int     // tokens of a text that are read together

	tokens []Token
	sum    []float64 // [Dim]
	seen   int       // tokens that are summed up
	add    func(position int, hidden []float32) error
}

func (m *Model) newEmbedding() (*embedding, error) {
	e := &embedding{sum: make([]float64, m.config.Dim)}
	if err := m.readPooling(e); err != nil {
		return nil, err
	}
	if id, ok := m.tokenizer.Special("<|begin_of_text|>"); ok {
		e.begin = []Token{id}
	}
	if e.window = min(m.contextLength, embedWindow) - len(e.begin); e.window < 1 {
		return nil, &ContextLengthError{Tokens: len(e.begin) + 1, ContextLength: m.contextLength}
	}
	e.add = func(position int, hidden []float32) error {
		if position < len(e.begin) {
			return nil
		}
		if e.last {
			clear(e.sum)
		}
		for c, x := range hidden {
			e.sum[c] += float64(x)
		}
		e.seen++
		return nil
	}
	var err error
	e.session, err = m.NewSession()
	return e, err
}

// The keys of a file that say how its model makes vectors.
const (
	poolingKey = "llama.pooling_type"
	causalKey  = "llama.attention.causal"
	addEOSKey  = "tokenizer.ggml.add_eos_token"
	eosKey     = "tokenizer.ggml.eos_token_id"
)

// readPooling reads how the model makes a vector of a text's states.
func (m *Model) readPooling(e *embedding) error {
	if err := m.enter(); err != nil {
		return err
	}
	defer m.leave()
	if v, ok := m.file.Lookup(causalKey); ok {
		if causal, ok := v.Bool(); !ok || !causal {
			return keyError(m.file, causalKey, "it is %s; tokens that see those after them are not supported", describe(v))
		}
	}
	v, ok := m.file.Lookup(poolingKey)
	if !ok {
		return nil
	}
	const none, mean, last = 0, 1, 3 // llama.cpp's enum llama_pooling_type
	kind, ok := v.Int()
	switch {
	case ok && (kind == none || kind == mean):
		return nil
	case !ok || kind != last:
		return keyError(m.file, poolingKey, "it is %s; supported are 1, the mean, and 3, the last token", describe(v))
	}
	e.last = true
	if v, ok := m.file.Lookup(addEOSKey); ok {
		if add, _ := v.Bool(); add {
			var id int
			if err := intKey(m.file, eosKey, &id, int64(m.config.VocabSize-1)); err != nil {
				return err
			}
			e.end = []Token{Token(id)}
		}
	}
	return nil
}

// read sums up the states of a text's tokens.
func (e *embedding) read(ctx context.Context, text []Token) error {
	clear(e.sum)
	e.seen = 0
	for len(text) > 0 {
		if err := e.rewind(ctx); err != nil {
			return err
		}
		n := min(len(text), e.window)
		if err := e.session.PrefillHidden(ctx, text[:n], e.add); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

// rewind makes the session hold what comes before each text, which is computed once.
func (e *embedding) rewind(ctx context.Context) error {
	if e.session.Position() >= len(e.begin) {
		return e.session.Rewind(len(e.begin))
	}
	return e.session.PrefillHidden(ctx, e.begin, e.add)
}

// vector is the mean, at length 1. Its direction is that of the sum.
func (e *embedding) vector() []float32 {
	squares := 0.0
	for _, x := range e.sum {
		squares += x * x
	}
	scale := 1 / math.Sqrt(max(squares, math.SmallestNonzeroFloat64))
	out := make([]float32, len(e.sum))
	for c, x := range e.sum {
		out[c] = float32(x * scale)
	}
	return out
}
