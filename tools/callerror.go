package tools

import (
	"fmt"
	"strings"
)

// CallErrorKind says why a call gave no result. The values are stable: they are stored with sessions.
type CallErrorKind string

const (
	// UnknownTool: no tool has that name. Nothing ran.
	UnknownTool CallErrorKind = "unknown_tool"
	// InvalidArguments: the arguments do not match the tool's schema. Nothing ran. Err is an [*ArgumentsError].
	InvalidArguments CallErrorKind = "invalid_arguments"
	// Failed: the tool ran and returned an error, Err.
	Failed CallErrorKind = "failed"
	// Panicked: the tool ran and panicked; Err has the value and Stack where.
	Panicked CallErrorKind = "panicked"
	// TimedOut: the deadline of the context or of the tool passed. The tool may have had its effects.
	TimedOut CallErrorKind = "timed_out"
	// Canceled: the caller's context was canceled. The tool may have had its effects if it had started.
	Canceled CallErrorKind = "canceled"
)

// CallError is the error of a call that gave no result. Its text is fit to go back to the model that made the call:
// it names the tool, what was wrong and, where that is known, what would be right.
type CallError struct {
	Tool string // the name that was called
	Kind CallErrorKind
	Err  error // the cause

	Known []string // UnknownTool: the names there are, nearest first
	Stack []byte   // Panicked: the stack of the tool's goroutine, for a log
}

// Error implements error. The stack of a panic is not in it.
func (e *CallError) Error() string {
	switch e.Kind {
	case UnknownTool:
		if len(e.Known) == 0 {
			return fmt.Sprintf("unknown tool %q: there are no tools", e.Tool)
		}
		const shown = 12
		known, more := e.Known, ""
		if len(known) > shown {
			known, more = known[:shown], fmt.Sprintf(" and %d more", len(e.Known)-shown)
		}
		return fmt.Sprintf("unknown tool %q: use one of %s%s", e.Tool, strings.Join(known, ", "), more)
	case Failed:
		return fmt.Sprintf("%s: %v", e.Tool, e.Err)
	case InvalidArguments:
		return fmt.Sprintf("%s: invalid arguments: %v", e.Tool, e.Err)
	default:
		return fmt.Sprintf("%s: %s: %v", e.Tool, strings.ReplaceAll(string(e.Kind), "_", " "), e.Err)
	}
}

// Unwrap returns the cause, so that errors.Is(err, context.DeadlineExceeded) holds for a call that timed out.
func (e *CallError) Unwrap() error { return e.Err }
