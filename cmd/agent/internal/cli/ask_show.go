package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm/chat"
)

// show prints a run in the form that was asked for.
func (o *askOptions) show(ctx context.Context, s Streams, events iter.Seq2[agent.Event, error]) error {
	text := newTranscript(s.Out, o.quiet)
	var result *agent.Result
	written := 0 // tokens of the last step
	for event, err := range events {
		if err != nil {
			if o.streamJSON && ctx.Err() == nil {
				line := map[string]any{"type": "error", "time": time.Now().UTC(), "error": err.Error()}
				if printErr := printJSON(s.Out, line); printErr != nil {
					return printErr
				}
			}
			if o.asJSON && result != nil {
				_ = printJSON(s.Out, forScripts(result)) // what there was when it was interrupted
			}
			return tokenLimit(err, o)
		}
		switch e := event.(type) {
		case agent.Done:
			result = e.Result
			e.Result = forScripts(result)
			event = e
		case agent.UsageReport:
			written = e.CompletionTokens
		}
		switch {
		case o.streamJSON:
			err = printJSON(s.Out, event)
		case !o.asJSON:
			err = text.print(event)
		}
		if err != nil {
			return err
		}
	}
	if result == nil {
		return errors.New("the run ended without a result")
	}
	if o.asJSON {
		if err := printJSON(s.Out, forScripts(result)); err != nil {
			return err
		}
	}
	if result.StopReason == agent.StopLength && (o.maxTokens == 0 || written < o.maxTokens) {
		return &codedError{OutOfBudget, errors.New("the answer is cut off, because the context is full; raise --context-length, or ask about less")}
	}
	return stopCode(result.StopReason, o)
}

// tokenLimit says by which flag a limit of tokens is raised that nothing fits which may be written.
func tokenLimit(err error, o *askOptions) error {
	var limit *chat.TokenLimitError
	if !errors.As(err, &limit) {
		return err
	}
	fix := fmt.Sprintf("raise --max-tokens (now %d)", o.maxTokens)
	if limit.Context {
		fix = "the context is full; raise --context-length, or ask about less"
	}
	return &codedError{OutOfBudget, fmt.Errorf("%s needs at least %d tokens, and %d may be written; %s", limit.What, limit.Needed, limit.Left, fix)}
}

// forScripts is a result with the stop reasons that scripts know: to them an answer that repeats itself is one that was cut
// off. Standard error says why.
func forScripts(result *agent.Result) *agent.Result {
	if result.StopReason != agent.StopRepetition {
		return result
	}
	known := *result
	known.StopReason = agent.StopLength
	return &known
}

// stopCode turns the reason of a run's end into an exit code.
func stopCode(reason agent.StopReason, o *askOptions) error {
	switch reason {
	case agent.StopGuard:
		return &codedError{Guarded, errors.New("stopped by a guard")}
	case agent.StopBudget:
		return &codedError{OutOfBudget, fmt.Errorf("stopped by the time budget of %v; raise it with --timeout", o.timeout)}
	case agent.StopToolLimit:
		return &codedError{OutOfBudget, fmt.Errorf("stopped by a limit on tool calls; raise it with --max-steps (now %d)", o.maxSteps)}
	case agent.StopRepetition:
		return &codedError{OutOfBudget, errors.New("the answer repeats itself and is cut off; ask in other words, or let the model draw with --temperature 0.6")}
	case agent.StopLength:
		return &codedError{OutOfBudget, fmt.Errorf("the answer is cut off; raise --max-tokens (now %d)", o.maxTokens)}
	}
	return nil
}
