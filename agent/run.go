package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// RunOption is something that holds for one run.
type RunOption func(*run)

// WithHistory puts earlier messages before the prompt, oldest first, such as [Result].Messages of the runs before. A
// session has its own history.
func WithHistory(messages ...prompts.Message) RunOption {
	return func(r *run) { r.history = append(r.history, messages...) }
}

// WithSession goes on with a stored conversation: what was said before is the history, and every event is stored before it
// is shown. If the turn before was interrupted, it is closed first: calls whose outcome is not known get an error as their
// result. To finish it instead, use [Agent.Resume].
func WithSession(s *Session) RunOption {
	return func(r *run) { r.session = s }
}

// WithToolChoice says whether the first step must, may or must not call a tool. In later steps the model decides; how many
// calls a message may have and how likely one must be holds for them too.
func WithToolChoice(c prompts.ToolChoice) RunOption {
	return func(r *run) { r.choice = c }
}

// WithSchema asks for a final answer that is a JSON text under a JSON Schema. Tools may be called before. [Into] also
// makes the schema and reads the answer.
func WithSchema(schema json.RawMessage) RunOption {
	return func(r *run) { r.schema = schema }
}

// errStopped ends a run whose caller has stopped reading events.
var errStopped = errors.New("the caller stopped reading")

// errTimeBudget is why the context of a run ends when [Limits].Time is used up.
var errTimeBudget = errors.New("time budget used up")

// Run answers a prompt: it lets the model write, runs the tools that it calls, hands the results back, and so on until the
// model answers. It yields what happens as it happens.
//
// The last event is [Done], whatever limit was reached. If the model fails, or a tool's approval does, the last thing is an
// error instead. If ctx ends, Done comes first, with what there is and [StopCanceled], and then the context's error.
//
// A tool that fails does not end the run: the model reads the error. Breaking out of the loop stops model and tools; with a
// session, the turn then counts as interrupted.
func (a *Agent) Run(ctx context.Context, prompt string, opts ...RunOption) iter.Seq2[Event, error] {
	return a.runner(ctx, prompt, opts...)
}

// Resume finishes the turn of a session that was interrupted: by the end of the process, by an error of the model, by an
// approver that gave up. Calls that have a result are not made again. Calls that had begun and have none are made again if
// that does no harm (see [tools.IsRepeatable]); otherwise the approver is asked, whatever the policy says, and without an
// approver the model is told that the outcome is not known. Text of the step at hand is written again, after a notice of
// the kind [NoticeResumed].
//
// It fails with [ErrNotInterrupted] if there is nothing to finish.
func (a *Agent) Resume(ctx context.Context, s *Session, opts ...RunOption) iter.Seq2[Event, error] {
	return a.runner(ctx, "", append(opts, WithSession(s), func(r *run) { r.resume = true })...)
}

// runPlain is what the middleware of a run is wrapped around.
func (a *Agent) runPlain(ctx context.Context, prompt string, opts ...RunOption) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		r := &run{Agent: a, prompt: prompt}
		for _, opt := range opts {
			opt(r)
		}
		r.yield = func(e Event) error {
			if !yield(e, nil) {
				return errStopped
			}
			return nil
		}
		if err := r.run(ctx); err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// Ask is [Agent.Run] for callers that only want the outcome. The result is never nil when the error is the context's: it
// has what there was until then.
func (a *Agent) Ask(ctx context.Context, prompt string, opts ...RunOption) (*Result, error) {
	return outcomeOf(a.Run(ctx, prompt, opts...))
}

// outcomeOf reads a run to its end.
func outcomeOf(events iter.Seq2[Event, error]) (*Result, error) {
	var result *Result
	for event, err := range events {
		if err != nil {
			return result, err
		}
		if done, ok := event.(Done); ok {
			result = done.Result
		}
	}
	return result, nil
}

// run is the state of one run. It belongs to the goroutine that reads the events.
type run struct {
	*Agent
	prompt  string
	history []prompts.Message
	session *Session // nil: nothing is stored
	resume  bool
	choice  prompts.ToolChoice
	schema  json.RawMessage
	// optionalSchema says that the run can do with a model that refuses a schema; withoutSchema that it did.
	optionalSchema, withoutSchema bool
	steering                      *Steering
	replay                        *replay // nil but for a replay
	yield                         func(Event) error

	mu    sync.Mutex // guards state while tools run
	state *state     // the session's, or the run's own
	turn  *turnState // state.turn; stays when the turn is done
	tools *tools.Registry
	sent  []prompts.Message // what the model was sent: the system message, then all of state.messages
	built int               // state.rebuilt when sent was made
	soon  time.Time         // when the time budget is nearly used up
}

func (r *run) header() Header { return Header{At: r.now()} }

// record stores events and applies them, without showing them.
func (r *run) record(ctx context.Context, durable bool, events ...Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.session != nil {
		return r.session.append(ctx, durable, events...)
	}
	for _, event := range events {
		r.state.apply(event)
	}
	return nil
}

// emit stores an event, applies it and shows it.
func (r *run) emit(ctx context.Context, event Event) error {
	if err := r.record(ctx, false, event); err != nil {
		return err
	}
	return r.yield(event)
}

func (r *run) run(ctx context.Context) error {
	release, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer release()
	ctx, err = r.enter(ctx)
	if err != nil {
		return err
	}
	parent := ctx
	if r.limits.Time > 0 && r.replay == nil {
		r.soon = time.Now().Add(r.limits.Time * 4 / 5)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.limits.Time, errTimeBudget)
		defer cancel()
	}
	if err := r.loop(ctx); err != nil {
		return r.fail(parent, ctx, err)
	}
	return nil
}

// begin makes the state and begins the turn, or finds the one to go on with.
func (r *run) begin(ctx context.Context) (release func(), err error) {
	release = func() {}
	if r.session != nil {
		if len(r.history) > 0 {
			return nil, errors.New("a session has its own history: use WithHistory or WithSession, not both")
		}
		if release, err = r.session.claim(ctx); err != nil {
			return nil, err
		}
		r.state = &r.session.state
		r.restoreState()
	} else {
		begun := begins(r.history)
		r.state = &begun
	}
	if err := r.beginTurn(ctx); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

func (r *run) beginTurn(ctx context.Context) error {
	interrupted := r.state.turn != nil
	if r.resume {
		if !interrupted {
			return ErrNotInterrupted
		}
		r.turn = r.state.turn
		if err := r.chooseTools(r.state.tools); err != nil {
			return err
		}
		return r.emit(ctx, Notice{r.header(), NoticeResumed, fmt.Sprintf("going on after step %d", len(r.turn.steps)), ""})
	}
	if interrupted {
		r.turn = r.state.turn
		if _, err := r.closeTurn(ctx, StopCanceled, "interrupted: it is not known whether it ran"); err != nil {
			return err
		}
	}
	start := Start{
		Header: r.header(), Prompt: r.prompt, Model: r.model.Name(), Sampling: r.sampling, ToolChoice: r.choice, Schema: r.schema,
	}
	if start.Sampling.Seed == nil && r.session != nil {
		start.Sampling.Seed = prompts.Set(rand.Uint64N(1 << 53)) // so that the turn can be replayed; JSON readers keep 53 bits
	}
	if r.replay != nil {
		start = r.replay.start
	}
	names := r.selectTools(start.Prompt)
	start.Tools = names
	if err := r.chooseTools(names); err != nil {
		return err
	}
	if err := r.record(ctx, false, start); err != nil {
		return err
	}
	r.turn = r.state.turn
	if interrupted {
		return r.emit(ctx, Notice{r.header(), NoticeInterrupted, "the turn before was interrupted and has been closed", ""})
	}
	return nil
}

// loop goes on from wherever the turn stands: with calls that have no result, with the next message of the model, or with
// the end.
func (r *run) loop(ctx context.Context) error {
	for {
		var err error
		switch {
		case r.turn.pending():
			err = r.callTools(ctx)
		case r.turn.answered && !r.said():
			return r.finish(ctx)
		default:
			if err = r.steer(ctx); err == nil {
				err = r.generate(ctx)
			}
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// result is what the turn has come to.
func (r *run) result() *Result {
	t := r.turn
	result := &Result{
		Answer: t.answer, StopReason: t.stop, Steps: t.steps, Usage: t.usage, Cost: r.prices.cost(t.usage), Model: r.model.Name(),
		Messages: r.state.messages[t.first:len(r.state.messages):len(r.state.messages)],
	}
	if result.StopReason == "" {
		result.StopReason = StopDone
		switch {
		case t.cut:
			result.StopReason = r.lengthReason()
		case t.looped:
			result.StopReason = StopRepetition
		}
	}
	return result
}

// finish ends a turn whose answer is there.
func (r *run) finish(ctx context.Context) error {
	done := Done{r.header(), r.result()}
	if err := r.record(ctx, true, done); err != nil {
		return err
	}
	err := r.yield(done)
	r.saveState() // when the answer is there: nobody waits for it
	return err
}

// closeTurn ends a turn that will get no answer: calls without a result get one that says why, and text that was written
// counts as a message.
func (r *run) closeTurn(ctx context.Context, reason StopReason, why string) (Done, error) {
	t := r.turn
	var events []Event
	for i := range t.calls[t.settled:] {
		if c := t.calls[t.settled+i]; c.result == nil {
			said := why
			if c.attempts == 0 {
				said = "not called: the turn was stopped before"
			}
			events = append(events, ToolResult{Header: r.header(), ID: c.call.ID, Name: c.call.Name, Error: said})
		}
	}
	text := t.text.String()
	if text != "" {
		events = append(events, Message{
			Header: r.header(), Message: prompts.Assistant(text), StopReason: prompts.StopReasonCancelled,
		})
	}
	if len(events) > 0 {
		if err := r.record(ctx, false, events...); err != nil {
			return Done{}, err
		}
	}
	result := r.result()
	result.StopReason, result.Answer = reason, text
	done := Done{r.header(), result}
	return done, r.record(ctx, true, done)
}

// fail ends a run that could not go on: by its caller's wish, by the time budget, or because something broke.
func (r *run) fail(parent, ctx context.Context, err error) error {
	if errors.Is(err, errStopped) || ctx.Err() == nil {
		return err
	}
	reason := StopCanceled
	if errors.Is(context.Cause(ctx), errTimeBudget) {
		reason = StopBudget
	}
	done, err := r.closeTurn(ctx, reason, "stopped before it finished: it may have run")
	if err != nil {
		return err
	}
	if err := r.yield(done); err != nil {
		return err
	}
	if reason == StopBudget {
		return nil
	}
	return fmt.Errorf("run stopped: %w", context.Cause(parent))
}
