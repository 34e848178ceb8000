package langchain

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/prompts"
)

// roles has langchaingo's roles, and the words of the providers that callers write as literals.
var roles = map[llms.ChatMessageType]prompts.Role{
	llms.ChatMessageTypeSystem: prompts.RoleSystem,
	llms.ChatMessageTypeHuman:  prompts.RoleUser, "user": prompts.RoleUser, llms.ChatMessageTypeGeneric: prompts.RoleUser,
	llms.ChatMessageTypeAI: prompts.RoleAssistant, "assistant": prompts.RoleAssistant,
	llms.ChatMessageTypeTool: prompts.RoleTool, llms.ChatMessageTypeFunction: prompts.RoleTool,
}

// reader turns langchaingo's messages into ours.
type reader struct {
	out     []prompts.Message
	waiting []prompts.ToolCall // calls without a result so far
	calls   int
}

func toMessages(messages []llms.MessageContent) ([]prompts.Message, error) {
	if len(messages) == 0 {
		return nil, refuse(llms.ErrCodeInvalidRequest, "there are no messages")
	}
	var r reader
	for i, m := range messages {
		role, ok := roles[m.Role]
		if !ok {
			return nil, refuse(llms.ErrCodeInvalidRequest, "message %d has the role %q, want system, human, ai, tool, function or generic", i, m.Role)
		}
		if err := r.message(fmt.Sprintf("message %d", i), role, m.Parts); err != nil {
			return nil, err
		}
	}
	return r.out, nil
}

func (r *reader) message(place string, role prompts.Role, parts []llms.ContentPart) error {
	var texts []string
	var calls []prompts.ToolCall
	var answered bool
	for i, part := range parts {
		place := fmt.Sprintf("%s, part %d", place, i)
		if cached, ok := part.(llms.CachedContent); ok {
			part = cached.ContentPart // the prompt's beginning is kept without being told
		}
		switch p := part.(type) {
		case llms.TextContent:
			texts = append(texts, p.Text)
		case llms.ToolCall:
			call, err := r.call(place, role, p)
			if err != nil {
				return err
			}
			calls = append(calls, call)
		case llms.ToolCallResponse:
			if role != prompts.RoleTool {
				return refuse(llms.ErrCodeInvalidRequest, "%s: a tool response in a message of role %s; use the role tool", place, role)
			}
			if err := r.result(place, p); err != nil {
				return err
			}
			answered = true
		case llms.BinaryContent:
			if !strings.HasPrefix(p.MIMEType, "text/") || !utf8.Valid(p.Data) {
				return refuse(llms.ErrCodeNotImplemented, "%s: binary content of type %q; the model reads text", place, p.MIMEType)
			}
			texts = append(texts, string(p.Data))
		default:
			return refuse(llms.ErrCodeNotImplemented, "%s: %T; the model reads text", place, part)
		}
	}
	text := strings.Join(texts, "\n")
	switch {
	case role != prompts.RoleTool:
		r.out = append(r.out, prompts.Message{Role: role, Content: text, ToolCalls: calls})
		if role == prompts.RoleAssistant {
			r.waiting = calls
		}
		return nil
	case answered && len(texts) > 0:
		return refuse(llms.ErrCodeInvalidRequest, "%s: text beside a tool response; put it into the response", place)
	case answered:
		return nil
	}
	return r.result(place, llms.ToolCallResponse{Content: text})
}

// call takes a call of an earlier answer.
func (r *reader) call(place string, role prompts.Role, p llms.ToolCall) (prompts.ToolCall, error) {
	r.calls++
	switch {
	case role != prompts.RoleAssistant:
		return prompts.ToolCall{}, refuse(llms.ErrCodeInvalidRequest, "%s: a tool call in a message of role %s; use the role ai", place, role)
	case p.FunctionCall == nil || p.FunctionCall.Name == "":
		return prompts.ToolCall{}, refuse(llms.ErrCodeInvalidRequest, "%s: tool call %q has no function", place, p.ID)
	case p.Type != functionType && p.Type != "":
		return prompts.ToolCall{}, refuse(llms.ErrCodeInvalidRequest, "%s: tool call %q has the type %q, want %q", place, p.ID, p.Type, functionType)
	}
	arguments := strings.TrimSpace(p.FunctionCall.Arguments)
	var object map[string]json.RawMessage
	switch {
	case arguments == "":
		arguments = "{}"
	case json.Unmarshal([]byte(arguments), &object) != nil || object == nil:
		wrapped, err := toJSON(map[string]string{"__arg1": p.FunctionCall.Arguments}) // langchaingo's agents took it off
		if err != nil {
			return prompts.ToolCall{}, refuse(llms.ErrCodeInvalidRequest, "%s: %v", place, err).WithCause(err)
		}
		arguments = string(wrapped)
	}
	call := prompts.ToolCall{ID: p.ID, Name: p.FunctionCall.Name, Arguments: json.RawMessage(arguments)}
	if call.ID == "" {
		call.ID = fmt.Sprintf("call_%d", r.calls)
	}
	return call, nil
}

// result takes a tool's result. It answers the call of its ID; without one, the first call of its name that waits; without a
// name either, the first that waits.
func (r *reader) result(place string, p llms.ToolCallResponse) error {
	for i, call := range r.waiting {
		if p.ToolCallID == call.ID || p.ToolCallID == "" && (p.Name == call.Name || p.Name == "") {
			r.out = append(r.out, prompts.ToolResult(call, p.Content))
			r.waiting = append(r.waiting[:i:i], r.waiting[i+1:]...)
			return nil
		}
	}
	return refuse(llms.ErrCodeInvalidRequest, "%s: no call waits for this tool response (ID %q, name %q); keep the ai message with the call before it", place, p.ToolCallID, p.Name)
}
