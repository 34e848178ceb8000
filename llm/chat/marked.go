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
