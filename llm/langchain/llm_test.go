package langchain_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/llms"
	lcprompts "github.com/tmc/langchaingo/prompts"

	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/langchain"
	"github.com/drover-ai/drover/llm/tiny"
)

// embedded is the model that is always there. It stays open until the whole test, parallel parts included, is over.
func embedded(t testing.TB) *chat.Model {
	t.Helper()
	weights, err := tiny.Open()
	if err != nil {
		t.Fatal(err)
	}
	m, err := chat.New(weights)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(); weights.Close() })
	return m
}

func ask(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

// function is a tool of langchaingo's form.
func function(name, description string, properties map[string]any, required ...string) llms.Tool {
	return llms.Tool{Type: "function", Function: &llms.FunctionDefinition{
		Name: name, Description: description,
		Parameters: map[string]any{"type": "object", "properties": properties, "required": required},
	}}
}

var (
	weather = function("get_weather", "Get the weather of a city.", map[string]any{"city": map[string]any{"type": "string"}}, "city")
	adder   = function("add", "Add two numbers.", map[string]any{
		"a": map[string]any{"type": "number"}, "b": map[string]any{"type": "number"},
	}, "a", "b")
)

// generate returns the only choice.
func generate(t testing.TB, model llms.Model, messages []llms.MessageContent, options ...llms.CallOption) *llms.ContentChoice {
	t.Helper()
	response, err := model.GenerateContent(context.Background(), messages, options...)
	if err != nil {
		t.Fatal(err)
	}
	if len(response.Choices) != 1 {
		t.Fatalf("%d choices, want 1", len(response.Choices))
	}
	return response.Choices[0]
}

func Example() {
	weights, err := tiny.Open() // or llm.Open("Llama-3.2-3B-Instruct-Q4_0.gguf")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer weights.Close()
	inner, err := chat.New(weights)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer inner.Close()
	var model llms.Model = langchain.New(inner)
	response, err := model.GenerateContent(context.Background(),
		[]llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "What is the weather in Oslo?")},
		llms.WithTools([]llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{
			Name: "get_weather", Description: "Get the weather of a city.",
			Parameters: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`),
		}}}))
	if err != nil {
		fmt.Println(err)
		return
	}
	call := response.Choices[0].ToolCalls[0]
	fmt.Println(call.FunctionCall.Name, call.FunctionCall.Arguments)
	// Output: get_weather {"city":"Oslo"}
}

func TestToolRoundTrip(t *testing.T) {
	model := langchain.New(embedded(t))
	messages := ask("What is the weather in Oslo?")
	tools := llms.WithTools([]llms.Tool{adder, weather})
	choice := generate(t, model, messages, tools)
	if choice.StopReason != "tool_calls" || len(choice.ToolCalls) != 1 {
		t.Fatalf("stop reason %q and calls %v, want one call", choice.StopReason, choice.ToolCalls)
	}
	called := choice.ToolCalls[0]
	if called.ID == "" || called.Type != "function" || *choice.FuncCall != *called.FunctionCall {
		t.Errorf("call is %+v, function %+v", called, choice.FuncCall)
	}
	messages = append(messages,
		llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{called}},
		llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
			llms.ToolCallResponse{ToolCallID: called.ID, Content: "4 degrees and rain"}, // without a name, as ToolChatMessage has none
		}})
	choice = generate(t, model, messages, tools)
	if !strings.Contains(choice.Content, "4 degrees") || choice.StopReason != "stop" {
		t.Errorf("answer is %q (%s), want what the tool said", choice.Content, choice.StopReason)
	}
	for _, key := range []string{"PromptTokens", "CompletionTokens", "TotalTokens", "CachedTokens"} {
		if n, ok := choice.GenerationInfo[key].(int); !ok || n <= 0 {
			t.Errorf("%s is %v, want a number above 0 (the conversation was read before)", key, choice.GenerationInfo[key])
		}
	}
}

func TestToolChoice(t *testing.T) {
	model := langchain.New(embedded(t))
	tools := llms.WithTools([]llms.Tool{adder, weather})
	named := llms.ToolChoice{Type: "function", Function: &llms.FunctionReference{Name: "add"}}
	for name, c := range map[string]struct {
		choice any
		want   string
	}{
		"none": {"none", ""}, "auto": {"auto", "get_weather"}, "required": {"required", "get_weather"}, "any": {"any", "get_weather"},
		"named": {named, "add"}, "pointer": {&named, "add"}, "nil": {nil, "get_weather"},
		"map": {map[string]any{"type": "function", "function": map[string]any{"name": "add"}}, "add"},
	} {
		t.Run(name, func(t *testing.T) {
			choice := generate(t, model, ask("What is the weather in Oslo?"), tools, llms.WithToolChoice(c.choice), llms.WithMaxTokens(64))
			got := ""
			if len(choice.ToolCalls) > 0 {
				got = choice.ToolCalls[0].FunctionCall.Name
			}
			if got != c.want {
				t.Errorf("%q was called, want %q", got, c.want)
			}
		})
	}
	t.Run("functions", func(t *testing.T) { // the deprecated form, which langchaingo's own agent still sends
		choice := generate(t, model, ask("What is the weather in Oslo?"),
			llms.WithFunctions([]llms.FunctionDefinition{*adder.Function, *weather.Function}),
			llms.WithFunctionCallBehavior(`{"name": "add"}`))
		if choice.FuncCall == nil || choice.FuncCall.Name != "add" {
			t.Errorf("called %+v, want add", choice.FuncCall)
		}
	})
}

func TestStreaming(t *testing.T) {
	model := langchain.New(embedded(t))
	var text, reasoned strings.Builder
	pieces := 0
	choice := generate(t, model, ask("Hello!"),
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			text.Write(chunk)
			pieces++
			return nil
		}),
		llms.WithStreamingReasoningFunc(func(_ context.Context, reasoning, chunk []byte) error {
			if len(reasoning) > 0 {
				t.Errorf("reasoning %q; the model has none", reasoning)
			}
			reasoned.Write(chunk)
			return nil
		}))
	if text.String() != choice.Content || reasoned.String() != choice.Content || pieces < 2 {
		t.Errorf("streamed %q in %d pieces and %q, the answer is %q", text.String(), pieces, reasoned.String(), choice.Content)
	}
	t.Run("calls are no text", func(t *testing.T) {
		choice := generate(t, model, ask("What is the weather in Oslo?"), llms.WithTools([]llms.Tool{weather}),
			llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
				t.Errorf("streamed %q", chunk)
				return nil
			}))
		if len(choice.ToolCalls) != 1 {
			t.Errorf("%d calls, want 1", len(choice.ToolCalls))
		}
	})
	t.Run("an error stops it", func(t *testing.T) {
		enough := errors.New("enough")
		pieces := 0
		_, err := model.GenerateContent(context.Background(), ask("Hello!"), llms.WithStreamingFunc(func(context.Context, []byte) error {
			pieces++
			return enough
		}))
		if !errors.Is(err, enough) || pieces != 1 {
			t.Errorf("error %v after %d pieces, want %v after 1", err, pieces, enough)
		}
	})
}

func TestGenerateContentStream(t *testing.T) {
	model := langchain.New(embedded(t))
	whole := generate(t, model, ask("Hello!"))
	stream, err := model.GenerateContentStream(context.Background(), ask("Hello!"))
	if err != nil {
		t.Fatal(err)
	}
	var text string
	var last *llms.ContentChoice
	for response := range stream {
		last = response.Choices[0]
		text += last.Content
	}
	if text != whole.Content || last.StopReason != "stop" || last.GenerationInfo["CompletionTokens"] != whole.GenerationInfo["CompletionTokens"] {
		t.Errorf("streamed %q, last %+v; want %q", text, last, whole.Content)
	}
	t.Run("error in the middle", func(t *testing.T) {
		broken := errors.New("broken")
		stream, err := langchain.New(agenttest.NewScript(agenttest.Fail("half ", broken))).GenerateContentStream(context.Background(), ask("x"))
		if err != nil {
			t.Fatal(err)
		}
		for response := range stream {
			last = response.Choices[0]
		}
		if err, _ := last.GenerationInfo["Error"].(error); last.StopReason != "error" || !errors.Is(err, broken) {
			t.Errorf("last is %+v, want the error", last)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		stream, err := langchain.New(agenttest.NewScript(agenttest.Block("a b c"))).GenerateContentStream(ctx, ask("x"))
		if err != nil {
			t.Fatal(err)
		}
		<-stream
		cancel()
		for range stream { // must end
		}
	})
}

func TestStopWords(t *testing.T) {
	model := langchain.New(embedded(t))
	whole := generate(t, model, ask("Hello!")).Content
	middle := whole[len(whole)/3 : len(whole)/3+4] // wherever the tokens have their borders
	choice := generate(t, model, ask("Hello!"), llms.WithStopWords([]string{"not there", middle}))
	want, _, _ := strings.Cut(whole, middle)
	want = strings.TrimSpace(want) // package chat trims answers, as the template does when it shows them again
	if choice.Content != want || choice.StopReason != "stop" {
		t.Errorf("answer %q (%s), want %q: what comes before %q", choice.Content, choice.StopReason, want, middle)
	}
}

func TestMaxTokens(t *testing.T) {
	choice := generate(t, langchain.New(embedded(t)), ask("Hello!"), llms.WithMaxTokens(3))
	if choice.StopReason != "length" || choice.GenerationInfo["CompletionTokens"] != 3 {
		t.Errorf("stop reason %q after %v tokens, want length after 3", choice.StopReason, choice.GenerationInfo["CompletionTokens"])
	}
}

// A stop reason is one of langchaingo's words; what they do not say is beside it.
func TestRepetition(t *testing.T) {
	choice := generate(t, langchain.New(agenttest.NewScript(agenttest.Repeating("no no no", "no"))), ask("x"))
	if choice.StopReason != "length" || choice.GenerationInfo["Repetition"] != true || choice.Content != "no" {
		t.Errorf("%+v", choice)
	}
	if choice = generate(t, langchain.New(embedded(t)), ask("Hello!")); choice.GenerationInfo["Repetition"] != nil || choice.GenerationInfo["ForwardPasses"] == nil {
		t.Errorf("%+v", choice)
	}
}

func TestJSON(t *testing.T) {
	model := langchain.New(embedded(t))
	for name, option := range map[string]llms.CallOption{"mode": llms.WithJSONMode(), "type": llms.WithResponseMIMEType("application/json")} {
		t.Run(name, func(t *testing.T) {
			choice := generate(t, model, ask("Describe a soup."), option, llms.WithMaxTokens(400))
			var object map[string]any
			if err := json.Unmarshal([]byte(choice.Content), &object); err != nil || object == nil {
				t.Errorf("answer %q (%s) is no JSON object: %v", choice.Content, choice.StopReason, err)
			}
		})
	}
	t.Run("schema", func(t *testing.T) {
		choice := generate(t, model, ask("How was the soup?"), langchain.WithJSONSchema(map[string]any{
			"type": "object", "additionalProperties": false, "required": []string{"mood", "stars"},
			"properties": map[string]any{
				"mood": map[string]any{"enum": []string{"good", "bad"}}, "stars": map[string]any{"enum": []int{1, 2, 3}},
			},
		}))
		var v struct {
			Mood  string
			Stars int
		}
		if err := json.Unmarshal([]byte(choice.Content), &v); err != nil || v.Mood != "good" && v.Mood != "bad" || v.Stars < 1 || v.Stars > 3 {
			t.Errorf("answer %q breaks the schema (%v)", choice.Content, err)
		}
	})
}

func TestChoices(t *testing.T) {
	model := langchain.New(embedded(t))
	n := func(options ...llms.CallOption) []*llms.ContentChoice {
		t.Helper()
		pieces := ""
		options = append(options, llms.WithTemperature(3), llms.WithMaxTokens(12), llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			pieces += string(chunk)
			return nil
		}))
		response, err := model.GenerateContent(context.Background(), ask("Hello!"), options...)
		if err != nil {
			t.Fatal(err)
		}
		if pieces != response.Choices[0].Content {
			t.Errorf("streamed %q, the first choice is %q", pieces, response.Choices[0].Content)
		}
		return response.Choices
	}
	three := n(llms.WithN(3), llms.WithSeed(7))
	if len(three) != 3 || three[0].Content == three[1].Content {
		t.Fatalf("%d choices, the first two %q and %q; want three that differ", len(three), three[0].Content, three[1].Content)
	}
	second := n(llms.WithCandidateCount(1), llms.WithSeed(8))
	if second[0].Content != three[1].Content {
		t.Errorf("seed 8 gave %q, choice 2 from seed 7 was %q", second[0].Content, three[1].Content)
	}
	unseeded := n()
	again := n(llms.WithSeed(int(unseeded[0].GenerationInfo["Seed"].(uint64))))
	if unseeded[0].Content != again[0].Content {
		t.Errorf("the seed that was reported gave %q, not %q", again[0].Content, unseeded[0].Content)
	}
}

func TestErrors(t *testing.T) {
	inner := embedded(t)
	model := langchain.New(inner)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := model.GenerateContent(canceled, ask("Hello!"))
	if !errors.Is(err, context.Canceled) || !llms.IsCanceledError(err) {
		t.Errorf("error %v, want canceled", err)
	}
	_, err = model.GenerateContent(context.Background(), ask(strings.Repeat("many words ", inner.ContextLength())))
	if !llms.IsTokenLimitError(err) {
		t.Errorf("error %v, want the token limit's", err)
	}
	_, err = model.GenerateContent(context.Background(), ask("x"), langchain.WithJSONSchema(`{"type":"object","properties":{"a":{"$ref":"nowhere.json"}},"required":["a"]}`))
	if !llms.IsInvalidRequestError(err) {
		t.Errorf("error %v, want an invalid request", err)
	}
	malformed := errors.New("this is no call")
	_, err = langchain.New(agenttest.NewScript(agenttest.Malformed(malformed))).GenerateContent(context.Background(), ask("x"))
	if !errors.Is(err, malformed) {
		t.Errorf("error %v, want %v: an empty answer would hide it", err, malformed)
	}
}

func TestChain(t *testing.T) {
	model := langchain.New(embedded(t))
	prompt := lcprompts.NewPromptTemplate("Hello, I am {{.name}}!", []string{"name"})
	streamed := ""
	got, err := chains.Predict(context.Background(), chains.NewLLMChain(model, prompt), map[string]any{"name": "Sam"},
		chains.WithMaxTokens(40), chains.WithTemperature(0), chains.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			streamed += string(chunk)
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	want := generate(t, model, ask("Hello, I am Sam!"), llms.WithMaxTokens(40)).Content
	if got == "" || strings.TrimSpace(want) != strings.TrimSpace(got) || streamed != want {
		t.Errorf("the chain says %q (streamed %q), the model itself %q", got, streamed, want)
	}
}
