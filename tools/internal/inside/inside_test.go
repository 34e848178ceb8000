package inside_test

import (
	"testing"

	"github.com/drover-ai/drover/tools/internal/inside"
)

func TestPath(t *testing.T) {
	for name, want := range map[string]string{
		"a": "a", " a/../b ": "b", `a\b`: "a/b", ".": ".", "..a": "..a",
		"": "", "..": "", "/a": "", `\a`: "", "a/../..": "", "~/a": "", "a\x00": "",
	} {
		if got, err := inside.Path(name); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", name, got, err, want)
		}
	}
}
