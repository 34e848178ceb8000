package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// callTools runs the calls of the step at hand that have no result yet; their results go into the conversation in the
// order of the calls. Approval is asked for one call after the other; what is approved runs side by side.
func (r *run) callTools(ctx context.Context) error {
	t := r.turn
	first := t.settled // those before were shown by the process that was interrupted
	refusals := make(map[int]string)
	var approved []int
	for i := first; i < len(t.calls); i++ {
		c := &t.calls[i]
		if c.announced == nil { // a log that ends here, or an old one
			if err := r.record(ctx, false, announcement(r.header(), c.call)); err != nil {
				return err
			}
		}
		// It is in the log; whoever goes on after an interruption has not seen it.
		if err := r.yield(*c.announced); err != nil {
			return err
		}
		if c.result != nil {
			continue
		}
		refusal, err := r.mayRun(ctx, i)
		switch {
		case err != nil:
			return err
		case refusal != "":
			refusals[i] = refusal
		default:
			approved = append(approved, i)
		}
	}
	return r.gather(ctx, first, refusals, approved)
}

func announcement(h Header, call prompts.ToolCall) ToolCall {
	return ToolCall{h, call.ID, call.Name, call.Arguments}
}

// mayRun returns why a call may not run, or "".
func (r *run) mayRun(ctx context.Context, i int) (refusal string, err error) {
	c := &r.turn.calls[i]
	if c.begun { // it was looked at a moment ago
		return "", nil
	}
	if n := r.limits.StepCalls; n > 0 && i >= n {
		return fmt.Sprintf("not called: one step may make %d calls; make the rest in the next", n), nil
	}
	if err := r.tools.Check(c.call.Name, c.call.Arguments); err != nil {
		return err.Error(), nil
	}
	tool, _ := r.tools.Lookup(c.call.Name) // Check has found it
	reason := r.policy(tool, c.call.Arguments)
	again := c.attempts > 0 && !tools.IsRepeatable(tool)
	switch {
	case again:
		reason = "it was interrupted and may have run already; running it again may do it twice"
	case c.approval != nil:
		return c.approval.refusal(), nil
	case reason == "":
		return "", nil
	}
	if r.replay != nil { // the result that is in the log says what was decided
		return "", nil
	}
	decision := Decision{Note: "nobody is there to approve it"}
	if again {
		decision.Note = "it was interrupted and may have run already, and nobody is there to say; find out before calling it again"
	}
	if approve := r.approver(ctx); approve != nil {
		decision, err = approve(ctx, ApprovalRequest{c.call.ID, tool, c.call.Name, c.call.Arguments, reason, again})
		if err != nil {
			return "", fmt.Errorf("approval of %s: %w", c.call.Name, err)
		}
	}
	approval := Approval{r.header(), c.call.ID, c.call.Name, decision.Approved, reason}
	if !decision.Approved && decision.Note != "" {
		approval.Reason = decision.Note
	}
	if err := r.emit(ctx, approval); err != nil {
		return "", err
	}
	if decision.Approved {
		return "", nil
	}
	if decision.Note == "" {
		return "denied", nil
	}
	return "denied: " + decision.Note, nil
}

// refusal is what a call is told that was decided about before the run was interrupted.
func (e *Approval) refusal() string {
	if e.Approved {
		return ""
	}
	return "denied: " + e.Reason
}

// gather runs the approved calls and shows all results in the order of the calls, each as soon as those before it are there.
func (r *run) gather(ctx context.Context, first int, refusals map[int]string, approved []int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	limit := r.resultLimit(len(r.turn.calls))
	for i := first; i < len(r.turn.calls); i++ {
		if refusal, ok := refusals[i]; ok {
			if err := r.record(ctx, false, r.fitted(r.resultOf(i, "", refusal), limit)); err != nil {
				return err
			}
		}
	}
	finished, running := r.runCalls(ctx, approved, limit), len(approved)
	defer func() { // leave nobody behind, also when the caller stops reading
		cancel()
		for ; running > 0; running-- {
			<-finished
		}
	}()
	for next := first; ; {
		for ; next < len(r.turn.calls); next++ {
			result := r.settledResult(next)
			if result == nil {
				break
			}
			if err := r.yield(*result); err != nil {
				return err
			}
		}
		if running == 0 {
			return ctx.Err()
		}
		err := <-finished
		running--
		if err != nil {
			return err
		}
	}
}

func (r *run) settledResult(i int) *ToolResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.turn.calls[i].result
}

// runCalls starts the approved calls, at most [Limits].ParallelTools at a time, and returns a channel on which something
// arrives for each once its result is stored, or could not be. The goroutines end by themselves: there is room for all.
func (r *run) runCalls(ctx context.Context, approved []int, limit int) <-chan error {
	finished := make(chan error, len(approved))
	parallel := r.limits.ParallelTools
	if parallel == 0 {
		parallel = len(approved)
	}
	slots := make(chan struct{}, max(parallel, 1))
	work := func(i int) {
		result, err := r.runCall(ctx, i)
		switch {
		case errors.Is(err, errUnfinished):
			err = nil
		case err == nil:
			// Stored here and now, and not when its turn to be shown comes: a call that has finished never runs again.
			err = r.record(ctx, !r.repeatable(result.Name), r.fitted(result, limit))
		}
		<-slots
		finished <- err
	}
	if len(approved) == 1 && approved[0] == len(r.turn.calls)-1 && r.turn.settled == approved[0] {
		slots <- struct{}{}
		work(approved[0]) // the only one, with nothing to be shown before it: a goroutine would cost more than it does
		return finished
	}
	go func() { // begins them in their order
		for _, i := range approved {
			slots <- struct{}{}
			go work(i)
		}
	}()
	return finished
}

// beginSoon returns the starts that can be stored together with the message, which spares a write for each: those of calls that
// will run at once, as nobody is asked, and that may run again should the process end before they have.
func (r *run) beginSoon(calls []prompts.ToolCall) []Event {
	if r.session == nil || r.replay != nil {
		return nil
	}
	var out []Event
	for i, call := range calls {
		if n := r.limits.StepCalls; n > 0 && i >= n || !r.repeatable(call.Name) || r.tools.Check(call.Name, call.Arguments) != nil {
			continue
		}
		if tool, ok := r.tools.Lookup(call.Name); ok && r.policy(tool, call.Arguments) == "" {
			out = append(out, ToolStart{r.header(), call.ID, call.Name, 1, r.callKey(call.ID)})
		}
	}
	return out
}

// errUnfinished says that a call was stopped with the run: it has no result, and a resumed run decides what becomes of it.
var errUnfinished = errors.New("the run was stopped before the call had finished")

func (r *run) repeatable(name string) bool {
	tool, ok := r.tools.Lookup(name)
	return ok && tools.IsRepeatable(tool)
}

// runCall runs one tool, more than once if it fails and may be repeated. What goes wrong with it is part of the result;
// the error is errUnfinished, or says that it could not be stored that the tool starts.
func (r *run) runCall(ctx context.Context, i int) (ToolResult, error) {
	if r.replay != nil {
		return r.replay.result(r.turn.calls[i].call)
	}
	r.mu.Lock()
	call, attempt, begun := r.turn.calls[i].call, r.turn.calls[i].attempts, r.turn.calls[i].begun
	r.turn.calls[i].begun = false
	r.mu.Unlock()
	settings := r.toolSettings(call.Name)
	meter := &usageMeter{}
	ctx = context.WithValue(ctx, meterKey{}, meter)
	key := r.callKey(call.ID)
	start := time.Now()
	for retry := 0; ; retry++ {
		if ctx.Err() != nil {
			return ToolResult{}, errUnfinished
		}
		if !begun {
			attempt++
			start := ToolStart{r.header(), call.ID, call.Name, attempt, key}
			if err := r.record(ctx, !r.repeatable(call.Name), start); err != nil {
				return ToolResult{}, err
			}
		}
		begun = false
		content, err := r.callOnce(tools.WithIdempotencyKey(ctx, key), call, settings)
		var failed *tools.CallError
		if errors.As(err, &failed) && failed.Kind == tools.Canceled && ctx.Err() != nil {
			return ToolResult{}, errUnfinished
		}
		r.logger.Debug("tool ran", "tool", call.Name, "id", call.ID, "attempt", attempt, "error", err)
		if err == nil || retry >= settings.Retries || !r.mayRetry(call.Name, err) || !sleep(ctx, settings.Backoff<<retry) {
			result := r.resultOf(i, content, "")
			if err != nil {
				result = r.resultOf(i, "", err.Error())
			}
			result.Duration, result.Usage = time.Since(start), meter.usage()
			return result, nil
		}
	}
}

// callOnce runs a tool under its time limit.
func (r *run) callOnce(ctx context.Context, call prompts.ToolCall, settings ToolSettings) (content string, err error) {
	defer func() { // the tool's own panics are caught where it runs; these are a middleware's
		if value := recover(); value != nil {
			err = &tools.CallError{Tool: call.Name, Kind: tools.Panicked, Err: fmt.Errorf("%v", value), Stack: debug.Stack()}
		}
	}()
	if settings.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, settings.Timeout)
		defer cancel()
	}
	result, err := r.caller(r.tools)(ctx, call)
	return result.Content, err
}

// mayRetry reports whether a failure may pass, and trying again does no harm.
func (r *run) mayRetry(name string, err error) bool {
	var failed *tools.CallError
	if errors.As(err, &failed) && failed.Kind != tools.Failed && failed.Kind != tools.TimedOut {
		return false
	}
	return r.repeatable(name)
}

// sleep waits and reports whether ctx lasted that long.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// callKey is the idempotency key of a call: the same for every attempt, also of another process.
func (r *run) callKey(id string) string {
	if r.session == nil {
		return fmt.Sprintf("%p/%s", r, id)
	}
	return fmt.Sprintf("%s/%d/%s", r.session.ID(), r.state.turns, id)
}

// recorded bounds what a session keeps of a result, in bytes.
const recorded = 4 << 20

// resultOf makes the result of a call: valid UTF-8 of bounded size.
func (r *run) resultOf(i int, content, failure string) ToolResult {
	call := r.turn.calls[i].call
	return ToolResult{
		Header: r.header(), ID: call.ID, Name: call.Name, Result: clean(content), Error: clean(failure),
	}
}

func clean(text string) string {
	if len(text) > recorded {
		text = fmt.Sprintf("%s\n[cut: the first %d of %d bytes]", strings.Clone(text[:recorded]), recorded, len(text))
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// ToolSettings say how the calls of one tool are run.
type ToolSettings struct {
	// Timeout bounds one attempt. 0: the tool's own limit if it has one (see [tools.WithTimeout]), else [Limits].ToolTime.
	Timeout time.Duration
	// Retries is how often a call that failed or timed out is made again before the model is told. Only tools for which
	// that does no harm are called again; see [tools.IsRepeatable].
	Retries int
	// Backoff is the pause before the first retry; it doubles from one to the next.
	Backoff time.Duration
}

// WithToolSettings sets how the calls of one tool are run.
func WithToolSettings(name string, s ToolSettings) Option {
	return func(a *Agent) error {
		if s.Timeout < 0 || s.Retries < 0 || s.Backoff < 0 {
			return fmt.Errorf("settings of tool %s: %+v has a negative value; use 0 for the default", name, s)
		}
		if a.settings == nil {
			a.settings = map[string]ToolSettings{}
		}
		a.settings[name] = s
		return nil
	}
}

func (r *run) toolSettings(name string) ToolSettings {
	s := r.settings[name]
	if s.Timeout == 0 {
		s.Timeout = r.limits.ToolTime
		if tool, ok := r.tools.Lookup(name); ok {
			if own, ok := tools.As[interface{ Timeout() time.Duration }](tool); ok && own.Timeout() > 0 {
				s.Timeout = own.Timeout()
			}
		}
	}
	return s
}
