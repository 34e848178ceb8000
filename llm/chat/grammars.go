package chat

import (
	"encoding/json"
	"math"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/grammar"
)

// tokenPieces are the bytes of every token.
func tokenPieces(m *llm.Model) [][]byte {
	tokenizer := m.Tokenizer()
	pieces := make([][]byte, tokenizer.VocabSize())
	for id := range pieces {
		pieces[id] = tokenizer.Piece(llm.Token(id))
	}
	return pieces
}

// spaced reports whether the model writes JSON with spaces after commas and colons: Llama does, the embedded model does not.
func (m *Model) spaced() bool { return m.markers == nil }

// answerConstraint is what an answer under a schema is written under. A schema that cannot be enforced is a
// [*grammar.SchemaError], which names the keyword.
//
// Where a schema names properties, others are only written if its additionalProperties says so: the answer matches the
// schema all the same, and a small model that may invent keys does not stop.
func (m *Model) answerConstraint(schema json.RawMessage) (*constraint, error) {
	g, err := m.grammars.Compile("answer\x00"+string(schema), func() (*grammar.Grammar, error) {
		return grammar.CompileSchema(schema, grammar.Options{Spaced: m.spaced(), Ordered: !m.spaced(), Closed: true})
	})
	if err != nil {
		return nil, err
	}
	return m.constraint(g), nil
}

// notOpening is a constraint under which the first token opens no call, and the rest is free.
type notOpening struct {
	openers []llm.Token
	begun   bool
}

func (n *notOpening) Forced(dst []llm.Token) []llm.Token { return dst }
func (n *notOpening) Done() bool                         { return false }
func (n *notOpening) Accept(llm.Token) error             { n.begun = true; return nil }

func (n *notOpening) Mask(logits []float32) error {
	if !n.begun {
		for _, t := range n.openers {
			logits[t] = float32(math.Inf(-1))
		}
	}
	return nil
}
