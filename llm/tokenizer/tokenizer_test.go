package tokenizer_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/drover-ai/drover/llm/tokenizer"
)

// small makes a vocabulary of the 256 bytes, some merges and three special tokens. It needs no data from elsewhere.
func small(t testing.TB) *tokenizer.Tokenizer {
	t.Helper()
	var v tokenizer.Vocabulary
	add := func(piece string, special bool) {
		v.Pieces, v.Special = append(v.Pieces, piece), append(v.Special, special)
	}
	for b := range 256 {
		add(string([]byte{byte(b)}), false)
	}
	for _, piece := range []string{
		"th", "he", " t", "in", " the", "an", "er", "aa", "aaaa", "ab", "bc", "abc", "12", "\n\n", "  ", "    ", "é", "ä¸", "cd", "xyzzy", " xyzzy",
	} {
		add(piece, false)
	}
	add("<|begin_of_text|>", true)
	add("<|eot_id|>", true)
	add("<|eot", true)
	tok, err := tokenizer.New(v)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func Example() {
	var v tokenizer.Vocabulary
	for b := range 256 { // a byte-level vocabulary has a token for each byte
		v.Pieces, v.Special = append(v.Pieces, string([]byte{byte(b)})), append(v.Special, false)
	}
	v.Pieces, v.Special = append(v.Pieces, "he", "ll", "hell", "<|eot_id|>"), append(v.Special, false, false, false, true)
	tok, err := tokenizer.New(v)
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := tok.EncodeSpecial(nil, "hello<|eot_id|>")
	fmt.Println(ids, string(tok.Decode(nil, ids)))
	// Output: [258 111 259] hello
}

// merge is the algorithm in its plainest form: whole piece, else join the pair of the lowest rank until there is none.
func merge(tok *tokenizer.Tokenizer, piece string) []tokenizer.Token {
	ids := map[string]tokenizer.Token{}
	for id := tokenizer.Token(tok.VocabSize() - 1); id >= 0; id-- {
		if p := tok.Piece(id); p != nil {
			ids[string(p)] = id
		}
	}
	if id, ok := ids[piece]; ok {
		return []tokenizer.Token{id}
	}
	var parts []string
	for i := range len(piece) {
		parts = append(parts, piece[i:i+1])
	}
	for {
		best, rank := -1, tokenizer.Token(math.MaxInt32)
		for i := 0; i+1 < len(parts); i++ {
			if id, ok := ids[parts[i]+parts[i+1]]; ok && id < rank {
				best, rank = i, id
			}
		}
		if best < 0 {
			break
		}
		parts = append(append(slices.Clone(parts[:best]), parts[best]+parts[best+1]), parts[best+2:]...)
	}
	var out []tokenizer.Token
	for _, p := range parts {
		out = append(out, ids[p])
	}
	return out
}

// Any bytes come back, special tokens are never made from text, and long pieces merge as short ones do.
func FuzzEncode(f *testing.F) {
	tok := small(f)
	for _, seed := range []string{
		"", "the thin man", "<|eot_id|>", "\xff\xfe\x80", "aaaaaaaaa\n\n\n  x", "12345 ½ ٣٤", "'RE 's 'told",
		strings.Repeat("aaab", 60), "a\u0301 👩‍👩‍👧 \u2028 \u00a0 x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ids := tok.Encode(nil, text)
		if got := string(tok.Decode(nil, ids)); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
		for _, id := range ids {
			if tok.IsSpecial(id) {
				t.Errorf("%q has the special token %s", text, tok.SpecialName(id))
			}
		}
		var want []tokenizer.Token
		for _, piece := range split(text) {
			want = append(want, merge(tok, piece)...)
		}
		if len(text) < 400 && !slices.Equal(ids, want) {
			t.Errorf("%q: %v, want %v", text, ids, want)
		}
	})
}

func TestLongPieces(t *testing.T) {
	tok := small(t)
	for _, text := range []string{
		strings.Repeat("a", 1000), strings.Repeat("abcd", 300), strings.Repeat("xyzzyab", 100), "x" + strings.Repeat("th", 333),
	} {
		if got, want := tok.Encode(nil, text), merge(tok, text); !slices.Equal(got, want) {
			t.Errorf("%.20q… (%d bytes): %d tokens, want %d", text, len(text), len(got), len(want))
		}
	}
	// A megabyte of one letter must not take time that grows with its square; this ends at once or not within the test's time.
	if n := len(tok.Encode(nil, strings.Repeat("a", 1<<20))); n != 1<<18 {
		t.Errorf("%d tokens, want %d", n, 1<<18)
	}
}

// Only trusted text has special tokens; around them text is split as if nobody had cut it.
func TestSegments(t *testing.T) {
	tok := small(t)
	special := func(name string) tokenizer.Token {
		id, ok := tok.Special(name)
		if !ok {
			t.Fatalf("no %s", name)
		}
		return id
	}
	type segment struct {
		text    string
		trusted bool
	}
	encode := func(segments ...segment) []tokenizer.Token {
		return tok.EncodeSegments(nil, func(yield func(string, bool) bool) {
			for _, s := range segments {
				if !yield(s.text, s.trusted) {
					return
				}
			}
		})
	}
	join := func(parts ...[]tokenizer.Token) []tokenizer.Token { return slices.Concat(parts...) }
	one := func(id tokenizer.Token) []tokenizer.Token { return []tokenizer.Token{id} }
	for name, c := range map[string]struct{ got, want []tokenizer.Token }{
		"trusted": {
			encode(segment{"<|begin_of_text|>a<|eot_id|>", true}),
			join(one(special("<|begin_of_text|>")), tok.Encode(nil, "a"), one(special("<|eot_id|>"))),
		},
		"untrusted": {
			encode(segment{"<|begin_of_text|>", true}, segment{"<|eot_id|>", false}),
			join(one(special("<|begin_of_text|>")), tok.Encode(nil, "<|eot_id|>")),
		},
		"a special token put together from two segments": {
			encode(segment{"<|eot", false}, segment{"_id|>", true}),
			tok.Encode(nil, "<|eot_id|>"),
		},
		"a word put together from two segments": {
			encode(segment{"th", true}, segment{"in", false}),
			tok.Encode(nil, "thin"),
		},
		"the longest name wins": {
			encode(segment{"<|eot_id|><|eot|>", true}),
			join(one(special("<|eot_id|>")), one(special("<|eot")), tok.Encode(nil, "|>")),
		},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}

func TestEncodeDoesNotAllocate(t *testing.T) {
	tok := small(t)
	text := strings.Repeat("the thin man in 1234 aaaa ", 40)
	ids := tok.Encode(nil, text)
	if n := testing.AllocsPerRun(20, func() { ids = tok.Encode(ids[:0], text) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNewRefuses(t *testing.T) {
	single := tokenizer.Vocabulary{}
	for b := range 256 {
		single.Pieces, single.Special = append(single.Pieces, string([]byte{byte(b)})), append(single.Special, false)
	}
	with := func(piece string, special ...bool) tokenizer.Vocabulary {
		return tokenizer.Vocabulary{Pieces: append(slices.Clone(single.Pieces), piece), Special: append(slices.Clone(single.Special), special...)}
	}
	for name, v := range map[string]tokenizer.Vocabulary{
		"nothing":             {},
		"a byte is missing":   {Pieces: single.Pieces[1:], Special: single.Special[1:]},
		"an empty token":      with("", false),
		"lists of two sizes":  with("x"),
		"a special one twice": {Pieces: append(slices.Clone(single.Pieces), "<|a|>", "<|a|>"), Special: append(slices.Clone(single.Special), true, true)},
		"an endless name":     with(strings.Repeat("x", 257), true),
	} {
		if _, err := tokenizer.New(v); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, file := range map[string]string{
		"no base64": "!!! 0\n", "no rank": "YQ==\n", "a gap": "YQ== 1\n", "not all bytes": "YQ== 0\n",
	} {
		if _, err := tokenizer.FromTiktoken(strings.NewReader(file)); err == nil {
			t.Errorf("tokenizer.model with %s: no error", name)
		}
	}
	for name, file := range map[string]string{
		"no JSON": "{", "another type": `{"model":{"type":"Unigram"}}`, "a huge id": `{"model":{"type":"BPE"},"added_tokens":[{"id":2000000000,"content":"x"}]}`,
		"a negative id": `{"model":{"type":"BPE","vocab":{"a":-1}},"added_tokens":[{"id":0,"content":"x"}]}`,
		"no such byte":  `{"model":{"type":"BPE","vocab":{"漢":0}}}`,
	} {
		if _, err := tokenizer.FromHuggingFace(strings.NewReader(file)); err == nil {
			t.Errorf("tokenizer.json with %s: no error", name)
		}
	}
}

// Nothing that somebody may send takes more than time in proportion: NULs, a megabyte of one character of any class, text that
// begins special tokens over and over. What came in comes out.
func TestHugeInput(t *testing.T) {
	tok := small(t)
	for _, unit := range []string{
		"\x00", "a", " ", "\n", "1", "!", "\xff", "\xe4\xb8", "世", "👩‍👩‍👧", "é", "'s", " a", "<|eot", "<|eot_id|>", "aaaab\x00",
	} {
		text := strings.Repeat(unit, (1<<20)/len(unit))
		ids := tok.Encode(nil, text)
		if got := string(tok.Decode(nil, ids)); got != text {
			t.Errorf("a megabyte of %q came back changed", unit)
		}
		for _, id := range ids {
			if tok.IsSpecial(id) {
				t.Fatalf("a megabyte of %q has the special token %s", unit, tok.SpecialName(id))
			}
		}
		want := 0
		if unit == "<|eot_id|>" || unit == "<|eot" {
			want = len(text) / len(unit)
		}
		special := 0
		for _, id := range tok.EncodeSpecial(nil, text) {
			if tok.IsSpecial(id) {
				special++
			}
		}
		if special != want {
			t.Errorf("a trusted megabyte of %q has %d special tokens, want %d", unit, special, want)
		}
	}
}

// FuzzVocabulary: no vocabulary file crashes a loader; one that loads encodes and decodes any bytes.
func FuzzVocabulary(f *testing.F) {
	var lines strings.Builder
	for b := range 256 {
		fmt.Fprintf(&lines, "%s %d\n", base64.StdEncoding.EncodeToString([]byte{byte(b)}), b)
	}
	f.Add([]byte(lines.String()))
	f.Add([]byte(lines.String() + "YWI= 256\n"))
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{"a":0,"b":1}},"added_tokens":[{"id":2,"content":"<|x|>"}]}`))
	f.Add([]byte("YQ== 0\nYQ== 1\n"))
	f.Add([]byte("a\x00b\x00\xc4\xa0\x00\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		shown := func(yield func(int, []byte) bool) {
			for b := range 256 {
				r := rune(b)
				if b < 33 || 126 < b && b < 161 || b == 173 { // GPT-2's letters, some other for bytes that have none
					r = rune(0x100 + b)
				}
				if !yield(b, []byte(string(r))) {
					return
				}
			}
			for i, s := range bytes.Split(data, []byte{0}) {
				if !yield(256+i, s) {
					return
				}
			}
		}
		load := map[string]func() (*tokenizer.Tokenizer, error){
			"tiktoken":    func() (*tokenizer.Tokenizer, error) { return tokenizer.FromTiktoken(bytes.NewReader(data)) },
			"huggingface": func() (*tokenizer.Tokenizer, error) { return tokenizer.FromHuggingFace(bytes.NewReader(data)) },
			"gguf":        func() (*tokenizer.Tokenizer, error) { return tokenizer.FromGGUF(shown, nil) },
		}
		for name, load := range load {
			tok, err := load()
			if (tok == nil) != (err != nil) {
				t.Fatalf("%s: tokenizer %v, error %v", name, tok != nil, err)
			}
			if err != nil {
				continue
			}
			text := "some text \x00\xff " + string(data[:min(len(data), 100)])
			if got := string(tok.Decode(nil, tok.Encode(nil, text))); got != text {
				t.Errorf("%s: %q came back as %q", name, text, got)
			}
		}
	})
}
