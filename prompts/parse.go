package prompts

// Parser reads what a model wrote. The zero value is ready to use, and safe for concurrent use.
//
// It finds calls in these notations, anywhere in a text, also several of them:
//
//	{"name": "f", "parameters": {…}}                      "arguments" is the same as "parameters"; also with
//	                                                      "type": "function", inside {"function": {…}} or
//	                                                      {"tool_calls": […]}, and as a string that holds JSON
//	[{"name": "f", …}, {"name": "g", …}]                  and objects one after another, with ; or , between
//	[f(a=1, b='x'), g()]                                  Python calls with literals as keyword arguments
//	<function=f>{…}</function>
//	f.call(query="…")                                     Meta's built-in tools
//	f(a=1)                                                without brackets only when it is the whole reply
//	<|python_tag|>code                                    as a call of code_interpreter, when there is one
//
// Code fences, <tool_call> tags and special tokens around a call are dropped, and so are stray closing
// brackets behind it. Repaired inside a call are single quotes, True, False and None, a comma before a closing
// bracket, line breaks and unknown escapes in strings, and values of another type than the schema's whose
// meaning is plain (a number as a string, and so on). The one positional argument of a tool with one
// parameter is taken for that parameter.
//
// What is no call stays text: a list, a Markdown link, a JSON object that is an answer.
type Parser struct{}

// ParsedReply is what a model said and which tools it called.
type ParsedReply struct {
	// Content is the text around the calls, without white space at its ends.
	Content string
	// ToolCalls are the calls in the order in which they were written. They have no IDs.
	ToolCalls []ToolCall
}

// codeToolName is the tool that gets what a model writes behind <|python_tag|>.
const codeToolName = codeInterpreter

// Parse reads a model's whole reply.
//
// Only the given tools can be called: a call of another name is an error that lists them, nearest first.
// With a list that is empty everything is text. With nil every name is accepted and nothing is coerced.
//
// If one call of a reply is wrong, all of them are refused: the error is then a [*ParseError], and the result
// has the text before that call and no calls. Parse takes time in proportion to the text's length.
func (p Parser) Parse(text string, tools []ToolDefinition) (ParsedReply, error) {
	s := newScanner(tools)
	s.text = text
	s.advance(true)
	return s.reply()
}

// Parse reads a model's whole reply with the default [Parser].
func Parse(text string, tools []ToolDefinition) (ParsedReply, error) {
	return Parser{}.Parse(text, tools)
}
