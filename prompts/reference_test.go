package prompts

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// referenceData opens a file of the reference data, or skips the test.
func referenceData(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("DROVER_TESTDATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "shared", "data")
	}
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("reference data not found: %v; set DROVER_TESTDATA to its folder to run this test", err)
	}
	return path
}

// TestLlama32Reference renders 1,200 conversations that Hugging Face's Jinja engine rendered from the official
// template, and compares byte for byte.
func TestLlama32Reference(t *testing.T) {
	file, err := os.Open(referenceData(t, "llama3/template-cases.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<24)
	cases := 0
	for lines.Scan() {
		cases++
		var c struct {
			Input json.RawMessage `json:"input"`
			Text  string          `json:"text"`
			Error *string         `json:"error"`
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("case %d: %v", cases, err)
		}
		input, err := ReadConversation(c.Input)
		if err != nil {
			t.Fatalf("case %d: %v", cases, err)
		}
		prompt, err := Llama32().Render(input)
		switch {
		case (err != nil) != (c.Error != nil):
			t.Errorf("case %d: got error %v, want %v", cases, err, c.Error)
		case err == nil && prompt.String() != c.Text:
			t.Errorf("case %d: got\n%s\nwant\n%s", cases, prompt, c.Text)
		}
		if t.Failed() {
			return
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if cases != 1200 {
		t.Errorf("read %d cases, want 1200", cases)
	}
}

// TestLlama32Golden renders conversations made of what is easily rendered wrong. testdata/README.md tells
// where the expected texts come from.
func TestLlama32Golden(t *testing.T) {
	data, err := os.ReadFile("testdata/llama32.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) < 50 {
		t.Fatalf("only %d cases", len(lines))
	}
	for i, line := range lines {
		var c struct {
			Input       json.RawMessage `json:"input"`
			Text, Error *string
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		input, err := ReadConversation(c.Input)
		if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		prompt, err := Llama32().Render(input)
		switch {
		case (err != nil) != (c.Error != nil):
			t.Errorf("line %d: got error %v, want %v", i+1, err, c.Error)
		case err == nil && prompt.String() != *c.Text:
			t.Errorf("line %d: got\n%q\nwant\n%q", i+1, prompt, *c.Text)
		}
	}
}
