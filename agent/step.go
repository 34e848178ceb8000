package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/drover-ai/drover/prompts"
)

// generate lets the model write once.
func (r *run) generate(ctx context.Context) error {
	if r.replay != nil && r.replay.over(len(r.turn.steps)) {
		return errRecordEnds
	}
	if err := r.checkLimits(ctx); err != nil {
		return err
	}
	if err := r.makeRoom(ctx); err != nil {
		return err
	}
	message, notice, err := r.write(ctx, r.request())
	if r.optionalSchema && !r.withoutSchema && errors.Is(err, errors.ErrUnsupported) {
		r.withoutSchema = true // the model was told in words, and its answer is checked
		message, notice, err = r.write(ctx, r.request())
	}
	if err != nil {
		return err
	}
	if r.replay != nil {
		if message, err = r.replay.check(len(r.turn.steps), message); err != nil {
			return err
		}
	}
	step := len(r.turn.steps)
	report := UsageReport{r.header(), step, message.Usage}
	events := []Event{message, report}
	for _, call := range message.Message.ToolCalls { // in one write; they are shown when they are to run
		events = append(events, announcement(r.header(), call))
	}
	begun := r.beginSoon(message.Message.ToolCalls)
	events = append(events, begun...)
	if err := r.record(ctx, false, events...); err != nil {
		return err
	}
	for _, event := range begun {
		r.turn.call(event.(ToolStart).ID).begun = true
	}
	r.logger.Debug("model wrote", "step", step, "calls", len(message.Message.ToolCalls), "stop_reason", message.StopReason,
		"prompt_tokens", message.Usage.PromptTokens, "cached_tokens", message.Usage.CachedTokens,
		"completion_tokens", message.Usage.CompletionTokens)
	if err := r.yield(report); err != nil {
		return err
	}
	if notice != "" {
		return r.emit(ctx, Notice{r.header(), notice, message.Malformed, ""})
	}
	return nil
}

// write asks the model and shows the text as it comes. What is wrong with the message, if anything is, is worth a notice.
func (r *run) write(ctx context.Context, req prompts.Request) (message Message, notice NoticeKind, err error) {
	var text strings.Builder
	var calls []prompts.ToolCall
	var malformed error
	var completion prompts.Completion
	for delta, err := range r.ask(ctx, req) {
		if err != nil {
			return Message{}, "", err
		}
		switch {
		case delta.Text != "":
			text.WriteString(delta.Text)
			if err := r.emit(ctx, TextDelta{r.header(), delta.Text}); err != nil {
				return Message{}, "", err
			}
		case delta.ToolCall != nil:
			calls = append(calls, *delta.ToolCall)
		case delta.CallError != nil:
			malformed = delta.CallError
		case delta.Done != nil:
			completion = *delta.Done
		}
	}
	if err := ctx.Err(); err != nil {
		return Message{}, "", err
	}
	if completion.StopReason == "" {
		return Message{}, "", fmt.Errorf("model %s ended its message without saying why; it must yield a Done delta last", r.model.Name())
	}
	if r.turn.toolsOff {
		if len(calls) > 0 {
			completion.Message.Tokens = nil // they say something else than the message
		}
		calls, malformed = nil, nil
	}
	message = Message{Header: r.header(), Message: completion.Message, StopReason: completion.StopReason}
	message.Message.Role, message.Message.ToolCalls = prompts.RoleAssistant, r.withIDs(calls)
	if len(calls) == 0 && completion.StopReason != prompts.StopReasonRepetition { // else it has less than was shown
		message.Message.Content = text.String()
	}
	message.Malformed, notice = wrong(len(calls), malformed, completion.StopReason)
	message.Usage.add(completion.Usage)
	return message, notice, nil
}

// wrong says what is wrong with the calls of a message, in words that the model reads, after their results where there are complete
// calls.
func wrong(calls int, malformed error, reason prompts.StopReason) (words string, notice NoticeKind) {
	if malformed != nil {
		words = strings.ToValidUTF8(malformed.Error(), "\uFFFD")
	}
	if calls == 0 {
		if malformed != nil {
			notice = NoticeMalformedCall
		}
		return words, notice
	}
	after := "after 1 call"
	if calls > 1 {
		after = fmt.Sprintf("after %d calls", calls)
	}
	switch {
	case malformed == nil && reason == prompts.StopReasonLength:
		return "the token limit cut the message off " + after + "; calls that are missing can be made in the next message", NoticeCutOff
	case malformed == nil:
		return "", ""
	case reason == prompts.StopReasonLength || isCutOff(malformed):
		return fmt.Sprintf("the token limit cut the message off %s: %s", after, words), NoticeCutOff
	}
	return fmt.Sprintf("what the message has %s is no call: %s", after, words), NoticeMalformedCall
}

// isCutOff reports whether a call cannot be read because it has no end.
func isCutOff(malformed error) bool {
	var parse *prompts.ParseError
	var cut interface{ CutOff() bool } // such as package llm/chat's
	return errors.As(malformed, &parse) && parse.Problem == prompts.ProblemCutOff || errors.As(malformed, &cut) && cut.CutOff()
}

// withIDs gives each call an id that no other call has.
func (r *run) withIDs(calls []prompts.ToolCall) []prompts.ToolCall {
	if len(calls) == 0 {
		return nil
	}
	out := make([]prompts.ToolCall, len(calls))
	for i, call := range calls {
		call.ID = r.turn.newID(call.ID)
		r.turn.ids[call.ID] = true
		if call.Arguments == nil {
			call.Arguments = []byte("{}")
		}
		out[i] = call
	}
	return out
}

// messages is the conversation as the model reads it. The slice only grows until the conversation is rebuilt, so that
// nothing is copied from step to step.
func (r *run) messages() []prompts.Message {
	system := 0
	if r.system != "" {
		system = 1
	}
	if r.sent == nil || r.built != r.state.rebuilt {
		r.built = r.state.rebuilt
		r.sent = make([]prompts.Message, 0, system+len(r.state.messages)+8)
		if system > 0 {
			r.sent = append(r.sent, prompts.System(r.system))
		}
	}
	r.sent = append(r.sent, r.state.messages[len(r.sent)-system:]...)
	return r.sent[:len(r.sent):len(r.sent)]
}

// request is what the model is asked next.
func (r *run) request() prompts.Request {
	start := &r.turn.start
	req := prompts.Request{
		Messages: r.messages(), Schema: start.Schema, Sampling: start.Sampling, MaxTokens: r.limits.StepTokens,
	}
	if r.withoutSchema {
		req.Schema = nil
	}
	if r.tools.Len() > 0 {
		req.Tools = r.tools.Definitions()
	}
	if req.ToolChoice = start.ToolChoice; len(r.turn.steps) > 0 {
		req.ToolChoice.Mode, req.ToolChoice.Name = "", ""
	}
	if r.turn.toolsOff {
		req.ToolChoice = prompts.ToolChoice{Mode: prompts.ToolChoiceNone}
	}
	if left, limited := r.tokensLeft(); limited && (req.MaxTokens == 0 || left < req.MaxTokens) {
		req.MaxTokens = left
	}
	return req
}

// tokensLeft is how many tokens the model may still write, by the budgets of tokens and of money.
func (r *run) tokensLeft() (left int, limited bool) {
	if r.limits.Tokens > 0 {
		left, limited = max(r.limits.Tokens-r.turn.usage.CompletionTokens, 1), true
	}
	if r.limits.Cost > 0 && r.prices.Completion > 0 {
		money := r.limits.Cost - r.prices.cost(r.turn.usage)
		n := max(int(money/r.prices.Completion*1e6), 1)
		if !limited || n < left {
			left, limited = n, true
		}
	}
	return left, limited
}

// checkLimits switches tools off before a step when a limit says that it must be the last.
func (r *run) checkLimits(ctx context.Context) error {
	t, l, step := r.turn, r.limits, len(r.turn.steps)
	if err := r.checkRepeated(ctx); err != nil {
		return err
	}
	if t.malformed > l.MalformedCalls {
		return r.switchToolsOff(ctx, StopToolLimit, fmt.Sprintf("after %d malformed calls in a row", t.malformed))
	}
	if r.replay != nil {
		return r.replay.switchToolsOff(ctx, r, step)
	}
	cost := r.prices.cost(t.usage)
	switch {
	case step >= l.Steps:
		return r.switchToolsOff(ctx, StopToolLimit, fmt.Sprintf("after %d steps with tools", l.Steps))
	case l.Tokens > 0 && t.usage.CompletionTokens >= l.Tokens*4/5:
		return r.switchToolsOff(ctx, StopBudget, fmt.Sprintf("after %d of %d tokens", t.usage.CompletionTokens, l.Tokens))
	case l.Cost > 0 && cost >= l.Cost*4/5:
		return r.switchToolsOff(ctx, StopBudget, fmt.Sprintf("after spending %.4g of %.4g", cost, l.Cost))
	case l.Time > 0 && time.Now().After(r.soon):
		return r.switchToolsOff(ctx, StopBudget, fmt.Sprintf("after four fifths of %v", l.Time))
	}
	return nil
}

// checkRepeated stops a model that makes the same call over and over.
func (r *run) checkRepeated(ctx context.Context) error {
	if r.limits.RepeatedCalls == 0 || r.turn.toolsOff {
		return nil
	}
	for i := range r.turn.calls {
		c := &r.turn.calls[i]
		n := r.turn.repeated[c.signature()]
		if n <= r.limits.RepeatedCalls {
			continue
		}
		text := fmt.Sprintf("%s was called %d times with the same arguments and the same result", c.call.Name, n)
		if err := r.emit(ctx, Notice{r.header(), NoticeRepeatedCall, text, ""}); err != nil {
			return err
		}
		return r.switchToolsOff(ctx, StopToolLimit, "after repeated calls")
	}
	return nil
}

func (r *run) switchToolsOff(ctx context.Context, reason StopReason, when string) error {
	if r.turn.toolsOff {
		return nil
	}
	notice := Notice{r.header(), NoticeToolsOff, "tools switched off " + when + ": answering with what there is", reason}
	if r.tools.Len() == 0 {
		// Nobody misses tools that are not there, and the answer is a whole one.
		notice.Stop = ""
		return r.record(ctx, false, notice)
	}
	return r.emit(ctx, notice)
}

// lengthReason tells a model call cut by its own limit from one cut by the run's budget.
func (r *run) lengthReason() StopReason {
	if left, limited := r.tokensLeft(); limited && left <= 1 {
		return StopBudget
	}
	return StopLength
}

// Prices are what a model costs, for a million tokens, in any currency.
type Prices struct {
	Prompt     float64 // tokens that are read
	Cached     float64 // of these, tokens that were read before
	Completion float64 // tokens that are written
}

// WithPrices says what the model costs, so that [Limits].Cost can bound a run and [Result].Cost can tell.
func WithPrices(p Prices) Option {
	return func(a *Agent) error {
		if p.Prompt < 0 || p.Cached < 0 || p.Completion < 0 {
			return errors.New("prices: none may be negative")
		}
		a.prices = p
		return nil
	}
}

func (p Prices) cost(u Usage) float64 {
	return (float64(u.PromptTokens-u.CachedTokens)*p.Prompt + float64(u.CachedTokens)*p.Cached +
		float64(u.CompletionTokens)*p.Completion) / 1e6
}
