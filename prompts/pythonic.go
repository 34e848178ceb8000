package prompts

import (
	"fmt"
	"strings"
)

// Llama32Pythonic returns the template for the zero-shot tool format that Meta documents for Llama 3.2's text
// models: tools as a JSON list with "type": "dict", calls as a list of Python calls, several in one message:
//
//	[get_weather(city="San Francisco"), get_weather(city="Seattle")]
//
// As in Meta's own formatter there are no date lines, and no system block without a system text or tools.
// Tool results are written as JSON. With ToolsInUserMessage the tools stand in the first user message, in
// Meta's words; it is an error when there is none.
//
// Source: models/llama3_2/text_prompt_format.md in meta-llama/llama-models.
func Llama32Pythonic() Template { return llama32Pythonic{} }

type llama32Pythonic struct{}

func (llama32Pythonic) Name() string   { return "llama-3.2-pythonic" }
func (llama32Pythonic) Parser() Parser { return Parser{} }

const (
	pythonicSystemTools = `You are an expert in composing functions. You are given a question and a set of possible functions.
Based on the question, you will need to make one or more function/tool calls to achieve the purpose.
If none of the function can be used, point it out. If the given question lacks the parameters required by the function,
also point it out. You should only return the function call in tools call sections.

If you decide to invoke any of the function(s), you MUST put it in the format of [func_name1(params_name1=params_value1, params_name2=params_value2...), func_name2(params)]
You SHOULD NOT include any other text in the response.

Here is a list of functions in JSON format that you can invoke.

`
	pythonicUserTools  = "\nHere is a list of functions in JSON format that you can invoke:\n"
	pythonicUserFormat = `

Should you decide to return the function call(s),Put it in the format of [func1(params_name=params_value, params_name2=params_value2...), func2(params)]

NO other text MUST be included.`
)

func (llama32Pythonic) Render(input RenderInput) (Prompt, error) {
	messages := input.Messages
	tools := ""
	if len(input.Tools) > 0 {
		list, err := pythonicTools(input.Tools)
		if err != nil {
			return nil, err
		}
		tools = list
	}
	system := ""
	if len(messages) > 0 && messages[0].Role == RoleSystem {
		system = trimPython(messages[0].Content)
		messages = messages[1:]
	}
	var p promptBuilder
	p.trusted(beginOfText)
	p.pythonicSystem(system, tools, input.ToolsInUserMessage)
	toolsShown := tools == "" || !input.ToolsInUserMessage
	for _, m := range messages {
		if m.Role == RoleUser && !toolsShown {
			toolsShown = true
			p.header(string(RoleUser))
			p.trusted("Questions: ")
			p.untrusted(trimPython(m.Content))
			p.trusted(pythonicUserTools)
			p.untrusted(tools)
			p.trusted(pythonicUserFormat + endOfTurn)
			continue
		}
		if err := p.pythonicMessage(m); err != nil {
			return nil, err
		}
	}
	if !toolsShown {
		return nil, fmt.Errorf("template llama-3.2-pythonic: cannot put tools in the first user message when there is no user message; add one, or show the tools in the system message")
	}
	if input.AddGenerationPrompt {
		p.header(string(RoleAssistant))
	}
	return p.prompt(), nil
}

// pythonicSystem writes the system block when there is something to say in it.
func (p *promptBuilder) pythonicSystem(system, tools string, toolsInUserMessage bool) {
	showTools := tools != "" && !toolsInUserMessage
	if !showTools && system == "" {
		return
	}
	p.header(string(RoleSystem))
	if showTools {
		p.trusted(pythonicSystemTools)
		p.untrusted(tools)
		if system != "" {
			p.trusted("\n\n")
		}
	}
	p.untrusted(system)
	p.trusted(endOfTurn)
}

func (p *promptBuilder) pythonicMessage(m Message) error {
	switch {
	case len(m.ToolCalls) > 0:
		p.header(string(RoleAssistant))
		calls, err := pythonicCalls(m.ToolCalls)
		if err != nil {
			return err
		}
		p.untrusted(calls)
	case m.Role.isToolResult():
		p.header(string(RoleTool))
		result, err := m.resultJSON()
		if err != nil {
			return err
		}
		p.untrusted(result)
	default:
		p.header(string(m.Role))
		p.untrusted(trimPython(m.Content))
	}
	p.trusted(endOfTurn)
	return nil
}

// pythonicTools returns the tools as the format's JSON list: name, description, and parameters with type
// (always "dict"), required and properties, in this order.
func pythonicTools(tools []ToolDefinition) (string, error) {
	list := value{kind: kindArray}
	for _, tool := range tools {
		schema, err := tool.parametersValue()
		if err != nil {
			return "", err
		}
		required, ok := schema.member("required")
		if !ok {
			required = value{kind: kindArray}
		}
		properties, ok := schema.member("properties")
		if !ok {
			properties = value{kind: kindObject}
		}
		list.list = append(list.list, value{kind: kindObject, object: []member{
			{"name", stringValue(tool.Name)},
			{"description", stringValue(tool.Description)},
			{"parameters", value{kind: kindObject, object: []member{
				{"type", stringValue("dict")},
				{"required", required},
				{"properties", properties},
			}}},
		}})
	}
	return pythonJSONIndent(list), nil
}

// pythonicCalls returns calls as a Python list of calls.
func pythonicCalls(calls []ToolCall) (string, error) {
	var text strings.Builder
	for i, call := range calls {
		arguments, err := call.argumentsValue()
		if err != nil {
			return "", err
		}
		separator := ", "
		if i == 0 {
			separator = "["
		}
		text.WriteString(separator + call.Name + "(" + pythonKeywords(arguments) + ")")
	}
	return text.String() + "]", nil
}

// pythonKeywords returns an object's members as keyword arguments.
func pythonKeywords(arguments value) string {
	var dst []byte
	for i, m := range arguments.object {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(append(dst, m.key...), '=')
		dst = appendPythonLiteral(dst, m.value)
	}
	return string(dst)
}

// appendPythonLiteral appends the value as a Python literal, strings in double quotes. A JSON string is a
// Python string, too, because both read the escapes that appendJSONString writes the same way.
func appendPythonLiteral(dst []byte, v value) []byte {
	switch v.kind {
	case kindArray:
		dst = append(dst, '[')
		for i, e := range v.list {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendPythonLiteral(dst, e)
		}
		return append(dst, ']')
	case kindObject:
		dst = append(dst, '{')
		for i, m := range v.object {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(appendJSONString(dst, m.key), ": "...)
			dst = appendPythonLiteral(dst, m.value)
		}
		return append(dst, '}')
	case kindString:
		return appendJSONString(dst, v.text)
	case kindNumber:
		if text := pythonStr(v); text == "inf" || text == "-inf" {
			return append(dst, v.text...) // 1e999 is its own literal; inf is none
		}
		return append(dst, pythonStr(v)...)
	default:
		return append(dst, pythonStr(v)...)
	}
}
