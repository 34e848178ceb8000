package chat

import (
	"bytes"
	"math"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/prompts"
)

// What a tool is to be called with stands in the request nearly always, and what is to be said after a call stands in its
// result. A small model points at the right place, but now and then it writes a word beside the one that it points at,
// stops in the middle of one, or begins the same line again. Two constraints forbid none of that and make it unlikely: they
// take the copy bias off the logits of tokens that go on otherwise than the text that is being copied.
//
// Copying has long been a part of such models (See et al. 2017, "Get To The Point", mix a distribution over the words of the
// source into that of the vocabulary); here the source only says which tokens agree, and the model's own probabilities
// choose among them.

// keyCopyBias is the metadata key of the bias that a model was measured with, in units of logits.
const keyCopyBias = "drover.copy_bias"

// maxCopyBias is beyond what makes a difference.
const maxCopyBias = 100

// copyingCall wraps the constraint of a call, or of an answer under a schema: strings and numbers are likely to be what the user
// said, from the beginning of a word to the end of one.
func (a *answer) copyingCall(inner llm.Constraint) llm.Constraint {
	if a.copyBias == 0 {
		return inner
	}
	var text string
	for _, m := range a.req.Messages {
		if m.Role == prompts.RoleUser {
			text = m.Content
		}
	}
	quoted, err := compactJSON(text)
	if err != nil {
		return inner
	}
	source := quoted[1 : len(quoted)-1]
	return &copiedCall{Constraint: inner, pieces: a.pieces(), bias: a.copyBias, source: source, plain: withoutSeparators(source)}
}

// withoutSeparators is the text with the numbers in it as JSON writes them: 2,340 as 2340.
func withoutSeparators(text []byte) []byte {
	digit := func(i int) bool { return i >= 0 && i < len(text) && '0' <= text[i] && text[i] <= '9' }
	out := make([]byte, 0, len(text))
	for i, b := range text {
		if b == ',' && digit(i-1) && digit(i+1) && digit(i+2) && digit(i+3) && !digit(i+4) {
			continue
		}
		out = append(out, b)
	}
	return out
}

type copiedCall struct {
	llm.Constraint
	pieces [][]byte
	source []byte // the request, escaped as in a JSON string
	plain  []byte // the same, with numbers as JSON writes them
	bias   float32

	where   callPlace
	value   []byte // of the value that is being written
	before  byte   // the last byte outside of strings and numbers
	escaped bool
	lists   []bool // whether what is open is a list
	at      []int  // places in the source where the value may go on
}

// callPlace is what is being written of a call.
type callPlace uint8

const (
	placeBetween callPlace = iota
	placeKey
	placeString
	placeNumber
)

// Accept implements [llm.Constraint].
func (c *copiedCall) Accept(t llm.Token) error {
	if err := c.Constraint.Accept(t); err != nil {
		return err
	}
	for _, b := range c.pieces[t] {
		c.step(b)
	}
	return nil
}

// step follows JSON by a byte, as far as is needed to know which value is being written.
func (c *copiedCall) step(b byte) {
	switch {
	case c.where == placeKey || c.where == placeString:
		switch {
		case c.escaped:
			c.escaped = false
		case b == '\\':
			c.escaped = true
		case b == '"':
			c.where, c.before = placeBetween, b
			return
		}
		c.value = append(c.value, b)
		return
	case b == '"':
		c.value, c.where = c.value[:0], placeKey
		if c.before == ':' || len(c.lists) > 0 && c.lists[len(c.lists)-1] {
			c.where = placeString
		}
		return
	case b == '-' || '0' <= b && b <= '9' || c.where == placeNumber && (b == '.' || b|0x20 == 'e' || b == '+'):
		if c.where != placeNumber {
			c.value, c.where = c.value[:0], placeNumber
		}
		c.value = append(c.value, b)
		return
	case b == '{' || b == '[':
		c.lists = append(c.lists, b == '[')
	case (b == '}' || b == ']') && len(c.lists) > 0:
		c.lists = c.lists[:len(c.lists)-1]
	}
	c.where, c.before = placeBetween, b
}

// AllowedPrefix implements [llm.PrefixConstraint].
func (c *copiedCall) AllowedPrefix(tokens []llm.Token) int {
	return allowedPrefix(c.Constraint, tokens)
}

// Mask implements [llm.Constraint].
func (c *copiedCall) Mask(logits []float32) error {
	if err := c.Constraint.Mask(logits); err != nil {
		return err
	}
	source := c.source
	switch c.where {
	case placeString:
	case placeNumber:
		source = c.plain
	default:
		return nil
	}
	c.at = c.at[:0]
	for i := 0; i+len(c.value) <= len(source); i++ {
		if len(c.value) > 0 {
			next := bytes.Index(source[i:], c.value)
			if next < 0 {
				break
			}
			i += next
		}
		if beginsWord(source, i) && (i == 0 || source[i-1] != '\\') { // an escape is one character
			c.at = append(c.at, i+len(c.value))
		}
	}
	if len(c.at) == 0 {
		return nil // it is no copy
	}
	for id, piece := range c.pieces {
		if len(piece) > 0 && !math.IsInf(float64(logits[id]), -1) && !c.agrees(source, piece) {
			logits[id] -= c.bias
		}
	}
	return nil
}

// agrees reports whether a piece goes on as the source does at one of the places, perhaps beyond the end of the value.
func (c *copiedCall) agrees(source, piece []byte) bool {
	for _, at := range c.at {
		if c.goesOn(source, at, piece) {
			return true
		}
	}
	return false
}

func (c *copiedCall) goesOn(source []byte, at int, piece []byte) bool {
	for i, b := range piece {
		ends := b == '"' && (at+i == 0 || source[at+i-1] != '\\')
		if c.where == placeNumber {
			ends = b == ',' || b == '}' || b == ']'
		}
		if ends {
			return i+len(c.value) > 0 && endsWord(source, at+i)
		}
		if at+i >= len(source) || source[at+i] != b {
			return false
		}
	}
	return true
}

// inWord reports whether a byte is one of a word's or a number's. All of a character beyond ASCII is taken for such.
func inWord(b byte) bool {
	return b >= 0x80 || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

// beginsWord reports whether a value may begin at i: anywhere but at a space or inside a word.
func beginsWord(text []byte, i int) bool {
	return i < len(text) && text[i] != ' ' && (i == 0 || !inWord(text[i-1]) || !inWord(text[i]))
}

// endsWord reports whether a value may end before i.
func endsWord(text []byte, i int) bool {
	return i > 0 && text[i-1] != ' ' && (i >= len(text) || !inWord(text[i]) || !inWord(text[i-1]))
}
