package chat

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/prompts"
)

// writeTurn writes where tools are on offer: first it is decided whether to call by the probability that the first token
// opens a call; then calls are written under the tools' schemas, so that they always parse and name tools that there are,
// or an answer, under its schema or as text that opens no call.
func (a *answer) writeTurn(ctx context.Context) error {
	call, marked, err := a.opensCall(ctx)
	switch {
	case err != nil:
		return err
	case call && a.req.Free:
		return a.writeMarkedFree(ctx, marked)
	case call:
		return a.writeCalls(ctx, marked)
	case len(a.req.Schema) > 0:
		return a.writeSchema(ctx)
	}
	return a.writeText(ctx)
}

// noMarker stands for no tool where tools have no markers.
const noMarker = -1

// opensCall decides between a call and an answer. Where tools have markers, the first token also says which tool.
func (a *answer) opensCall(ctx context.Context) (call bool, tool int, err error) {
	mode := a.req.ToolChoice.Mode
	required := mode == prompts.ToolChoiceNamed || mode == prompts.ToolChoiceRequired
	if a.form == formMarked {
		tool, mass := a.likelyTool()
		return required || mass >= a.callThreshold(), tool, nil
	}
	if required {
		return true, noMarker, nil
	}
	if len(a.req.Schema) > 0 && a.form == formJSON {
		call, err = a.nameIsLikely(ctx)
		return call, noMarker, err
	}
	// In pythonic form an answer under a schema begins with another bracket, unless the schema is that of a list.
	return a.openersMass() >= a.callThreshold(), noMarker, nil
}

// callThreshold is the request's, or the model's.
func (a *answer) callThreshold() float64 {
	if p := a.req.ToolChoice.Threshold; p != nil {
		return *p
	}
	return a.threshold
}

// likelyTool returns the tool whose marker is most likely to come first, or the one that is named, and the probability
// that any tool's does.
func (a *answer) likelyTool() (tool int, mass float64) {
	logits := a.session.Logits()
	listed := a.markers[:len(a.req.Tools)]
	total := llm.LogSumExp(logits)
	for i, marker := range listed {
		mass += math.Exp(float64(logits[marker]) - total)
		if logits[marker] > logits[listed[tool]] {
			tool = i
		}
	}
	if c := a.req.ToolChoice; c.Mode == prompts.ToolChoiceNamed {
		tool = a.toolIndex(c.Name)
	}
	return tool, mass
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
	return math.Exp(p) >= a.callThreshold(), err
}

// openers are the tokens that open a call: with a brace in JSON form, with a bracket in pythonic form.
func (m *Model) openers() []llm.Token {
	m.openersOnce.Do(func() {
		bracket := byte('{')
		if m.form == formPythonic {
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

// maxCalls is how many calls the message may have.
func (a *answer) maxCalls() int {
	c := a.req.ToolChoice
	switch {
	case c.Mode == prompts.ToolChoiceNamed:
		return 1
	case c.MaxCalls > 0:
		return c.MaxCalls
	}
	return a.form.defaultMaxCalls()
}

// writeCalls writes calls of the request's tools, or of the one that is named. marked is the tool whose marker comes first.
func (a *answer) writeCalls(ctx context.Context, marked int) error {
	var listed []offered
	for i, d := range a.req.Tools {
		listed = append(listed, offered{d, i})
	}
	most := a.maxCalls()
	if c := a.req.ToolChoice; c.Mode == prompts.ToolChoiceNamed {
		listed = listed[a.toolIndex(c.Name):][:1]
	} else if marked != noMarker && most == 1 {
		listed = listed[marked : marked+1]
	}
	w, err := a.newCallWriter(a.req.Tools, listed, most)
	if err != nil {
		return fmt.Errorf("%w; leave the tool out, or write calls without a grammar (prompts.Request.Free)", err)
	}
	if marked != noMarker {
		w.first = a.markers[marked : marked+1]
	}
	if err := a.limit(&w.constraint, w.first, callOf(listed)); err != nil {
		return a.noRoom(err)
	}
	var c llm.Constraint = w
	if a.form == formMarked {
		c = a.copyingCall(w)
	}
	reason, err := a.run(ctx, llm.GenerateOptions{Constraint: c}, func(string) bool { return true })
	if err != nil {
		return err
	}
	for _, call := range w.written() {
		if !a.call(call.Name, call.Arguments) {
			return nil
		}
	}
	switch {
	case w.repeated:
		a.written = w.trim(a.written)
	case w.broken != nil:
		if !a.send(prompts.Delta{CallError: w.broken}) {
			return nil
		}
	case w.cutOff(): // a call that was closed by force is none to run
		if reason == stopRepetition {
			repeats := fmt.Errorf("the call repeats itself, at %q; call it again with shorter arguments", lastBytes(w.text))
			if !a.send(prompts.Delta{CallError: repeats}) {
				return nil
			}
			break
		}
		reason = llm.StopReasonLength
		cut := &CutOffError{Tokens: a.usage.CompletionTokens, Text: string(w.text), Call: w.forcedCall()}
		if !a.send(prompts.Delta{CallError: cut}) {
			return nil
		}
	}
	a.done(reason)
	return nil
}

// callOf names a call for an error.
func callOf(listed []offered) string {
	if len(listed) == 1 {
		return fmt.Sprintf("a call of %q", listed[0].Name)
	}
	return "a call"
}

// noRoom tells that there is no room for a call: as an error where the call was asked for, else as one that the model wanted
// to make.
func (a *answer) noRoom(err error) error {
	var limit *TokenLimitError
	mode := a.req.ToolChoice.Mode
	if !errors.As(err, &limit) || mode == prompts.ToolChoiceNamed || mode == prompts.ToolChoiceRequired {
		return err
	}
	if a.send(prompts.Delta{CallError: err}) {
		a.done(llm.StopReasonLength)
	}
	return nil
}

// CutOffError says that the token limit cut a call off. It is sent as [prompts.Delta.CallError]: such a call is not run.
type CutOffError struct {
	Tokens int    // that were written
	Text   string // that was written
	// Call is the call as it was closed at the limit: it satisfies its tool's schema, but the model wanted to write more. It
	// is nil if the limit left no room for that.
	Call *prompts.ToolCall
}

func (e *CutOffError) Error() string {
	return fmt.Sprintf("the call is cut off after %d tokens, at %q; call it again with shorter arguments", e.Tokens, lastBytes(e.Text))
}

// CutOff reports that what is missing is the end: it is how package agent tells this error from others.
func (e *CutOffError) CutOff() bool { return true }

// lastBytes is the end of a text, for an error.
func lastBytes[T string | []byte](text T) T {
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
// matches, and says so by its stop reason; so is one that repeats itself. A limit that no answer fits is a [*TokenLimitError].
func (a *answer) writeSchema(ctx context.Context) error {
	c, err := a.answerConstraint(a.req.Schema)
	if err != nil {
		return err
	}
	if err := a.limit(c, nil, "an answer under the schema"); err != nil {
		return err
	}
	a.onRepeat = func() { c.closeNow = true }
	var written llm.Constraint = c
	if a.form == formMarked {
		written = a.copyingCall(c)
	}
	reason, err := a.run(ctx, llm.GenerateOptions{Constraint: written}, a.say)
	if err != nil || a.stopped {
		return err
	}
	if c.closed && reason != stopRepetition {
		reason = llm.StopReasonLength
	}
	a.done(reason)
	return nil
}
