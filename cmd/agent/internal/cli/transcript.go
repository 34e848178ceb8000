package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/drover-ai/drover/agent"
)

// transcript prints a run for a person, as it happens:
//
//	calculator(expression: 17.5% of 2,340)
//	  = 409.5
//	17.5% of 2,340 is 409.5.
type transcript struct {
	w      io.Writer
	quiet  bool // the answer only
	dim    [2]string
	inText bool // the last thing printed is text without a line end
	failed error
}

func newTranscript(w io.Writer, quiet bool) *transcript {
	t := &transcript{w: w, quiet: quiet}
	if _, ok := terminalWidth(w); ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
		t.dim = [2]string{"\x1b[2m", "\x1b[0m"}
	}
	return t
}

func (t *transcript) printf(format string, args ...any) {
	if t.failed == nil {
		_, t.failed = fmt.Fprintf(t.w, format, args...)
	}
}

// line ends the text that is being printed.
func (t *transcript) line() {
	if t.inText {
		t.printf("\n")
		t.inText = false
	}
}

// print shows one event. Its error is that of writing.
func (t *transcript) print(event agent.Event) error {
	switch e := event.(type) {
	case agent.TextDelta:
		if t.quiet {
			break
		}
		t.printf("%s", printable(e.Text))
		t.inText = !strings.HasSuffix(e.Text, "\n")
	case agent.ToolCall:
		if !t.quiet {
			t.line()
			t.printf("%s%s(%s)%s\n", t.dim[0], printable(e.Name), arguments(e.Arguments), t.dim[1])
		}
	case agent.ToolResult:
		if !t.quiet {
			t.printf("%s%s%s\n", t.dim[0], outcome(e), t.dim[1])
		}
	case agent.Notice:
		if !t.quiet {
			t.line()
			t.printf("%s(%s)%s\n", t.dim[0], printable(e.Text), t.dim[1])
		}
	case agent.Done:
		if t.quiet {
			t.printf("%s", printable(e.Result.Answer))
			t.inText = !strings.HasSuffix(e.Result.Answer, "\n")
		}
		t.line()
	}
	if t.failed != nil {
		return fmt.Errorf("writing output: %w", t.failed)
	}
	return nil
}

// arguments shows a JSON object as name: value, name: value.
func arguments(object json.RawMessage) string {
	decoder := json.NewDecoder(strings.NewReader(string(object)))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return printable(string(object))
	}
	var parts []string
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return printable(string(object))
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return printable(string(object))
		}
		value := string(raw)
		var text string
		if json.Unmarshal(raw, &text) == nil {
			value = text
		}
		parts = append(parts, fmt.Sprintf("%v: %s", key, shorten(value, 200)))
	}
	return printable(strings.Join(parts, ", "))
}

// outcome shows a call's result: on one line if it is short, else its beginning, indented.
func outcome(e agent.ToolResult) string {
	const mostLines, mostRunes = 12, 160
	text, mark := e.Result, "= "
	if e.Error != "" {
		text, mark = e.Error, "! "
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	more := ""
	if len(lines) > mostLines {
		more = fmt.Sprintf("\n    … %d more lines", len(lines)-mostLines)
		lines = lines[:mostLines]
	}
	for i, line := range lines {
		lines[i] = shorten(printable(strings.TrimSuffix(line, "\r")), mostRunes)
	}
	return "  " + mark + strings.Join(lines, "\n    ") + more
}

// shorten cuts a text to a number of characters.
func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// printable replaces what could control a terminal: a tool's result must not move the cursor or change the title.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0,
			r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // these show a text in another order than it has
			return utf8.RuneError
		}
		return r
	}, text)
}
