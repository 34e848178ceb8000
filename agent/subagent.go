package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/drover-ai/drover/tools"
)

// mostDepth bounds how deep agents may call agents.
const mostDepth = 4

type (
	meterKey    struct{} // *usageMeter of the tool call at hand
	approverKey struct{} // Approver of the run around
	depthKey    struct{} // int, how many runs are around
	sessionKey  struct{} // string, the id of the session that the run, or the run around it, belongs to
)

// usageMeter adds up what the models cost that a tool call runs.
type usageMeter struct {
	mu    sync.Mutex
	total Usage
}

func (m *usageMeter) add(u Usage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total.sum(u)
}

func (m *usageMeter) usage() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
}

// enter notes in the context what runs inside this one need to know.
func (r *run) enter(ctx context.Context) (context.Context, error) {
	depth, _ := ctx.Value(depthKey{}).(int)
	if depth >= mostDepth {
		return nil, fmt.Errorf("agents call agents %d deep; do the work here", depth)
	}
	ctx = context.WithValue(ctx, depthKey{}, depth+1)
	if r.approve != nil {
		ctx = context.WithValue(ctx, approverKey{}, r.approve)
	}
	if r.session != nil {
		ctx = context.WithValue(ctx, sessionKey{}, r.session.ID())
	}
	return ctx, nil
}

// SessionID returns the id of the session to which a tool call or a model call belongs, given its context; "" where nothing is
// stored. For middleware and tools.
func SessionID(ctx context.Context) string {
	id, _ := ctx.Value(sessionKey{}).(string)
	return id
}

// approver is the agent's own, or that of the run that called the agent.
func (r *run) approver(ctx context.Context) Approver {
	if r.approve != nil {
		return r.approve
	}
	approve, _ := ctx.Value(approverKey{}).(Approver)
	return approve
}

type subAgentArguments struct {
	Task string `json:"task" jsonschema:"description=What to do\\, with everything that is needed to know: nothing else of this conversation is seen"`
}

// AsTool makes a tool of an agent: a model that calls it hands over a task in words and reads the answer. The sub-agent
// starts with an empty conversation each time, under its own limits; what its model costs is added to the usage of the run
// that called it.
//
// The tool itself needs no approval under [DefaultPolicy]: the sub-agent asks for what its own tools do, by its own policy,
// and where it has no approver the one of the run that called it is asked.
func (a *Agent) AsTool(name, description string) (tools.Tool, error) {
	if a == nil {
		return nil, errors.New("agent: AsTool of a nil agent")
	}
	tool, err := tools.New(name, description, func(ctx context.Context, in subAgentArguments) (tools.Result, error) {
		result, err := a.Ask(ctx, in.Task)
		if result != nil {
			if meter, ok := ctx.Value(meterKey{}).(*usageMeter); ok {
				meter.add(result.Usage)
			}
		}
		if err != nil {
			return tools.Result{}, err
		}
		if result.Answer == "" {
			return tools.Result{}, fmt.Errorf("no answer (stopped by %s); give it a smaller task", result.StopReason)
		}
		return tools.Text(result.Answer), nil
	}, tools.WithEffects(a.effects()&tools.Reads), tools.WithRepeatable(!a.effects().Has(tools.Writes)))
	if err != nil {
		return nil, fmt.Errorf("agent: %w", err)
	}
	return tool, nil
}

// effects are those of all tools together.
func (a *Agent) effects() (sum tools.Effects) {
	for _, tool := range a.registry.Tools() {
		sum |= tools.EffectsOf(tool)
	}
	return sum
}
