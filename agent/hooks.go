package agent

import (
	"context"
	"errors"
	"iter"

	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// GenerateFunc is one call of the model; see [Model].
type GenerateFunc func(ctx context.Context, req prompts.Request) iter.Seq2[prompts.Delta, error]

// CallFunc is one attempt of a tool call that passed the checks and was approved. Its errors are read by the model.
type CallFunc func(ctx context.Context, call prompts.ToolCall) (tools.Result, error)

// RunFunc is one run; see [Agent.Run]. In a resumed run the prompt is empty.
type RunFunc func(ctx context.Context, prompt string, opts ...RunOption) iter.Seq2[Event, error]

// Middleware looks at, changes or replaces what an agent does. Each function is given what it wraps and returns what is
// called instead; nil leaves that kind of call alone. The functions must be safe for concurrent use.
type Middleware struct {
	Generate func(next GenerateFunc) GenerateFunc
	Call     func(next CallFunc) CallFunc
	Run      func(next RunFunc) RunFunc
}

// WithMiddleware adds middleware. The first that was added is the outermost.
func WithMiddleware(list ...Middleware) Option {
	return func(a *Agent) error {
		a.middleware = append(a.middleware, list...)
		return nil
	}
}

// wrap builds the chains, once for the life of the agent.
func (a *Agent) wrap() error {
	a.generator, a.runner = a.model.Generate, a.runPlain
	a.caller = func(registry *tools.Registry) CallFunc {
		next := func(ctx context.Context, call prompts.ToolCall) (tools.Result, error) {
			return registry.Call(ctx, call.Name, call.Arguments)
		}
		for i := len(a.middleware) - 1; i >= 0; i-- {
			if m := a.middleware[i].Call; m != nil {
				next = m(next)
			}
		}
		return next
	}
	for i := len(a.middleware) - 1; i >= 0; i-- {
		if m := a.middleware[i].Generate; m != nil {
			a.generator = m(a.generator)
		}
		if m := a.middleware[i].Run; m != nil {
			a.runner = m(a.runner)
		}
	}
	if a.generator == nil || a.runner == nil || a.caller(nil) == nil {
		return errors.New("a middleware returned nil; return the function that it was given to leave it alone")
	}
	return nil
}
