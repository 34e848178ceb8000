package chat

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/prompts"
)

// copyingResult wraps the constraint of an answer after tool calls: an answer that has begun to repeat a result is likely to
// go on with it, and to begin with a sentence of it that has a word of the request. What is quoted after a first line that
// ends with a colon is likely to be the whole result, to the letter.
func (a *answer) copyingResult(inner llm.Constraint) llm.Constraint {
	messages := a.req.Messages
	if a.copyBias == 0 || len(messages) == 0 || messages[len(messages)-1].Role != prompts.RoleTool {
		return inner
	}
	c := &copiedResult{Constraint: inner, pieces: a.pieces(), bias: a.copyBias, stops: a.llm.Tokenizer().StopTokens()}
	var request string
	var arguments []byte
	for i := len(messages) - 1; i >= 0 && request == ""; i-- {
		switch m := messages[i]; m.Role {
		case prompts.RoleTool:
			if c.source == nil {
				c.quoted = bytes.TrimSpace([]byte(m.Content))
			}
			c.source = append(append(c.source, m.Content...), '\n')
		case prompts.RoleAssistant:
			for _, call := range m.ToolCalls {
				arguments = append(append(arguments, call.Arguments...), ' ')
			}
		case prompts.RoleUser:
			request = m.Content
		}
	}
	for c.end = len(c.source); c.end > 0 && !inWord(c.source[c.end-1]); {
		c.end--
	}
	c.asked = askedSentences(request, arguments, c.source)
	return c
}

type copiedResult struct {
	llm.Constraint
	pieces [][]byte
	stops  []llm.Token
	source []byte   // the results of the turn, the last one first
	quoted []byte   // the last result
	asked  [][]byte // sentences of the source that the request asks for
	bias   float32
	end    int // of the last word of the source

	text []byte // of the answer so far
	at   []int  // places in the source where the answer may go on
}

// leastAgreement is how many letters and digits must have been repeated for an answer to count as a copy.
const leastAgreement = 4

// mostAgreement is how many are looked at: more tell nothing.
const mostAgreement = 64

// dataMarks are in no sentence: what is told of data in words has none of them.
const dataMarks = `{}[]"|<>\`

// Accept implements [llm.Constraint].
func (c *copiedResult) Accept(t llm.Token) error {
	if err := c.Constraint.Accept(t); err != nil {
		return err
	}
	c.text = append(c.text, c.pieces[t]...)
	return nil
}

// AllowedPrefix implements [llm.PrefixConstraint].
func (c *copiedResult) AllowedPrefix(tokens []llm.Token) int {
	return allowedPrefix(c.Constraint, tokens)
}

// Mask implements [llm.Constraint].
func (c *copiedResult) Mask(logits []float32) error {
	if err := c.Constraint.Mask(logits); err != nil {
		return err
	}
	if len(c.text) == 0 {
		c.begin(logits)
		return nil
	}
	if rest, ok := c.quoting(); ok {
		c.quote(logits, rest)
		return nil
	}
	begin := len(c.text)
	for begin > 0 && inWord(c.text[begin-1]) {
		begin--
	}
	word := c.text[begin:]
	longest, joined := c.find(begin)
	if longest < leastAgreement {
		return nil
	}
	for id, piece := range c.pieces {
		if len(piece) == 0 || math.IsInf(float64(logits[id]), -1) {
			continue
		}
		if !c.agrees(piece, len(word) > 0) || bytes.ContainsAny(piece, dataMarks) {
			logits[id] -= c.bias
		}
	}
	if joined { // the source goes on without a space, as 1.9.0 does after "1.9.": the answer does not end here
		for _, t := range c.stops {
			logits[t] -= c.bias
		}
	}
	return nil
}

// quoting reports whether the answer is a line with a colon and the beginning of the last result, and what is left of it.
func (c *copiedResult) quoting() (rest []byte, ok bool) {
	head, tail, ok := bytes.Cut(c.text, []byte(":\n"))
	if !ok || bytes.IndexByte(head, '\n') >= 0 {
		return nil, false
	}
	return bytes.CutPrefix(c.quoted, tail)
}

// quoteBias is how much more certain it is what comes next in a quotation than in an answer that has some words of the result.
const quoteBias = 6

// quote makes the rest of a result likely, and the end of the answer where nothing is left of it.
func (c *copiedResult) quote(logits []float32, rest []byte) {
	for id, piece := range c.pieces {
		if len(piece) == 0 || len(rest) == 0 || !bytes.HasPrefix(rest, piece) {
			logits[id] -= quoteBias * c.bias
		}
	}
	if len(rest) == 0 {
		for _, t := range c.stops {
			logits[t] += quoteBias * c.bias
		}
	}
}

// begin makes the sentences of the results that have a word of the request likely to begin the answer: without it a small
// model says too often that nothing is said about a word that it has just read.
func (c *copiedResult) begin(logits []float32) {
	for id, piece := range c.pieces {
		if len(piece) == 0 || !inWord(piece[len(piece)-1]) {
			continue
		}
		start := bytes.TrimLeft(piece, " ")
		if slices.ContainsFunc(c.asked, func(sentence []byte) bool { return bytes.HasPrefix(sentence, start) }) {
			logits[id] += c.bias
		}
	}
}

// askedSentences are the sentences and lines of a text that have a word of the request which is in none of the arguments.
func askedSentences(request string, arguments, text []byte) (asked [][]byte) {
	words := map[string]bool{}
	for _, w := range wordsOf(request) {
		words[w] = len(w) >= leastAgreement
	}
	for _, w := range wordsOf(string(arguments)) {
		words[w] = false
	}
	for _, line := range bytes.Split(text, []byte("\n")) {
		for len(line) > 0 {
			sentence := line
			if end := bytes.Index(line, []byte(". ")); end >= 0 {
				sentence = line[:end+1]
			}
			line = line[len(sentence):]
			if slices.ContainsFunc(wordsOf(string(sentence)), func(w string) bool { return words[w] }) {
				asked = append(asked, bytes.TrimLeft(sentence, "-*# 0123456789."))
			}
		}
	}
	return asked
}

// wordsOf are the words of a text in lower case.
func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r < utf8.RuneSelf && !inWord(byte(r)) })
}

// find looks for the places in the source that have the word which begins at text[begin], after as much of the same as
// there is. It returns how many letters and digits agree, and whether the source goes on without a space everywhere.
func (c *copiedResult) find(begin int) (longest int, joined bool) {
	word := c.text[begin:]
	c.at = c.at[:0]
	for i := range c.source {
		if i > 0 && inWord(c.source[i-1]) || !inWord(c.source[i]) || len(word) > len(c.source)-i ||
			string(c.source[i:i+len(word)]) != string(word) || i+len(word) == c.end {
			continue // the last word of all is nothing to go on with
		}
		n := len(word) + agreement(c.text[:begin], c.source[:i])
		if n < longest {
			continue
		}
		if n > longest {
			longest, joined, c.at = n, true, c.at[:0]
		}
		c.at = append(c.at, i+len(word))
		joined = joined && len(word) == 0 && begin > 0 && i > 0 && c.source[i-1] == c.text[begin-1] && c.text[begin-1] > ' '
	}
	return longest, joined
}

// agreement is how many letters and digits before the ends of two texts are the same, whatever is between words.
func agreement(a, b []byte) int {
	for n := 0; ; n++ {
		for len(a) > 0 && !inWord(a[len(a)-1]) {
			a = a[:len(a)-1]
		}
		for len(b) > 0 && !inWord(b[len(b)-1]) {
			b = b[:len(b)-1]
		}
		if len(a) == 0 || len(b) == 0 || a[len(a)-1] != b[len(b)-1] || n == mostAgreement {
			return n
		}
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
}

// agrees reports whether a piece goes on as the source does at one of the places.
func (c *copiedResult) agrees(piece []byte, insideWord bool) bool {
	return slices.ContainsFunc(c.at, func(at int) bool { return c.goesOn(at, piece, insideWord) })
}

// goesOn reports whether a piece goes on as the source does. What is between words may be different, as in a list that
// is written with commas.
func (c *copiedResult) goesOn(at int, piece []byte, insideWord bool) bool {
	if !insideWord || !inWord(piece[0]) {
		if insideWord && at < len(c.source) && inWord(c.source[at]) {
			return false // the word is longer
		}
		for len(piece) > 0 && !inWord(piece[0]) {
			piece = piece[1:]
		}
		for at < len(c.source) && !inWord(c.source[at]) {
			at++
		}
	}
	for i, b := range piece {
		if at+i >= len(c.source) || c.source[at+i] != b {
			return !inWord(b)
		}
	}
	return true
}
