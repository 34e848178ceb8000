package chat

import (
	"fmt"
	"slices"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/grammar"
)

// constraint is a grammar at work. Where the text may end, so may the message; where the tokens run out, the text is closed.
type constraint struct {
	*grammar.Matcher
	stops []llm.Token
	kept  []float32

	left   int  // tokens that may still be written; 0 for no bound
	closed bool // the text was closed because they ran out, or because of closeNow

	closeNow bool // the text is to be closed, whatever is left

	// How much the text may grow. A token is a byte or more, so nothing has to be counted while there is room for as many
	// tokens as closing takes bytes. Nearer to the limit the tokens are counted: they were needed at that distance, and what
	// is begun since takes no more of them than it has bytes.
	slack    int
	counted  bool
	needed   int
	distance int
	closing  []llm.Token
}

func (m *Model) constraint(g *grammar.Grammar) *constraint {
	return &constraint{
		Matcher: grammar.NewMatcher(g, m.vocabulary(), m.llm.Tokenizer().Encode),
		stops:   m.llm.Tokenizer().StopTokens(),
	}
}

// closingMargin is how many tokens before the last one that would do the text is closed: the stop token is one of them.
const closingMargin = 4

// Forced implements [llm.Constraint].
func (c *constraint) Forced(dst []llm.Token) []llm.Token {
	begin := len(dst)
	if dst = c.Matcher.Forced(dst); len(dst) > begin || c.left == 0 && !c.closeNow {
		return dst
	}
	if !c.closeNow {
		if c.measure(); c.distance == 0 || c.slack > 0 {
			return dst
		}
	}
	closing, err := c.Closing(dst)
	if err != nil || len(closing) == begin {
		return dst[:begin]
	}
	c.closed = true
	return closing
}

// measure finds how many bytes the end may move away.
func (c *constraint) measure() {
	before := c.distance
	c.distance = c.Distance()
	if c.distance+closingMargin < c.left {
		c.slack, c.counted = c.left-closingMargin-c.distance, false
		return
	}
	c.needed += max(c.distance-before, 0)
	if !c.counted || c.needed+closingMargin >= c.left {
		var err error
		c.closing, err = c.Closing(c.closing[:0])
		if c.needed, c.counted = len(c.closing), true; err != nil {
			c.needed = c.distance
		}
	}
	c.slack = c.left - closingMargin - c.needed
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
		c.Limit(max(c.distance+c.slack-2, 1))
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

// TokenLimitError says that the token limit leaves no room for what has to be written. It comes before anything is.
type TokenLimitError struct {
	What   string // has to be written: a call of which tool, or an answer under the schema
	Left   int    // tokens that may be written
	Needed int    // tokens that would do, for the shortest values that there are
	// Context is whether it is the model's context that leaves no more, and not [prompts.Request.MaxTokens].
	Context bool
}

func (e *TokenLimitError) Error() string {
	fix := "raise the limit of tokens"
	if e.Context {
		fix = "shorten the conversation, whose context is nearly full"
	}
	return fmt.Sprintf("%s needs at least %d tokens, and %d may be written; %s", e.What, e.Needed, e.Left, fix)
}

// CutOff reports that what is missing is the end: it is how package agent tells this error from others.
func (e *TokenLimitError) CutOff() bool { return true }

// limit sets how many tokens may be written, of which the first are given. The error is a [*TokenLimitError].
func (a *answer) limit(c *constraint, first []llm.Token, what string) error {
	c.left = a.tokensLeft()
	if c.Distance()+closingMargin < c.left {
		return nil
	}
	needed, err := c.shortest(first)
	if err != nil || needed <= c.left {
		return err
	}
	context := a.llm.ContextLength() - a.session.Position()
	return &TokenLimitError{What: what, Left: c.left, Needed: needed, Context: context <= c.left}
}

// shortest is how many tokens are written before the stop token if everything is closed from the beginning.
func (c *constraint) shortest(first []llm.Token) (n int, err error) {
	m := c.Matcher.Fork()
	take := func(tokens []llm.Token) error {
		for _, t := range tokens {
			if slices.Contains(c.stops, t) {
				return nil
			}
			if err := m.Accept(t); err != nil {
				return err
			}
			n++
		}
		return nil
	}
	if err := take(first); err != nil {
		return 0, err
	}
	for before := -1; before < n; { // what is forced comes first, and is forced again behind itself
		before = n
		if err := take(m.Forced(nil)); err != nil {
			return 0, err
		}
	}
	closing, err := m.Closing(nil)
	if err != nil {
		return 0, err
	}
	return n, take(closing)
}
