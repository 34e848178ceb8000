package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitCommand(t *testing.T) {
	for text, want := range map[string][]string{
		`agent mcp serve`:            {"agent", "mcp", "serve"},
		"  a\t b\n":                  {"a", "b"},
		`a 'b c' "d e"f`:             {"a", "b c", "d ef"},
		`a '' ""`:                    {"a", "", ""},
		`a b\ c \'`:                  {"a", "b c", "'"},
		`a '\n' "\n" "\"" "\\"`:      {"a", `\n`, `\n`, `"`, `\`},
		`a $HOME *.txt ~ | b > "c;"`: {"a", "$HOME", "*.txt", "~", "|", "b", ">", "c;"},
		`"über" 'ü'`:                 {"über", "ü"},
	} {
		got, err := splitCommand(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	for text, want := range map[string]string{
		"": "want a command line", "  ": "want a command line", `''`: "want a command line",
		`a 'b`: "quote ' is not closed", `a "b\"`: `quote " is not closed`, `a \`: "nothing follows",
	} {
		if got, err := splitCommand(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %q, %v; want an error with %q", text, got, err, want)
		}
	}
}
