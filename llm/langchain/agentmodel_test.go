package langchain_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/llm/langchain"
	"github.com/drover-ai/drover/prompts"
)

// providerFunc is a langchaingo provider made of a function.
type providerFunc func(ctx context.Context, messages []llms.MessageContent, o *llms.CallOptions) (*llms.ContentResponse, error)

func (f providerFunc) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, option := range options {
		option(&o)
	}
	return f(ctx, messages, &o)
}

func (f providerFunc) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, f, prompt, options...)
}

// says is a provider that streams pieces and then returns a response.
func says(response *llms.ContentResponse, pieces ...string) llms.Model {
	return providerFunc(func(ctx context.Context, _ []llms.MessageContent, o *llms.CallOptions) (*llms.ContentResponse, error) {
		for _, p := range pieces {
			if o.StreamingFunc != nil {
				if err := o.StreamingFunc(ctx, []byte(p)); err != nil {
					return nil, err
				}
			}
		}
		return response, nil
	})
}

// read collects an answer.
func read(ctx context.Context, model agent.Model, req prompts.Request) (texts []string, bad []error, done *prompts.Completion, err error) {
	for d, failed := range model.Generate(ctx, req) {
		switch {
		case failed != nil:
			err = failed
		case d.Text != "":
			texts = append(texts, d.Text)
		case d.CallError != nil:
			bad = append(bad, d.CallError)
		case d.Done != nil:
			done = d.Done
		}
	}
	return texts, bad, done, err
}

var add = prompts.ToolDefinition{Name: "add", Parameters: json.RawMessage(`{"type":"object"}`)}

// The two adapters, one upon the other, keep the contract of agent.Model.
func TestAgentModelConformance(t *testing.T) {
	agenttest.TestModel(t, langchain.NewAgentModel(langchain.New(embedded(t)), "both", langchain.WithTextOnlyStream()))
}

// What the embedded model answers is the same with both adapters between.
func TestBothWays(t *testing.T) {
	inner := embedded(t)
	outer := langchain.NewAgentModel(langchain.New(inner), "both", langchain.WithSchemaOption(
		func(schema json.RawMessage) llms.CallOption { return langchain.WithJSONSchema(schema) }))
	call := prompts.ToolCall{ID: "call_1", Name: "add", Arguments: json.RawMessage(`{"a":2,"b":3}`)}
	adds := prompts.ToolDefinition{Name: "add", Description: "Add two numbers.", Parameters: json.RawMessage(
		`{"properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"],"type":"object"}`)} // sorted as Go does
	for name, req := range map[string]prompts.Request{
		"text":   {Messages: []prompts.Message{prompts.System("Be short."), prompts.User("Hello!")}, MaxTokens: 6},
		"call":   {Messages: []prompts.Message{prompts.User("What is 2 + 3?")}, Tools: []prompts.ToolDefinition{adds}},
		"result": {Messages: []prompts.Message{prompts.User("What is 2 + 3?"), prompts.AssistantCalls(call), prompts.ToolResult(call, "5")}, Tools: []prompts.ToolDefinition{adds}},
		"schema": {Messages: []prompts.Message{prompts.User("Well?")}, Schema: json.RawMessage(`{"enum":["yes","no"]}`)},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, want, err := read(context.Background(), inner, req)
			if err != nil {
				t.Fatal(err)
			}
			_, _, got, err := read(context.Background(), outer, req)
			if err != nil {
				t.Fatal(err)
			}
			want.Message.Tokens = nil // no provider has them
			if diff := cmp.Diff(want.Message, got.Message); diff != "" || got.StopReason != want.StopReason {
				t.Errorf("stop reason %s, want %s\n%s", got.StopReason, want.StopReason, diff)
			}
			if got.Usage.PromptTokens != want.Usage.PromptTokens || got.Usage.CompletionTokens != want.Usage.CompletionTokens {
				t.Errorf("usage %+v, want %+v", got.Usage, want.Usage)
			}
		})
	}
}

func TestAgentModelRequest(t *testing.T) {
	var messages []llms.MessageContent
	var o *llms.CallOptions
	provider := providerFunc(func(_ context.Context, m []llms.MessageContent, given *llms.CallOptions) (*llms.ContentResponse, error) {
		messages, o = m, given
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "ok"}}}, nil
	})
	call := prompts.ToolCall{ID: "1", Name: "add", Arguments: json.RawMessage(`{}`)}
	_, _, done, err := read(context.Background(), langchain.NewAgentModel(provider, "p"), prompts.Request{
		Messages:   []prompts.Message{prompts.System("s"), prompts.User("u"), prompts.AssistantCalls(call), prompts.ToolResult(call, "r")},
		Tools:      []prompts.ToolDefinition{add},
		ToolChoice: prompts.ToolChoice{Mode: prompts.ToolChoiceNamed, Name: "add"},
		MaxTokens:  9, Stop: []string{"x"},
		Sampling: prompts.Sampling{Temperature: prompts.Set(0.5), TopK: prompts.Set(4), Seed: prompts.Set(^uint64(0)), MinP: prompts.Set(0.0)},
	})
	if err != nil || done == nil {
		t.Fatalf("done %v, error %v", done, err)
	}
	want := []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "s"), llms.TextParts(llms.ChatMessageTypeHuman, "u"),
		{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{llms.ToolCall{ID: "1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "add", Arguments: "{}"}}}},
		{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "1", Name: "add", Content: "r"}}},
	}
	if diff := cmp.Diff(want, messages); diff != "" {
		t.Error(diff)
	}
	choice, _ := o.ToolChoice.(llms.ToolChoice)
	if o.MaxTokens != 9 || o.Temperature != 0.5 || o.TopK != 4 || o.Seed < 0 || o.StopWords[0] != "x" || len(o.Tools) != 1 ||
		choice.Function == nil || choice.Function.Name != "add" || o.StreamingFunc != nil {
		t.Errorf("options are %+v", o)
	}
}

func TestAgentModelAnswers(t *testing.T) {
	choice := func(c llms.ContentChoice) *llms.ContentResponse {
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{&c}}
	}
	calls := func(list ...*llms.FunctionCall) *llms.ContentResponse {
		var c llms.ContentChoice
		for _, f := range list {
			c.ToolCalls = append(c.ToolCalls, llms.ToolCall{ID: "same", Type: "function", FunctionCall: f})
		}
		return choice(c)
	}
	hello := "h\u00e9llo \u20ac"
	for name, c := range map[string]struct {
		model  llms.Model
		texts  []string
		calls  []string // IDs
		bad    int
		reason prompts.StopReason
	}{
		"not streamed": {says(choice(llms.ContentChoice{Content: hello, StopReason: "stop"})), []string{hello}, nil, 0, "stop"},
		"split characters": {says(choice(llms.ContentChoice{Content: hello, StopReason: "end_turn"}), hello[:2], hello[2:9], hello[9:]),
			[]string{"h", "\u00e9llo ", "\u20ac"}, nil, 0, "stop"},
		"partly streamed":    {says(choice(llms.ContentChoice{Content: "one two"}), "one"), []string{"one", " two"}, nil, 0, "stop"},
		"tidied":             {says(choice(llms.ContentChoice{Content: "one"}), " one"), []string{" one"}, nil, 0, "stop"},
		"no text":            {says(choice(llms.ContentChoice{Content: "a\xff\xe2"})), []string{"a\uFFFD", "\uFFFD"}, nil, 0, "stop"},
		"cut off":            {says(choice(llms.ContentChoice{Content: "x", StopReason: "FinishReasonMaxTokens"})), []string{"x"}, nil, 0, "length"},
		"cut off, anthropic": {says(choice(llms.ContentChoice{Content: "x", StopReason: "max_tokens"})), []string{"x"}, nil, 0, "length"},
		"two calls, one ID":  {says(calls(&llms.FunctionCall{Name: "add", Arguments: "{}"}, &llms.FunctionCall{Name: "add"})), nil, []string{"same", "call_2"}, 0, "tool_calls"},
		"unknown tool":       {says(calls(&llms.FunctionCall{Name: "sub", Arguments: "{}"})), nil, nil, 1, "stop"},
		"no object":          {says(calls(&llms.FunctionCall{Name: "add", Arguments: "[1]"}, &llms.FunctionCall{Name: "add", Arguments: "null"}, nil)), nil, nil, 3, "stop"},
		"old form":           {says(choice(llms.ContentChoice{FuncCall: &llms.FunctionCall{Name: "add", Arguments: "{}"}})), nil, []string{"call_1"}, 0, "tool_calls"},
		"blocks": {says(&llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "I add."}, nil,
			{ToolCalls: []llms.ToolCall{{ID: "t", FunctionCall: &llms.FunctionCall{Name: "add", Arguments: "{}"}}}, StopReason: "tool_use"}}}),
			[]string{"I add."}, []string{"t"}, 0, "tool_calls"},
	} {
		t.Run(name, func(t *testing.T) {
			model := langchain.NewAgentModel(c.model, "p", langchain.WithTextOnlyStream())
			texts, bad, done, err := read(context.Background(), model, prompts.Request{Messages: []prompts.Message{prompts.User("x")}, Tools: []prompts.ToolDefinition{add}})
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, call := range done.Message.ToolCalls {
				ids = append(ids, call.ID)
			}
			if diff := cmp.Diff(c.texts, texts); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.calls, ids); diff != "" {
				t.Error(diff)
			}
			if len(bad) != c.bad || done.StopReason != c.reason || done.Message.Content != strings.Join(texts, "") {
				t.Errorf("%d unreadable calls (%v), reason %s, message %q", len(bad), bad, done.StopReason, done.Message.Content)
			}
		})
	}
}

func TestAgentModelErrors(t *testing.T) {
	broken := errors.New("broken")
	question := prompts.Request{Messages: []prompts.Message{prompts.User("x")}}
	for name, c := range map[string]struct {
		model providerFunc
		req   prompts.Request
		want  error // nil: any
	}{
		"its own": {func(context.Context, []llms.MessageContent, *llms.CallOptions) (*llms.ContentResponse, error) {
			return nil, broken
		}, question, broken},
		"nothing": {func(context.Context, []llms.MessageContent, *llms.CallOptions) (*llms.ContentResponse, error) {
			return nil, nil
		}, question, nil},
		"panic": {func(context.Context, []llms.MessageContent, *llms.CallOptions) (*llms.ContentResponse, error) {
			panic("oh")
		}, question, nil},
		"filter": {func(context.Context, []llms.MessageContent, *llms.CallOptions) (*llms.ContentResponse, error) {
			return &llms.ContentResponse{Choices: []*llms.ContentChoice{{StopReason: "content_filter"}}}, nil
		}, question, llms.ErrContentFilter},
		"schema": {nil, prompts.Request{Messages: question.Messages, Schema: json.RawMessage(`{}`)}, errors.ErrUnsupported},
		"min-p":  {nil, prompts.Request{Messages: question.Messages, Sampling: prompts.Sampling{MinP: prompts.Set(0.1)}}, errors.ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, done, err := read(context.Background(), langchain.NewAgentModel(c.model, "p"), c.req)
			if err == nil || done != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
	t.Run("a provider that ignores cancel", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(10*time.Millisecond, cancel)
		_, _, _, err := read(ctx, langchain.NewAgentModel(providerFunc(
			func(context.Context, []llms.MessageContent, *llms.CallOptions) (*llms.ContentResponse, error) {
				<-release
				return nil, broken
			}), "p"), question)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want canceled", err)
		}
	})
}

// drover's agent runs on langchaingo's OpenAI provider, which talks to a server on the loopback here.
func TestAgentOnOpenAI(t *testing.T) {
	s, added := serve(t, whole(callsAdd, "tool_calls"), whole(`{"role":"assistant","content":"It is 5."}`, "stop")), 0
	a, err := agent.New(s.model(t), agent.WithTools(addTool(t, &added)))
	if err != nil {
		t.Fatal(err)
	}
	result, err := a.Ask(context.Background(), "What is 2 + 3?")
	if err != nil {
		t.Fatal(err)
	}
	if u := result.Usage; result.Answer != "It is 5." || u.PromptTokens != 20 || u.CachedTokens != 12 || len(s.asked) != 2 || added != 1 {
		t.Fatalf("answer %q after %d requests and %d calls, usage %+v", result.Answer, len(s.asked), added, u)
	}
	messages, _ := s.asked[1]["messages"].([]any)
	last, _ := messages[len(messages)-1].(map[string]any)
	if last["role"] != "tool" || last["tool_call_id"] != "c1" || last["content"] != "5" {
		t.Errorf("the result went back as %v", last)
	}
}

// Whatever pieces a text comes in, the text that is given away is the same.
func FuzzPieces(f *testing.F) {
	f.Add("h\u00e9llo \u20ac \U0001F600", 2, 7)
	f.Add("a\xff\xe2\x82b\xf0", 1, 3)
	f.Add("", 0, 0)
	f.Fuzz(func(t *testing.T, text string, i, j int) {
		i = max(0, min(i, len(text)))
		j = max(i, min(j, len(text)))
		response := &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: text}}}
		texts, _, done, err := read(context.Background(), langchain.NewAgentModel(says(response, text[:i], text[i:j], text[j:]), "p"),
			prompts.Request{Messages: []prompts.Message{prompts.User("x")}})
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(texts, "")
		if got != done.Message.Content || len([]rune(got)) == 0 && text != "" {
			t.Errorf("pieces %q of %q, message %q", texts, text, done.Message.Content)
		}
		if valid := strings.ToValidUTF8(text, "\uFFFD"); valid == text && got != text {
			t.Errorf("%q was given away as %q", text, got)
		}
	})
}
