package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// file is what is read of a tokenizer.json.
type file struct {
	Model struct {
		Vocab  map[string]int  `json:"vocab"`
		Merges json.RawMessage `json:"merges"` // ["a b", …] or [["a","b"], …]
	} `json:"model"`
	Added []struct {
		ID      int    `json:"id"`
		Content string `json:"content"`
	} `json:"added_tokens"`
}

// Token types of GGUF.
const (
	normal  = 1
	control = 3
)

// readTokenizer returns the keys of a GGUF file that describe the tokenizer.
func readTokenizer(path string, size int) (map[string]any, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var r io.Reader = bufio.NewReader(in)
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	var f file
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	tokens, types := make([]string, size), make([]int32, size)
	put := func(id int, token string, kind int32) error {
		if id < 0 || id >= size {
			return fmt.Errorf("%s: token %q has the id %d, the shape has %d tokens", path, token, id, size)
		}
		tokens[id], types[id] = token, kind
		return nil
	}
	for token, id := range f.Model.Vocab {
		if err := put(id, token, normal); err != nil {
			return nil, err
		}
	}
	keys := map[string]any{"tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": types, "tokenizer.ggml.add_bos_token": false}
	for _, a := range f.Added {
		if err := put(a.ID, a.Content, control); err != nil {
			return nil, err
		}
		switch a.Content {
		case "<|begin_of_text|>":
			keys["tokenizer.ggml.bos_token_id"] = uint32(a.ID)
		case "<|eot_id|>":
			keys["tokenizer.ggml.eos_token_id"] = uint32(a.ID)
		}
	}
	for id, token := range tokens {
		if token == "" {
			return nil, fmt.Errorf("%s: there is no token %d; the shape has %d", path, id, size)
		}
	}
	keys["tokenizer.ggml.merges"], err = merges(f.Model.Merges)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

func merges(raw json.RawMessage) ([]string, error) {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list, nil
	}
	var pairs [][2]string
	if err := json.Unmarshal(raw, &pairs); err != nil {
		return nil, fmt.Errorf("merges are neither strings nor pairs: %w", err)
	}
	for _, p := range pairs {
		list = append(list, p[0]+" "+p[1])
	}
	return list, nil
}
