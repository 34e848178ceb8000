package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"", 10, "\n"},
		{"one", 10, "one\n"},
		{"one two three", 7, "one two\nthree\n"},
		{"one\ntwo", 10, "one two\n"},
		{"one\n\ntwo", 10, "one\n\ntwo\n"},
		{"longer-than-the-line x", 5, "longer-than-the-line\nx\n"},
		{"do this:\n  a  b\nthen", 40, "do this:\n  a  b\nthen\n"},
		{"äöü äöü", 7, "äöü äöü\n"},
	} {
		if got := wrap(c.text, c.width); got != c.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

// Every command explains itself in 80 columns and shows how it is used. Examples may be longer: they are to be copied.
func TestHelpOfEveryCommand(t *testing.T) {
	root := newRoot(Streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}})
	seen := 0
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		seen++
		var b bytes.Buffer
		writeHelp(&b, cmd)
		examples := false
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			if line != "" && line[0] != ' ' {
				examples = line == "Examples:"
			}
			if n := utf8.RuneCountInString(line); n > 80 && !examples && line[0] != '\t' {
				t.Errorf("%s: %d columns: %s", cmd.CommandPath(), n, line)
			}
		}
		shell := cmd.HasParent() && cmd.Parent().Name() == "completion" // cobra's own text has them
		if cmd.Runnable() && !shell && !cmd.HasExample() {
			t.Errorf("%s: its help has no example", cmd.CommandPath())
		}
		for _, below := range cmd.Commands() {
			visit(below)
		}
	}
	visit(root)
	if seen < 20 {
		t.Errorf("%d commands seen; the tree is not whole", seen)
	}
}

// A writer that fails makes a run fail that did nothing wrong itself.
func TestLostOutput(t *testing.T) {
	var stderr bytes.Buffer
	code := Run(context.Background(), []string{"tools", "list"}, Streams{In: strings.NewReader(""), Out: brokenWriter{}, Err: &stderr})
	if code != Failed || stderr.String() != "agent: writing output: broken\n" {
		t.Errorf("code %d, %q", code, &stderr)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }
