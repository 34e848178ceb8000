package chat_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/prompts"
)

// A message that repeats itself is ended, says so and has what it repeated once; unless the request allows it. An answer
// under a schema is closed, so that it still matches.
func TestRepetitionEndsAMessage(t *testing.T) {
	m := embedded(t, chat.WithCallThreshold(1))
	req := prompts.Request{
		Messages: []prompts.Message{prompts.User(strings.Repeat("la ", 16))}, MaxTokens: 800, Sampling: prompts.Greedy(),
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
	if _, _, again := generate(t, m, req); again.Usage.CachedTokens < done.Usage.PromptTokens {
		t.Errorf("%d tokens were used again, want %d of the prompt before", again.Usage.CachedTokens, done.Usage.PromptTokens)
	}
	req.Messages, req.MaxTokens, req.AllowRepetition = req.Messages[:1], 800, true
	if _, _, done = generate(t, m, req); done.StopReason == prompts.StopReasonRepetition {
		t.Error("stopped for a repetition that is allowed")
	}
	req.AllowRepetition, req.MaxTokens = false, 1500
	req.Schema = json.RawMessage(`{"type":"object","properties":{"song":{"type":"array","items":{"enum":["la"]}},"end":{"type":"boolean"}},"required":["song","end"]}`)
	text, _, done = generate(t, m, req)
	var got struct {
		Song []string
		End  *bool
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || got.End == nil {
		t.Errorf("stopped by %s: %q: %v", done.StopReason, text, err)
	}
	if len(got.Song) > 40 && done.StopReason != prompts.StopReasonRepetition {
		t.Errorf("a song of %d lines, stopped by %s", len(got.Song), done.StopReason)
	}
	t.Logf("%d lines, %s", len(got.Song), done.StopReason)
}
