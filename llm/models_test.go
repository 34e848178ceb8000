package llm_test

import (
	"context"
	"slices"
	"testing"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/test/vectors"
)

// smallShape is a model of 2 layers that computes in microseconds.
func smallShape(kind gguf.Type) vectors.Shape {
	return vectors.Shape{
		Name: "small", Dim: 128, HiddenDim: 320, NLayers: 2, NHeads: 4, NKVHeads: 2, HeadDim: 64, VocabSize: 320,
		ContextLength: 512, RoPEFactor: 32, Type: kind,
	}
}

func parseShape(t testing.TB, shape vectors.Shape) *gguf.File {
	t.Helper()
	data, err := shape.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse("synthetic.gguf", data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func loadShape(t testing.TB, shape vectors.Shape, options ...llm.Option) *llm.Model {
	t.Helper()
	return load(t, parseShape(t, shape), options...)
}

// load loads a model that is closed at the end of the test.
func load(t testing.TB, f *gguf.File, options ...llm.Option) *llm.Model {
	t.Helper()
	m, err := llm.Load(f, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func newSession(t testing.TB, m *llm.Model) *llm.Session {
	t.Helper()
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// prefill adds tokens to a session.
func prefill(t testing.TB, s *llm.Session, tokens []llm.Token) {
	t.Helper()
	if err := s.Prefill(context.Background(), tokens); err != nil {
		t.Fatal(err)
	}
}

// prefillAll returns the logits behind the tokens, in a session of their own.
func prefillAll(t testing.TB, m *llm.Model, tokens []llm.Token) []float32 {
	t.Helper()
	s := newSession(t, m)
	prefill(t, s, tokens)
	return slices.Clone(s.Logits())
}
