package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/drover-ai/drover/prompts"
)

// callTools runs the calls of one step and adds their results to the conversation, in the order of the calls. Approval is
// asked for one call after the other; what is approved runs side by side.
func (r *run) callTools(ctx context.Context, calls []prompts.ToolCall) error {
	outcomes := make([]CallRecord, len(calls))
	approved := make([]int, 0, len(calls))
	for i, call := range calls {
		outcomes[i] = CallRecord{ID: call.ID, Name: call.Name, Arguments: call.Arguments}
		if err := r.yield(ToolCall{r.header(), call.ID, call.Name, call.Arguments}); err != nil {
			return err
		}
		if n := r.limits.StepCalls; n > 0 && i >= n {
			outcomes[i].Error = fmt.Sprintf("not called: one step may make %d calls; make the rest in the next", n)
			continue
		}
		refusal, err := r.askApproval(ctx, call)
		if err != nil {
			return err
		}
		if outcomes[i].Error = refusal; refusal == "" {
			approved = append(approved, i)
		}
	}
	return r.gather(ctx, outcomes, approved)
}

// gather runs the approved calls and adds all outcomes in the order of the calls, each as soon as those before it are there.
func (r *run) gather(ctx context.Context, outcomes []CallRecord, approved []int) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	finished := r.runCalls(ctx, outcomes, approved)
	running := len(approved)
	defer func() { // leave nobody behind, also when the caller stops reading
		cancel()
		for ; running > 0; running-- {
			<-finished
		}
	}()
	ready := make([]bool, len(outcomes))
	for i := range outcomes {
		ready[i] = !slices.Contains(approved, i)
	}
	step := &r.result.Steps[len(r.result.Steps)-1]
	limit := r.resultLimit(len(outcomes))
	for next := 0; ; {
		for ; next < len(outcomes) && ready[next]; next++ {
			if err := r.addResult(outcomes[next], limit, step); err != nil {
				return err
			}
		}
		if running == 0 {
			return ctx.Err()
		}
		ready[<-finished] = true
		running--
	}
}

// runCalls starts the approved calls, at most [Limits].ParallelTools at a time, and returns a channel on which the index
// of each arrives once its outcome is set. The goroutines end by themselves: the channel has room for all of them.
func (r *run) runCalls(ctx context.Context, outcomes []CallRecord, approved []int) <-chan int {
	finished := make(chan int, len(approved))
	parallel := r.limits.ParallelTools
	if parallel == 0 {
		parallel = len(approved)
	}
	slots := make(chan struct{}, max(parallel, 1))
	for _, i := range approved {
		go func() {
			slots <- struct{}{}
			r.runCall(ctx, &outcomes[i])
			<-slots
			finished <- i
		}()
	}
	return finished
}

// runCall runs one tool. Its panics, time-outs and errors are part of the outcome.
func (r *run) runCall(ctx context.Context, o *CallRecord) {
	if r.limits.ToolTime > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.limits.ToolTime)
		defer cancel()
	}
	start := time.Now()
	result, err := r.registry.Call(ctx, o.Name, o.Arguments)
	o.Duration = time.Since(start)
	o.Result = strings.ToValidUTF8(result.Content, "\uFFFD")
	if err != nil {
		o.Result, o.Error = "", strings.ToValidUTF8(err.Error(), "\uFFFD")
	}
}

// askApproval returns why a call may not run, or "".
func (r *run) askApproval(ctx context.Context, call prompts.ToolCall) (refusal string, err error) {
	tool, ok := r.registry.Lookup(call.Name)
	if !ok {
		return "", nil // the registry says which tools there are
	}
	reason := r.policy(tool, call.Arguments)
	if reason == "" {
		return "", nil
	}
	decision := Decision{Note: "nobody is there to approve it"}
	if r.approve != nil {
		decision, err = r.approve(ctx, ApprovalRequest{call.ID, tool, call.Name, call.Arguments, reason})
		if err != nil {
			return "", fmt.Errorf("approval of %s: %w", call.Name, err)
		}
	}
	told := reason
	if !decision.Approved && decision.Note != "" {
		told = decision.Note
	}
	if err := r.yield(Approval{r.header(), call.ID, call.Name, decision.Approved, told}); err != nil {
		return "", err
	}
	if decision.Approved {
		return "", nil
	}
	refusal = "denied"
	if decision.Note != "" {
		refusal += ": " + decision.Note
	}
	return refusal, nil
}

// addResult shows an outcome and puts it into the conversation.
func (r *run) addResult(o CallRecord, limit int, step *Step) error {
	content, elided := r.fit(o.Result, limit)
	if o.Error != "" {
		content, elided = r.fit("error: "+o.Error, limit)
	}
	r.messages = append(r.messages, prompts.Message{
		Role: prompts.RoleTool, Content: content, ToolCallID: o.ID, Name: o.Name,
	})
	step.ToolCalls = append(step.ToolCalls, o)
	event := ToolResult{r.header(), o.ID, o.Name, o.Result, o.Error, elided, o.Duration}
	if err := r.yield(event); err != nil {
		return err
	}
	signature := o.Name + "\x00" + string(o.Arguments) + "\x00" + o.Result + o.Error
	r.repeated[signature]++
	if n := r.repeated[signature]; r.limits.RepeatedCalls > 0 && n > r.limits.RepeatedCalls {
		text := fmt.Sprintf("%s was called %d times with the same arguments and the same result", o.Name, n)
		if err := r.yield(Notice{r.header(), NoticeRepeatedCall, text}); err != nil {
			return err
		}
		return r.switchToolsOff(StopToolLimit, "after repeated calls")
	}
	return nil
}

// resultLimit is how many tokens each of n results may take so that all of them and an answer fit the context.
// Without a known context length it is 0, and only [Limits].ToolResultBytes counts.
func (r *run) resultLimit(n int) int {
	model, ok := r.model.(ContextLengther)
	if !ok || model.ContextLength() <= 0 {
		return 0
	}
	length := model.ContextLength()
	answer := length / 4
	if r.limits.StepTokens > 0 {
		answer = min(answer, r.limits.StepTokens)
	}
	const frame = 8 // headers around a message
	return max((length-r.context-answer)/n-frame, 16)
}

// fit cuts text to the limits, at a rune, and says in the text how much is missing.
func (r *run) fit(text string, tokens int) (fitting string, elided int) {
	keep := len(text)
	if limit := r.limits.ToolResultBytes; limit > 0 {
		keep = min(keep, limit)
	}
	if tokens > 0 {
		keep = min(keep, tokens*16) // no text worth reading has more bytes than this to a token
		const note = 16
		for keep > 0 {
			count := r.countTokens(text[:keep])
			if count <= tokens-note || count <= tokens && keep == len(text) {
				break
			}
			// Cut in proportion, and a little more, so that a few rounds are enough.
			keep = min(keep-1, keep*max(tokens-note, 0)/count)
		}
	}
	if keep >= len(text) {
		return text, 0
	}
	for keep > 0 && !utf8.RuneStart(text[keep]) {
		keep--
	}
	elided = len(text) - keep
	return fmt.Sprintf("%s\n[%d more bytes cut: they do not fit]", text[:keep], elided), elided
}

func (r *run) countTokens(text string) int {
	if counter, ok := r.model.(TokenCounter); ok {
		return counter.CountTokens(text)
	}
	return (len(text) + 2) / 3
}
