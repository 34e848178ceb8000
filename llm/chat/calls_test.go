package chat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// templates are the forms in which calls are written under a grammar. Under all but the first the embedded model has never
// seen the template and babbles.
func templates(t testing.TB, options ...chat.Option) map[string]*chat.Model {
	return map[string]*chat.Model{
		"compact":  embedded(t, options...),
		"json":     stranger(t, options...),
		"pythonic": embedded(t, append(options, chat.WithTemplate(prompts.Llama32Pythonic()))...),
	}
}

// seeds is how many times something is drawn.
func seeds(n uint64) uint64 {
	if testing.Short() {
		return max(n/4, 2)
	}
	return n
}

func picker(name string) prompts.ToolDefinition {
	return prompts.ToolDefinition{
		Name: name, Description: "Pick one.",
		Parameters: json.RawMessage(`{"type":"object","properties":{"which":{"enum":["a","b","c"]},"sure":{"type":"boolean"}},"required":["which"]}`),
	}
}

// A message may have several calls, as many as the request says, and none of them twice.
func TestSeveralCalls(t *testing.T) {
	weights, err := tiny.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	tokenizer := weights.Tokenizer()
	for name, m := range templates(t) {
		several, most := 0, 0
		for seed := range uint64(24) { // fewer may have none of several calls
			req := prompts.Request{
				Messages:   []prompts.Message{prompts.User("Pick a, b and c, and all of them again.")},
				Tools:      []prompts.ToolDefinition{picker("pick"), picker("choose"), {Name: "ping", Description: "Ping."}},
				ToolChoice: prompts.ToolChoice{Mode: prompts.ToolChoiceRequired, MaxCalls: 3},
				Sampling:   prompts.Sampling{Temperature: prompts.Set(12.0), Seed: &seed},
				MaxTokens:  400,
			}
			registry, err := tools.NewRegistry(anyTool{req.Tools[0]}, anyTool{req.Tools[1]}, anyTool{req.Tools[2]})
			if err != nil {
				t.Fatal(err)
			}
			_, calls, done := generate(t, m, req)
			seen := map[string]bool{}
			for _, call := range calls {
				if err := registry.Check(call.Name, call.Arguments); err != nil {
					t.Errorf("%s: %s %s: %v", name, call.Name, call.Arguments, err)
				}
				if seen[sorted(t, call)] {
					t.Errorf("%s: %s %s is called twice", name, call.Name, call.Arguments)
				}
				seen[sorted(t, call)] = true
			}
			if len(calls) < 1 || len(calls) > 3 || done.StopReason != prompts.StopReasonToolCalls {
				t.Errorf("%s: %d calls, stopped by %s", name, len(calls), done.StopReason)
			}
			if most = max(most, len(calls)); len(calls) > 1 {
				several++
			}
			// The conversation goes on from what was written.
			next := req
			next.Messages = append(slices.Clone(req.Messages), done.Message)
			for _, call := range calls {
				next.Messages = append(next.Messages, prompts.ToolResult(call, "done"))
			}
			next.ToolChoice, next.MaxTokens = prompts.ToolChoice{Mode: prompts.ToolChoiceNone}, 4
			_, none, again := generate(t, m, next)
			if len(none) > 0 || len(done.Message.Tokens) == 0 {
				t.Errorf("%s: tool choice none: calls %v", name, none)
			} else if text := tokenizer.Decode(nil, done.Message.Tokens); bytes.Contains(text, []byte("'")) {
				continue // the template writes double quotes, and such a message is encoded anew
			} else if len(calls) == 1 && again.Usage.CachedTokens < done.Usage.PromptTokens+len(done.Message.Tokens)-2 {
				t.Errorf("%s: %d tokens were used again, want those of the prompt, %d, and of the calls, %d",
					name, again.Usage.CachedTokens, done.Usage.PromptTokens, len(done.Message.Tokens))
			}
		}
		if several == 0 || most > 3 {
			t.Errorf("%s: %d messages have several calls, the longest %d", name, several, most)
		}
	}
}

// sorted is a call as text, whatever the order of its arguments.
func sorted(t *testing.T, call prompts.ToolCall) string {
	var arguments map[string]any
	if err := json.Unmarshal(call.Arguments, &arguments); err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(arguments)
	return call.Name + string(text)
}

// Only so many different calls can be written: the message ends before one is written again.
func TestCallsAreNotRepeated(t *testing.T) {
	for name, m := range templates(t) {
		most := 0
		for seed := range seeds(8) {
			_, calls, _ := generate(t, m, prompts.Request{
				Messages: []prompts.Message{prompts.User("Ping.")}, Tools: []prompts.ToolDefinition{{Name: "ping", Description: "Ping."}},
				ToolChoice: prompts.ToolChoice{Mode: prompts.ToolChoiceRequired, MaxCalls: 6},
				Sampling:   prompts.Sampling{Temperature: prompts.Set(5.0), Seed: &seed},
			})
			if most = max(most, len(calls)); len(calls) != 1 || string(calls[0].Arguments) != "{}" {
				t.Errorf("%s: calls %v, want ping once", name, calls)
			}
		}
	}
}

// Every tool choice, every threshold and every limit is honored in every form.
func TestToolChoices(t *testing.T) {
	definitions := []prompts.ToolDefinition{picker("pick"), picker("choose")}
	for name, m := range templates(t) {
		for _, test := range []struct {
			choice prompts.ToolChoice
			free   bool
			call   bool
			name   string
		}{
			{choice: prompts.ToolChoice{Mode: prompts.ToolChoiceNone}},
			{choice: prompts.ToolChoice{Mode: prompts.ToolChoiceNone, Threshold: prompts.Set(0.0)}},
			{choice: prompts.ToolChoice{Mode: prompts.ToolChoiceNone}, free: true},
			{choice: prompts.ToolChoice{Mode: prompts.ToolChoiceAuto, Threshold: prompts.Set(0.0)}, call: true},
			{choice: prompts.ToolChoice{Threshold: prompts.Set(1.0)}},
			{choice: prompts.ToolChoice{Mode: prompts.ToolChoiceRequired, Threshold: prompts.Set(1.0)}, call: true},
			{choice: prompts.ToolChoice{Mode: prompts.ToolChoiceNamed, Name: "choose", MaxCalls: 5}, call: true, name: "choose"},
		} {
			for seed := range seeds(3) {
				text, calls, done := generate(t, m, prompts.Request{
					Messages: []prompts.Message{prompts.User("Hello, how are you?")}, Tools: definitions, ToolChoice: test.choice, Free: test.free,
					Sampling: prompts.Sampling{Temperature: prompts.Set(1.5), Seed: &seed}, MaxTokens: 120,
				})
				what := fmt.Sprintf("%s, %+v", name, test.choice)
				if test.call != (len(calls) > 0) || test.call && text != "" {
					t.Errorf("%s: text %q, calls %v, want a call: %v", what, text, calls, test.call)
				}
				if test.name != "" && (len(calls) != 1 || calls[0].Name != test.name) {
					t.Errorf("%s: calls %v, want one of %s", what, calls, test.name)
				}
				if !test.call && done.StopReason == prompts.StopReasonToolCalls {
					t.Errorf("%s: stopped by %s", what, done.StopReason)
				}
			}
		}
	}
	m := embedded(t)
	for _, choice := range []prompts.ToolChoice{{Threshold: prompts.Set(1.5)}, {MaxCalls: -1}, {Mode: prompts.ToolChoiceNamed, Name: "x"}} {
		if errorOf(m, prompts.Request{Messages: []prompts.Message{prompts.User("x")}, Tools: definitions, ToolChoice: choice}) == nil {
			t.Errorf("%+v: no error", choice)
		}
	}
	twice := []prompts.ToolDefinition{picker("pick"), picker("pick")}
	if err := errorOf(m, prompts.Request{Messages: []prompts.Message{prompts.User("x")}, Tools: twice}); err == nil || !strings.Contains(err.Error(), "pick") {
		t.Errorf("two tools of one name: %v", err)
	}
}

func errorOf(m *chat.Model, req prompts.Request) (last error) {
	for _, err := range m.Generate(context.Background(), req) {
		last = err
	}
	return last
}

// A turn with tools and a schema: calls first, then an answer that matches, in every form.
func TestCallsThenAnswerUnderASchema(t *testing.T) {
	schema := json.RawMessage(`{"type":"object","properties":{"name":{"type":"string","maxLength":20},"sure":{"type":"boolean"}},"required":["name","sure"],"additionalProperties":false}`)
	for name, m := range templates(t) {
		for seed := range seeds(6) {
			req := prompts.Request{
				Messages: []prompts.Message{prompts.User("Pick a and b. Then tell me.")}, Tools: []prompts.ToolDefinition{picker("pick")},
				Schema: schema, ToolChoice: prompts.ToolChoice{Threshold: prompts.Set(0.0), MaxCalls: 2}, MaxTokens: 300,
				Sampling: prompts.Sampling{Temperature: prompts.Set(1.5), Seed: &seed},
			}
			text, calls, done := generate(t, m, req)
			if len(calls) == 0 || text != "" {
				t.Fatalf("%s: text %q, calls %v, want calls", name, text, calls)
			}
			req.Messages = append(req.Messages, done.Message)
			for _, call := range calls {
				req.Messages = append(req.Messages, prompts.ToolResult(call, `{"name": "a"}`))
			}
			req.ToolChoice.Threshold = prompts.Set(1.0)
			text, calls, done = generate(t, m, req)
			var got map[string]any
			if err := json.Unmarshal([]byte(text), &got); err != nil || len(calls) > 0 || len(got) != 2 || done.StopReason != prompts.StopReasonStop {
				t.Errorf("%s: %q, calls %v, stopped by %s: %v", name, text, calls, done.StopReason, err)
			} else if _, ok := got["sure"].(bool); !ok {
				t.Errorf("%s: %s does not match the schema", name, text)
			}
		}
	}
}
