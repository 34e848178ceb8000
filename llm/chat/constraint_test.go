package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// tooFewTokens asks for what does not fit the limit and returns the error, before which nothing comes.
func tooFewTokens(t *testing.T, m *chat.Model, req prompts.Request) *chat.TokenLimitError {
	t.Helper()
	for delta, err := range m.Generate(context.Background(), req) {
		var limit *chat.TokenLimitError
		if !errors.As(err, &limit) {
			t.Fatalf("%d tokens: %+v, %v, want a *TokenLimitError", req.MaxTokens, delta, err)
		}
		if limit.Left != req.MaxTokens || limit.Needed <= limit.Left || limit.Context || !strings.Contains(err.Error(), fmt.Sprintf("at least %d tokens", limit.Needed)) {
			t.Errorf("%d tokens: %v", req.MaxTokens, err)
		}
		return limit
	}
	t.Fatal("nothing comes")
	return nil
}

// called is what comes of a request that wants one call.
type called struct {
	calls []prompts.ToolCall
	cut   *chat.CutOffError
	done  *prompts.Completion
}

func callOnce(t *testing.T, m *chat.Model, req prompts.Request) (out called) {
	t.Helper()
	for delta, err := range m.Generate(context.Background(), req) {
		if err != nil {
			t.Fatalf("%d tokens: %v", req.MaxTokens, err)
		}
		if delta.CallError != nil && !errors.As(delta.CallError, &out.cut) {
			t.Fatalf("%d tokens: %v", req.MaxTokens, delta.CallError)
		}
		if delta.ToolCall != nil {
			out.calls = append(out.calls, *delta.ToolCall)
		}
		out.done = delta.Done
	}
	if out.done.Usage.CompletionTokens > req.MaxTokens+1 { // the stop token is one
		t.Errorf("%d tokens, want at most %d", out.done.Usage.CompletionTokens, req.MaxTokens)
	}
	return out
}

// A call that cannot be ended within the token limit is not begun, and the error says how many tokens would do. With so many
// it is cut off, and closed so that it satisfies its schema.
func TestTokenLimitsOfCalls(t *testing.T) {
	long := prompts.ToolDefinition{
		Name: "note", Description: "Write a note.",
		Parameters: json.RawMessage(`{"type":"object","properties":{"text":{"type":"string","minLength":400},"important_enough_to_be_kept":{"type":"boolean"}},"required":["text","important_enough_to_be_kept"]}`),
	}
	registry, err := tools.NewRegistry(anyTool{long})
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range templates(t) {
		req := prompts.Request{
			Messages: []prompts.Message{prompts.User("Write a long note.")}, Tools: []prompts.ToolDefinition{long}, MaxTokens: 3,
			ToolChoice: prompts.ToolChoice{Mode: prompts.ToolChoiceRequired, MaxCalls: 4}, Sampling: prompts.Greedy(),
			AllowRepetition: true, // of spaces, with which the text is closed
		}
		needed := tooFewTokens(t, m, req).Needed
		cut := 0
		for more := range 24 {
			req.MaxTokens = needed + more*more/4
			got := callOnce(t, m, req)
			if got.cut == nil { // it ended by itself
				for _, call := range got.calls {
					if err := registry.Check(call.Name, call.Arguments); err != nil {
						t.Errorf("%s, %d tokens: %v", name, req.MaxTokens, err)
					}
				}
				continue
			}
			cut++
			if got.done.StopReason != prompts.StopReasonLength || !strings.Contains(got.cut.Error(), "cut off") {
				t.Errorf("%s, %d tokens: %v, stopped by %s", name, req.MaxTokens, got.cut, got.done.StopReason)
			}
			if got.cut.Call == nil {
				t.Errorf("%s, %d tokens of at least %d: the call is not closed: %q", name, req.MaxTokens, needed, got.cut.Text)
			} else if err := registry.Check(got.cut.Call.Name, got.cut.Call.Arguments); err != nil {
				t.Errorf("%s, %d tokens: %v", name, req.MaxTokens, err)
			}
		}

		if cut < 8 {
			t.Errorf("%s: %d of 24 calls are cut off, want most", name, cut)
		}

		// A call that the model wants to make is no reason to fail: it is told.
		always := 0.0
		req.MaxTokens, req.ToolChoice = 3, prompts.ToolChoice{Threshold: &always}
		var told error
		for delta, err := range m.Generate(context.Background(), req) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if delta.CallError != nil {
				told = delta.CallError
			}
			if delta.Done != nil && delta.Done.StopReason != prompts.StopReasonLength {
				t.Errorf("%s: stopped by %s", name, delta.Done.StopReason)
			}
		}
		var limit *chat.TokenLimitError
		if !errors.As(told, &limit) || limit.Needed != needed {
			t.Errorf("%s: %v, want a *TokenLimitError of %d", name, told, needed)
		}
	}
}

// Of several tools those that do not fit the limit are not called.
func TestTokenLimitChoosesTools(t *testing.T) {
	long, short := picker("a_tool_whose_name_alone_takes_very_many_tokens_"+strings.Repeat("xyz", 30)), picker("pick")
	for name, m := range templates(t) {
		if name == "compact" {
			continue // the tool is chosen by its marker
		}
		for seed := range seeds(8) {
			req := prompts.Request{
				Messages: []prompts.Message{prompts.User("Pick.")}, Tools: []prompts.ToolDefinition{long, short}, MaxTokens: 40,
				ToolChoice: prompts.ToolChoice{Mode: prompts.ToolChoiceRequired, MaxCalls: 1},
				Sampling:   prompts.Sampling{Temperature: prompts.Set(2.0), Seed: &seed},
			}
			got := callOnce(t, m, req)
			if got.cut != nil && got.cut.Call != nil {
				got.calls = append(got.calls, *got.cut.Call)
			}
			if len(got.calls) != 1 || got.calls[0].Name != "pick" {
				t.Errorf("%s: %v, %v, want a call of pick", name, got.calls, got.cut)
			}
		}
	}
}

// A call is not closed before it has to be: names that are forced take many bytes and few tokens.
func TestTokenLimitLeavesRoom(t *testing.T) {
	var properties, required []string
	for i := range 12 {
		name := fmt.Sprintf("the description of the thing number %d", i)
		properties, required = append(properties, fmt.Sprintf("%q:{\"type\":\"boolean\"}", name)), append(required, fmt.Sprintf("%q", name))
	}
	d := prompts.ToolDefinition{
		Name: "describe", Description: "Describe it.",
		Parameters: json.RawMessage(`{"type":"object","properties":{` + strings.Join(properties, ",") + `},"required":[` + strings.Join(required, ",") + `]}`),
	}
	for name, m := range templates(t) {
		if name == "pythonic" {
			continue // these names are none of Python's
		}
		req := prompts.Request{
			Messages: []prompts.Message{prompts.User("Describe it.")}, Tools: []prompts.ToolDefinition{d}, MaxTokens: 3,
			ToolChoice: prompts.ToolChoice{Mode: prompts.ToolChoiceRequired, MaxCalls: 1},
			Sampling:   prompts.Sampling{Temperature: prompts.Set(1.0), Seed: prompts.Set(uint64(1))},
		}
		req.MaxTokens = tooFewTokens(t, m, req).Needed + 100 // a babbling model takes more tokens for a name than its own
		if got := callOnce(t, m, req); len(got.calls) != 1 {
			t.Errorf("%s: the call is cut off, %d tokens before it has to be: %v", name, req.MaxTokens-got.done.Usage.CompletionTokens, got.cut)
		}
	}
}
