package prompts

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ReadConversation reads a conversation in OpenAI's message form:
//
//	{"messages": [{"role": …, "content": …, "tool_calls": [{"id": …, "type": "function",
//	  "function": {"name": …, "arguments": …}}]}, …],
//	 "tools": [{"type": "function", "function": {…}}, …],
//	 "date": "26 Jul 2024", "add_generation_prompt": true, "tools_in_user_message": true}
//
// Only "messages" must be there. "tools_in_user_message" is true when it is absent, as in Llama 3.2's template;
// "tools": null means none, "tools": [] an empty list. Arguments may be an object or, as OpenAI sends them, a
// string that holds one. A text may be a list of {"type": "text", "text": …} parts, which are joined. The
// content of a tool result may be any JSON ([Message].Data keeps it). Keys keep their order everywhere, other
// keys are ignored. Errors name the place, such as messages[2].tool_calls[0].
func ReadConversation(data []byte) (RenderInput, error) {
	input := RenderInput{ToolsInUserMessage: true}
	root, err := readJSON(string(data))
	if err != nil {
		return RenderInput{}, fmt.Errorf("conversation: %w", err)
	}
	if root.kind != kindObject {
		return RenderInput{}, fmt.Errorf(`conversation: got %s, want an object with "messages"`, root.kind)
	}
	messages, ok := root.member("messages")
	if !ok {
		return RenderInput{}, fmt.Errorf(`conversation: the key "messages" is missing`)
	}
	if input.Messages, err = readMessages(messages); err != nil {
		return RenderInput{}, fmt.Errorf("conversation: %w", err)
	}
	if tools, ok := root.member("tools"); ok && tools.kind != kindNull {
		if input.Tools, err = readTools(tools); err != nil {
			return RenderInput{}, fmt.Errorf("conversation: %w", err)
		}
	}
	if date, ok := root.member("date"); ok && date.kind != kindNull {
		if date.kind != kindString {
			return RenderInput{}, fmt.Errorf("conversation: date: got %s, want a string", date.kind)
		}
		input.Date = date.text
	}
	if err := root.boolMember("add_generation_prompt", &input.AddGenerationPrompt); err != nil {
		return RenderInput{}, fmt.Errorf("conversation: %w", err)
	}
	if err := root.boolMember("tools_in_user_message", &input.ToolsInUserMessage); err != nil {
		return RenderInput{}, fmt.Errorf("conversation: %w", err)
	}
	return input, nil
}

// boolMember sets *field to the object's boolean under key, when it has one.
func (v value) boolMember(key string, field *bool) error {
	switch flag, _ := v.member(key); flag.kind {
	case kindNull:
	case kindTrue, kindFalse:
		*field = flag.kind == kindTrue
	default:
		return fmt.Errorf("%s: got %s, want true or false", key, flag.kind)
	}
	return nil
}

// ReadMessages reads the "messages" list of [ReadConversation] on its own.
func ReadMessages(data []byte) ([]Message, error) {
	list, err := readJSON(string(data))
	if err != nil {
		return nil, fmt.Errorf("messages: %w", err)
	}
	return readMessages(list)
}

// ReadTools reads a list of tool objects in OpenAI's form, or of bare {"name", "description", "parameters"}
// objects. [ToolDefinition].Source keeps each as it was given. The result is never nil without an error.
func ReadTools(data []byte) ([]ToolDefinition, error) {
	list, err := readJSON(string(data))
	if err != nil {
		return nil, fmt.Errorf("tools: %w", err)
	}
	return readTools(list)
}

func readMessages(list value) ([]Message, error) {
	if list.kind != kindArray {
		return nil, fmt.Errorf("messages: got %s, want an array", list.kind)
	}
	messages := make([]Message, 0, len(list.list))
	for i, item := range list.list {
		message, err := readMessage(item)
		if err != nil {
			return nil, fmt.Errorf("messages[%d]%w", i, err)
		}
		messages = append(messages, message)
	}
	return messages, nil
}

// readMessage reads one message. Its errors start with what follows "messages[i]".
func readMessage(item value) (Message, error) {
	if item.kind != kindObject {
		return Message{}, fmt.Errorf(": got %s, want an object", item.kind)
	}
	message := Message{
		Role:       Role(item.stringMember("role")),
		ToolCallID: item.stringMember("tool_call_id"),
		Name:       item.stringMember("name"),
	}
	if message.Role == "" {
		return Message{}, fmt.Errorf(": the role is missing")
	}
	if message.Role == roleToolAlias {
		message.Role = RoleTool
	}
	if calls, ok := item.member("tool_calls"); ok && calls.kind != kindNull {
		if calls.kind != kindArray {
			return Message{}, fmt.Errorf(".tool_calls: got %s, want an array", calls.kind)
		}
		message.ToolCalls = make([]ToolCall, 0, len(calls.list))
		for i, c := range calls.list {
			call, err := readToolCall(c)
			if err != nil {
				return Message{}, fmt.Errorf(".tool_calls[%d]: %w", i, err)
			}
			message.ToolCalls = append(message.ToolCalls, call)
		}
	}
	if err := message.readContent(item); err != nil {
		return Message{}, fmt.Errorf(".content: %w", err)
	}
	return message, nil
}

// readContent sets Content, and Data for a tool result that is no string.
func (m *Message) readContent(item value) error {
	content, ok := item.member("content")
	switch {
	case ok && content.kind == kindString:
		m.Content = content.text
	case ok && m.Role == RoleTool:
		m.Data = content.compact()
		m.Content = string(m.Data)
	case ok && content.kind == kindArray:
		var text strings.Builder
		for i, part := range content.list {
			t, ok := part.member("text")
			if part.stringMember("type") != "text" || !ok || t.kind != kindString {
				return fmt.Errorf(`part %d is not {"type": "text", "text": …}; only text is supported`, i)
			}
			text.WriteString(t.text)
		}
		m.Content = text.String()
	case ok && content.kind != kindNull:
		return fmt.Errorf("got %s, want a string", content.kind)
	case m.Role != RoleAssistant:
		return fmt.Errorf("the text is missing; only an assistant message may have none")
	}
	return nil
}

// readToolCall reads {"id", "type", "function": {"name", "arguments"}}, or the bare inner object.
func readToolCall(item value) (ToolCall, error) {
	if item.kind != kindObject {
		return ToolCall{}, fmt.Errorf("got %s, want an object", item.kind)
	}
	function, ok := item.member("function")
	if !ok {
		function = item
	}
	call := ToolCall{ID: item.stringMember("id"), Name: function.stringMember("name")}
	if call.Name == "" {
		return ToolCall{}, fmt.Errorf("the function's name is missing")
	}
	arguments, ok := function.member("arguments")
	if !ok {
		arguments, ok = function.member("parameters")
	}
	if !ok {
		return ToolCall{}, fmt.Errorf("%s: the arguments are missing", call.Name)
	}
	if arguments.kind == kindString {
		if strings.TrimSpace(arguments.text) == "" {
			arguments.text = "{}" // how some servers send a call without arguments
		}
		inner, err := readJSON(arguments.text)
		if err != nil {
			return ToolCall{}, fmt.Errorf("%s: arguments given as a string: %w", call.Name, err)
		}
		arguments = inner
	}
	if arguments.kind != kindObject {
		return ToolCall{}, fmt.Errorf("%s: arguments: got %s, want an object", call.Name, arguments.kind)
	}
	call.Arguments = arguments.compact()
	return call, nil
}

func readTools(list value) ([]ToolDefinition, error) {
	if list.kind != kindArray {
		return nil, fmt.Errorf("tools: got %s, want an array", list.kind)
	}
	tools := make([]ToolDefinition, 0, len(list.list))
	for i, item := range list.list {
		if item.kind != kindObject {
			return nil, fmt.Errorf("tools[%d]: got %s, want an object", i, item.kind)
		}
		function, ok := item.member("function")
		if !ok {
			function = item
		}
		tool := ToolDefinition{
			Name:        function.stringMember("name"),
			Description: function.stringMember("description"),
			Source:      item.compact(),
		}
		if tool.Name == "" {
			return nil, fmt.Errorf("tools[%d]: the function's name is missing", i)
		}
		if parameters, ok := function.member("parameters"); ok && parameters.kind != kindNull {
			if parameters.kind != kindObject {
				return nil, fmt.Errorf("tools[%d]: parameters of %s: got %s, want an object", i, tool.Name, parameters.kind)
			}
			tool.Parameters = parameters.compact()
		}
		tools = append(tools, tool)
	}
	return tools, nil
}

// sourceValue returns the tool as templates show it: Source, or the same form built from the other fields.
func (t ToolDefinition) sourceValue() (value, error) {
	if t.Source != nil {
		v, err := readJSON(string(t.Source))
		if err != nil {
			return value{}, fmt.Errorf("source of tool %s: %w", t.Name, err)
		}
		return v, nil
	}
	parameters, err := t.parametersValue()
	if err != nil {
		return value{}, err
	}
	function := []member{{"name", stringValue(t.Name)}}
	if t.Description != "" {
		function = append(function, member{"description", stringValue(t.Description)})
	}
	function = append(function, member{"parameters", parameters})
	return value{kind: kindObject, object: []member{
		{"type", stringValue("function")},
		{"function", value{kind: kindObject, object: function}},
	}}, nil
}

// parametersValue returns the tool's parameter schema; without one, that of a tool that takes no arguments.
func (t ToolDefinition) parametersValue() (value, error) {
	schema := t.Parameters
	if schema == nil {
		schema = json.RawMessage(`{"type":"object","properties":{}}`)
	}
	v, err := readJSON(string(schema))
	if err != nil {
		return value{}, fmt.Errorf("parameters of tool %s: %w", t.Name, err)
	}
	if v.kind != kindObject {
		return value{}, fmt.Errorf("parameters of tool %s: got %s, want an object", t.Name, v.kind)
	}
	return v, nil
}
