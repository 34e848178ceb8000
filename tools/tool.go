package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/drover-ai/drover/prompts"
)

// Tool is something that a model may call. Most tools come from [New]; implement Tool by hand where the schema is only
// known at run time (a tool of another process, a script).
//
// A Tool must be safe for concurrent use: one step of an agent may call the same tool several times at once.
// What else a tool can say of itself are optional methods, found through wrappers by [As]: Effects() [Effects],
// Repeatable() bool, Timeout() [time.Duration], Preview (see [Previewer]).
type Tool interface {
	// Definition is the tool's name, description and parameters (a JSON Schema of type "object") as models see
	// them. It must not change: prompts, grammars and caches are made from it.
	Definition() prompts.ToolDefinition

	// Call runs the tool. arguments is a JSON object; what it must look like is in Definition, but a hand-written
	// Tool is only sure to get valid ones when it is called through a [Registry]. Call should return soon after
	// ctx ends. An error is shown to the model as the outcome of its call, so it should say what to do differently.
	Call(ctx context.Context, arguments json.RawMessage) (Result, error)
}

// Result is what a call gave.
type Result struct {
	// Content is what the model reads: text, or JSON for structured results.
	Content string
	// Cut is how many bytes of the content are missing at its end, because the tool has a limit; 0 if it is
	// complete. Content says so too, in words.
	Cut int
}

// Text makes a result of plain text.
func Text(content string) Result { return Result{Content: content} }

// Previewer is an optional method of tools whose calls a person may be asked to approve.
type Previewer interface {
	// Preview says what Call would do with these arguments, without doing it: a difference between two versions
	// of a file, the command line that would run. Text for a person, not for the model.
	Preview(ctx context.Context, arguments json.RawMessage) (string, error)
}

// As finds the first of t, the tool it wraps, the tool that one wraps, and so on, that has the methods of T. A tool
// that wraps another has a method Unwrap() Tool; what the wrapper does not say for itself is then asked of the inner one.
func As[T any](t Tool) (T, bool) {
	for t != nil {
		if found, ok := t.(T); ok {
			return found, true
		}
		wrapper, ok := t.(interface{ Unwrap() Tool })
		if !ok {
			break
		}
		t = wrapper.Unwrap()
	}
	var none T
	return none, false
}

// validName is what every model API accepts as the name of a tool.
var validName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,64}$`)

// CheckName returns an error that says what is wrong if name cannot be the name of a tool: 1 to 64 letters, digits,
// "_", "-" and ".", all ASCII.
func CheckName(name string) error {
	if validName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("tool name %q: want 1 to 64 of the characters a-z, A-Z, 0-9, \"_\", \"-\" and \".\"", name)
}
