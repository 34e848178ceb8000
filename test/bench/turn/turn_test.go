package main

import (
	"context"
	"testing"

	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
)

// From the second step of a turn on, nothing that was computed is computed again; the same on the model that is always there
// as on the one that is measured.
func TestNothingIsComputedAgain(t *testing.T) {
	weights, err := tiny.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	model, err := chat.New(weights)
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	c, replies, err := droverTurn(context.Background(), model)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range c.steps {
		t.Logf("step %d: %d prompt tokens, %d cached, %d written: %d kept", i+1, s.prompt, s.cached, s.completion, s.written)
		if calls := len(replies[i].message.ToolCalls); (i < toolSteps) != (calls == 1) {
			t.Errorf("step %d has %d calls", i+1, calls)
		}
	}
	if err := checkReuse(c.steps); err != nil {
		t.Error(err)
	}
	// The check can fail: without sessions that are kept, everything is computed again.
	forgetful, err := chat.New(weights, chat.WithIdleSessions(0))
	if err != nil {
		t.Fatal(err)
	}
	defer forgetful.Close()
	c, _, err = droverTurn(context.Background(), forgetful)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkReuse(c.steps); err == nil {
		t.Errorf("a model that keeps nothing passes: %+v", c.steps)
	}
}
