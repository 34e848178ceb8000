package tokenizer_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/drover-ai/drover/llm/tokenizer"
)

// reference opens a compressed file of the public test data, or skips the test.
func reference(t testing.TB, name string) io.Reader {
	t.Helper()
	folder := os.Getenv("DROVER_TESTDATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "data")
	}
	file, err := os.Open(filepath.Join(folder, "llama3", name))
	if err != nil {
		t.Skipf("test data is not here: %v; set DROVER_TESTDATA to the folder that has it", err)
	}
	t.Cleanup(func() { file.Close() })
	in, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// byteRunes is GPT-2's map from bytes to characters, built as the paper's code builds it.
func byteRunes() [256]rune {
	var m [256]rune
	n := 0
	for b := range 256 {
		switch {
		case b >= '!' && b <= '~', b >= 0xa1 && b <= 0xac, b >= 0xae:
			m[b] = rune(b)
		default:
			m[b] = rune(256 + n)
			n++
		}
	}
	return m
}

// llama3 is the published tokenizer by each of the three loaders.
func llama3(t testing.TB) map[string]*tokenizer.Tokenizer {
	meta, err := tokenizer.FromTiktoken(reference(t, "tokenizer.model.gz"))
	if err != nil {
		t.Fatal(err)
	}
	hugging, err := tokenizer.FromHuggingFace(reference(t, "tokenizer.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	shown, types := ggufVocabulary(meta)
	gguf, err := tokenizer.FromGGUF(slices.All(shown), types)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*tokenizer.Tokenizer{"tokenizer.model": meta, "tokenizer.json": hugging, "gguf": gguf}
}

// ggufVocabulary is a vocabulary as model files have it.
func ggufVocabulary(tok *tokenizer.Tokenizer) (shown [][]byte, types []int64) {
	runes := byteRunes()
	for id := range tokenizer.Token(tok.VocabSize()) {
		if name := tok.SpecialName(id); name != "" {
			shown, types = append(shown, []byte(name)), append(types, 3)
			continue
		}
		var letters []byte
		for _, b := range tok.Piece(id) {
			letters = append(letters, string(runes[b])...)
		}
		shown, types = append(shown, letters), append(types, 1)
	}
	return shown, types
}

// publishedCase is a text with its tokens.
type publishedCase struct {
	Text      string            `json:"text"`
	IDs       []tokenizer.Token `json:"ids"`
	NoSpecial []tokenizer.Token `json:"ids_no_special"`
}

func publishedCases(t testing.TB) []publishedCase {
	t.Helper()
	var cases []publishedCase
	lines := bufio.NewReader(reference(t, "tokenizer-cases.jsonl.gz"))
	for {
		text, err := lines.ReadBytes('\n')
		if len(text) > 0 {
			var c publishedCase
			if err := json.Unmarshal(text, &c); err != nil {
				t.Fatal(err)
			}
			cases = append(cases, c)
		}
		if err != nil {
			break
		}
	}
	if len(cases) != 19518 {
		t.Fatalf("there are %d cases, want 19,518", len(cases))
	}
	return cases
}

// 19,518 texts on which two independent implementations agree.
func TestPublishedCases(t *testing.T) {
	cases := publishedCases(t)
	for name, tok := range llama3(t) {
		wrong := 0
		for _, c := range cases {
			plain, special := tok.Encode(nil, c.Text), tok.EncodeSpecial(nil, c.Text)
			if slices.ContainsFunc(plain, tok.IsSpecial) {
				t.Errorf("%s: %q became a special token", name, c.Text)
			}
			if slices.Equal(plain, c.NoSpecial) && slices.Equal(special, c.IDs) && string(tok.Decode(nil, plain)) == c.Text {
				continue
			}
			if wrong++; wrong <= 5 {
				t.Errorf("%s: %q\n as text %v\n want    %v\n special %v\n want    %v", name, c.Text, plain, c.NoSpecial, special, c.IDs)
			}
		}
		t.Logf("%s: %d of %d cases wrong", name, wrong, len(cases))
	}
}

// Vectors that are published with implementations of this tokenizer; see the comment in the package's documentation.
func TestKnownVectors(t *testing.T) {
	tok := llama3(t)["tokenizer.model"]
	for text, want := range map[string][]tokenizer.Token{
		"Hello world":           {9906, 1917},
		"33333":                 {8765, 1644},
		"\n \n":                 {27907},
		"a \n \nb":              {64, 33006, 65},
		"'told":                 {956, 820},
		"x'RE y":                {87, 95253, 379},
		"Cửa Việt":              {34, 91163, 101798},
		" this is 🦙.cpp":        {420, 374, 11410, 99, 247, 13, 11055},
		"    Hello\n    Hello":  {262, 22691, 198, 262, 22691},
		"Hello, y'all!":         {9906, 11, 379, 65948, 0},
		"กรุงเทพฯ":              {90832, 111117, 109810},
		"नमस्ते":                {61196, 88344, 79468, 100365, 35470},
		"unsafe\nS1,S10":        {39257, 198, 50, 16, 21861, 605},
		"<|eot_id|>":            {27, 91, 68, 354, 851, 91, 29},
		"<|begin_of_text|>user": {27, 91, 7413, 3659, 4424, 91, 29, 882},
	} {
		if got := tok.Encode(nil, text); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	header := tok.EncodeSpecial(nil, "<|start_header_id|>ipython<|end_header_id|>\n\n")
	if want := []tokenizer.Token{128006, 23799, 4690, 128007, 271}; !slices.Equal(header, want) {
		t.Errorf("header: %v, want %v", header, want)
	}
	if want := []tokenizer.Token{128001, 128008, 128009}; !slices.Equal(tok.StopTokens(), want) {
		t.Errorf("stop tokens: %v, want %v", tok.StopTokens(), want)
	}
}

// BenchmarkEncode encodes on one core. "mixed" is the text of all published cases: many scripts, code, numbers, emoji, broken
// UTF-8.
func BenchmarkEncode(b *testing.B) {
	tok := llama3(b)["tokenizer.model"]
	texts := map[string]string{
		"prose":   "The committee agreed that the budget for the coming year, which had been discussed at length, would not be raised. ",
		"code":    "\tfor i := range n {\n\t\tif err := check(values[i], i+1); err != nil {\n\t\t\treturn fmt.Errorf(\"value %d: %w\", i, err)\n\t\t}\n\t}\n",
		"chinese": "今天的会议讨论了明年的预算，大家一致同意不再增加支出。下一次会议将于三月举行。",
		"thai":    "วันนี้ที่ประชุมได้หารือเรื่องงบประมาณของปีหน้าและเห็นพ้องกันว่าจะไม่เพิ่มรายจ่าย ",
		"json":    `{"name":"get_weather","parameters":{"city":"Reykjavik","unit":"celsius","days":5}}` + "\n",
	}
	for name, text := range texts {
		texts[name] = strings.Repeat(text, (1<<17)/len(text))
	}
	var mixed strings.Builder
	for _, c := range publishedCases(b) {
		mixed.WriteString(c.Text + "\n")
	}
	texts["mixed"] = mixed.String()
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		text := texts[name]
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var ids []tokenizer.Token
			for b.Loop() {
				ids = tok.Encode(ids[:0], text)
			}
		})
	}
}

// BenchmarkFromGGUF reads Llama 3's vocabulary as a model file has it, which every start does.
func BenchmarkFromGGUF(b *testing.B) {
	meta, err := tokenizer.FromTiktoken(reference(b, "tokenizer.model.gz"))
	if err != nil {
		b.Fatal(err)
	}
	shown, types := ggufVocabulary(meta)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tokenizer.FromGGUF(slices.All(shown), types); err != nil {
			b.Fatal(err)
		}
	}
}
