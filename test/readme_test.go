package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fence is a block of code in a Markdown file.
type fence struct {
	language, text string
	line           int // of its beginning, from 1
}

func fences(t *testing.T, file string) []fence {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []fence
	inside := false
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		switch language, is := strings.CutPrefix(strings.TrimSpace(line), "```"); {
		case is && !inside:
			blocks = append(blocks, fence{language: language, line: number})
			inside = true
		case is:
			inside = false
		case inside:
			blocks[len(blocks)-1].text += line
		}
	}
	if inside || len(blocks) < 3 {
		t.Fatalf("%s: %d blocks of code, the last one open: %v", file, len(blocks), inside)
	}
	return blocks
}

// The first command of the README, as it stands there, prints what stands below it; both commands are on the first screen.
func TestReadmeBegins(t *testing.T) {
	blocks := fences(t, "../README.md")
	commands, printed := blocks[0], blocks[1]
	if commands.line > 20 || !strings.Contains(commands.text, "go test ./...") {
		t.Errorf("README.md, line %d: want both commands on the first screen, got %q", commands.line, commands.text)
	}
	first, _, _ := strings.Cut(commands.text, "#")
	if !strings.HasPrefix(first, "go run ./cmd/agent ask ") {
		t.Fatalf("README.md: its first command is %q", first)
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash to run it with")
	}
	cmd := exec.Command(bash, "-c", first)
	cmd.Dir = ".."
	home := t.TempDir() // no configuration of whoever runs the test
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+home, "XDG_DATA_HOME="+home, "AGENT_CONFIG=")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", first, err)
	}
	if string(out) != printed.text {
		t.Errorf("%sprints\n%s\nREADME.md says\n%s", first, out, printed.text)
	}
}

// The program in the README compiles, with the dots filled in.
func TestReadmeProgramCompiles(t *testing.T) {
	program := ""
	for _, block := range fences(t, "../README.md") {
		if block.language == "go" {
			program = block.text
			break
		}
	}
	if program == "" {
		t.Fatal("README.md has no block of Go")
	}
	program = strings.ReplaceAll(program, "{ … }", "{ panic(err) }")
	source := `package main

import (
	"context"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/tools"
)

func main() {
	ctx := context.Background()
` + program + `
	if err != nil { panic(err) }
	println(result.Answer)
}
`
	folder := t.TempDir()
	file := filepath.Join(folder, "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("readme")
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(here, "main.go"): file}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(folder, "overlay.json"), "-o", filepath.Join(folder, "program"), "./readme")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the program in README.md: %v\n%s\n%s", err, out, source)
	}
}

// What the documents name is there: links, folders in backticks, packages to run, commands of the binary.
func TestDocumentsNameWhatIsThere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	packages := regexp.MustCompile(`go (?:run|test|generate) (?:-\S+ )*\./([\w/.-]+)`)
	folder := regexp.MustCompile("`((?:agent|cmd|examples|internal|llm|prompts|simd|test|tools)/[\\w/.-]*)`")
	for _, document := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"} {
		text, err := os.ReadFile(filepath.Join("..", document))
		if err != nil {
			t.Fatal(err)
		}
		named := 0
		for _, pattern := range []*regexp.Regexp{link, packages, folder} {
			for _, match := range pattern.FindAllStringSubmatch(string(text), -1) {
				named++
				path := strings.TrimSuffix(strings.TrimSuffix(match[1], "..."), "/")
				if _, err := os.Stat(filepath.Join("..", path)); err != nil {
					t.Errorf("%s names %s, which is not there", document, match[1])
				}
			}
		}
		if named == 0 {
			t.Errorf("%s names nothing: the patterns of this test do not fit it", document)
		}
	}
}

// Every command that the README's table lists is one of the binary.
func TestReadmeCommandsExist(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "agent")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/agent").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	flag := regexp.MustCompile(`--[a-z-]+`)
	commands := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| `agent ") {
			continue
		}
		cell, _, _ := strings.Cut(line[2:], " | ")
		group := ""
		for part := range strings.SplitSeq(cell, ", ") {
			words := strings.Fields(strings.Trim(part, "`"))
			if words[0] == "agent" {
				group, words = words[1], words[1:]
				if len(words) > 1 && strings.ToLower(words[1]) == words[1] && !strings.HasPrefix(words[1], "-") {
					words = words[:2]
				} else {
					words = words[:1]
				}
			} else {
				words = []string{group, words[0]}
			}
			commands++
			help, err := exec.Command(binary, append([]string{"help"}, words...)...).Output()
			if err != nil {
				t.Errorf("README.md: agent %s: %v", strings.Join(words, " "), err)
			}
			if group != "ask" {
				continue
			}
			for _, name := range flag.FindAllString(line, -1) {
				if !strings.Contains(string(help), name+" ") {
					t.Errorf("README.md: agent %s has no flag %s", group, name)
				}
			}
		}
	}
	if commands < 15 {
		t.Errorf("%d commands found in the README's table", commands)
	}
}
