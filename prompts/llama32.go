package prompts

import (
	"fmt"
	"slices"
	"strings"
)

// The special tokens that templates write, and that models end their messages with.
const (
	beginOfText = "<|begin_of_text|>"
	endOfText   = "<|end_of_text|>"
	startHeader = "<|start_header_id|>"
	endHeader   = "<|end_header_id|>\n\n"
	endOfTurn   = "<|eot_id|>"
	endOfMsg    = "<|eom_id|>"
	pythonTag   = "<|python_tag|>"
)

// defaultDate is the date that Meta's template shows when it is given none and has no clock.
const defaultDate = "26 Jul 2024"

// Llama32 returns the template of Llama 3.2's instruct models, in which tools are called as JSON. It renders
// what the Jinja template in Hugging Face's checkpoints renders, byte for byte, its errors included:
// the system block with its two date lines always comes, an empty tool list is announced, a message with
// several calls fails unless [RenderInput].SplitToolCalls is set, tool results are written as JSON (a text in
// quotes), and with ToolsInUserMessage the first message after the system message is shown as the user's,
// whatever its role.
//
// [RenderInput].BuiltinTools switches on what Llama 3.1's template has and 3.2's lacks: the list of built-in
// tools, calls behind <|python_tag|> and <|eom_id|> at their end.
//
// Source: the chat_template of meta-llama/Llama-3.2-3B-Instruct; for built-in tools, that of Llama 3.1 and
// models/llama3_1/prompt_format.md in meta-llama/llama-models.
func Llama32() Template { return llama32{} }

type llama32 struct{}

func (llama32) Name() string   { return "llama-3.2" }
func (llama32) Parser() Parser { return Parser{} }

const (
	llama32SystemTools = "You have access to the following functions. To call a function, please respond with JSON for a function call." +
		llama32CallFormat
	llama32UserTools = "Given the following functions, please respond with a JSON for a function call with its proper arguments that best answers the given prompt.\n\n" +
		llama32CallFormat
	llama32CallFormat = `Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}.` +
		"Do not use variables.\n\n"
)

func (llama32) Render(input RenderInput) (Prompt, error) {
	messages := input.Messages
	if input.SplitToolCalls {
		messages = SplitToolCalls(messages)
	}
	if len(messages) == 0 {
		return nil, fmt.Errorf("template llama-3.2: there are no messages; it takes at least one")
	}
	var p promptBuilder
	p.trusted(beginOfText)
	system := ""
	if messages[0].Role == RoleSystem {
		system = trimPython(messages[0].Content)
		messages = messages[1:]
	}
	if err := p.llama32System(system, input); err != nil {
		return nil, err
	}
	if input.ToolsInUserMessage && input.Tools != nil {
		if len(messages) == 0 {
			return nil, fmt.Errorf("template llama-3.2: cannot put tools in the first user message when there's no first user message; add one, or show the tools in the system message")
		}
		p.header(string(RoleUser))
		p.trusted(llama32UserTools)
		if err := p.toolObjects(input.Tools); err != nil {
			return nil, err
		}
		p.untrusted(trimPython(messages[0].Content))
		p.trusted(endOfTurn)
		messages = messages[1:]
	}
	for _, m := range messages {
		if err := p.llama32Message(m, input.BuiltinTools); err != nil {
			return nil, err
		}
	}
	if input.AddGenerationPrompt {
		p.header(string(RoleAssistant))
	}
	return p.prompt(), nil
}

// llama32System writes the system block.
func (p *promptBuilder) llama32System(system string, input RenderInput) error {
	p.header(string(RoleSystem))
	if input.Tools != nil || input.BuiltinTools != nil {
		p.trusted("Environment: ipython\n")
	}
	if input.BuiltinTools != nil {
		listed := slices.DeleteFunc(slices.Clone(input.BuiltinTools), func(name string) bool { return name == codeInterpreter })
		p.trusted("Tools: ")
		p.untrusted(strings.Join(listed, ", "))
		p.trusted("\n\n")
	}
	p.trusted("Cutting Knowledge Date: December 2023\nToday Date: ")
	if input.Date == "" {
		p.trusted(defaultDate)
	}
	p.untrusted(input.Date)
	p.trusted("\n\n")
	if input.Tools != nil && !input.ToolsInUserMessage {
		p.trusted(llama32SystemTools)
		if err := p.toolObjects(input.Tools); err != nil {
			return err
		}
	}
	p.untrusted(system)
	p.trusted(endOfTurn)
	return nil
}

// llama32Message writes one message that is not the system message.
func (p *promptBuilder) llama32Message(m Message, builtins []string) error {
	switch {
	case m.ToolCalls != nil:
		if len(m.ToolCalls) != 1 {
			return fmt.Errorf("template llama-3.2: this model only supports single tool-calls at once; got a message with %d", len(m.ToolCalls))
		}
		p.header(string(RoleAssistant))
		call := m.ToolCalls[0]
		arguments, err := call.argumentsValue()
		if err != nil {
			return err
		}
		if slices.Contains(builtins, call.Name) {
			p.builtinCall(call.Name, arguments)
		} else {
			p.untrusted(`{"name": "` + call.Name + `", "parameters": ` + pythonJSON(arguments) + `}`)
		}
		if builtins != nil {
			p.trusted(endOfMsg)
		} else {
			p.trusted(endOfTurn)
		}
	case m.Role.isToolResult():
		p.header(string(RoleTool))
		result, err := m.resultJSON()
		if err != nil {
			return err
		}
		p.untrusted(result)
		p.trusted(endOfTurn)
	default:
		p.header(string(m.Role))
		p.untrusted(trimPython(m.Content))
		p.trusted(endOfTurn)
	}
	return nil
}

// header writes a message's header. The role is text from outside, so it cannot close the header early.
func (p *promptBuilder) header(role string) {
	p.trusted(startHeader)
	switch Role(role) {
	case RoleSystem, RoleUser, RoleAssistant, RoleTool:
		p.trusted(role)
	default:
		p.untrusted(role)
	}
	p.trusted(endHeader)
}

// toolObjects writes tools as indented JSON, an empty line after each.
func (p *promptBuilder) toolObjects(tools []ToolDefinition) error {
	for _, tool := range tools {
		source, err := tool.sourceValue()
		if err != nil {
			return err
		}
		p.untrusted(pythonJSONIndent(source) + "\n\n")
	}
	return nil
}

// codeInterpreter is the built-in tool whose call is code and not a name with arguments.
const codeInterpreter = "code_interpreter"

// builtinCall writes a call of a built-in tool: <|python_tag|>name.call(query="…"), or the bare code.
func (p *promptBuilder) builtinCall(name string, arguments value) {
	p.trusted(pythonTag)
	if code, ok := arguments.member("code"); ok && name == codeInterpreter && code.kind == kindString {
		p.untrusted(code.text)
		return
	}
	p.untrusted(name + ".call(" + pythonKeywords(arguments) + ")")
}

// resultJSON returns a tool result as Hugging Face's template writes it: strings, arrays and objects as JSON,
// other values as Python prints them.
func (m Message) resultJSON() (string, error) {
	if m.Data == nil {
		return pythonJSON(stringValue(m.Content)), nil
	}
	data, err := readJSON(string(m.Data))
	if err != nil {
		return "", fmt.Errorf("data of the result of call %q: %w", m.ToolCallID, err)
	}
	switch data.kind {
	case kindString, kindArray, kindObject:
		return pythonJSON(data), nil
	default:
		return pythonStr(data), nil
	}
}

// argumentsValue returns the call's arguments; none at all are an empty object.
func (c ToolCall) argumentsValue() (value, error) {
	if len(c.Arguments) == 0 {
		return value{kind: kindObject}, nil
	}
	arguments, err := readJSON(string(c.Arguments))
	if err != nil {
		return value{}, fmt.Errorf("arguments of the call of %s: %w", c.Name, err)
	}
	if arguments.kind != kindObject {
		return value{}, fmt.Errorf("arguments of the call of %s: got %s, want an object", c.Name, arguments.kind)
	}
	return arguments, nil
}

// trimPython trims what Python's str.strip trims: Unicode's white space and the four ASCII separators
// U+001C … U+001F, which Go does not count.
func trimPython(text string) string {
	return strings.TrimFunc(text, isPythonSpace)
}
