package agent

import (
	"fmt"
	"time"
)

// Limits bound a run. Zero means no limit, except for Steps.
//
// Reaching Steps, Tokens, Cost or Time (at four fifths of the last three) does not throw the work away: tools are switched off and the
// model gives one last answer with what it has. Only when Time is wholly used up does the run end in the middle of a word.
type Limits struct {
	Steps           int           // model calls that may call tools; at least 1
	Tokens          int           // tokens written over the whole run
	StepTokens      int           // tokens written in one model call
	Time            time.Duration // wall time of the whole run, tools included
	Cost            float64       // what the model may cost over the whole run, in the currency of [WithPrices]
	ToolTime        time.Duration // wall time of one tool call
	ParallelTools   int           // calls of one step that run at once
	StepCalls       int           // calls that one step may make; more are refused, and the model is told
	ToolResultBytes int           // longer results are cut, and the model is told
	MalformedCalls  int           // in a row, handed back to the model with the reason before the run gives up
	RepeatedCalls   int           // times the same call may give the same result
}

// DefaultLimits are generous for a small model and a person who waits.
func DefaultLimits() Limits {
	return Limits{
		Steps: 8, StepTokens: 1024, ToolTime: 2 * time.Minute, ParallelTools: 4, StepCalls: 16,
		ToolResultBytes: 24 << 10, MalformedCalls: 2, RepeatedCalls: 2,
	}
}

func (l Limits) check() error {
	if l.Steps < 1 {
		return fmt.Errorf("limits: Steps is %d; it must be at least 1", l.Steps)
	}
	for _, v := range []struct {
		name string
		n    int64
	}{
		{"Tokens", int64(l.Tokens)}, {"StepTokens", int64(l.StepTokens)}, {"Time", int64(l.Time)},
		{"ToolTime", int64(l.ToolTime)}, {"ParallelTools", int64(l.ParallelTools)}, {"StepCalls", int64(l.StepCalls)},
		{"ToolResultBytes", int64(l.ToolResultBytes)}, {"MalformedCalls", int64(l.MalformedCalls)},
		{"RepeatedCalls", int64(l.RepeatedCalls)},
	} {
		if v.n < 0 {
			return fmt.Errorf("limits: %s is %d; use 0 for no limit", v.name, v.n)
		}
	}
	if l.Cost < 0 {
		return fmt.Errorf("limits: Cost is %g; use 0 for no limit", l.Cost)
	}
	return nil
}
