package langchain

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/prompts"
)

// merge takes a response apart. One answer was asked for: where there are several choices, they are its parts, as Anthropic's
// provider returns them.
func merge(response *llms.ContentResponse) (text, reason string, calls []llms.ToolCall) {
	for _, c := range response.Choices {
		if c == nil {
			continue
		}
		text += c.Content
		calls = append(calls, c.ToolCalls...)
		if len(c.ToolCalls) == 0 && c.FuncCall != nil {
			calls = append(calls, llms.ToolCall{Type: functionType, FunctionCall: c.FuncCall})
		}
		if c.StopReason != "" {
			reason = c.StopReason
		}
	}
	return text, reason, calls
}

// call checks a call of the provider, or says in words fit for the model why it is none.
func (r *reply) call(c llms.ToolCall) (*prompts.ToolCall, error) {
	if c.FunctionCall == nil {
		return nil, &prompts.ParseError{Problem: prompts.ProblemMalformed, Detail: "it names no function"}
	}
	name, arguments := c.FunctionCall.Name, strings.TrimSpace(c.FunctionCall.Arguments)
	offered := r.req.Tools
	if r.req.ToolChoice.Mode == prompts.ToolChoiceNone {
		offered = nil
	}
	if !hasTool(offered, name) {
		known := make([]string, len(offered))
		for i, d := range offered {
			known[i] = d.Name
		}
		return nil, &prompts.ParseError{Problem: prompts.ProblemUnknownTool, Tool: name, Known: known, Text: arguments}
	}
	if arguments == "" {
		arguments = "{}"
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(arguments), &object); err != nil || object == nil {
		detail := "they are no JSON object"
		if err != nil {
			detail = err.Error()
		}
		return nil, &prompts.ParseError{Problem: prompts.ProblemBadArguments, Tool: name, Detail: detail, Text: arguments}
	}
	return &prompts.ToolCall{ID: r.freshID(c.ID), Name: name, Arguments: json.RawMessage(arguments)}, nil
}

// freshID returns the provider's ID if no call of the conversation has it, else a new one.
func (r *reply) freshID(id string) string {
	used := make(map[string]bool)
	for _, m := range r.req.Messages {
		for _, c := range m.ToolCalls {
			used[c.ID] = true
		}
	}
	for _, c := range r.calls {
		used[c.ID] = true
	}
	for n := len(used) + 1; id == "" || used[id]; n++ {
		id = fmt.Sprintf("call_%d", n)
	}
	return id
}

// stopReason reads the words that providers have for running out of tokens. All else is an end.
func stopReason(reason string) prompts.StopReason {
	if r := strings.ToLower(reason); r == "length" || strings.HasSuffix(strings.ReplaceAll(r, "_", ""), "maxtokens") {
		return prompts.StopReasonLength
	}
	return prompts.StopReasonStop
}

// filtered reports whether a stop reason says that a filter took the answer away.
func filtered(reason string) bool {
	r := strings.ToLower(reason)
	return r == "content_filter" || r == "refusal" || strings.HasSuffix(r, "safety")
}

// usageOf reads the token counts under the names that langchaingo's providers give them.
func usageOf(response *llms.ContentResponse) prompts.Usage {
	var u prompts.Usage
	for _, c := range slices.Backward(response.Choices) {
		if c == nil || len(c.GenerationInfo) == 0 {
			continue
		}
		count := func(keys ...string) int {
			for _, key := range keys {
				switch n := c.GenerationInfo[key].(type) {
				case int:
					return n
				case int32:
					return int(n)
				case int64:
					return int(n)
				case float64:
					return int(n)
				}
			}
			return 0
		}
		u.PromptTokens = count("PromptTokens", "InputTokens", "input_tokens")
		u.CompletionTokens = count("CompletionTokens", "OutputTokens", "output_tokens")
		u.CachedTokens = min(count("PromptCachedTokens", "CachedTokens", "CacheReadInputTokens"), u.PromptTokens)
		return u
	}
	return u
}
