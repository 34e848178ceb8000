package chat

import (
	"container/list"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"sync"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/grammar"
	"github.com/drover-ai/drover/prompts"
)

// maxGrammars is how many compiled grammars a model keeps: tool lists and schemas come back turn after turn.
const maxGrammars = 64

// grammars compiles what a conversation is written under, once, and keeps it. The zero value is ready; it is safe for
// concurrent use.
type grammars struct {
	vocabulary func() *grammar.Vocabulary

	mu    sync.Mutex
	kept  map[string]*list.Element
	order list.List // of *keptGrammar, the one used last in front
}

type keptGrammar struct {
	key     string
	grammar *grammar.Grammar
}

// get returns the grammar of a key, compiling it if it is not kept.
func (g *grammars) get(key string, compile func() (*grammar.Grammar, error)) (*grammar.Grammar, error) {
	g.mu.Lock()
	if e, ok := g.kept[key]; ok {
		g.order.MoveToFront(e)
		g.mu.Unlock()
		return e.Value.(*keptGrammar).grammar, nil
	}
	g.mu.Unlock()
	compiled, err := compile() // outside the lock: nobody waits for somebody else's schema
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.kept == nil {
		g.kept = map[string]*list.Element{}
	}
	if _, ok := g.kept[key]; !ok {
		g.kept[key] = g.order.PushFront(&keptGrammar{key, compiled})
		if g.order.Len() > maxGrammars {
			last := g.order.Back()
			delete(g.kept, g.order.Remove(last).(*keptGrammar).key)
		}
	}
	return compiled, nil
}

// newVocabulary makes the tables of a tokenizer that masks are made with.
func newVocabulary(m *llm.Model) *grammar.Vocabulary {
	tokenizer := m.Tokenizer()
	pieces := make([][]byte, tokenizer.VocabSize())
	for id := range pieces {
		pieces[id] = tokenizer.Piece(llm.Token(id))
	}
	return grammar.NewVocabulary(pieces, tokenizer.IsSpecial)
}

// spaced reports whether the model writes JSON with spaces after commas and colons: Llama does, the embedded model does not.
func (m *Model) spaced() bool { return m.markers == nil }

// answerConstraint is what an answer under a schema is written under. A schema that cannot be enforced is a
// [*grammar.SchemaError], which names the keyword.
//
// Where a schema names properties, others are only written if its additionalProperties says so: the answer matches the
// schema all the same, and a small model that may invent keys does not stop.
func (m *Model) answerConstraint(schema json.RawMessage) (*constraint, error) {
	g, err := m.grammars.get("answer\x00"+string(schema), func() (*grammar.Grammar, error) {
		return grammar.CompileSchema(schema, grammar.Options{Spaced: m.spaced(), Ordered: !m.spaced(), Closed: true})
	})
	if err != nil {
		return nil, err
	}
	return m.constraint(g), nil
}

// maxPythonicCalls is how many calls one message in pythonic form has at most: small models that began a list may not end it.
const maxPythonicCalls = 8

// pythonic reports whether the model writes calls as Python does.
func (m *Model) pythonic() bool { return m.template.Name() == prompts.Llama32Pythonic().Name() }

// callConstraint is what a call of one of the tools is written under: in JSON form one call, in pythonic form a list of them.
func (m *Model) callConstraint(tools []prompts.ToolDefinition) (*constraint, error) {
	key := "calls"
	for _, d := range tools {
		key += fmt.Sprintf("\x00%s\x00%s", d.Name, d.Parameters)
	}
	g, err := m.grammars.get(key, func() (*grammar.Grammar, error) {
		if m.pythonic() {
			return pythonicCalls(tools, m.llm.Tokenizer().StopTokens())
		}
		turn := grammar.Turn{Spaced: m.spaced(), MinCalls: 1, MaxCalls: 1, End: m.llm.Tokenizer().StopTokens()}
		for _, d := range tools {
			turn.Tools = append(turn.Tools, grammar.Tool{Name: d.Name, Parameters: d.Parameters})
		}
		return grammar.CompileTurn(turn)
	})
	if err != nil {
		return nil, err
	}
	return m.constraint(g), nil
}

// pythonicName is what a function may be called in Python's notation.
var pythonicName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)

// pythonicCalls is the grammar of [f(a=1), g(b='x')].
func pythonicCalls(tools []prompts.ToolDefinition, stops []llm.Token) (*grammar.Grammar, error) {
	var calls []grammar.Part
	for _, d := range tools {
		if !pythonicName.MatchString(d.Name) {
			return nil, fmt.Errorf("tool %q: the name is none in Python's notation; rename it, or use the template in JSON form", d.Name)
		}
		schema := d.Parameters
		if len(schema) == 0 {
			schema = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		arguments := grammar.Arguments(schema, grammar.Options{Spaced: true, Closed: true})
		calls = append(calls, grammar.Sequence(grammar.Literal(d.Name+"("), arguments, grammar.Literal(")")))
	}
	call := grammar.OneOf(calls...)
	more := grammar.Repeat(grammar.Sequence(grammar.Literal(", "), call), 0, maxPythonicCalls-1)
	return grammar.Compile(grammar.Sequence(grammar.Literal("["), call, more, grammar.Literal("]"), grammar.Special(stops...)))
}

func (m *Model) constraint(g *grammar.Grammar) *constraint {
	return &constraint{
		Matcher: grammar.NewMatcher(g, m.grammars.vocabulary(), m.llm.Tokenizer().Encode),
		stops:   m.llm.Tokenizer().StopTokens(),
	}
}

// constraint is a grammar at work. Where the text may end, so may the message; where the tokens run out, the text is closed.
type constraint struct {
	*grammar.Matcher
	stops []llm.Token
	kept  []float32

	left   int  // tokens that may still be written; 0 for no bound
	closed bool // the text was closed because they ran out
}

// closingMargin is how many tokens before the last one that would do the text is closed: the stop token is one of them.
const closingMargin = 4

// Forced implements [llm.Constraint].
func (c *constraint) Forced(dst []llm.Token) []llm.Token {
	begin := len(dst)
	if dst = c.Matcher.Forced(dst); c.left == 0 || len(dst) > begin {
		return dst
	}
	// No token is shorter than a byte: as many tokens as bytes are always enough.
	if distance := c.Distance(); distance == 0 || distance+closingMargin < c.left {
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
