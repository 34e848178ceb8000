package langchain

import (
	"context"

	"github.com/tmc/langchaingo/llms"
)

// Embedder makes vectors of texts, one of the same length for each, such as [llm.Model.Embed] and package chat's model do.
type Embedder interface {
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// WithEmbedder sets who makes the vectors of [LLM.CreateEmbedding], in the place of the model: one that is trained for it.
func WithEmbedder(e Embedder) Option { return func(l *LLM) { l.texts = e } }

// CreateEmbedding implements langchaingo's embeddings.EmbedderClient: a vector for each text, of length 1, from the model or
// from [WithEmbedder]'s. What a vector is, and how long texts are read, [llm.Model.Embed] tells. No text is left out or cut off:
// an empty one is ErrCodeInvalidRequest, and there are no vectors then. A model that makes none is ErrCodeNotImplemented.
//
// Mind that langchaingo's embeddings.NewEmbedder replaces line breaks by spaces, in the caller's slice too, unless told
// WithStripNewLines(false).
func (l *LLM) CreateEmbedding(ctx context.Context, texts []string) ([][]float32, error) {
	e := l.texts
	if e == nil {
		var ok bool
		if e, ok = l.model.(Embedder); !ok {
			return nil, refuse(llms.ErrCodeNotImplemented, "%s makes no embeddings; WithEmbedder names a model that does", l.model.Name())
		}
	}
	vectors, err := e.Embed(ctx, texts)
	switch {
	case err != nil:
		return nil, asError(err)
	case len(vectors) != len(texts):
		return nil, refuse(llms.ErrCodeUnknown, "the embedder made %d vectors of %d texts", len(vectors), len(texts))
	}
	return vectors, nil
}
