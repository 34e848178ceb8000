package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/grammar"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

var _ agent.Constrainer = (*chat.Model)(nil)

// stranger is a model under a template that it has never seen: it babbles, which is the hard case for a grammar.
func stranger(t testing.TB, options ...chat.Option) *chat.Model {
	return embedded(t, append(options, chat.WithTemplate(prompts.Llama32()))...)
}

// Whatever a babbling model would write: a call that is required comes, names a tool that there is, parses, and matches
// the schema, under the template of real Llamas.
func TestTurnCallsAlwaysMatchTheSchema(t *testing.T) {
	t.Run("json", func(t *testing.T) { testCalls(t, stranger(t), 1) })
	t.Run("pythonic", func(t *testing.T) { testCalls(t, embedded(t, chat.WithTemplate(prompts.Llama32Pythonic())), 8) })
}

func testCalls(t *testing.T, m *chat.Model, most int) {
	r := rand.New(rand.NewPCG(3, 4))
	cut := 0
	n := 40
	if testing.Short() {
		n = 10
	}
	for i := range n {
		definitions := []prompts.ToolDefinition{randomSchema(r), randomSchema(r)}
		if definitions[0].Name == definitions[1].Name {
			continue
		}
		if most > 1 { // Python's names are plain
			for i := range definitions {
				definitions[i].Parameters = json.RawMessage(strings.ReplaceAll(string(definitions[i].Parameters), "ü", "u"))
			}
		}
		registry, err := tools.NewRegistry(anyTool{definitions[0]}, anyTool{definitions[1]})
		if err != nil {
			t.Fatal(err)
		}
		choice := prompts.ToolChoice{Mode: prompts.ToolChoiceRequired}
		if i%2 == 0 {
			choice = prompts.ToolChoice{Mode: prompts.ToolChoiceNamed, Name: definitions[1].Name}
		}
		calls := 0
		for delta, err := range m.Generate(context.Background(), prompts.Request{
			Messages: []prompts.Message{prompts.User("Do it with blue and 5.")}, Tools: definitions, ToolChoice: choice, MaxTokens: 200,
			Sampling: prompts.Sampling{Temperature: prompts.Set(1.5), Seed: prompts.Set(uint64(i))},
		}) {
			var limit *chat.TokenLimitError
			switch {
			case errors.As(err, &limit) && limit.Context:
				cut++ // the two definitions leave too little of the small model's context
			case err != nil:
				t.Fatalf("%s: %v", definitions[1].Parameters, err)
			case delta.CallError != nil && strings.Contains(delta.CallError.Error(), "cut off"):
				cut++ // a string that never ends: reported, never handed over
			case delta.CallError != nil:
				t.Errorf("%s: %v", definitions[1].Parameters, delta.CallError)
			case delta.Text != "":
				t.Errorf("text %q beside a call that is required", delta.Text)
			case delta.ToolCall != nil:
				calls++
				if err := registry.Check(delta.ToolCall.Name, delta.ToolCall.Arguments); err != nil {
					t.Errorf("%s: %s: %v", definitions[1].Parameters, delta.ToolCall.Arguments, err)
				}
				if choice.Name != "" && delta.ToolCall.Name != choice.Name {
					t.Errorf("called %s, want %s", delta.ToolCall.Name, choice.Name)
				}
			}
		}
		if calls > most {
			t.Errorf("%d calls, want at most %d", calls, most)
		}
	}
	if cut > n*3/4 {
		t.Errorf("%d of %d calls were cut off", cut, n)
	}
}

// The threshold decides between a call and an answer; a text does not open a call.
func TestCallOrAnswer(t *testing.T) {
	tool := prompts.ToolDefinition{Name: "look", Description: "Look.", Parameters: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer"}}}`)}
	req := prompts.Request{Messages: []prompts.Message{prompts.User("hi")}, Tools: []prompts.ToolDefinition{tool}, Sampling: prompts.Greedy(), MaxTokens: 60}
	_, calls, _ := generate(t, stranger(t, chat.WithCallThreshold(0)), req)
	if len(calls) != 1 || calls[0].Name != "look" {
		t.Errorf("threshold 0: calls %v, want one of look", calls)
	}
	text, calls, _ := generate(t, stranger(t, chat.WithCallThreshold(1)), req)
	if len(calls) != 0 || strings.HasPrefix(text, "{") {
		t.Errorf("threshold 1: calls %v, text %q, want a text", calls, text)
	}
	req.ToolChoice.Mode = prompts.ToolChoiceNone
	if _, calls, _ = generate(t, stranger(t, chat.WithCallThreshold(0)), req); len(calls) != 0 {
		t.Errorf("tool choice none: calls %v", calls)
	}
}

// An answer under a schema matches it, with and without tools on offer, under both templates.
func TestAnswersMatchTheSchema(t *testing.T) {
	schema := json.RawMessage(`{"type":"object","properties":{"color":{"enum":["red","green"]},"count":{"type":"integer","minimum":0,"maximum":9}},"required":["color","count"],"additionalProperties":false}`)
	tool := prompts.ToolDefinition{Name: "look", Description: "Look.", Parameters: json.RawMessage(`{"type":"object","properties":{}}`)}
	for name, m := range map[string]*chat.Model{"markers": embedded(t, chat.WithCallThreshold(1)), "llama": stranger(t, chat.WithCallThreshold(1))} {
		for seed := range uint64(12) {
			req := prompts.Request{
				Messages: []prompts.Message{prompts.User("How many, in which color?")}, Schema: schema, MaxTokens: 100,
				Sampling: prompts.Sampling{Temperature: prompts.Set(2.0), Seed: &seed},
			}
			if seed%2 == 1 {
				req.Tools = []prompts.ToolDefinition{tool}
			}
			text, calls, done := generate(t, m, req)
			var got struct {
				Color string
				Count *int
			}
			if err := json.Unmarshal([]byte(text), &got); err != nil || len(calls) > 0 || done.StopReason != prompts.StopReasonStop {
				t.Errorf("%s: %q, calls %v, stopped by %s: %v", name, text, calls, done.StopReason, err)
			} else if got.Color != "red" && got.Color != "green" || got.Count == nil || *got.Count < 0 || *got.Count > 9 {
				t.Errorf("%s: %s does not match the schema", name, text)
			}
		}
	}
}

// What cannot be enforced is refused by name, at its place.
func TestSchemaRefused(t *testing.T) {
	for i, schema := range []string{`{"type":"array","uniqueItems":true}`, `{"type":`} {
		var got error
		for _, err := range stranger(t).Generate(context.Background(), prompts.Request{
			Messages: []prompts.Message{prompts.User("x")}, Schema: json.RawMessage(schema),
		}) {
			got = err
		}
		var refused *grammar.SchemaError
		if !errors.As(got, &refused) && i == 0 {
			t.Errorf("%s: %v, want a SchemaError", schema, got)
		}
		if got == nil {
			t.Errorf("%s: no error", schema)
		}
	}
}

// An answer that the token limit cuts off is closed: it still matches, and the stop reason says that it was cut off.
func TestCutOffAnswersAreClosed(t *testing.T) {
	schema := json.RawMessage(`{"type":"object","properties":{"text":{"type":"string","minLength":1000},"more":{"type":"array","items":{"type":"string"}}},"required":["text","more"],"additionalProperties":false}`)
	open := json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"},"more":{"type":"array","items":{"type":"string"}}},"required":["text","more"],"additionalProperties":false}`)
	for seed := range uint64(8) {
		req := prompts.Request{
			Messages: []prompts.Message{prompts.User("Tell me.")}, Schema: open, MaxTokens: 40 + int(seed)*7,
			Sampling: prompts.Sampling{Temperature: prompts.Set(1.5), Seed: &seed},
		}
		text, _, done := generate(t, stranger(t), req)
		var got struct {
			Text *string
			More []string
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.Text == nil || got.More == nil {
			t.Errorf("%d tokens: %q, stopped by %s: %v", req.MaxTokens, text, done.StopReason, err)
		}
		if done.Usage.CompletionTokens > req.MaxTokens {
			t.Errorf("%d tokens, want at most %d", done.Usage.CompletionTokens, req.MaxTokens)
		}
	}
	// What cannot be ended within the limit is not begun; with as many tokens as the error says the answer matches.
	req := prompts.Request{Messages: []prompts.Message{prompts.User("Tell me.")}, Schema: schema, MaxTokens: 3}
	limit := tooFewTokens(t, stranger(t), req)
	req.MaxTokens, req.AllowRepetition = limit.Needed, true // of spaces
	text, _, done := generate(t, stranger(t), req)
	var got struct{ Text string }
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Text) < 1000 || done.Usage.CompletionTokens > limit.Needed {
		t.Errorf("%d tokens: %d characters in %d tokens: %v", limit.Needed, len(got.Text), done.Usage.CompletionTokens, err)
	}
}

func TestSchemasAreCompiledOnce(t *testing.T) {
	m := embedded(t)
	for i := range 70 { // more than are kept, and the first again
		schema := json.RawMessage(fmt.Sprintf(`{"const":%d}`, i%66))
		text, _, _ := generate(t, m, prompts.Request{Messages: []prompts.Message{prompts.User("x")}, Schema: schema, MaxTokens: 8})
		if text != fmt.Sprint(i%66) {
			t.Errorf("schema %s: %q", schema, text)
		}
	}
}

// The strings of an answer under a schema are words of the request, as far as the copy bias goes.
func TestAnswersUnderASchemaCopy(t *testing.T) {
	const request = "Zerbrechliche Wunderkammer, Maximiliane Oberstetter, 48213 Kisten."
	text, _, _ := generate(t, embedded(t, chat.WithCopyBias(100)), prompts.Request{
		Messages: []prompts.Message{prompts.User(request)}, MaxTokens: 100, Sampling: prompts.Greedy(), AllowRepetition: true,
		Schema: json.RawMessage(`{"type":"object","properties":{"what":{"type":"string","minLength":4,"maxLength":30},
			"who":{"type":"string","minLength":4,"maxLength":30}},"required":["what","who"]}`),
	})
	var answer struct{ What, Who string }
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, value := range []string{answer.What, answer.Who} {
		if !strings.Contains(request, value) {
			t.Errorf("%q is none of the request's words", value)
		}
	}
}
