package cli

import (
	"strings"
	"testing"

	"github.com/drover-ai/drover/tools"
)

// What writes or reaches the network is there for those who name it and for nobody else.
func TestToolsByName(t *testing.T) {
	usual := []string{"calculator", "now", "convert_units", "list_files", "read_file"}
	for _, c := range []struct{ only, want []string }{
		{nil, usual},
		{[]string{"http_get"}, []string{"http_get"}},
		{[]string{"now", "http_get"}, []string{"now", "http_get"}},
	} {
		f := toolFlags{root: t.TempDir(), only: c.only}
		registry, closeTools, err := f.open(t.Context(), Streams{})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(registry.Names(), " "); got != strings.Join(c.want, " ") {
			t.Errorf("--tools %v: %s; want %v", c.only, got, c.want)
		}
		closeTools()
	}
	f := toolFlags{root: t.TempDir(), all: true}
	registry, closeTools, err := f.open(t.Context(), Streams{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeTools()
	for i, tool := range registry.Tools() {
		if asks := tools.EffectsOf(tool)&^tools.Reads != tools.Pure; i < len(usual) && asks {
			t.Errorf("%s is there without being named, and has effects: %v", tool.Definition().Name, tools.EffectsOf(tool))
		}
	}
	if _, _, err := (&toolFlags{root: t.TempDir(), only: []string{"http_gett"}}).open(t.Context(), Streams{}); err == nil || !strings.Contains(err.Error(), "http_get") {
		t.Errorf("a misspelled name: %v", err)
	}
}
