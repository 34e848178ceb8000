package test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The hand-written evaluation set is kept apart from what training sees: no tool of it has a name that a training pack
// uses, and no request stands in one.
func TestNaturalSetIsDisjointFromTraining(t *testing.T) {
	packs, err := filepath.Glob("../llm/tiny/train/packs/*.txt")
	if err != nil || len(packs) < 10 {
		t.Fatalf("%d packs found (%v); there is nothing to compare with", len(packs), err)
	}
	trained, said := map[string]string{}, map[string]string{}
	for _, pack := range packs {
		text, err := os.ReadFile(pack)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			keyword, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch keyword {
			case "tool":
				for name := range strings.SplitSeq(rest, "|") {
					trained[strings.TrimSpace(name)] = filepath.Base(pack)
				}
			case "say", "none":
				rest, _, _ = strings.Cut(rest, "=>")
				said[strings.ToLower(strings.TrimSpace(rest))] = filepath.Base(pack)
			}
		}
	}
	file, err := os.Open("../llm/tiny/eval/testdata/natural.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	var clashes []string
	cases := 0
	for lines.Scan() {
		var c struct {
			ID       string
			Messages []struct{ Content string }
			Tools    []struct{ Function struct{ Name string } }
			Expect   struct{ Tool *string }
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases++
		for _, tool := range c.Tools {
			if pack, ok := trained[tool.Function.Name]; ok && !slices.Contains(clashes, tool.Function.Name) {
				clashes = append(clashes, tool.Function.Name)
				t.Errorf("tool %s is in pack %s", tool.Function.Name, pack)
			}
		}
		if c.Expect.Tool == nil {
			continue // greetings are the same everywhere
		}
		if pack, ok := said[strings.ToLower(c.Messages[0].Content)]; ok {
			t.Errorf("%s: %q stands in pack %s", c.ID, c.Messages[0].Content, pack)
		}
	}
	if cases < 200 {
		t.Errorf("%d cases; the set has at least 200", cases)
	}
}
