package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// Agent runs a model in a loop with tools. It is immutable: build it once with [New], share it between goroutines. What
// belongs to one conversation is passed to each run.
type Agent struct {
	model    Model
	registry *tools.Registry // nil: no tools
	system   string
	limits   Limits
	sampling prompts.Sampling
	policy   Policy
	approve  Approver
	now      func() time.Time
	logger   *slog.Logger
	prices   Prices
	retry    Retry
	settings map[string]ToolSettings // by the tool's name
	shown    int                     // tools that the model is shown at most; 0: as many as it can be shown

	middleware []Middleware
	generator  GenerateFunc
	runner     RunFunc
	caller     func(*tools.Registry) CallFunc
}

// Option configures an [Agent].
type Option func(*Agent) error

// New returns an agent on top of a model. Without options it has no tools and the limits of [DefaultLimits].
func New(model Model, opts ...Option) (*Agent, error) {
	if model == nil {
		return nil, errors.New("agent: no model; pass one, such as chat.New(tiny.Model())")
	}
	a := &Agent{model: model, limits: DefaultLimits(), policy: DefaultPolicy, now: time.Now, logger: slog.New(slog.DiscardHandler), retry: DefaultRetry()}
	for _, opt := range opts {
		if err := opt(a); err != nil {
			return nil, fmt.Errorf("agent: %w", err)
		}
	}
	if err := a.limits.check(); err != nil {
		return nil, fmt.Errorf("agent: %w", err)
	}
	for name := range a.settings {
		if _, ok := a.registry.Lookup(name); !ok {
			return nil, fmt.Errorf("agent: settings for tool %q, which the agent does not have", name)
		}
	}
	if err := a.wrap(); err != nil {
		return nil, fmt.Errorf("agent: %w", err)
	}
	return a, nil
}

// Options makes one option of several, for packages that need more than one.
func Options(opts ...Option) Option {
	return func(a *Agent) error {
		for _, opt := range opts {
			if err := opt(a); err != nil {
				return err
			}
		}
		return nil
	}
}

// WithTools adds tools. Names must be unique across all calls.
func WithTools(list ...tools.Tool) Option {
	return func(a *Agent) (err error) {
		a.registry, err = a.registry.With(list...)
		return err
	}
}

// WithSystem sets the system prompt. It is sent as it is: keep clocks and counters out of it, or nothing that was
// computed for it can be used again.
func WithSystem(text string) Option {
	return func(a *Agent) error { a.system = text; return nil }
}

// WithLimits replaces [DefaultLimits].
func WithLimits(l Limits) Option {
	return func(a *Agent) error { a.limits = l; return nil }
}

// WithSampling sets how tokens are drawn; what is nil is left to the model.
func WithSampling(s prompts.Sampling) Option {
	return func(a *Agent) error { a.sampling = s; return nil }
}

// WithApproval says which calls need approval and who gives it. A nil policy keeps [DefaultPolicy]; without an approver,
// calls that need approval are denied, and the model is told so.
func WithApproval(policy Policy, approve Approver) Option {
	return func(a *Agent) error {
		if policy != nil {
			a.policy = policy
		}
		a.approve = approve
		return nil
	}
}

// WithMaxTools bounds how many tools the model is shown; without it the model's own limit holds, if it has one. When there
// are more, those are shown whose names, descriptions and arguments have most words in common with what the user says. The
// choice is kept for the conversation, so that what was computed for it can be used again; it changes only when the user
// asks for something that none of the shown tools is about and another one is.
func WithMaxTools(n int) Option {
	return func(a *Agent) error {
		if n < 0 {
			return fmt.Errorf("max tools is %d; use 0 for the model's own limit", n)
		}
		a.shown = n
		return nil
	}
}

// WithLogger writes what happens to a log: each model call and each tool call at level debug, a model call that is made again
// as a warning. Texts of the conversation are
// not logged.
func WithLogger(l *slog.Logger) Option {
	return func(a *Agent) error {
		if l == nil {
			return errors.New("the logger is nil; leave the option out to log nothing")
		}
		a.logger = l
		return nil
	}
}

// WithClock replaces the clock of the events' times. For tests and replays.
func WithClock(now func() time.Time) Option {
	return func(a *Agent) error { a.now = now; return nil }
}

// Model returns the model that the agent runs on.
func (a *Agent) Model() Model { return a.model }

// Tools returns the agent's tools; nil, which is an empty registry, if it has none.
func (a *Agent) Tools() *tools.Registry { return a.registry }
