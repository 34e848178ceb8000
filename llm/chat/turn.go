package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/prompts"
)

// writeTurn writes under a template without markers: first it is decided whether to call by the probability
// that the first token opens a call; then the call is written under the tools' schemas, so that it always parses and
// names a tool that there is, or the answer as text that opens no call.
func (a *answer) writeTurn(ctx context.Context) error {
	call, err := a.opensCall(ctx)
	switch {
	case err != nil:
		return err
	case call:
		return a.writeCall(ctx)
	case len(a.req.Schema) > 0:
		return a.writeSchema(ctx)
	}
	return a.writeParsed(ctx, llm.GenerateOptions{Stop: a.req.Stop, Constraint: &notOpening{openers: a.openers()}})
}

// opensCall decides between a call and an answer.
func (a *answer) opensCall(ctx context.Context) (bool, error) {
	switch a.req.ToolChoice.Mode {
	case prompts.ToolChoiceNone:
		return false, nil
	case prompts.ToolChoiceNamed, prompts.ToolChoiceRequired:
		return true, nil
	}
	if len(a.req.Schema) > 0 {
		return a.nameIsLikely(ctx)
	}
	return a.openersMass() >= a.threshold, nil
}

// openersMass is the probability that the first token opens a call.
func (a *answer) openersMass() float64 {
	logits := a.session.Logits()
	total, mass := llm.LogSumExp(logits), 0.0
	for _, t := range a.openers() {
		mass += math.Exp(float64(logits[t]) - total)
	}
	return mass
}

// nameIsLikely reads the probability of a call where an answer under a schema may begin with the same bracket: that of all
// that comes before the tool's name.
func (a *answer) nameIsLikely(ctx context.Context) (bool, error) {
	if a.pythonic() { // an answer begins with another bracket, unless the schema is that of a list
		return a.openersMass() >= a.threshold, nil
	}
	opening := a.llm.Tokenizer().Encode(nil, `{"name": "`)
	if a.session.Position()+len(opening) >= a.llm.ContextLength() {
		return false, nil
	}
	fork, err := a.session.Fork()
	if err != nil {
		return false, err
	}
	defer fork.Close()
	logits := fork.Logits()
	p := float64(logits[opening[0]]) - llm.LogSumExp(logits)
	begin := fork.Position()
	err = fork.PrefillLogits(ctx, opening, func(position int, logits []float32) error {
		if next := position - begin + 1; next < len(opening) {
			p += float64(logits[opening[next]]) - llm.LogSumExp(logits)
		}
		return nil
	})
	return math.Exp(p) >= a.threshold, err
}

// openers are the tokens that open a call: with a brace in JSON form, with a bracket in pythonic form.
func (m *Model) openers() []llm.Token {
	m.openersOnce.Do(func() {
		bracket := byte('{')
		if m.pythonic() {
			bracket = '['
		}
		tokenizer := m.llm.Tokenizer()
		for id := range llm.Token(tokenizer.VocabSize()) {
			if piece := tokenizer.Piece(id); len(piece) > 0 && piece[0] == bracket || tokenizer.SpecialName(id) == "<|python_tag|>" {
				m.openerTokens = append(m.openerTokens, id)
			}
		}
	})
	return m.openerTokens
}

// writeCall writes one call of a tool of the request, or of the one that is named.
func (a *answer) writeCall(ctx context.Context) error {
	tools := a.req.Tools
	if c := a.req.ToolChoice; c.Mode == prompts.ToolChoiceNamed {
		i := a.toolIndex(c.Name)
		tools = tools[i : i+1]
	}
	c, err := a.callConstraint(tools)
	if err != nil {
		return fmt.Errorf("%w; leave the tool out, or write calls without a grammar (prompts.Request.Free)", err)
	}
	c.left = a.tokensLeft()
	var text []byte
	reason, err := a.run(ctx, llm.GenerateOptions{Constraint: c}, func(piece string) bool {
		text = append(text, piece...)
		return true
	})
	if err != nil {
		return err
	}
	calls, ok := a.readCalls(text)
	if !ok || c.closed { // a call that was closed by force is none to run
		reason = llm.StopReasonLength
		cut := fmt.Errorf("the call is cut off after %d tokens, at %q; call it again with shorter arguments", a.usage.CompletionTokens, lastBytes(text))
		if !a.send(prompts.Delta{CallError: cut}) {
			return nil
		}
	} else {
		for _, call := range calls {
			if !a.call(call.Name, call.Arguments) {
				return nil
			}
		}
	}
	a.done(reason)
	return nil
}

// readCalls reads what was written under the grammar of calls; false if it is not complete.
func (a *answer) readCalls(text []byte) ([]prompts.ToolCall, bool) {
	if a.pythonic() {
		reply, err := a.template.Parser().Parse(string(text), a.req.Tools)
		return reply.ToolCalls, err == nil && len(reply.ToolCalls) > 0
	}
	var call struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
	}
	if err := json.Unmarshal(text, &call); err != nil {
		return nil, false
	}
	return []prompts.ToolCall{{Name: call.Name, Arguments: call.Parameters}}, true
}

// lastBytes is the end of a text, for an error.
func lastBytes(text []byte) []byte {
	const most = 40
	return text[max(0, len(text)-most):]
}

// tokensLeft is how many tokens may still be written.
func (a *answer) tokensLeft() int {
	left := a.llm.ContextLength() - a.session.Position()
	if a.req.MaxTokens > 0 {
		left = min(left, a.req.MaxTokens-a.usage.CompletionTokens)
	}
	return max(left, 1)
}

// writeSchema writes an answer under the request's schema. One that the token limit cuts off is closed, so that it still
// matches, and says so by its stop reason.
func (a *answer) writeSchema(ctx context.Context) error {
	c, err := a.answerConstraint(a.req.Schema)
	if err != nil {
		return err
	}
	c.left = a.tokensLeft()
	reason, err := a.run(ctx, llm.GenerateOptions{Constraint: c}, a.say)
	if err != nil || a.stopped {
		return err
	}
	if c.closed {
		reason = llm.StopReasonLength
	}
	a.done(reason)
	return nil
}
