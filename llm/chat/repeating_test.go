package chat_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/prompts"
)

// A message that repeats itself is ended, says so and has what it repeated once; unless the request allows it.
func TestRepetitionEndsAMessage(t *testing.T) {
	m := embedded(t, chat.WithCallThreshold(1))
	again := prompts.Greedy()
	again.FrequencyPenalty = prompts.Set(-2.) // what was written becomes ever likelier: any model repeats itself then
	req := prompts.Request{
		Messages: []prompts.Message{prompts.User(strings.Repeat("la ", 16))}, MaxTokens: 800, Sampling: again,
	}
	text, _, done := generate(t, m, req)
	if done.StopReason != prompts.StopReasonRepetition || done.Usage.CompletionTokens >= 800 {
		t.Errorf("stopped by %s after %d tokens: %q", done.StopReason, done.Usage.CompletionTokens, text)
	}
	if content := done.Message.Content; !strings.HasPrefix(text, content) || len(text)-len(content) < 200 || content == "" {
		t.Errorf("%d of %d bytes are left: %q", len(content), len(text), content)
	}
	req.Messages = append(req.Messages, done.Message, prompts.User("Thank you."))
	req.MaxTokens = 4
	if _, _, next := generate(t, m, req); next.Usage.CachedTokens < done.Usage.PromptTokens {
		t.Errorf("%d tokens were used again, want %d of the prompt before", next.Usage.CachedTokens, done.Usage.PromptTokens)
	}
	req.Messages, req.MaxTokens, req.AllowRepetition = req.Messages[:1], 800, true
	if _, _, done = generate(t, m, req); done.StopReason == prompts.StopReasonRepetition {
		t.Error("stopped for a repetition that is allowed")
	}
}

// An answer under a schema that repeats itself is closed, so that it still matches; a call that does is none to run.
func TestRepetitionUnderAGrammar(t *testing.T) {
	parameters := json.RawMessage(`{"type":"object","properties":{"song":{"type":"array","minItems":400,"items":{"enum":["la","lo"]}},"end":{"type":"boolean"}},"required":["song","end"]}`)
	for name, m := range templates(t, chat.WithCallThreshold(1)) {
		req := prompts.Request{Messages: []prompts.Message{prompts.User(strings.Repeat("la ", 16))}, Sampling: prompts.Greedy(), Schema: parameters}
		text, _, done := generate(t, m, req)
		var got struct {
			Song []string
			End  *bool
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.End == nil || len(got.Song) < 400 || done.StopReason != prompts.StopReasonRepetition {
			t.Errorf("%s: stopped by %s, %d items: %v", name, done.StopReason, len(got.Song), err)
		}
		req.Schema = nil
		req.Tools = []prompts.ToolDefinition{{Name: "sing", Description: "Sing.", Parameters: parameters}}
		req.ToolChoice.Mode = prompts.ToolChoiceRequired
		var problem error
		for delta, err := range m.Generate(context.Background(), req) {
			if err != nil || delta.ToolCall != nil {
				t.Errorf("%s: call %v, error %v", name, delta.ToolCall, err)
			}
			if delta.CallError != nil {
				problem = delta.CallError
			}
			done = delta.Done
		}
		if problem == nil || !strings.Contains(problem.Error(), "repeats itself") || done.StopReason != prompts.StopReasonRepetition {
			t.Errorf("%s: %v, stopped by %s", name, problem, done.StopReason)
		}
	}
}
