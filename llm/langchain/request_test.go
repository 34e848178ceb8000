package langchain_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/llm/langchain"
	"github.com/drover-ai/drover/prompts"
)

// requestOf is what reaches the model.
func requestOf(t *testing.T, messages []llms.MessageContent, options ...llms.CallOption) prompts.Request {
	t.Helper()
	script := agenttest.NewScript(agenttest.Say("ok"))
	generate(t, langchain.New(script), messages, options...)
	return script.Requests()[0]
}

func TestSampling(t *testing.T) {
	all := prompts.Sampling{
		Temperature: prompts.Set(0.5), TopK: prompts.Set(3), TopP: prompts.Set(0.9), RepetitionPenalty: prompts.Set(1.1),
		PresencePenalty: prompts.Set(0.2), FrequencyPenalty: prompts.Set(0.3), Seed: prompts.Set(uint64(4)),
	}
	for name, c := range map[string]struct {
		options []llms.CallOption
		want    prompts.Sampling
	}{
		"nothing": {nil, prompts.Sampling{}},
		"zeros": {[]llms.CallOption{llms.WithTemperature(0), llms.WithSeed(0), llms.WithTopK(0)},
			prompts.Sampling{Temperature: prompts.Set(0.0), Seed: prompts.Set(uint64(0)), TopK: prompts.Set(0)}},
		"whole value": {[]llms.CallOption{llms.WithOptions(llms.CallOptions{MaxTokens: 5})}, prompts.Sampling{}},
		"all": {[]llms.CallOption{llms.WithTemperature(0.5), llms.WithTopK(3), llms.WithTopP(0.9), llms.WithRepetitionPenalty(1.1),
			llms.WithPresencePenalty(0.2), llms.WithFrequencyPenalty(0.3), llms.WithSeed(4)}, all},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, requestOf(t, ask("x"), c.options...).Sampling); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMessages(t *testing.T) {
	text := llms.TextPart
	got := requestOf(t, []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "rules"),
		llms.TextParts("user", "one", "two"),
		llms.TextParts("assistant", "yes"),
		{Role: llms.ChatMessageTypeGeneric, Parts: []llms.ContentPart{
			llms.WithCacheControl(text("kept"), nil), llms.BinaryPart("text/plain", []byte("a file")),
		}},
		{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{
			text("let me see"),
			llms.ToolCall{ID: "a", Type: "function", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: `{"x":1}`}},
			llms.ToolCall{ID: "b", FunctionCall: &llms.FunctionCall{Name: "g", Arguments: `say "hi" <b>`}},
			llms.ToolCall{FunctionCall: &llms.FunctionCall{Name: "h"}},
		}},
		{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
			llms.ToolCallResponse{ToolCallID: "b", Content: "second"}, llms.ToolCallResponse{ToolCallID: "a", Name: "f", Content: "first"},
		}},
		llms.TextParts(llms.ChatMessageTypeFunction, "third"),
	}).Messages
	f := prompts.ToolCall{ID: "a", Name: "f", Arguments: json.RawMessage(`{"x":1}`)}
	g := prompts.ToolCall{ID: "b", Name: "g", Arguments: json.RawMessage(`{"__arg1":"say \"hi\" <b>"}`)}
	h := prompts.ToolCall{ID: "call_3", Name: "h", Arguments: json.RawMessage(`{}`)}
	calls := prompts.AssistantCalls(f, g, h)
	calls.Content = "let me see"
	want := []prompts.Message{
		prompts.System("rules"), prompts.User("one\ntwo"), prompts.Assistant("yes"), prompts.User("kept\na file"), calls,
		prompts.ToolResult(g, "second"), prompts.ToolResult(f, "first"), prompts.ToolResult(h, "third"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	one := func(role llms.ChatMessageType, parts ...llms.ContentPart) []llms.MessageContent {
		return []llms.MessageContent{{Role: role, Parts: parts}}
	}
	call := llms.ToolCall{ID: "a", Type: "function", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: "{}"}}
	invalid, missing, absent := llms.ErrCodeInvalidRequest, llms.ErrCodeNotImplemented, llms.ErrCodeResourceNotFound
	with := func(options ...llms.CallOption) []llms.CallOption { return options }
	tool := llms.WithTools([]llms.Tool{weather})
	for name, c := range map[string]struct {
		messages []llms.MessageContent // nil: a question
		options  []llms.CallOption
		want     llms.ErrorCode
	}{
		"no messages":        {[]llms.MessageContent{}, nil, invalid},
		"role":               {one("narrator", llms.TextPart("x")), nil, invalid},
		"image":              {one("human", llms.ImageURLPart("file:x.png")), nil, missing},
		"binary":             {one("human", llms.BinaryPart("image/png", []byte{1})), nil, missing},
		"call of a human":    {one("human", call), nil, invalid},
		"call of nothing":    {one("ai", llms.ToolCall{ID: "a", Type: "function"}), nil, invalid},
		"call type":          {one("ai", llms.ToolCall{ID: "a", Type: "code", FunctionCall: call.FunctionCall}), nil, invalid},
		"result of human":    {one("human", llms.ToolCallResponse{ToolCallID: "a"}), nil, invalid},
		"result of no call":  {one("tool", llms.ToolCallResponse{ToolCallID: "a"}), nil, invalid},
		"text beside result": {append(one("ai", call), one("tool", llms.ToolCallResponse{ToolCallID: "a"}, llms.TextPart("x"))...), nil, invalid},
		"model":              {nil, with(llms.WithModel("gpt-4")), absent},
		"max tokens":         {nil, with(llms.WithMaxTokens(-1)), invalid},
		"min length":         {nil, with(llms.WithMinLength(5)), missing},
		"max length":         {nil, with(llms.WithMaxLength(5)), missing},
		"stop word":          {nil, with(llms.WithStopWords([]string{"a", ""})), invalid},
		"n":                  {nil, with(llms.WithN(-1)), invalid},
		"two counts":         {nil, with(llms.WithN(2), llms.WithCandidateCount(3)), invalid},
		"tool type":          {nil, with(llms.WithTools([]llms.Tool{{Type: "web_search"}})), invalid},
		"tool name":          {nil, with(llms.WithFunctions([]llms.FunctionDefinition{{}})), invalid},
		"tool twice":         {nil, with(tool, llms.WithFunctions([]llms.FunctionDefinition{*weather.Function})), invalid},
		"parameters":         {nil, with(llms.WithFunctions([]llms.FunctionDefinition{{Name: "f", Parameters: 3}})), invalid},
		"no JSON":            {nil, with(llms.WithFunctions([]llms.FunctionDefinition{{Name: "f", Parameters: func() {}}})), invalid},
		"choice":             {nil, with(tool, llms.WithToolChoice("maybe")), invalid},
		"choice type":        {nil, with(tool, llms.WithToolChoice(3)), invalid},
		"choice without":     {nil, with(tool, llms.WithToolChoice(llms.ToolChoice{Type: "function"})), invalid},
		"choice of another":  {nil, with(tool, llms.WithToolChoice(llms.ToolChoice{Type: "function", Function: &llms.FunctionReference{Name: "x"}})), invalid},
		"required of none":   {nil, with(llms.WithToolChoice("required")), invalid},
		"response type":      {nil, with(llms.WithResponseMIMEType("text/html")), missing},
		"text and JSON":      {nil, with(llms.WithResponseMIMEType("text/plain"), llms.WithJSONMode()), invalid},
		"no schema":          {nil, with(langchain.WithJSONSchema("{")), invalid},
		"JSON and stop":      {nil, with(llms.WithJSONMode(), llms.WithStopWords([]string{"x"})), invalid},
		"thinking":           {nil, with(llms.WithThinkingMode(llms.ThinkingModeLow)), missing},
		"own key":            {nil, with(llms.WithMetadata(map[string]any{"drover:typo": 1})), invalid},
		"temperature":        {nil, with(llms.WithTemperature(-1)), invalid},
		"top-p":              {nil, with(llms.WithTopP(2)), invalid},
	} {
		t.Run(name, func(t *testing.T) {
			messages := c.messages
			if messages == nil {
				messages = ask("x")
			}
			_, err := langchain.New(embedded(t)).GenerateContent(context.Background(), messages, c.options...)
			var e *llms.Error
			if !errors.As(err, &e) || e.Code != c.want {
				t.Errorf("error is %v, want the code %s", err, c.want)
			}
		})
	}
	t.Run("JSON from a model that cannot", func(t *testing.T) {
		_, err := langchain.New(agenttest.NewScript(agenttest.Say("x"))).GenerateContent(context.Background(), ask("x"), llms.WithJSONMode())
		if !llms.IsNotImplementedError(err) {
			t.Errorf("error is %v, want the code %s", err, llms.ErrCodeNotImplemented)
		}
	})
	t.Run("alias", func(t *testing.T) {
		model := langchain.New(agenttest.NewScript(agenttest.Say("x")), langchain.WithAliases("gpt-4"))
		generate(t, model, ask("x"), llms.WithModel("gpt-4"), llms.WithPromptCaching(true), llms.WithThinkingMode(llms.ThinkingModeNone))
	})
}

// Whatever a replayed call has as arguments, the model gets a JSON object that says the same.
func FuzzReplayedArguments(f *testing.F) {
	f.Add(`{"city":"Oslo"}`)
	f.Add(`Oslo "quoted" <b>`)
	f.Add(` `)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, arguments string) {
		script := agenttest.NewScript(agenttest.Say("ok"))
		_, err := langchain.New(script).GenerateContent(context.Background(), append(ask("x"), llms.MessageContent{
			Role:  llms.ChatMessageTypeAI,
			Parts: []llms.ContentPart{llms.ToolCall{ID: "a", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: arguments}}},
		}))
		if err != nil {
			t.Fatal(err)
		}
		got := script.Requests()[0].Messages[1].ToolCalls[0].Arguments
		var object, given map[string]any
		if err := json.Unmarshal(got, &object); err != nil || object == nil {
			t.Fatalf("%q became %s, no object: %v", arguments, got, err)
		}
		if json.Unmarshal([]byte(arguments), &given) == nil && given != nil {
			if diff := cmp.Diff(given, object); diff != "" {
				t.Error(diff)
			}
		} else if text, ok := object["__arg1"].(string); strings.TrimSpace(arguments) != "" && (!ok || text != strings.ToValidUTF8(arguments, "\uFFFD") && utf8.ValidString(arguments)) {
			t.Errorf("%q became %s", arguments, got)
		}
	})
}
