// Package test holds the checks that span packages: who may import whom, what the documents claim,
// and the end-to-end scripts.
package test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/drover-ai/drover"

// rule says which of our own packages a package may import, and why not more.
// A path ending in "/..." stands for the package and everything below it.
type rule struct {
	pkg     string
	allowed []string
	reason  string
}

// rules is the import table of ARCHITECTURE.md. The first rule that matches a package decides.
var rules = []rule{
	{"simd", nil, "kernels know numbers, not models"},
	{"prompts", nil, "templates and the types that everybody shares know nobody"},
	{"internal/redact", nil, "taking secrets out of texts needs nobody"},
	{"internal/sqlite", nil, "a database helper knows no feature that stores data with it"},
	{"llm/gguf", nil, "a file format is a file format"},
	{"llm/safetensors", nil, "a file format is a file format"},
	{"llm/torchpkl", nil, "a file format is a file format"},
	{"llm/tokenizer", nil, "text in, token ids out; nothing of models or chats"},
	{"llm/grammar", nil, "bytes and token masks; nothing of models or chats"},
	{"llm/grammar/maskbench", []string{"llm/grammar", "llm/tokenizer"}, "a command that measures the grammar"},
	{"llm", []string{"simd", "llm/gguf", "llm/safetensors", "llm/torchpkl", "llm/tokenizer"},
		"the runtime turns tokens into logits and knows nothing of chats, tools or agents"},
	{"llm/chat", []string{"llm", "llm/tokenizer", "llm/grammar", "prompts"},
		"it fits agent.Model by shape, so that agent and llm stay strangers"},
	{"llm/tiny", []string{"llm", "llm/gguf"}, "the embedded model is a file and its loader"},
	{"llm/tiny/eval", []string{"llm", "llm/chat", "llm/tiny", "llm/tokenizer", "prompts", "tools", "tools/builtin", "agent"},
		"the evaluation runs the whole stack"},
	{"llm/langchain", []string{"llm", "llm/chat", "llm/grammar", "prompts", "agent", "internal/redact"},
		"an adapter sits at the edge; of llm and below it knows the errors, to give them langchaingo's codes"},
	{"tools/builtin", []string{"prompts", "tools", "tools/internal/...", "tools/builtin/internal/..."},
		"whoever wants a calculator does not link SQLite"},
	{"tools/builtin/sqlquery", []string{"tools", "tools/internal/...", "internal/sqlite"},
		"a tool that needs SQLite is a package of its own"},
	{"tools/builtin/memory", []string{"tools", "tools/internal/...", "internal/sqlite"},
		"a tool that needs SQLite is a package of its own"},
	{"tools/...", []string{"prompts", "tools/...", "internal/redact"},
		"tools know neither models nor agents"},
	{"guard", []string{"prompts"}, "a guard reaches a model through an interface that it declares"},
	{"retrieval", []string{"prompts", "simd", "internal/sqlite"},
		"retrieval reaches a model through interfaces that it declares"},
	{"retrieval/langchain", []string{"retrieval", "prompts"}, "an adapter sits at the edge"},
	{"agent/sessions", []string{"agent", "internal/sqlite"},
		"conversations in a file: whoever stores none does not link SQLite"},
	{"agent/...", []string{"agent/...", "prompts", "tools", "guard", "retrieval"},
		"the loop reaches a model through agent.Model only"},
}

// wiring names the places that put everything together. Nobody imports them.
var wiring = []string{"cmd/...", "examples/...", "test/..."}

type listed struct {
	ImportPath string
	Imports    []string
}

func matches(pattern, pkg string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == base || strings.HasPrefix(pkg, base+"/")
	}
	return pkg == pattern
}

func ours(path string) (string, bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func TestImports(t *testing.T) {
	pkgs := list(t)
	if len(pkgs) < 3 {
		t.Fatalf("go list found %d packages; the check has nothing to check", len(pkgs))
	}
	for _, p := range pkgs {
		pkg, _ := ours(p.ImportPath)
		for _, imp := range p.Imports {
			dep, ok := ours(imp)
			if !ok || dep == "" {
				continue
			}
			for _, w := range wiring {
				if matches(w, dep) && !strings.HasPrefix(pkg, strings.TrimSuffix(w, "...")) {
					t.Errorf("%s imports %s: it only wires parts together and is imported by nobody", pkg, dep)
				}
			}
			if why, ok := allowed(pkg, dep); !ok {
				t.Errorf("%s must not import %s: %s", pkg, dep, why)
			}
		}
	}
}

// allowed reports whether pkg may import dep, and the reason of the rule that decides.
func allowed(pkg, dep string) (string, bool) {
	for _, w := range wiring {
		if matches(w, pkg) {
			return "", true
		}
	}
	for _, r := range rules {
		if !matches(r.pkg, pkg) {
			continue
		}
		return r.reason, slices.ContainsFunc(r.allowed, func(a string) bool { return matches(a, dep) })
	}
	return "test/imports_test.go has no rule for it; add one that says who it may know, and why", false
}

// A rule table that allows everything would pass on any tree, so the rules themselves are checked.
func TestImportRulesBite(t *testing.T) {
	for _, c := range []struct {
		pkg, dep string
		want     bool
	}{
		{"simd", "llm", false},
		{"llm", "simd", true},
		{"llm", "agent", false},
		{"agent", "llm", false},
		{"agent/agenttest", "agent", true},
		{"tools/builtin", "tools", true},
		{"tools/builtin", "llm", false},
		{"tools/builtin", "internal/sqlite", false},
		{"tools/builtin", "tools/builtin/sqlquery", false},
		{"cmd/agent", "llm/tiny", true},
		{"brand/new", "llm", false},
	} {
		if _, got := allowed(c.pkg, c.dep); got != c.want {
			t.Errorf("allowed(%s, %s) = %v, want %v", c.pkg, c.dep, got, c.want)
		}
	}
}
