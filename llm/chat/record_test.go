package chat_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/prompts"
)

var _ agent.RequestCounter = (*chat.Model)(nil)
var _ agent.ToolLimiter = (*chat.Model)(nil)

// What the model wrote is used again to the last token, whatever its text would encode to.
func TestWrittenTokensAreUsedAgain(t *testing.T) {
	weights, err := tiny.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	m, err := chat.New(weights)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	add := requestWithAdd()
	drawn := func(seed uint64) prompts.Sampling {
		return prompts.Sampling{Temperature: prompts.Set(1.5), Seed: prompts.Set(seed)}
	}
	for name, sampling := range map[string]prompts.Sampling{
		"greedy": prompts.Greedy(), "drawn with 3": drawn(3), "drawn with 4": drawn(4), "drawn with 5": drawn(5),
	} {
		for _, req := range []prompts.Request{{Messages: []prompts.Message{prompts.User("Tell me something, please.")}}, add} {
			req.Sampling, req.MaxTokens = sampling, 40
			_, calls, done := generate(t, m, req)
			if len(done.Message.Tokens) == 0 {
				t.Fatalf("%s: no tokens", name)
			}
			next := req
			next.Messages = append(next.Messages[:1:1], done.Message)
			if len(calls) > 0 {
				next.Messages = append(next.Messages, prompts.ToolResult(calls[0], "5"))
			} else {
				next.Messages = append(next.Messages, prompts.User("Go on."))
			}
			counted, err := m.CountRequest(next)
			if err != nil {
				t.Fatal(err)
			}
			_, _, again := generate(t, m, next)
			if again.Usage.PromptTokens != counted {
				t.Errorf("%s: %d tokens were counted, %d read", name, counted, again.Usage.PromptTokens)
			}
			// The last token may be computed only when it is needed.
			if want := done.Usage.PromptTokens + len(done.Message.Tokens) - 1; again.Usage.CachedTokens < want {
				t.Errorf("%s: after %q, %v: %d tokens were used again, want at least %d of %d", name, done.Message.Content, done.Message.Tokens, again.Usage.CachedTokens, want, counted)
			}
		}
	}
}

// A message whose tokens are one of the many other encodings of its text keeps them; one that was edited does not.
func TestOtherEncodings(t *testing.T) {
	m := embedded(t)
	weights, err := tiny.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	text := "The sum is 5."
	var bytewise []llm.Token
	for i := range len(text) {
		bytewise = weights.Tokenizer().Encode(bytewise, text[i:i+1])
	}
	encoded := weights.Tokenizer().Encode(nil, text)
	if cmp.Equal(bytewise, encoded) {
		t.Fatal("both encodings are the same; take another text")
	}
	count := func(message prompts.Message) int {
		n, err := m.CountRequest(prompts.Request{Messages: []prompts.Message{prompts.User("x"), message, prompts.User("y")}})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	plain := prompts.Assistant(text)
	written, edited := plain, plain
	written.Tokens = bytewise
	edited.Tokens, edited.Content = bytewise, "The sum is 6."
	if got, want := count(written)-count(plain), len(bytewise)-len(encoded); got != want {
		t.Errorf("the message takes %d tokens more, want %d", got, want)
	}
	if count(edited) != count(plain) {
		t.Error("an edited message keeps its tokens")
	}
}

func requestWithAdd() prompts.Request {
	return prompts.Request{
		Messages: []prompts.Message{prompts.User("What is 2 + 3?")},
		Tools: []prompts.ToolDefinition{{
			Name: "calculator", Description: "Evaluate an arithmetic expression.",
			Parameters: []byte(`{"type":"object","properties":{"expression":{"type":"string"}},"required":["expression"]}`),
		}},
	}
}
