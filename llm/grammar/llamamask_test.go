package grammar

import (
	"bufio"
	"compress/gzip"
	"encoding/base64"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// llamaVocabulary reads Llama 3's tokens, which have what awkwardVocabulary only imitates: words in many scripts, long runs of
// white space, and pieces of code.
func llamaVocabulary(t testing.TB) *Vocabulary {
	t.Helper()
	f, err := os.Open(filepath.Join(testdataRoot(), "llama3", "tokenizer.model.gz"))
	if err != nil {
		t.Skipf("no tokens of Llama 3: %v; set DROVER_TESTDATA", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var pieces [][]byte
	for lines := bufio.NewScanner(z); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), " ")
		piece, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, piece)
	}
	if len(pieces) < 100_000 {
		t.Fatalf("%d tokens", len(pieces))
	}
	return NewVocabulary(pieces, nil)
}

// llamaStates are texts behind which masks on the tokens of Llama 3 are compared with trying every token.
var llamaStates = []struct {
	schema string
	behind []string
}{
	{`{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name"]}`,
		[]string{``, `{`, `{"`, `{"na`, `{"name"`, `{"name":`, `{"name":"`, `{"name":"日`, `{"name":"\`, "{\"name\":\"\xe6\x97", `{"age":`, `{"age":3`, `{"age":3,"name":"x"`, `{"name":"x","y`}},
	{`{"type":"object","properties":{"a":{"type":"array","items":{"type":["string","number","null"]}},"b":{"type":"string","maxLength":30,"minLength":3}},"additionalProperties":false}`,
		[]string{`{"`, `{"a":`, `{"a":[`, `{"a":["x",`, `{"a":[-1.`, `{"b":"`, `{"b":"ab`, `{"b":"abcdefghijklmnopqrstuvwxyz`}},
	{`{"type":"array","items":{"type":"string","pattern":"^\\S+( \\S+){0,9}$","maxLength":100}}`, []string{`["`, `["two words`, `["` + strings.Repeat("long ", 9), `["` + strings.Repeat("word", 24)}},
	{`{"type":"array","items":{"type":"string","pattern":"^[a-z0-9_-]+(\\.[^/]{2,6})?$"}}`, []string{`["`, `["a`, `["a.`, `["a.öö`, `["a.ööööö`}},
	{`{"type":"array","items":{"type":"string","pattern":"^(?=.*[A-Z]).{8,}$"}}`, []string{`["`, `["lower`, `["Upper`, `["Uppercase`}},
	{`{"type":"string","pattern":"^.{3,60}$"}`, []string{`"`, `"ab`, `"` + strings.Repeat("abcde", 11)}},
	{`{"type":"object","patternProperties":{"^[^.$]+$":{"type":"string","pattern":"^[^\\s<>]*$"}},"additionalProperties":false}`, []string{`{"`, `{"a`, `{"a":"`, `{"a":"b`, `{"a":"","`}},
}

// TestMaskOfLlamaTokens is TestMaskIsWhatAcceptTakes for chosen states on a real vocabulary.
func TestMaskOfLlamaTokens(t *testing.T) {
	v := llamaVocabulary(t)
	mask := make([]uint64, v.Words())
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range llamaStates {
		for _, options := range []Options{{}, {Python: true, Spaced: true}} {
			if options.Python && (testing.Short() || strings.HasPrefix(c.schema, `{"type":"object"`)) {
				continue // the texts are written in JSON
			}
			g, err := CompileSchema([]byte(c.schema), options)
			if err != nil {
				t.Fatalf("%s: %v", c.schema, err)
			}
			for _, text := range c.behind {
				m := NewMatcher(g, v, nil)
				n, err := m.readAll([]byte(text))
				if err != nil {
					t.Fatalf("%s: byte %d of %q: %v", c.schema, n, text, err)
				}
				m.threads = append(m.threads[:0], m.next...)
				if err := m.Allowed(mask); err != nil {
					t.Fatal(err)
				}
				allowed := 0
				for id := range Token(v.Len()) {
					set := hasBit(mask, int(id))
					if set {
						allowed++
					}
					// What is not allowed falls at its first bytes, so that all of it can be tried; of the rest a part.
					if set && allowed > 500 && r.IntN(20) > 0 {
						continue
					}
					ok := m.Accept(id) == nil
					if ok {
						if err := m.Rewind(1); err != nil {
							t.Fatal(err)
						}
					}
					if ok != set {
						t.Fatalf("%s: behind %q token %q: accepted %v, mask %v", c.schema, text, v.pieces[id], ok, set)
					}
				}
				if allowed == 0 {
					t.Errorf("%s: behind %q: no token", c.schema, text)
				}
			}
		}
	}
}
