package chat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/tiny"
)

func TestRepetition(t *testing.T) {
	weights, err := tiny.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	var numbers, table, code, same strings.Builder
	for i := range 600 {
		fmt.Fprintf(&numbers, "%d, ", i)
		fmt.Fprintf(&table, "| row %d | ok | ok | %d |\n", i, i*i)
		fmt.Fprintf(&code, "\tif err != nil {\n\t\treturn err\n\t}\n\tx[%d] = 0\n", i)
		fmt.Fprintf(&same, "| %d | yes | yes |\n", i%2)
	}
	for name, text := range map[string]string{
		"numbers": numbers.String(), "table": table.String(), "code": code.String(),
		"a rule":         "| a | b |\n|" + strings.Repeat("-", 120) + "|" + strings.Repeat("-", 120) + "|\n| 1 | 2 |\n",
		"equal lines":    strings.Repeat("\tx += 1\n", 20) + "\treturn x\n" + strings.Repeat("\t}\n", 12),
		"zeros":          "[" + strings.Repeat("0, ", 80) + "0]",
		"a long chorus":  strings.Repeat(numbers.String()[:400]+"\n", 4), // a period of more than 64 tokens
		"a short chorus": strings.Repeat("Row, row, row your boat gently down the stream. ", 8),
	} {
		if at, period := repeats(weights, text); period > 0 {
			t.Errorf("%s: taken for repetition of %d tokens at token %d", name, period, at)
		}
	}
	for name, text := range map[string]string{
		"a word":     strings.Repeat("again ", 600),
		"a sentence": "Well: " + strings.Repeat("The river is long and the river is wide. ", 60),
		"a table":    same.String(),
		"a letter":   strings.Repeat("a b ", 400),
	} {
		at, period := repeats(weights, text)
		if period == 0 || at > repetitionTokens+3*repetitionPeriod {
			t.Errorf("%s: repetition of %d tokens found at %d", name, period, at)
		}
	}
	var r repetition
	if n := testing.AllocsPerRun(100, func() { r.next(3) }); n > 0 {
		t.Errorf("%v allocations a token", n)
	}
}

func repeats(m *llm.Model, text string) (at, period int) {
	var r repetition
	for i, token := range m.Tokenizer().Encode(nil, text) {
		if period := r.next(token); period > 0 {
			return i, period
		}
	}
	return 0, 0
}

// One copy of what is repeated stays, in the text and in the tokens.
func TestTrimRepetition(t *testing.T) {
	weights, err := tiny.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	for _, span := range []string{"The river is long. ", "ja ", "Ü§ and so on,\n"} {
		for _, trimmed := range []bool{false, true} {
			a := &answer{Model: &Model{llm: weights}}
			text := "\nIt was so. " + strings.Repeat(span, 300)
			for _, token := range weights.Tokenizer().Encode(nil, text) {
				a.written = append(a.written, token)
				if a.watch(a.written[len(a.written)-1:]); a.repeats > 0 {
					break
				}
			}
			for _, token := range a.written {
				a.text = append(a.text, weights.Tokenizer().Piece(token)...)
			}
			if trimmed {
				a.text = []byte(strings.TrimSpace(string(a.text)))
			}
			a.trimRepetition()
			if n := strings.Count(string(a.text), strings.TrimSpace(span)); n < 1 || n > 2 || !strings.Contains(string(a.text), "It was so.") {
				t.Errorf("%q: %q is left", span, a.text)
			}
			if got := string(weights.Tokenizer().Decode(nil, a.written)); strings.TrimSpace(got) != strings.TrimSpace(string(a.text)) {
				t.Errorf("%q: the tokens say %q, the text is %q", span, got, a.text)
			}
		}
	}
}

func BenchmarkRepetition(b *testing.B) {
	var r repetition
	b.ReportAllocs()
	for i := range b.N {
		r.next(llm.Token(i % 50))
	}
}
