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
// Short texts are read together, as many as make a batch of tokens and at most [embedLanes]; so the weights are read once for
// all of them. The memory for that, one block of the KV cache for each, stays the same however many texts there are.
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
	defer e.close()
	e.texts, e.vectors = texts, make([][]float32, len(texts))
	for {
		switch more, err := e.fill(ctx); {
		case err != nil:
			return nil, err
		case !more:
			return e.vectors, nil
		}
		if err := m.forwardHidden(ctx, e.parts, e.visit); err != nil {
			return nil, err
		}
		e.settle()
	}
}

// forwardHidden runs tokens of several sessions, at most batchLength of them, through the network together, and hands their
// states to visit. The sessions are the caller's alone.
func (m *Model) forwardHidden(ctx context.Context, parts []part, visit func(part, position int, hidden []float32) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := m.enter(); err != nil {
		return err
	}
	defer m.leave()
	p := m.passes.get()
	defer m.passes.put(p)
	p.parts = append(p.parts[:0], parts...)
	p.begin(ctx)
	defer p.end()
	if err := p.layers(ctx); err != nil {
		return err
	}
	return p.visitHidden(visit)
}

// embedLanes is how many texts are read together at most. Each has a session of its own, whose memory comes in blocks.
const embedLanes = 16

// embedding reads texts, in their order.
type embedding struct {
	model      *Model
	begin, end []Token // what comes before and after each text
	last       bool    // the last token's state is the vector, not the mean
	window     int     // tokens of a text that are read together

	texts   []string
	next    int // the text to begin with
	vectors [][]float32

	start *Session // has what comes before each text
	lanes []*lane  // those in use first
	parts []part   // of the pass at hand, one a lane
	visit func(part, position int, hidden []float32) error
}

// lane is a text that is being read.
type lane struct {
	session *Session
	text    int
	tokens  []Token
	rest    []Token   // of tokens, that are not read yet
	sum     []float64 // [Dim] of the states so far
}

func (m *Model) newEmbedding() (*embedding, error) {
	e := &embedding{model: m}
	if err := m.readPooling(e); err != nil {
		return nil, err
	}
	if id, ok := m.tokenizer.Special("<|begin_of_text|>"); ok {
		e.begin = []Token{id}
	}
	if e.window = min(m.contextLength, embedWindow) - len(e.begin); e.window < 1 {
		return nil, &ContextLengthError{Tokens: len(e.begin) + 1, ContextLength: m.contextLength}
	}
	e.visit = func(part, _ int, hidden []float32) error {
		sum := e.lanes[part].sum
		if e.last {
			clear(sum)
		}
		for c, x := range hidden {
			sum[c] += float64(x)
		}
		return nil
	}
	var err error
	e.start, err = m.NewSession()
	return e, err
}

func (e *embedding) close() {
	e.start.Close()
	for _, l := range e.lanes {
		l.session.Close()
	}
}

// fill chooses the tokens of the next pass: of the texts at hand, then of more. It reports whether there are any.
func (e *embedding) fill(ctx context.Context) (more bool, err error) {
	e.parts = e.parts[:0]
	for room := batchLength; room > 0 && len(e.parts) < embedLanes; {
		if len(e.parts) == len(e.lanes) || e.lanes[len(e.parts)].rest == nil {
			if e.next == len(e.texts) {
				break
			}
			if err := e.open(ctx, len(e.parts)); err != nil {
				return false, err
			}
		}
		l := e.lanes[len(e.parts)]
		if l.session.Position() == len(e.begin)+e.window { // the next piece
			l.session.rewind(len(e.begin))
		}
		n := min(len(l.rest), room, len(e.begin)+e.window-l.session.Position())
		e.parts = append(e.parts, part{l.session, l.rest[:n]})
		room -= n
	}
	return len(e.parts) > 0, nil
}

// open begins with the next text in a lane.
func (e *embedding) open(ctx context.Context, at int) error {
	if at == len(e.lanes) {
		if e.start.Position() < len(e.begin) { // computed once
			err := e.model.forwardHidden(ctx, []part{{e.start, e.begin}}, func(_, _ int, _ []float32) error { return nil })
			if err != nil {
				return err
			}
			e.start.tokens = append(e.start.tokens, e.begin...)
		}
		session, err := e.start.Fork()
		if err != nil {
			return err
		}
		e.lanes = append(e.lanes, &lane{session: session, sum: make([]float64, e.model.config.Dim)})
	}
	l := e.lanes[at]
	l.tokens = e.model.tokenizer.Encode(l.tokens[:0], e.texts[e.next])
	if len(l.tokens) == 0 {
		return &EmptyTextError{e.next}
	}
	l.tokens = append(l.tokens, e.end...)
	if e.last && len(l.tokens) > e.window {
		return fmt.Errorf("text %d: %w", e.next, &ContextLengthError{Tokens: len(e.begin) + len(l.tokens), ContextLength: len(e.begin) + e.window})
	}
	l.text, l.rest = e.next, l.tokens
	clear(l.sum)
	l.session.rewind(len(e.begin))
	e.next++
	return nil
}

// settle takes note of what the pass has read. Texts that are not read to their end are first in the next pass.
func (e *embedding) settle() {
	unfinished := 0
	for i, part := range e.parts {
		l := e.lanes[i]
		l.session.tokens = append(l.session.tokens, part.tokens...)
		if l.rest = l.rest[len(part.tokens):]; len(l.rest) == 0 {
			l.rest = nil
			e.vectors[l.text] = vector(l.sum)
			continue
		}
		e.lanes[unfinished], e.lanes[i] = l, e.lanes[unfinished]
		unfinished++
	}
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

// vector is the mean of the states that were summed up, at length 1. Its direction is that of the sum.
func vector(sum []float64) []float32 {
	squares := 0.0
	for _, x := range sum {
		squares += x * x
	}
	scale := 1 / math.Sqrt(max(squares, math.SmallestNonzeroFloat64))
	out := make([]float32, len(sum))
	for c, x := range sum {
		out[c] = float32(x * scale)
	}
	return out
}
