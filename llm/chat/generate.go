package chat

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/prompts"
)

// Generate implements agent.Model: it writes the assistant's next message.
//
// Errors before the first delta: those of the template, *[llm.ContextLengthError] when the prompt does not fit,
// *[UnknownToolError], *[grammar.SchemaError] for a schema that cannot be enforced, and *[TokenLimitError] when the limit of
// tokens leaves no room for an answer under the schema or the call that is required. When ctx ends, the last thing is its error.
func (m *Model) Generate(ctx context.Context, req prompts.Request) iter.Seq2[prompts.Delta, error] {
	return func(yield func(prompts.Delta, error) bool) {
		a := &answer{Model: m, req: req, yield: yield}
		if err := a.write(ctx); err != nil && !a.stopped {
			yield(prompts.Delta{}, err)
		}
	}
}

// answer is one message while it is written.
type answer struct {
	*Model
	req     prompts.Request
	yield   func(prompts.Delta, error) bool
	stopped bool // the caller reads no further

	session *llm.Session
	usage   prompts.Usage
	text    []byte // all text that was given away
	written []llm.Token
	calls   []prompts.ToolCall

	repetition repetition
	repeats    int    // the period of what is repeated, once something is
	onRepeat   func() // closes what is open instead of stopping at once; may be nil
}

// send hands a delta over and reports whether the caller goes on reading.
func (a *answer) send(d prompts.Delta) bool {
	a.stopped = a.stopped || !a.yield(d, nil)
	return !a.stopped
}

func (a *answer) write(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := a.check(); err != nil {
		return err
	}
	prompt, err := a.prompt()
	if err != nil {
		return err
	}
	if n := a.llm.ContextLength(); len(prompt) >= n {
		return &llm.ContextLengthError{Tokens: len(prompt), ContextLength: n}
	}
	if a.session, err = a.sessions.take(a.llm, prompt); err != nil {
		return err
	}
	defer func() { a.sessions.put(a.session) }()
	if a.usage.CachedTokens, err = a.session.Sync(ctx, prompt); err != nil {
		return err
	}
	a.usage.PromptTokens = len(prompt)
	calls := len(a.req.Tools) > 0 && a.req.ToolChoice.Mode != prompts.ToolChoiceNone
	gated := a.form == formMarked || a.form != formParsed && !a.req.Free
	switch {
	case calls && gated:
		return a.writeTurn(ctx)
	case len(a.req.Schema) > 0 && calls:
		return fmt.Errorf("calls in the form of template %s are written without a grammar, beside which an answer under a schema cannot be told apart: offer no tools, or set the tool choice to none", a.template.Name())
	case len(a.req.Schema) > 0:
		return a.writeSchema(ctx)
	case calls:
		return a.writeFree(ctx)
	}
	return a.writeText(ctx)
}

// check refuses what cannot be honored.
func (a *answer) check() error {
	if a.markers != nil && len(a.req.Tools) > len(a.markers) {
		return fmt.Errorf("the request has %d tools; %s can be shown %d", len(a.req.Tools), a.name, len(a.markers))
	}
	for i, d := range a.req.Tools {
		if a.toolIndex(d.Name) < i {
			return fmt.Errorf("two tools are named %q; calls could not be told apart", d.Name)
		}
	}
	switch c := a.req.ToolChoice; {
	case c.Mode == prompts.ToolChoiceNamed && a.toolIndex(c.Name) < 0:
		return &UnknownToolError{c.Name}
	case c.Mode == prompts.ToolChoiceRequired && len(a.req.Tools) == 0:
		return errors.New("the tool choice requires a call, and the request has no tools")
	case c.MaxCalls < 0:
		return fmt.Errorf("at most %d calls a message, want 1 or more, or 0 for as many as the template is made for", c.MaxCalls)
	case c.Threshold != nil && !(*c.Threshold >= 0 && *c.Threshold <= 1):
		return fmt.Errorf("the call threshold is %g, want 0 to 1", *c.Threshold)
	}
	return nil
}

func (a *answer) toolIndex(name string) int {
	return slices.IndexFunc(a.req.Tools, func(d prompts.ToolDefinition) bool { return d.Name == name })
}

// prompt renders the conversation and turns it into tokens. Only the template's own text may become special tokens.
func (a *answer) prompt() ([]llm.Token, error) {
	rendered, err := a.template.Render(prompts.RenderInput{
		Messages: a.req.Messages, Tools: a.req.Tools, Date: a.req.Date, AddGenerationPrompt: true,
		ToolsInUserMessage: a.req.ToolsInUserMessage, SplitToolCalls: true,
	})
	if err != nil {
		return nil, err
	}
	return a.asWritten(a.encode(rendered), a.req.Messages), nil
}

// sampling is the request's, with greedy as the default: a small model that draws lots calls the wrong tool.
func (a *answer) sampling() llm.Sampling {
	var out llm.Sampling
	s := a.req.Sampling
	for _, f := range []struct {
		from *float64
		to   *float64
	}{
		{s.Temperature, &out.Temperature}, {s.TopP, &out.TopP}, {s.MinP, &out.MinP},
		{s.RepetitionPenalty, &out.RepetitionPenalty}, {s.PresencePenalty, &out.PresencePenalty},
		{s.FrequencyPenalty, &out.FrequencyPenalty},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if s.TopK != nil {
		out.TopK = *s.TopK
	}
	if s.Seed != nil {
		out.Seed = *s.Seed
	}
	return out
}

// run lets the model write and hands each chunk's text to take. It returns why the model stopped.
func (a *answer) run(ctx context.Context, o llm.GenerateOptions, take func(text string) bool) (llm.StopReason, error) {
	o.Sampling, o.Draft = a.sampling(), a.draft
	if a.req.MaxTokens > 0 {
		o.MaxTokens = max(a.req.MaxTokens-a.usage.CompletionTokens, 1)
	}
	tokenizer := a.llm.Tokenizer()
	var reason llm.StopReason
	begin, count := time.Now(), 0
	for chunk, err := range a.session.Generate(ctx, o) {
		if err != nil {
			return "", err
		}
		a.written = append(a.written, chunk.Tokens...)
		a.watch(chunk.Tokens)
		count += len(chunk.Tokens)
		text := chunk.Text
		for _, id := range chunk.Tokens { // the parser must see this one; all other special tokens have no text
			if name := tokenizer.SpecialName(id); name == "<|python_tag|>" {
				text = name + text
			}
		}
		if text != "" && !take(text) {
			return "", nil
		}
		if chunk.Final() {
			reason = chunk.StopReason
			a.usage.CompletionTokens += max(chunk.Usage.CompletionTokens, 1) // the stop token is one
			a.usage.ForwardPasses += chunk.Usage.ForwardPasses
			a.usage.DecodeTime += chunk.Usage.DecodeTime
			a.usage.PrefillTime += chunk.Usage.PrefillTime
		} else if a.repeats > 0 && a.onRepeat == nil {
			a.usage.CompletionTokens += count
			a.usage.DecodeTime += time.Since(begin)
			return stopRepetition, nil
		}
	}
	if reason == llm.StopReasonCancelled {
		if err := ctx.Err(); err != nil {
			return "", err
		}
	}
	if a.repeats > 0 {
		reason = stopRepetition
	}
	return reason, nil
}

// watch looks for repetition in what is written, unless the request allows it.
func (a *answer) watch(tokens []llm.Token) {
	if a.req.AllowRepetition {
		return
	}
	for _, t := range tokens {
		if period := a.repetition.next(t); period > 0 && a.repeats == 0 {
			if a.repeats = period; a.onRepeat != nil {
				a.onRepeat()
			}
		}
	}
}

// writeText writes an answer in words. Where tools are on offer, it begins as no call does.
func (a *answer) writeText(ctx context.Context) error {
	o := llm.GenerateOptions{Stop: a.req.Stop}
	switch {
	case a.form == formMarked:
		o.Constraint = a.copyingResult(without(a.markers))
	case a.form != formParsed && len(a.req.Tools) > 0 && a.req.ToolChoice.Mode != prompts.ToolChoiceNone:
		o.Constraint = &notOpening{openers: a.openers()}
	}
	return a.writeParsed(ctx, o)
}

// writeFree lets the model write as it likes, and parses.
func (a *answer) writeFree(ctx context.Context) error {
	o := llm.GenerateOptions{Stop: a.req.Stop}
	if opener := a.opener(); opener != "" {
		o.Constraint = &opening{tokens: a.llm.Tokenizer().Encode(nil, opener)}
	}
	return a.writeParsed(ctx, o)
}

// writeParsed lets the model write, and parses: text is given away, calls are handed over.
func (a *answer) writeParsed(ctx context.Context, o llm.GenerateOptions) error {
	tools := a.req.Tools
	if tools == nil || a.form == formMarked || a.req.ToolChoice.Mode == prompts.ToolChoiceNone {
		tools = []prompts.ToolDefinition{} // everything is text
	}
	stream := a.template.Parser().Stream(tools)
	reason, err := a.run(ctx, o, func(text string) bool { return a.say(stream.Write(text)) })
	if err != nil || a.stopped {
		return err
	}
	rest, reply, err := stream.Close()
	if !a.say(rest) {
		return nil
	}
	if err != nil {
		if !a.send(prompts.Delta{CallError: err}) {
			return nil
		}
	}
	if reason == stopRepetition {
		a.trimRepetition()
	}
	for _, call := range reply.ToolCalls {
		if !a.call(call.Name, call.Arguments) {
			return nil
		}
	}
	a.done(reason)
	return nil
}

// opener is the beginning of a call, when one is required: the model goes on from there.
func (a *answer) opener() string {
	pythonic := a.form == formPythonic
	switch a.req.ToolChoice.Mode {
	case prompts.ToolChoiceNamed:
		if pythonic {
			return "[" + a.req.ToolChoice.Name + "("
		}
		return `{"name": "` + a.req.ToolChoice.Name + `", "parameters": {`
	case prompts.ToolChoiceRequired:
		if pythonic {
			return "["
		}
		return `{"name": "`
	}
	return ""
}

// opening is a constraint that forces the first tokens and leaves the rest free.
type opening struct{ tokens []llm.Token }

func (o *opening) Forced(dst []llm.Token) []llm.Token { return append(dst, o.tokens...) }
func (o *opening) Mask([]float32) error               { return nil }
func (o *opening) Done() bool                         { return false }

func (o *opening) Accept(t llm.Token) error {
	if len(o.tokens) > 0 {
		o.tokens = o.tokens[1:]
	}
	return nil
}

// say gives text away, if there is any.
func (a *answer) say(text string) bool {
	if text == "" {
		return true
	}
	a.text = append(a.text, text...)
	return a.send(prompts.Delta{Text: text})
}

// call hands over a call, with an id that no earlier call of the conversation has.
func (a *answer) call(name string, arguments []byte) bool {
	n := len(a.calls) + 1
	for _, message := range a.req.Messages {
		n += len(message.ToolCalls)
	}
	call := prompts.ToolCall{ID: fmt.Sprintf("call_%d", n), Name: name, Arguments: arguments}
	a.calls = append(a.calls, call)
	return a.send(prompts.Delta{ToolCall: &call})
}

// done closes the message.
func (a *answer) done(reason llm.StopReason) {
	c := prompts.Completion{StopReason: prompts.StopReasonStop, Usage: a.usage, Message: prompts.Assistant(string(a.text))}
	c.Message.ToolCalls, c.Message.Tokens = a.calls, a.written
	switch {
	case len(a.calls) > 0:
		c.StopReason = prompts.StopReasonToolCalls
	case reason == llm.StopReasonLength:
		c.StopReason = prompts.StopReasonLength
	case reason == stopRepetition:
		c.StopReason = prompts.StopReasonRepetition
	}
	a.send(prompts.Delta{Done: &c})
}
