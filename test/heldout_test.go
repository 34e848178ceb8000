package test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
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

// A request of training with slots is not one of evaluation either: no template that spells out half of the words of a
// hand-written request, three or more, stands in a pack. (The built-in tools are asked for in none of those requests.)
func TestNaturalRequestsFollowNoTemplate(t *testing.T) {
	packs, err := filepath.Glob("../llm/tiny/train/packs/*.txt")
	if err != nil || len(packs) < 10 {
		t.Fatalf("%d packs found (%v); there is nothing to compare with", len(packs), err)
	}
	file, err := os.ReadFile("../llm/tiny/eval/testdata/natural.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var requests []string
	for line := range strings.Lines(string(file)) {
		var c struct {
			Messages []struct{ Content string }
			Expect   struct{ Tool *string }
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		if c.Expect.Tool != nil {
			requests = append(requests, strings.Join(plainWords(c.Messages[0].Content), " "))
		}
	}
	if len(requests) < 200 {
		t.Fatalf("%d requests found, want at least 200", len(requests))
	}
	slot := regexp.MustCompile(`\{[^}]*\}`)
	for _, pack := range packs {
		if filepath.Base(pack) == "builtin.txt" {
			continue
		}
		text, err := os.ReadFile(pack)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			keyword, said, _ := strings.Cut(strings.TrimSpace(line), " ")
			if keyword != "say" && keyword != "none" {
				continue
			}
			said, _, _ = strings.Cut(said, "=>")
			words := plainWords(slot.ReplaceAllString(said, " slotslot "))
			spelled := 0
			for i, w := range words {
				if w == "slotslot" {
					words[i] = ".+"
				} else {
					spelled++
				}
			}
			if spelled < 3 {
				continue
			}
			template := regexp.MustCompile("^" + strings.Join(words, " ") + "$")
			for _, r := range requests {
				if 2*spelled >= strings.Count(r, " ")+1 && template.MatchString(r) {
					t.Errorf("%s: %q is the request %q of the natural set; leave it out", filepath.Base(pack), strings.TrimSpace(said), r)
				}
			}
		}
	}
}

// plainWords are the words of a text in lower case, without marks.
func plainWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') })
}
