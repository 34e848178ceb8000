package prompts

import "strings"

// Segment is a piece of a rendered prompt. Only trusted segments may contain special tokens.
type Segment struct {
	Text    string
	Trusted bool
}

// Prompt is a rendered conversation: segments in reading order, none of them empty.
type Prompt []Segment

// String returns the prompt's text, trusted and untrusted together. It is for people and for comparing with
// other renderers; encode the segments, not this text.
func (p Prompt) String() string {
	var text strings.Builder
	for _, s := range p {
		text.WriteString(s.Text)
	}
	return text.String()
}

// trusted appends the template's own text.
func (p *Prompt) trusted(text string) { p.add(text, true) }

// untrusted appends text that came from anywhere else.
func (p *Prompt) untrusted(text string) { p.add(text, false) }

// add appends text, joining it with the last segment when that has the same trust.
func (p *Prompt) add(text string, trusted bool) {
	if text == "" {
		return
	}
	if n := len(*p); n > 0 && (*p)[n-1].Trusted == trusted {
		(*p)[n-1].Text += text
		return
	}
	*p = append(*p, Segment{Text: text, Trusted: trusted})
}

// RenderInput is what a [Template] renders.
type RenderInput struct {
	Messages []Message
	// Tools are the tools on offer. Nil and empty differ: Llama 3.2's template announces an empty list.
	Tools []ToolDefinition
	// Date is the date shown to the model, as "26 Jul 2024". Empty: the template's own default, so that a
	// prompt never depends on the clock.
	Date string
	// AddGenerationPrompt ends the prompt with the header of the assistant's next message.
	AddGenerationPrompt bool
	// ToolsInUserMessage shows the tools in the first user message, where the template knows the difference.
	ToolsInUserMessage bool
	// BuiltinTools names the tools that the model knows from its training and calls behind <|python_tag|>:
	// brave_search, wolfram_alpha, code_interpreter. Nil: none. Templates without them ignore it.
	BuiltinTools []string
	// SplitToolCalls lets templates that allow one call a message render messages with several: as one
	// message a call, each followed by its result. Without it they fail as the original templates do.
	SplitToolCalls bool
}

// Template renders conversations for a family of models. Templates are immutable and safe for concurrent use.
type Template interface {
	// Name names the template in messages to people, such as "llama-3.2".
	Name() string
	// Render renders a conversation. The same input always gives the same prompt.
	Render(RenderInput) (Prompt, error)
	// Parser returns the parser for what models write under this template.
	Parser() Parser
}
