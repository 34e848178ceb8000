package tokenizer

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"
)

// byteOf is GPT-2's map from characters back to bytes: printable bytes stand for themselves, the other 68 for U+0100 on.
var byteOf = func() (m [0x144]struct {
	value byte
	ok    bool
}) {
	next := 0x100
	for b := range 256 {
		shown := b
		if b < 33 || 126 < b && b < 161 || b == 173 {
			shown = next
			next++
		}
		m[shown].value, m[shown].ok = byte(b), true
	}
	return m
}()

// unmap appends the bytes of a token as GPT-2's map shows it.
func unmap[T string | []byte](dst []byte, shown T) ([]byte, error) {
	for at := 0; at < len(shown); {
		r, size := rune(shown[at]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(string(shown[at:min(at+utf8.UTFMax, len(shown))]))
		}
		if int(r) >= len(byteOf) || !byteOf[r].ok {
			return nil, fmt.Errorf("character %q of %.100q stands for no byte", r, shown)
		}
		dst, at = append(dst, byteOf[r].value), at+size
	}
	return dst, nil
}

// The types of tokens in GGUF files that are special.
const (
	typeControl     = 3
	typeUserDefined = 4
)

// FromGGUF makes a tokenizer of the vocabulary in a model file: tokenizer.ggml.tokens and, if the file has it,
// tokenizer.ggml.token_type, which says which tokens are special. The list of merges is not needed: a pair's rank is the id
// of what it merges to.
func FromGGUF(tokens iter.Seq2[int, []byte], types []int64) (*Tokenizer, error) {
	var bytes []byte // of all tokens: one piece of memory instead of a hundred thousand
	var v Vocabulary
	ends := make([]int, 0, len(types))
	v.Special = make([]bool, 0, len(types))
	for i, shown := range tokens {
		if len(types) > 0 && i >= len(types) {
			return nil, fmt.Errorf("vocabulary: token %d has no type; there are %d types", i, len(types))
		}
		if len(shown) == 0 {
			return nil, fmt.Errorf("vocabulary: token %d is empty", i)
		}
		special := len(types) > 0 && (types[i] == typeControl || types[i] == typeUserDefined)
		if special {
			bytes = append(bytes, shown...)
		} else {
			var err error
			if bytes, err = unmap(bytes, shown); err != nil {
				return nil, fmt.Errorf("vocabulary: token %d: %w", i, err)
			}
		}
		v.Special, ends = append(v.Special, special), append(ends, len(bytes))
	}
	v.Pieces = make([]string, len(ends))
	all, from := string(bytes), 0
	for i, end := range ends {
		v.Pieces[i], from = all[from:end], end
	}
	return New(v)
}

// llama3Specials are the names of Llama 3.1's and 3.2's special tokens, in order, as Hugging Face has them. Meta's file has
// only the ordinary tokens; the code that comes with it adds 256 special ones.
func llama3Specials() []string {
	names := []string{
		"<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|reserved_special_token_1|>",
		"<|finetune_right_pad_id|>", "<|reserved_special_token_2|>", "<|start_header_id|>", "<|end_header_id|>",
		"<|eom_id|>", "<|eot_id|>", "<|python_tag|>",
	}
	for n := 3; len(names) < 256; n++ {
		names = append(names, "<|reserved_special_token_"+strconv.Itoa(n)+"|>")
	}
	return names
}

// FromTiktoken makes a tokenizer of Meta's tokenizer.model: a line for each ordinary token, its bytes in base64 and its
// rank. Llama 3.2's special tokens follow them.
func FromTiktoken(r io.Reader) (*Tokenizer, error) {
	var v Vocabulary
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		encoded, rank, ok := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if encoded == "" {
			continue
		}
		piece, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || !ok {
			return nil, fmt.Errorf("tokenizer.model, line %d: want a token in base64 and its rank", n)
		}
		if i, err := strconv.Atoi(rank); err != nil || i != len(v.Pieces) {
			return nil, fmt.Errorf("tokenizer.model, line %d: rank %q, want %d", n, rank, len(v.Pieces))
		}
		v.Pieces, v.Special = append(v.Pieces, string(piece)), append(v.Special, false)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("tokenizer.model: %w", err)
	}
	for _, name := range llama3Specials() {
		v.Pieces, v.Special = append(v.Pieces, name), append(v.Special, true)
	}
	return New(v)
}

// FromHuggingFace makes a tokenizer of a tokenizer.json of Llama 3.
func FromHuggingFace(r io.Reader) (*Tokenizer, error) {
	var file struct {
		Model struct {
			Type  string         `json:"type"`
			Vocab map[string]int `json:"vocab"`
		} `json:"model"`
		AddedTokens []struct {
			ID      int    `json:"id"`
			Content string `json:"content"`
		} `json:"added_tokens"`
	}
	if err := json.NewDecoder(r).Decode(&file); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	if file.Model.Type != "BPE" {
		return nil, fmt.Errorf("tokenizer.json: model type %q, want BPE", file.Model.Type)
	}
	n := len(file.Model.Vocab)
	for _, added := range file.AddedTokens {
		n = max(n, added.ID+1)
	}
	if n > len(file.Model.Vocab)+len(file.AddedTokens) {
		return nil, fmt.Errorf("tokenizer.json: ids go up to %d, but there are only %d tokens", n-1, len(file.Model.Vocab)+len(file.AddedTokens))
	}
	v := Vocabulary{Pieces: make([]string, n), Special: make([]bool, n)}
	for shown, id := range file.Model.Vocab {
		if id < 0 || id >= n {
			return nil, fmt.Errorf("tokenizer.json: token %q has id %d; ids must be dense", shown, id)
		}
		piece, err := unmap(nil, shown)
		if err != nil {
			return nil, fmt.Errorf("tokenizer.json: token %d: %w", id, err)
		}
		v.Pieces[id] = string(piece)
	}
	for _, added := range file.AddedTokens {
		if added.ID < 0 {
			return nil, fmt.Errorf("tokenizer.json: added token %q has id %d", added.Content, added.ID)
		}
		v.Pieces[added.ID], v.Special[added.ID] = added.Content, true
	}
	return New(v)
}
