package prompts

import (
	_ "embed"
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode/utf8"
)

//go:embed templates/compact.tmpl
var compactSource string

// CompactSource returns the text of the compact template: Llama 3's frame with one short line a tool, which
// drover's embedded model was trained on. Model files carry such texts; see [FromSource].
func CompactSource() string { return compactSource }

// maxTemplateSource bounds a template's text in bytes. Llama 3.2's own has 3,827.
const maxTemplateSource = 64 << 10

// FromSource returns a template from a text in the language of [text/template], as a model file carries it.
// name is used in messages. The text is untrusted: it can only read the conversation and write a prompt.
// It cannot recurse, and its work and its output are bounded in proportion to the conversation.
//
// What the text itself writes, special tokens included, becomes trusted segments. What it takes from the
// conversation becomes untrusted segments, through whatever functions and variables it went.
//
// The data ("."):
//
//	.System               text of the first message if that is a system message, else ""
//	.Messages             the other messages
//	    .Role             "user", "assistant", "ipython", "system"
//	    .Content          the text, as it was given
//	    .ToolCalls        the calls of an assistant message
//	        .Name         the tool's name
//	        .Arguments    the arguments as compact JSON
//	        .Index        place of the tool in .Tools, -1 when it is not there
//	.Tools                the tools on offer
//	    .Index .Name .Description
//	    .Parameters       JSON Schema of the arguments as compact JSON
//	.Date  .AddGenerationPrompt  .ToolsInUserMessage    as in [RenderInput]
//
// The functions, besides text/template's and, or, not, len, index, slice, print and comparisons:
//
//	marker I       the special token of tool I: <|reserved_special_token_8|> for 0 … _23|> for 15; "" for -1
//	signature T    tool T as NAME(PARAM,…). PARAM is the property's name, "?" when it is not required, and its
//	               type: nothing for a string, :int :num :bool :list :object, or the enum's values as :a|b|c
//	oneline N TEXT the text with white space collapsed, cut to N bytes at a word border
//	trim TEXT      the text without white space around it, as Python's str.strip
//	json V         a text as a JSON string; .Arguments and .Parameters as they are
//
// It returns an error when the text does not parse, is longer than 64 KiB or calls itself. A reference to a
// field that does not exist is an error of Render.
func FromSource(name, source string) (Template, error) {
	if len(source) > maxTemplateSource {
		return nil, fmt.Errorf("template %s: the text has %d bytes, at most %d are allowed", name, len(source), maxTemplateSource)
	}
	if !utf8.ValidString(source) {
		return nil, fmt.Errorf("template %s: the text is not valid UTF-8", name)
	}
	parsed, err := template.New(name).Option("missingkey=error").Funcs(newRendering(0, nil).functions()).Parse(source)
	if err != nil {
		return nil, fmt.Errorf("template %s: %s", name, strings.TrimPrefix(err.Error(), "template: "))
	}
	trees := map[string]*parse.Tree{}
	for _, t := range parsed.Templates() {
		if t.Tree != nil && t.Root != nil {
			trees[t.Name()] = t.Tree
		}
	}
	if err := checkCalls(trees); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	parsed.Funcs(newRendering(0, nil).hooks())
	for _, tree := range trees {
		instrument(tree.Root)
	}
	return &sourceTemplate{name: name, parsed: parsed, size: len(source)}, nil
}

type sourceTemplate struct {
	name   string
	parsed *template.Template
	size   int // of the text, in bytes
}

func (t *sourceTemplate) Name() string   { return t.name }
func (t *sourceTemplate) Parser() Parser { return Parser{} }

func (t *sourceTemplate) Render(input RenderInput) (Prompt, error) {
	data, size, err := newTemplateData(input)
	if err != nil {
		return nil, fmt.Errorf("template %s: %w", t.name, err)
	}
	clone, err := t.parsed.Clone()
	if err != nil {
		return nil, fmt.Errorf("template %s: %w", t.name, err)
	}
	// An honest template looks at each message, call and tool a few times, and writes each text about once,
	// in JSON at most six times as long.
	items := len(data.Messages) + len(data.Tools) + 1
	for _, m := range data.Messages {
		items += len(m.ToolCalls)
	}
	r := newRendering(1<<20+4*t.size*items+16*size, data)
	clone.Funcs(r.functions()).Funcs(r.hooks())
	if err := clone.Execute(r, data); err != nil {
		return nil, fmt.Errorf("template %s: %s", t.name, strings.TrimPrefix(err.Error(), "template: "))
	}
	return r.prompt.prompt(), nil
}

// templateData is what a template's text sees; FromSource documents it.
type templateData struct {
	System              string
	Messages            []templateMessage
	Tools               []templateTool
	Date                string
	AddGenerationPrompt bool
	ToolsInUserMessage  bool
}

type templateMessage struct {
	Role, Content string
	ToolCalls     []templateCall
}

type templateCall struct {
	Name      string
	Arguments jsonText
	Index     int
}

type templateTool struct {
	Index             int
	Name, Description string
	Parameters        jsonText
	schema            value
}

// jsonText is compact JSON.
type jsonText string

// newTemplateData returns the data and the size of all texts in it.
func newTemplateData(input RenderInput) (data *templateData, size int, err error) {
	data = &templateData{
		Date:                input.Date,
		AddGenerationPrompt: input.AddGenerationPrompt,
		ToolsInUserMessage:  input.ToolsInUserMessage,
	}
	index := make(map[string]int, len(input.Tools))
	for i, tool := range input.Tools {
		schema, err := tool.parametersValue()
		if err != nil {
			return nil, 0, err
		}
		if _, ok := index[tool.Name]; !ok {
			index[tool.Name] = i
		}
		data.Tools = append(data.Tools, templateTool{i, tool.Name, tool.Description, jsonText(schema.compact()), schema})
		size += len(tool.Name) + len(tool.Description) + len(tool.Parameters)
	}
	messages := input.Messages
	if input.SplitToolCalls {
		messages = SplitToolCalls(messages)
	}
	if len(messages) > 0 && messages[0].Role == RoleSystem {
		data.System = messages[0].Content
		size += len(data.System)
		messages = messages[1:]
	}
	for _, m := range messages {
		role := m.Role
		if role.isToolResult() {
			role = RoleTool
		}
		message := templateMessage{Role: string(role), Content: m.Content}
		size += len(m.Role) + len(m.Content)
		for _, call := range m.ToolCalls {
			arguments, err := call.argumentsValue()
			if err != nil {
				return nil, 0, err
			}
			at, ok := index[call.Name]
			if !ok {
				at = -1
			}
			message.ToolCalls = append(message.ToolCalls, templateCall{call.Name, jsonText(arguments.compact()), at})
			size += len(call.Name) + len(call.Arguments)
		}
		data.Messages = append(data.Messages, message)
	}
	return data, size, nil
}
