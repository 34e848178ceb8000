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

func (m *Model) constraint(g *grammar.Grammar) *constraint {
	return &constraint{
		Matcher: grammar.NewMatcher(g, m.vocabulary(), m.llm.Tokenizer().Encode),
		stops:   m.llm.Tokenizer().StopTokens(),
	}
}

// constraint is a grammar at work. Where the text may end, so may the message; where the tokens run out, the text is closed.
type constraint struct {
	*grammar.Matcher
	stops []llm.Token
	kept  []float32

	left   int  // tokens that may still be written; 0 for no bound
	closed bool // the text was closed because they ran out, or because of closeNow

	closeNow bool // the text is to be closed, whatever is left
}

// closingMargin is how many tokens before the last one that would do the text is closed: the stop token is one of them.
const closingMargin = 4

// Forced implements [llm.Constraint].
func (c *constraint) Forced(dst []llm.Token) []llm.Token {
	begin := len(dst)
	if dst = c.Matcher.Forced(dst); len(dst) > begin || c.left == 0 && !c.closeNow {
		return dst
	}
	// No token is shorter than a byte: as many tokens as bytes are always enough.
	if distance := c.Distance(); !c.closeNow && (distance == 0 || distance+closingMargin < c.left) {
		return dst
	}
	closing, err := c.Closing(dst)
	if err != nil || len(closing) == begin {
		return dst[:begin]
	}
	c.closed = true
	return closing
}

// Accept implements [llm.Constraint].
func (c *constraint) Accept(t llm.Token) error {
	if c.left > 1 {
		c.left--
	}
	return c.Matcher.Accept(t)
}

// Mask implements [llm.Constraint].
func (c *constraint) Mask(logits []float32) error {
	if c.left > 0 { // nothing is begun that could not be ended
		c.Limit(max(c.left-closingMargin-2, 1))
	}
	if !c.Complete() {
		return c.Matcher.Mask(logits)
	}
	c.kept = c.kept[:0]
	for _, t := range c.stops {
		c.kept = append(c.kept, logits[t])
	}
	err := c.Matcher.Mask(logits)
	for i, t := range c.stops {
		logits[t] = c.kept[i]
	}
	return err
}

// AllowedPrefix implements [llm.PrefixConstraint].
func (c *constraint) AllowedPrefix(tokens []llm.Token) int {
	n := 0
	for n < len(tokens) && c.Matcher.Accept(tokens[n]) == nil {
		n++
	}
	if err := c.Rewind(n); err != nil {
		return 0
	}
	return n
}

// allowedPrefix is how many of the tokens a constraint allows, as far as it knows: for the constraints that wrap another.
func allowedPrefix(c llm.Constraint, tokens []llm.Token) int {
	if c, ok := c.(llm.PrefixConstraint); ok {
		return c.AllowedPrefix(tokens)
	}
	return len(tokens)
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
