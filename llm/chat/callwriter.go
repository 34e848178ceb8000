package chat

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/tokenizer"
	"github.com/drover-ai/drover/prompts"
)

// callWriter is the constraint under which a model with markers writes a call of one tool:
//
//	{"name":"NAME","parameters":{"KEY":VALUE,…}}
//
// Keys come in the schema's order, required ones always; values have their parameters' types. What leaves no choice is
// forced, as the tokens that encoding it gives, and computed together.
type callWriter struct {
	shape     *callShape
	state     callState
	pieces    [][]byte
	tokenizer *tokenizer.Tokenizer

	text   []byte // what was written
	forced []byte
}

func newCallWriter(d prompts.ToolDefinition, pieces [][]byte, t *tokenizer.Tokenizer) (*callWriter, error) {
	shape, err := newCallShape(d)
	if err != nil {
		return nil, err
	}
	return &callWriter{shape: shape, pieces: pieces, tokenizer: t}, nil
}

// Forced implements [llm.Constraint].
func (w *callWriter) Forced(dst []llm.Token) []llm.Token {
	w.forced = w.forced[:0]
	s := w.state
	for {
		b, only := w.shape.only(s)
		if !only {
			break
		}
		next, ok := w.shape.step(s, b)
		if !ok {
			break
		}
		w.forced = append(w.forced, b)
		s = next
	}
	begin := len(dst)
	dst = w.tokenizer.Encode(dst, string(w.forced))
	for len(dst) > begin && w.mayGoOn(dst[begin:]) {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// mayGoOn reports whether, in place of the last of the tokens, a longer one that begins with it could come. The model then
// chooses: forcing the short one would be a spelling that it has never read. (Its bytes are still forced.)
func (w *callWriter) mayGoOn(tokens []llm.Token) bool {
	before := w.state
	for _, t := range tokens[:len(tokens)-1] {
		for _, b := range w.pieces[t] {
			before, _ = w.shape.step(before, b) // these are the forced bytes
		}
	}
	last := w.pieces[tokens[len(tokens)-1]]
	for _, piece := range w.pieces {
		if len(piece) > len(last) && string(piece[:len(last)]) == string(last) && w.acceptsFrom(before, piece) {
			return true
		}
	}
	return false
}

// Mask implements [llm.Constraint]: a token may come if all of its bytes may.
func (w *callWriter) Mask(logits []float32) error {
	first := w.shape.firstBytes(w.state)
	any := false
	for id, piece := range w.pieces {
		if len(piece) == 0 || !first[piece[0]] || !w.acceptsFrom(w.state, piece) {
			logits[id] = float32(math.Inf(-1))
			continue
		}
		any = true
	}
	if !any {
		return fmt.Errorf("no token can go on after %q", w.text)
	}
	return nil
}

// acceptsFrom reports whether all bytes of a piece may come after s.
func (w *callWriter) acceptsFrom(s callState, piece []byte) bool {
	for _, b := range piece {
		next, ok := w.shape.step(s, b)
		if !ok {
			return false
		}
		s = next
	}
	return true
}

// Accept implements [llm.Constraint].
func (w *callWriter) Accept(t llm.Token) error {
	for _, b := range w.pieces[t] {
		next, ok := w.shape.step(w.state, b)
		if !ok {
			return fmt.Errorf("token %d, %q, cannot come after %q", t, w.pieces[t], w.text)
		}
		w.state = next
	}
	return nil
}

// Done implements [llm.Constraint].
func (w *callWriter) Done() bool { return w.state.mode == modeEnd }

// arguments is the arguments object of a call that is complete.
func (w *callWriter) arguments() json.RawMessage {
	begin, end := len(w.shape.opening)-1, len(w.text)-1
	if begin > end || end > len(w.text) {
		return nil
	}
	return json.RawMessage(w.text[begin:end])
}
