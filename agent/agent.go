package agent

import (
	"errors"
	"fmt"
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
}

// Option configures an [Agent].
type Option func(*Agent) error

// New returns an agent on top of a model. Without options it has no tools and the limits of [DefaultLimits].
func New(model Model, opts ...Option) (*Agent, error) {
	if model == nil {
		return nil, errors.New("agent: no model; pass one, such as chat.New(tiny.Model())")
	}
	a := &Agent{model: model, limits: DefaultLimits(), policy: DefaultPolicy, now: time.Now}
	for _, opt := range opts {
		if err := opt(a); err != nil {
			return nil, fmt.Errorf("agent: %w", err)
		}
	}
	if err := a.limits.check(); err != nil {
		return nil, fmt.Errorf("agent: %w", err)
	}
	return a, nil
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

// WithClock replaces the clock of the events' times. For tests and replays.
func WithClock(now func() time.Time) Option {
	return func(a *Agent) error { a.now = now; return nil }
}

// Model returns the model that the agent runs on.
func (a *Agent) Model() Model { return a.model }

// Tools returns the agent's tools; nil, which is an empty registry, if it has none.
func (a *Agent) Tools() *tools.Registry { return a.registry }
