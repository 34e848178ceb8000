package chat

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/drover-ai/drover/llm"
)

// A small model that repeats itself does not stop by itself: what it has written makes the same again likelier each time.
const (
	// repetitionPeriod is how many tokens the span that is repeated may have.
	repetitionPeriod = 64
	// repetitionTokens is how many tokens in a row must be the same as those a period before. Tables, lists and code repeat
	// lines, but rarely so many of them with nothing new among them; and a rule across a table is a few tokens.
	repetitionTokens = 256
)

// stopRepetition is why a message that repeats itself ends.
const stopRepetition llm.StopReason = "repetition"

// repetition watches for a span of tokens that comes again and again. The zero value is ready; it allocates nothing.
type repetition struct {
	last [repetitionPeriod]llm.Token
	n    int                       // tokens seen
	same [repetitionPeriod + 1]int // by period: how many tokens in a row are the same as those a period before
}

// next goes on by a token. Once the text repeats itself it returns the period; else 0.
func (r *repetition) next(t llm.Token) (period int) {
	for p := 1; p <= min(repetitionPeriod, r.n); p++ {
		if r.last[(r.n-p)%repetitionPeriod] != t {
			r.same[p] = 0
			continue
		}
		if r.same[p]++; r.same[p] >= repetitionTokens && period == 0 {
			period = p
		}
	}
	r.last[r.n%repetitionPeriod] = t
	r.n++
	return period
}

// trimRepetition leaves one copy of what was repeated, in the tokens and in the text.
func (a *answer) trimRepetition() {
	keep := len(a.written) - a.repetition.same[a.repeats]
	for end := keep + a.repeats; keep < end; keep++ { // the copy may end inside a word, or before a full stop
		if piece := a.llm.Tokenizer().Piece(a.written[keep]); len(piece) > 0 && bytes.IndexByte([]byte(" \n\t"), piece[0]) >= 0 {
			break
		}
	}
	var all []byte
	kept := 0
	for i, t := range a.written {
		all = append(all, a.llm.Tokenizer().Piece(t)...)
		if i == keep-1 {
			kept = len(all)
		}
	}
	a.written = slices.Clip(a.written[:keep])
	begin := bytes.Index(all, a.text) // the text may lack white space at both ends
	if begin < 0 || kept-begin >= len(a.text) {
		return
	}
	a.text = bytes.TrimRight(a.text[:max(kept-begin, 0)], " \n\t")
	for len(a.text) > 0 { // the span may begin inside a character
		if r, size := utf8.DecodeLastRune(a.text); r != utf8.RuneError || size > 1 {
			return
		}
		a.text = a.text[:len(a.text)-1]
	}
}
