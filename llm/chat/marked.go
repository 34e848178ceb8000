package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/prompts"
)

// writeMarked writes under a template with markers: first it is decided whether to call, and what, by the probabilities of
// the first token; then the call is written under the tool's schema, or the answer as text.
func (a *answer) writeMarked(ctx context.Context) error {
	tool := a.chooseTool()
	if tool < 0 && len(a.req.Schema) > 0 {
		return a.writeSchema(ctx)
	}
	if tool < 0 {
		return a.writeText(ctx)
	}
	definition := a.req.Tools[tool]
	if a.req.Free {
		return a.writeMarkedFree(ctx, tool)
	}
	writer, err := newCallWriter(definition, a.pieces, a.llm.Tokenizer())
	if err != nil {
		return fmt.Errorf("tool %s: %w", definition.Name, err)
	}
	if err := a.session.Prefill(ctx, a.markers[tool:tool+1]); err != nil {
		return err
	}
	a.usage.CompletionTokens++
	a.written = append(a.written, a.markers[tool])
	reason, err := a.run(ctx, llm.GenerateOptions{Constraint: a.copyingCall(writer)}, func(text string) bool {
		writer.text = append(writer.text, text...)
		return true
	})
	if err != nil {
		return err
	}
	if !writer.Done() {
		cut := fmt.Errorf("the call of %s is cut off after %d tokens; call it again with shorter arguments", definition.Name, a.usage.CompletionTokens)
		if !a.send(prompts.Delta{CallError: cut}) {
			return nil
		}
		a.done(reason)
		return nil
	}
	if arguments := writer.arguments(); !json.Valid(arguments) {
		if !a.send(prompts.Delta{CallError: fmt.Errorf("the arguments of %s are no JSON: %s", definition.Name, arguments)}) {
			return nil
		}
	} else if !a.call(definition.Name, arguments) {
		return nil
	}
	a.done(reason)
	return nil
}

// writeMarkedFree lets the model write the call as it likes. What is no call is reported as such.
func (a *answer) writeMarkedFree(ctx context.Context, tool int) error {
	if err := a.session.Prefill(ctx, a.markers[tool:tool+1]); err != nil {
		return err
	}
	a.usage.CompletionTokens++
	a.written = append(a.written, a.markers[tool])
	var text []byte
	reason, err := a.run(ctx, llm.GenerateOptions{}, func(piece string) bool {
		text = append(text, piece...)
		return true
	})
	if err != nil {
		return err
	}
	var call struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
	}
	switch err := json.Unmarshal(text, &call); {
	case err != nil:
		err = fmt.Errorf("the call %q is no JSON: %w", text, err)
		if !a.send(prompts.Delta{CallError: err}) {
			return nil
		}
	case a.toolIndex(call.Name) < 0:
		if !a.send(prompts.Delta{CallError: &UnknownToolError{call.Name}}) {
			return nil
		}
	case !a.call(call.Name, call.Parameters):
		return nil
	}
	a.done(reason)
	return nil
}

// chooseTool returns the index of the tool to call, or −1 to answer in words.
func (a *answer) chooseTool() int {
	logits := a.session.Logits()
	listed := a.markers[:len(a.req.Tools)]
	switch a.req.ToolChoice.Mode {
	case prompts.ToolChoiceNone:
		return -1
	case prompts.ToolChoiceNamed:
		return a.toolIndex(a.req.ToolChoice.Name)
	}
	best, total, mass := 0, llm.LogSumExp(logits), 0.0
	for i, marker := range listed {
		mass += math.Exp(float64(logits[marker]) - total)
		if logits[marker] > logits[listed[best]] {
			best = i
		}
	}
	if mass < a.threshold && a.req.ToolChoice.Mode != prompts.ToolChoiceRequired {
		return -1
	}
	return best
}

// writeText writes an answer in words: no marker may come, so that no call begins.
func (a *answer) writeText(ctx context.Context) error {
	reason, err := a.run(ctx, llm.GenerateOptions{Stop: a.req.Stop, Constraint: a.copyingResult(without(a.markers))}, a.say)
	if err != nil || a.stopped {
		return err
	}
	a.done(reason)
	return nil
}

// without is a constraint that forbids some tokens.
type without []llm.Token

func (w without) Forced(dst []llm.Token) []llm.Token { return dst }
func (w without) Done() bool                         { return false }

func (w without) Mask(logits []float32) error {
	for _, t := range w {
		logits[t] = float32(math.Inf(-1))
	}
	return nil
}

func (w without) Accept(t llm.Token) error {
	if slices.Contains(w, t) {
		return fmt.Errorf("token %d marks a tool and must not stand in a text", t)
	}
	return nil
}
