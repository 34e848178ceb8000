package grammar

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealToolSchemasSampled babbles under the schemas of real tools; whatever finishes must validate.
func TestRealToolSchemasSampled(t *testing.T) {
	root := testdataRoot()
	f, err := os.Open(filepath.Join(root, "maskbench", "quarter.jsonl.gz"))
	if err != nil {
		t.Skipf("no MaskBench schemas: %v; set DROVER_TESTDATA", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	v := smallVocabulary()
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<26)
	schemas, finished := 0, 0
	for lines.Scan() && schemas < 200 {
		var e struct {
			Name   string
			Schema json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(e.Name, "BFCL") && !strings.HasPrefix(e.Name, "MCP") {
			continue
		}
		g, err := CompileSchema(e.Schema, Options{Closed: true})
		if err != nil {
			continue
		}
		schemas++
		validator := compileValidator(t, string(e.Schema))
		for seed := range uint64(5) {
			r := rand.New(rand.NewPCG(seed, uint64(schemas)))
			m := NewMatcher(g, v, nil)
			var text []byte
			for step := 0; step < 600 && !m.Done(); step++ {
				id := draw(t, m, r, false)
				if id < 0 {
					t.Fatalf("%s: dead end after %q", e.Name, text)
				}
				if err := m.Accept(id); err != nil {
					t.Fatal(err)
				}
				text = append(text, v.pieces[id]...)
			}
			if m.Done() {
				finished++
				validate(t, validator, text)
			}
		}
	}
	t.Logf("%d schemas, %d finished samples, all valid", schemas, finished)
	if finished < 100 {
		t.Errorf("only %d of %d samples finished", finished, schemas*5)
	}
}
