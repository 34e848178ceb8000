package cli

import "testing"

// What a model or a tool wrote neither controls the terminal nor looks like something else than it is.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"a\tb\nä €":        "a\tb\nä €",
		"\x1b[2J\x07\x9b":  "\uFFFD[2J\uFFFD\uFFFD",
		"rm \u202e txt.a":  "rm \uFFFD txt.a",
		"a\u2066b\u2069\r": "a\uFFFDb\uFFFD\uFFFD",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
