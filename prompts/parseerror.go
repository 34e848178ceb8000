package prompts

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// ParseProblem says what is wrong with a call.
type ParseProblem string

// The problems of a [ParseError].
const (
	ProblemCutOff       ParseProblem = "cut off"       // the text ends inside the call
	ProblemMalformed    ParseProblem = "malformed"     // the call breaks its notation
	ProblemUnknownTool  ParseProblem = "unknown tool"  // no tool on offer has this name
	ProblemBadArguments ParseProblem = "bad arguments" // the arguments are no object with unique keys
	ProblemNoCodeTool   ParseProblem = "no code tool"  // code was written, and no tool runs code
)

// ParseError says why what a model wrote as a tool call is none. Its text tells the model what to do better.
type ParseError struct {
	Problem ParseProblem
	Tool    string   // the tool's name as far as it was read, or ""
	Detail  string   // what is wrong, where
	Missing string   // for ProblemCutOff: what would have closed the call, such as "\"}}"
	Known   []string // for ProblemUnknownTool: the tools on offer, the most similar name first
	Text    string   // what the model wrote, from the beginning of the call to the end of its reply
}

func (e *ParseError) Error() string {
	call := "the tool call"
	if e.Tool != "" {
		call = fmt.Sprintf("the call of %q", shorten(e.Tool, 60))
	}
	switch e.Problem {
	case ProblemCutOff:
		return fmt.Sprintf("%s is cut off: %s, and %s is missing; write the whole call again", call, e.Detail, e.Missing)
	case ProblemUnknownTool:
		if len(e.Known) == 0 {
			return fmt.Sprintf("there is no tool %q, and no other tool; answer without a call", shorten(e.Tool, 60))
		}
		return fmt.Sprintf("there is no tool %q; the tools are %s", shorten(e.Tool, 60), shorten(strings.Join(e.Known, ", "), 1000))
	case ProblemNoCodeTool:
		return "code was written, and there is no tool that runs code; call one of the tools or answer in text"
	case ProblemBadArguments:
		return fmt.Sprintf("the arguments of %s cannot be used: %s", call, e.Detail)
	default:
		return fmt.Sprintf(`%s cannot be read: %s; write {"name": …, "parameters": {…}} as valid JSON`, call, e.Detail)
	}
}

// shorten cuts a text to about limit bytes, with an ellipsis.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}

// missingText quotes what a cut-off text lacks.
func missingText(missing string) string {
	if missing == "" {
		return "its rest"
	}
	return "`" + shorten(missing, 80) + "`"
}
