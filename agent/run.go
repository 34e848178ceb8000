package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/drover-ai/drover/prompts"
)

// RunOption is something that holds for one run.
type RunOption func(*run)

// WithHistory puts earlier messages before the prompt, oldest first, such as [Result].Messages of the runs before.
func WithHistory(messages ...prompts.Message) RunOption {
	return func(r *run) { r.messages = append(r.messages, messages...) }
}

// WithToolChoice says whether the first step must, may or must not call a tool. Later steps are free.
func WithToolChoice(c prompts.ToolChoice) RunOption {
	return func(r *run) { r.choice = c }
}

// WithSchema asks for a final answer that is a JSON text under a JSON Schema. Tools may be called before.
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
// A tool that fails does not end the run: the model reads the error. Breaking out of the loop stops model and tools.
func (a *Agent) Run(ctx context.Context, prompt string, opts ...RunOption) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		r := &run{Agent: a, repeated: map[string]int{}, ids: map[string]bool{}}
		for _, opt := range opts {
			opt(r)
		}
		r.yield = func(e Event) error {
			if !yield(e, nil) {
				return errStopped
			}
			return nil
		}
		if err := r.run(ctx, prompt); err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// Ask is [Agent.Run] for callers that only want the outcome. The result is never nil when the error is the context's: it
// has what there was until then.
func (a *Agent) Ask(ctx context.Context, prompt string, opts ...RunOption) (*Result, error) {
	var result *Result
	for event, err := range a.Run(ctx, prompt, opts...) {
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
	choice prompts.ToolChoice
	schema json.RawMessage
	yield  func(Event) error

	messages  []prompts.Message // all of the conversation; from added on, this run's
	added     int
	result    Result
	context   int            // tokens that the conversation takes, as the last model call counted them
	malformed int            // calls in a row that could not be read
	repeated  map[string]int // by call and result
	ids       map[string]bool
	toolsOff  string // why tools are off, once they are
	soon      time.Time
}

func (r *run) header() Header { return Header{At: r.now()} }

func (r *run) run(ctx context.Context, prompt string) error {
	if r.system != "" {
		r.messages = append([]prompts.Message{{Role: prompts.RoleSystem, Content: r.system}}, r.messages...)
	}
	r.added = len(r.messages)
	r.messages = append(r.messages, prompts.Message{Role: prompts.RoleUser, Content: prompt})
	r.result.Model = r.model.Name()
	parent := ctx
	if r.limits.Time > 0 {
		r.soon = time.Now().Add(r.limits.Time * 4 / 5)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.limits.Time, errTimeBudget)
		defer cancel()
	}
	for step := 0; ; step++ {
		reply, err := r.generate(ctx, step)
		if err != nil {
			return r.fail(parent, ctx, reply, err)
		}
		again, err := r.act(ctx, reply)
		if err != nil {
			return r.fail(parent, ctx, reply, err)
		}
		if !again {
			return r.done()
		}
	}
}

// reply is what one model call came to.
type reply struct {
	text       string
	calls      []prompts.ToolCall
	malformed  error // a call that could not be read
	completion prompts.Completion
}

// generate lets the model write once.
func (r *run) generate(ctx context.Context, step int) (reply, error) {
	if err := r.checkLimits(step); err != nil {
		return reply{}, err
	}
	var out reply
	for delta, err := range r.model.Generate(ctx, r.request(step)) {
		if err != nil {
			return out, err
		}
		switch {
		case delta.Text != "":
			out.text += delta.Text
			if err := r.yield(TextDelta{r.header(), delta.Text}); err != nil {
				return out, err
			}
		case delta.ToolCall != nil:
			out.calls = append(out.calls, *delta.ToolCall)
		case delta.CallError != nil:
			out.malformed = delta.CallError
		case delta.Done != nil:
			out.completion = *delta.Done
		}
	}
	if err := ctx.Err(); err != nil {
		return out, err
	}
	if out.completion.StopReason == "" {
		return out, fmt.Errorf("model %s ended its message without saying why; it must yield a Done delta last", r.model.Name())
	}
	r.result.Usage.add(out.completion.Usage)
	r.context = out.completion.Usage.PromptTokens + out.completion.Usage.CompletionTokens
	var usage Usage
	usage.add(out.completion.Usage)
	return out, r.yield(UsageReport{r.header(), step, usage})
}

// request is what the model is asked in a step.
func (r *run) request(step int) prompts.Request {
	req := prompts.Request{
		Messages: r.messages, Schema: r.schema, Sampling: r.sampling, MaxTokens: r.limits.StepTokens,
	}
	if r.registry.Len() > 0 {
		req.Tools = r.registry.Definitions()
	}
	if step == 0 {
		req.ToolChoice = r.choice
	}
	if r.toolsOff != "" {
		req.ToolChoice = prompts.ToolChoice{Mode: prompts.ToolChoiceNone}
	}
	if r.limits.Tokens > 0 {
		left := max(r.limits.Tokens-r.result.Usage.CompletionTokens, 1)
		if req.MaxTokens == 0 || left < req.MaxTokens {
			req.MaxTokens = left
		}
	}
	return req
}

// checkLimits switches tools off before a step when a limit says that it must be the last.
func (r *run) checkLimits(step int) error {
	switch l := r.limits; {
	case step >= l.Steps:
		return r.switchToolsOff(StopToolLimit, fmt.Sprintf("after %d steps with tools", l.Steps))
	case l.Tokens > 0 && r.result.Usage.CompletionTokens >= l.Tokens*4/5:
		return r.switchToolsOff(StopBudget, fmt.Sprintf("after %d of %d tokens", r.result.Usage.CompletionTokens, l.Tokens))
	case l.Time > 0 && time.Now().After(r.soon):
		return r.switchToolsOff(StopBudget, fmt.Sprintf("after four fifths of %v", l.Time))
	}
	return nil
}

func (r *run) switchToolsOff(reason StopReason, when string) error {
	if r.toolsOff != "" {
		return nil
	}
	r.toolsOff = when
	if r.registry.Len() == 0 {
		return nil
	}
	r.result.StopReason = reason
	return r.yield(Notice{r.header(), NoticeToolsOff, "tools switched off " + when + ": answering with what there is"})
}

// act records what the model wrote and runs the tools that it called. It reports whether the model must go on.
func (r *run) act(ctx context.Context, re reply) (again bool, err error) {
	if r.toolsOff != "" {
		re.calls, re.malformed = nil, nil
	}
	message := re.completion.Message
	message.Role, message.ToolCalls = prompts.RoleAssistant, re.calls
	for i := range message.ToolCalls {
		message.ToolCalls[i].ID = r.callID(message.ToolCalls[i].ID)
	}
	r.messages = append(r.messages, message)
	r.result.Steps = append(r.result.Steps, Step{ToolCalls: []CallRecord{}})
	switch {
	case len(re.calls) > 0:
		r.malformed = 0
		return true, r.callTools(ctx, message.ToolCalls)
	case re.malformed != nil:
		return true, r.handBack(re.malformed)
	}
	r.result.Answer = re.text
	if r.result.StopReason == "" {
		r.result.StopReason = StopDone
		if re.completion.StopReason == prompts.StopReasonLength {
			r.result.StopReason = r.lengthReason()
		}
	}
	return false, nil
}

// lengthReason tells a model call cut by its own limit from one cut by the run's token budget.
func (r *run) lengthReason() StopReason {
	if r.limits.Tokens > 0 && r.result.Usage.CompletionTokens >= r.limits.Tokens {
		return StopBudget
	}
	return StopLength
}

// handBack shows the model why its call could not be read, so that it can write it again.
func (r *run) handBack(cause error) error {
	r.malformed++
	r.messages = append(r.messages, prompts.Message{Role: prompts.RoleTool, Content: "error: " + cause.Error()})
	if err := r.yield(Notice{r.header(), NoticeMalformedCall, cause.Error()}); err != nil {
		return err
	}
	if r.malformed > r.limits.MalformedCalls {
		return r.switchToolsOff(StopToolLimit, fmt.Sprintf("after %d malformed calls in a row", r.malformed))
	}
	return nil
}

// callID keeps the model's id for a call, or makes one where it has none or an earlier call has it already.
func (r *run) callID(id string) string {
	for n := len(r.ids) + 1; id == "" || r.ids[id]; n++ {
		id = fmt.Sprintf("call_%d", n)
	}
	r.ids[id] = true
	return id
}

func (r *run) done() error {
	r.result.Messages = r.messages[r.added:len(r.messages):len(r.messages)]
	return r.yield(Done{r.header(), &r.result})
}

// fail ends a run that could not go on: by its caller's wish, by the time budget, or because something broke.
func (r *run) fail(parent, ctx context.Context, re reply, err error) error {
	if errors.Is(err, errStopped) || ctx.Err() == nil {
		return err
	}
	r.result.Answer = re.text
	r.result.StopReason = StopCanceled
	if errors.Is(context.Cause(ctx), errTimeBudget) {
		r.result.StopReason = StopBudget
	}
	if doneErr := r.done(); doneErr != nil {
		return doneErr
	}
	if r.result.StopReason == StopBudget {
		return nil
	}
	return fmt.Errorf("run stopped: %w", context.Cause(parent))
}
