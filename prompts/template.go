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

// promptBuilder collects a prompt.
type promptBuilder struct{ parts Prompt }

// trusted appends the template's own text.
func (p *promptBuilder) trusted(text string) { p.parts = append(p.parts, Segment{text, true}) }

// untrusted appends text that came from anywhere else.
func (p *promptBuilder) untrusted(text string) { p.parts = append(p.parts, Segment{text, false}) }

// prompt returns what was collected, neighbors of the same trust joined.
func (p *promptBuilder) prompt() Prompt {
	var prompt Prompt
	for i := 0; i < len(p.parts); {
		trusted := p.parts[i].Trusted
		var text strings.Builder
		for ; i < len(p.parts) && (p.parts[i].Trusted == trusted || p.parts[i].Text == ""); i++ {
			text.WriteString(p.parts[i].Text)
		}
		if text.Len() > 0 {
			prompt = append(prompt, Segment{text.String(), trusted})
		}
	}
	return prompt
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
