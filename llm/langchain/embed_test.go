package langchain_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/llm/langchain"
)

// cosine is the product of two vectors of length 1.
func cosine(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// langchaingo's own embedder works on the model, in batches and one by one.
func TestEmbedder(t *testing.T) {
	embedder, err := embeddings.NewEmbedder(langchain.New(embedded(t)), embeddings.WithBatchSize(2), embeddings.WithStripNewLines(false))
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"The soup is hot.", "a\nb", "Call Anna at five.", "What is 2 + 3?", "<|eot_id|>"}
	vectors, err := embedder.EmbedDocuments(context.Background(), texts)
	if err != nil {
		t.Fatal(err)
	}
	if len(vectors) != len(texts) {
		t.Fatalf("%d vectors of %d texts", len(vectors), len(texts))
	}
	for i, text := range texts {
		query, err := embedder.EmbedQuery(context.Background(), text)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(query, vectors[i]) {
			t.Errorf("%q has another vector as a query than as a document", text)
		}
		for j, other := range vectors {
			if c := cosine(query, other); i == j && math.Abs(c-1) > 1e-6 || i != j && c > 0.999 {
				t.Errorf("the cosine of %q and %q is %v", text, texts[j], c)
			}
		}
	}
	if none, err := embedder.EmbedDocuments(context.Background(), nil); err != nil || len(none) != 0 {
		t.Errorf("no texts: %v, error %v", none, err)
	}
}

// fixed is an embedder of vectors that were made before.
type fixed [][]float32

func (f fixed) Embed(context.Context, []string) ([][]float32, error) { return f, nil }

func TestEmbeddingErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	model := langchain.New(embedded(t))
	for name, c := range map[string]struct {
		model *langchain.LLM
		ctx   context.Context
		text  string
		is    func(error) bool
	}{
		"empty":    {model, context.Background(), "", llms.IsInvalidRequestError},
		"canceled": {model, ctx, "a", func(err error) bool { return llms.IsCanceledError(err) && errors.Is(err, context.Canceled) }},
		"none":     {langchain.New(agenttest.NewScript()), context.Background(), "a", llms.IsNotImplementedError},
		"too few":  {langchain.New(embedded(t), langchain.WithEmbedder(fixed{})), context.Background(), "a", func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.model.CreateEmbedding(c.ctx, []string{c.text}); !c.is(err) {
				t.Errorf("error %v", err)
			}
		})
	}
	other := langchain.New(agenttest.NewScript(), langchain.WithEmbedder(fixed{{1, 0}}))
	if vectors, err := other.CreateEmbedding(context.Background(), []string{"a"}); err != nil || !slices.Equal(vectors[0], []float32{1, 0}) {
		t.Errorf("got %v, error %v, want the embedder's vector", vectors, err)
	}
}
