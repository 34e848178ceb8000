package agent_test

import (
	"context"
	"iter"
	"testing"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/prompts"
)

// forgetful is a log that stores nothing: what is measured is the agent.
type forgetful struct {
	id   string
	last int64
}

func (l *forgetful) ID() string                            { return l.id }
func (l *forgetful) Claim(context.Context) (func(), error) { return func() {}, nil }
func (l *forgetful) Append(_ context.Context, records ...agent.Record) error {
	l.last = records[len(records)-1].Position
	return nil
}
func (l *forgetful) Records(context.Context, int64) iter.Seq2[agent.Record, error] {
	return func(func(agent.Record, error) bool) {}
}

// BenchmarkStep is what the framework adds to each step: everything but the model and the tool. A turn has ten steps with
// one call each, and an answer; the metric is the time of one step.
func BenchmarkStep(b *testing.B) {
	model := agenttest.NewFunc(func(req prompts.Request) agenttest.Reply {
		if len(req.Messages) < 21 {
			return calls("echo")
		}
		return agenttest.Say("fine")
	})
	l := agent.DefaultLimits()
	l.Steps, l.RepeatedCalls = 20, 0
	a, err := agent.New(model, agent.WithTools(echo()), agent.WithLimits(l))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Ask(context.Background(), "go"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/11, "µs/step")
}

// A turn of a conversation costs as many allocations after a thousand turns as after a hundred.
func TestTurnsAllocateTheSame(t *testing.T) {
	limits := agent.DefaultLimits()
	limits.RepeatedCalls = 0
	a, err := agent.New(agenttest.NewFunc(func(req prompts.Request) agenttest.Reply {
		if req.Messages[len(req.Messages)-1].Role == prompts.RoleUser {
			return calls("echo")
		}
		return agenttest.Say("fine")
	}), agent.WithTools(echo()), agent.WithLimits(limits))
	if err != nil {
		t.Fatal(err)
	}
	session := agent.NewSession(&forgetful{id: "s"})
	turns := func(n int) (each float64) {
		return testing.AllocsPerRun(n, func() {
			if _, err := a.Ask(context.Background(), "go", agent.WithSession(session)); err != nil {
				t.Fatal(err)
			}
		})
	}
	turns(100)
	early := turns(100)
	turns(700)
	late := turns(100)
	t.Logf("allocations of a turn: %v after 100 turns, %v after 900", early, late)
	if late > early*1.05 { // numbers above 255 are printed with an allocation, and a map grows now and then
		t.Errorf("a turn costs %v allocations after 900 turns, %v after 100", late, early)
	}
}
