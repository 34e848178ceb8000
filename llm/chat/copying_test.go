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

// copyCase says which pieces a constraint leaves as likely as they are, after what was written, and which it does not.
type copyCase struct {
	name, written      string
	likely, lessLikely []string
}

// check makes a constraint over the pieces of the case; the first of them is what was written, and special is a token without
// text.
func (c copyCase) check(t *testing.T, open func(pieces [][]byte, special llm.Token) llm.Constraint) {
	t.Helper()
	pieces := piecesOf(append(append([]string{c.written, ""}, c.likely...), c.lessLikely...)...)
	constraint := open(pieces, 1)
	if err := constraint.Accept(0); err != nil {
		t.Fatal(err)
	}
	logits := slices.Repeat([]float32{0}, len(pieces))
	if err := constraint.Mask(logits); err != nil {
		t.Fatal(err)
	}
	highest := max(0, slices.Max(logits)) // the beginning of an answer is made likelier
	for i, piece := range append(slices.Clone(c.likely), c.lessLikely...) {
		logit := logits[2+i]
		if piece == end {
			logit = logits[1]
		}
		switch likely := i < len(c.likely); {
		case likely && logit < highest:
			t.Errorf("%s: after %q, %q is made less likely", c.name, c.written, piece)
		case !likely && logit == highest:
			t.Errorf("%s: after %q, %q is as likely as before", c.name, c.written, piece)
		}
	}
}

// end stands for the special token in a case.
const end = "<end>"

func piecesOf(texts ...string) [][]byte {
	pieces := make([][]byte, len(texts))
	for i, text := range texts {
		pieces[i] = []byte(text)
	}
	return pieces
}

func TestCopiedCall(t *testing.T) {
	const request = `Rate \"Poor Things\" 2,340 in lawn.net`
	for _, c := range []copyCase{
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
		c.check(t, func(pieces [][]byte, _ llm.Token) llm.Constraint {
			return &copiedCall{Constraint: anything{}, pieces: pieces, source: []byte(request), plain: withoutSeparators([]byte(request)), bias: 3}
		})
	}
}

func TestCopiedResult(t *testing.T) {
	const result = "budget.yaml\ncollection/\nversion 1.9.0\nThe venue is Jakarta.\nI met Kasai."
	for _, c := range []copyCase{
		{"the sentence that was asked for", "", []string{"The", "The venue", " The"}, []string{"I", "It", "budget", "version"}},
		{"nothing is copied yet", "The files are:", []string{" twice", " budget", "."}, nil},
		{"the next item, after another separator", "The files are: budget.yaml,", []string{" collection", " coll", " "}, []string{" twice"}},
		{"inside a word", "The files are: budget.yaml, coll", []string{"ection", "ec"}, []string{"ege", "/", "."}},
		{"the end of a word", "The files are: budget.yaml, collection", []string{"/", ".", ","}, []string{"s"}},
		{"a line that must not begin again", "The venue is Jakarta.\n", []string{"I", "I met"}, []string{"The", "The venue"}},
		{"what goes on without a space", "It is version 1.9.", []string{"0"}, []string{end, "1"}},
		{"the last word", "The venue is Kasai", []string{" is", " and", "."}, nil},
		{"what may end", "It is version 1.9.0", []string{end, "."}, []string{"1"}},
		{"a quotation begins", "It says:\n", []string{"budget", "b"}, []string{" budget", "version", "\n", end}},
		{"a quotation goes on to the letter", "It says:\nbudget.yaml\ncollection", []string{"/", "/\n"}, []string{".", ",", " twice", "\n", end}},
		{"a quotation is whole", "It says:\n" + result, []string{end}, []string{".", "\n", " twice"}},
		{"what is no quotation any more", "It says:\nbudget, coll", []string{"ection", "ec"}, []string{"ege"}},
		{"a list is none", "The files are:\n\nbudget.yaml,", []string{" collection", "\n"}, []string{" twice"}},
	} {
		c.check(t, func(pieces [][]byte, special llm.Token) llm.Constraint {
			return &copiedResult{
				Constraint: anything{}, pieces: pieces, stops: []llm.Token{special}, bias: 3, source: []byte(result), end: len(result) - 1, quoted: []byte(result),
				asked: askedSentences("What is the venue in version.txt?", []byte(`{"path":"version.txt"}`), []byte(result)),
			}
		})
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
