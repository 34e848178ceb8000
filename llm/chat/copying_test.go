package chat

import (
	"slices"
	"testing"

	"github.com/drover-ai/drover/llm"
)

// anything is a constraint that allows every token.
type anything struct{}

func (anything) Forced(dst []llm.Token) []llm.Token { return dst }
func (anything) Mask([]float32) error               { return nil }
func (anything) Accept(llm.Token) error             { return nil }
func (anything) Done() bool                         { return false }

// biased returns the pieces that a constraint makes less likely.
func biased(t *testing.T, c llm.Constraint, pieces [][]byte) map[string]bool {
	t.Helper()
	logits := make([]float32, len(pieces))
	if err := c.Mask(logits); err != nil {
		t.Fatal(err)
	}
	out, highest := map[string]bool{}, slices.Max(logits)
	for id, l := range logits {
		if l < highest {
			out[string(pieces[id])] = true
		}
	}
	return out
}

func piecesOf(texts ...string) [][]byte {
	pieces := make([][]byte, len(texts))
	for i, text := range texts {
		pieces[i] = []byte(text)
	}
	return pieces
}

func TestCopiedCall(t *testing.T) {
	const request = `Rate \"Poor Things\" 2,340 in lawn.net`
	for _, c := range []struct {
		name, written      string
		likely, lessLikely []string
	}{
		{"the beginning of a value", `{"item":"`, []string{"Poor", "Po", "lawn", `\"`}, []string{"oor", "Whator", " Poor", `"`}},
		{"inside a word", `{"item":"Po`, []string{"or", "or Things"}, []string{"tato", " ", `"`}},
		{"the end of a word", `{"item":"Poor`, []string{`"`, `",`, " Things"}, []string{"s", " Whator"}},
		{"what is no copy", `{"item":"zebra`, []string{"s", `"`, "or"}, nil},
		{"a key", `{"`, []string{"Whator", "tato"}, nil},
		{"a number without its separator", `{"n":2`, []string{"340", "3", "340}"}, []string{"5", "3}", ","}},
		{"the end of a number", `{"n":2340`, []string{"}", ","}, []string{"5"}},
		{"an item of a list", `{"items":["Poor","law`, []string{"n", `n.net"`}, []string{`"`, "yer"}},
		{"between values", `{"n":true`, []string{"}", ",", "x"}, nil},
	} {
		pieces := piecesOf(append(append([]string{c.written, `{`, `"`}, c.likely...), c.lessLikely...)...)
		w := &copiedCall{Constraint: anything{}, pieces: pieces, source: []byte(request), plain: withoutSeparators([]byte(request)), bias: 3}
		if err := w.Accept(0); err != nil {
			t.Fatal(err)
		}
		got := biased(t, w, pieces)
		for _, piece := range c.likely {
			if got[piece] {
				t.Errorf("%s: after %s, %q is made less likely", c.name, c.written, piece)
			}
		}
		for _, piece := range c.lessLikely {
			if !got[piece] {
				t.Errorf("%s: after %s, %q is as likely as before", c.name, c.written, piece)
			}
		}
	}
}

func TestCopiedResult(t *testing.T) {
	const result = "budget.yaml\ncollection/\nversion 1.9.0\nThe venue is Jakarta.\nI met Kasai."
	for _, c := range []struct {
		name, written      string
		likely, lessLikely []string
	}{
		{"the sentence that was asked for", "", []string{"The", "The venue", " The"}, []string{"I", "It", "budget", "version"}},
		{"nothing is copied yet", "The files are:", []string{" twice", " budget", "."}, nil},
		{"the next item, after another separator", "The files are: budget.yaml,", []string{" collection", " coll", " "}, []string{" twice"}},
		{"inside a word", "The files are: budget.yaml, coll", []string{"ection", "ec"}, []string{"ege", "/", "."}},
		{"the end of a word", "The files are: budget.yaml, collection", []string{"/", ".", ","}, []string{"s"}},
		{"a line that must not begin again", "The venue is Jakarta.\n", []string{"I", "I met"}, []string{"The", "The venue"}},
		{"what goes on without a space", "It is version 1.9.", []string{"0"}, []string{"<end>", "1"}},
		{"the last word", "The venue is Kasai", []string{" is", " and", "."}, nil},
		{"what may end", "It is version 1.9.0", []string{"<end>", "."}, []string{"1"}},
	} {
		pieces := piecesOf(append(append([]string{c.written, "<end>"}, c.likely...), c.lessLikely...)...)
		w := &copiedResult{
			Constraint: anything{}, pieces: pieces, source: []byte(result), bias: 3, end: len(result) - 1,
			asked: askedSentences("What is the venue in version.txt?", []byte(`{"path":"version.txt"}`), []byte(result)),
		}
		if err := w.Accept(0); err != nil {
			t.Fatal(err)
		}
		pieces[1] = nil // special tokens have no text
		w.stops = []llm.Token{1}
		got := biased(t, w, pieces)
		got["<end>"] = got[""]
		for _, piece := range c.likely {
			if got[piece] {
				t.Errorf("%s: after %q, %q is made less likely", c.name, c.written, piece)
			}
		}
		for _, piece := range c.lessLikely {
			if !got[piece] {
				t.Errorf("%s: after %q, %q is as likely as before", c.name, c.written, piece)
			}
		}
	}
}

// Neither allocates for a token.
func TestCopyingAllocatesNothing(t *testing.T) {
	pieces := piecesOf(`{"item":"Po`, "or", "x", `"`)
	logits := make([]float32, len(pieces))
	source := []byte("Poor Things and Poor Weather, Poland, potatoes")
	call := &copiedCall{Constraint: anything{}, pieces: pieces, source: source, bias: 3}
	result := &copiedResult{Constraint: anything{}, pieces: pieces, source: source, bias: 3}
	for _, c := range []llm.Constraint{call, result} {
		if err := c.Accept(0); err != nil {
			t.Fatal(err)
		}
		if err := c.Mask(logits); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(20, func() { _ = c.Mask(logits) }); n > 0 {
			t.Errorf("%T: %g allocations a mask", c, n)
		}
	}
}
