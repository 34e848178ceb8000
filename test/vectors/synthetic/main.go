// Command synthetic writes a GGUF file with the shape of a Llama 3.2 model and weights from a hash function, to measure
// speed and memory with.
//
//	go run ./test/vectors/synthetic -shape 1b -type Q4_0 -embedding-type Q8_0 -out model.gguf
//
// With -tokenizer it has the vocabulary of a tokenizer.json (or tokenizer.json.gz) in Hugging Face's form, merges included, so
// that other runtimes read it too, and text has as many tokens as it really has.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/test/vectors"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "synthetic:", err)
		os.Exit(1)
	}
}

func run() error {
	shape := flag.String("shape", "1b", "1b or 3b")
	kind := flag.String("type", "Q4_0", "type of the linear layers: F16, BF16, Q8_0 or Q4_0")
	embedding := flag.String("embedding-type", "", "type of the embedding, which is the LM head too; the same if empty")
	layers := flag.Int("layers", 0, "number of layers; the real one if 0")
	tokenizer := flag.String("tokenizer", "", "a tokenizer.json of Llama 3 with its special tokens, gzip or not; made-up words if empty")
	out := flag.String("out", "", "the file to write")
	flag.Parse()
	if *out == "" {
		return fmt.Errorf("-out names no file")
	}
	types := map[string]gguf.Type{"F32": gguf.F32, "F16": gguf.F16, "BF16": gguf.BF16, "Q8_0": gguf.Q8_0, "Q4_0": gguf.Q4_0}
	t, ok := types[strings.ToUpper(*kind)]
	if !ok {
		return fmt.Errorf("-type is %q, want F16, BF16, Q8_0 or Q4_0", *kind)
	}
	var s vectors.Shape
	switch strings.ToLower(*shape) {
	case "1b":
		s = vectors.Llama1B(t, 16)
	case "3b":
		s = vectors.Llama3B(t, 28)
	default:
		return fmt.Errorf("-shape is %q, want 1b or 3b", *shape)
	}
	if *layers > 0 {
		s.NLayers = *layers
	}
	if *embedding != "" {
		if s.EmbeddingType, ok = types[strings.ToUpper(*embedding)]; !ok {
			return fmt.Errorf("-embedding-type is %q, want F16, BF16, Q8_0 or Q4_0", *embedding)
		}
	}
	if *tokenizer != "" {
		keys, err := readTokenizer(*tokenizer, s.VocabSize)
		if err != nil {
			return err
		}
		s.Set = keys
	}
	file, err := os.Create(*out)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	if _, err := s.WriteTo(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}
