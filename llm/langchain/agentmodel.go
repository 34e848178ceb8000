package langchain

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/prompts"
)

// AgentModel is an [agent.Model] that a langchaingo provider answers for. It is safe for concurrent use if the provider is.
//
// What a provider is told of a request: messages, tools, tool choice, token limit, stop sequences, and the sampling settings
// that are set. Date and the place of the tools belong to a template, which the provider has its own of. MinP has no call
// option, and a schema only [WithSchemaOption]: they are refused with an [*UnsupportedError]. A provider may do less than it
// is told: many leave out a temperature of zero, or ignore tools.
type AgentModel struct {
	llm           llms.Model
	name          string
	contextLength int
	streamCalls   bool
	schema        func(json.RawMessage) llms.CallOption
}

var (
	_ agent.Model           = (*AgentModel)(nil)
	_ agent.ContextLengther = (*AgentModel)(nil)
	_ agent.Constrainer     = (*AgentModel)(nil)
)

// AgentOption is a setting of [NewAgentModel].
type AgentOption func(*AgentModel)

// WithContextLength tells how many tokens the provider's model takes. Without it, 0: not known.
func WithContextLength(tokens int) AgentOption {
	return func(m *AgentModel) { m.contextLength = tokens }
}

// WithTextOnlyStream says that the provider streams nothing but text. Without it, an answer that may be a call is not
// streamed but comes whole, because langchaingo's OpenAI provider pushes calls as JSON into the stream of text.
func WithTextOnlyStream() AgentOption { return func(m *AgentModel) { m.streamCalls = true } }

// WithSchemaOption says how the provider is told a JSON Schema that it can only keep; [WithJSONSchema] is the one of [LLM].
func WithSchemaOption(option func(schema json.RawMessage) llms.CallOption) AgentOption {
	return func(m *AgentModel) { m.schema = option }
}

// NewAgentModel makes an agent's model of a langchaingo provider. The name is for results and logs: providers have none.
func NewAgentModel(model llms.Model, name string, options ...AgentOption) *AgentModel {
	m := &AgentModel{llm: model, name: name}
	for _, option := range options {
		option(m)
	}
	return m
}

// UnsupportedError says what langchaingo has no call option for. It is [errors.ErrUnsupported].
type UnsupportedError struct{ Setting string }

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("langchaingo has no call option for %s; leave it out", e.Setting)
}

// Unwrap returns [errors.ErrUnsupported].
func (e *UnsupportedError) Unwrap() error { return errors.ErrUnsupported }

// Name implements [agent.Model].
func (m *AgentModel) Name() string { return m.name }

// ContextLength implements [agent.ContextLengther].
func (m *AgentModel) ContextLength() int { return m.contextLength }

// ConstrainsAnswers implements [agent.Constrainer].
func (m *AgentModel) ConstrainsAnswers() bool { return m.schema != nil }

// Generate implements [agent.Model]. When ctx ends, it ends at once, even if the provider goes on. Tool calls whose ID is
// missing or was used before get a new one. An error that says an HTTP status or that nobody answers is an [*llms.Error] with the
// code of it, such as ErrCodeRateLimit, and where it may pass an [*agent.TransientError] too, so that the agent asks again (see
// [agent.WithRetry], and [HTTPClient] for what the server asks to wait); nothing is tried again here. Usage is what the provider reports, zero if it does not; its times are measured
// here: until the first piece, and from there.
func (m *AgentModel) Generate(ctx context.Context, req prompts.Request) iter.Seq2[prompts.Delta, error] {
	return func(yield func(prompts.Delta, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(prompts.Delta{}, err)
			return
		}
		options, err := m.options(req)
		if err != nil {
			yield(prompts.Delta{}, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // a provider that is no longer read stops
		r := &reply{name: m.name, req: req, yield: yield, began: time.Now()}
		ctx = withRefusal(ctx, &r.refusal)
		if err := r.read(ctx, m.ask(ctx, req, options)); err != nil && !r.stopped {
			yield(prompts.Delta{}, err)
		}
	}
}

// piece is what a provider has written: a piece of text, or the end.
type piece struct {
	text     string
	response *llms.ContentResponse
	err      error
}

// ask runs the provider in a goroutine of its own, because it may not look at ctx.
func (m *AgentModel) ask(ctx context.Context, req prompts.Request, options []llms.CallOption) <-chan piece {
	pieces := make(chan piece, 1)
	send := func(p piece) error {
		select {
		case pieces <- p:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if m.streamCalls || len(req.Tools) == 0 {
		options = append(options, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			return send(piece{text: string(chunk)})
		}))
	}
	go func() {
		var p piece
		defer func() {
			if value := recover(); value != nil { // a provider's mistake must not end the program
				p = piece{err: fmt.Errorf("the provider panicked: %v", value)}
			}
			_ = send(p) // nobody reads after ctx
		}()
		p.response, p.err = m.llm.GenerateContent(ctx, fromMessages(req.Messages), options...)
		if p.err == nil && p.response == nil {
			p.err = errors.New("the provider returned neither a response nor an error")
		}
	}()
	return pieces
}

// options are the call options of a request.
func (m *AgentModel) options(req prompts.Request) ([]llms.CallOption, error) {
	var out []llms.CallOption
	if len(req.Schema) > 0 {
		if m.schema == nil {
			return nil, &UnsupportedError{"a JSON Schema"}
		}
		out = append(out, m.schema(req.Schema))
	}
	s := req.Sampling
	if s.MinP != nil && *s.MinP != 0 {
		return nil, &UnsupportedError{"min-p"}
	}
	for _, f := range []struct {
		value  *float64
		option func(float64) llms.CallOption
	}{
		{s.Temperature, llms.WithTemperature}, {s.TopP, llms.WithTopP}, {s.RepetitionPenalty, llms.WithRepetitionPenalty},
		{s.PresencePenalty, llms.WithPresencePenalty}, {s.FrequencyPenalty, llms.WithFrequencyPenalty},
	} {
		if f.value != nil {
			out = append(out, f.option(*f.value))
		}
	}
	if s.TopK != nil {
		out = append(out, llms.WithTopK(*s.TopK))
	}
	if s.Seed != nil {
		out = append(out, llms.WithSeed(int(*s.Seed&math.MaxInt))) // any seed will do, as long as it is always the same
	}
	if req.MaxTokens > 0 {
		out = append(out, llms.WithMaxTokens(req.MaxTokens))
	}
	if len(req.Stop) > 0 {
		out = append(out, llms.WithStopWords(req.Stop))
	}
	if len(req.Tools) == 0 {
		return out, nil
	}
	tools, err := fromTools(req.Tools)
	if err != nil {
		return nil, err
	}
	out = append(out, llms.WithTools(tools))
	if c := req.ToolChoice; c.MaxCalls > 0 || c.Threshold != nil {
		return nil, errors.New("a limit of calls and a call threshold cannot be asked of a langchaingo provider; leave them out")
	}
	switch c := req.ToolChoice; c.Mode {
	case prompts.ToolChoiceNamed:
		out = append(out, llms.WithToolChoice(llms.ToolChoice{Type: functionType, Function: &llms.FunctionReference{Name: c.Name}}))
	case prompts.ToolChoiceNone, prompts.ToolChoiceRequired:
		out = append(out, llms.WithToolChoice(string(c.Mode)))
	}
	return out, nil
}

// fromTools turns tools into langchaingo's. A tool without parameters has an object without properties.
func fromTools(tools []prompts.ToolDefinition) ([]llms.Tool, error) {
	out := make([]llms.Tool, len(tools))
	for i, d := range tools {
		var parameters any = map[string]any{"type": "object", "properties": map[string]any{}}
		if len(d.Parameters) > 0 {
			if err := json.Unmarshal(d.Parameters, &parameters); err != nil {
				return nil, fmt.Errorf("the parameters of %s are no JSON: %w", d.Name, err)
			}
		}
		out[i] = llms.Tool{Type: functionType, Function: &llms.FunctionDefinition{Name: d.Name, Description: d.Description, Parameters: parameters}}
	}
	return out, nil
}

// fromMessages turns messages into langchaingo's, each tool result into one of its own.
func fromMessages(messages []prompts.Message) []llms.MessageContent {
	out := make([]llms.MessageContent, len(messages))
	for i, m := range messages {
		switch m.Role {
		case prompts.RoleSystem:
			out[i] = llms.TextParts(llms.ChatMessageTypeSystem, m.Content)
		case prompts.RoleAssistant:
			out[i].Role = llms.ChatMessageTypeAI
			text := m.Content
			if i+1 < len(messages) && isNoCall(messages[i+1]) && len(m.ToolCalls) == 0 {
				text = cmp.Or(text, "(a call that cannot be read)") // some servers refuse a message with nothing in it
			}
			if text != "" || len(m.ToolCalls) == 0 {
				out[i].Parts = append(out[i].Parts, llms.TextPart(text))
			}
			for _, c := range m.ToolCalls {
				out[i].Parts = append(out[i].Parts, llms.ToolCall{
					ID: c.ID, Type: functionType, FunctionCall: &llms.FunctionCall{Name: c.Name, Arguments: string(c.Arguments)},
				})
			}
		case prompts.RoleTool, "tool":
			if isNoCall(m) { // servers want the ID of a call
				out[i] = llms.TextParts(llms.ChatMessageTypeHuman, m.Content)
				continue
			}
			out[i] = llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
				llms.ToolCallResponse{ToolCallID: m.ToolCallID, Name: m.Name, Content: m.Content},
			}}
		default:
			out[i] = llms.TextParts(llms.ChatMessageTypeHuman, m.Content)
		}
	}
	return out
}

// isNoCall reports whether a message tells the model what is wrong with what it wrote as a call.
func isNoCall(m prompts.Message) bool {
	return (m.Role == prompts.RoleTool || m.Role == "tool") && m.ToolCallID == ""
}

// reply is an answer while a provider writes it.
type reply struct {
	name    string
	req     prompts.Request
	yield   func(prompts.Delta, error) bool
	stopped bool // the caller reads no further
	refusal atomic.Pointer[refusal]

	began, first time.Time
	held         string // the beginning of a character
	text         strings.Builder
	calls        []prompts.ToolCall
}

func (r *reply) send(d prompts.Delta) bool {
	r.stopped = r.stopped || !r.yield(d, nil)
	return !r.stopped
}

func (r *reply) read(ctx context.Context, pieces <-chan piece) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p := <-pieces:
			if r.first.IsZero() {
				r.first = time.Now()
			}
			switch {
			case p.err != nil:
				if ctx.Err() != nil {
					return ctx.Err() // in whatever words the provider says so
				}
				return providerError(r.name, p.err, r.refusal.Load())
			case p.response != nil:
				return r.end(p.response)
			case !r.say(p.text):
				return nil
			}
		}
	}
}

// say gives text away, up to the last whole character. Bytes that are no text become the replacement character.
func (r *reply) say(text string) bool {
	text = r.held + text
	r.held = ""
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if tail := text[len(text)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRuneInString(tail) {
				r.held, text = tail, text[:len(text)-i]
			}
			break
		}
	}
	if text = strings.ToValidUTF8(text, "\uFFFD"); text == "" {
		return true
	}
	r.text.WriteString(text)
	return r.send(prompts.Delta{Text: text})
}

// end hands over what was not streamed, the calls, and the end.
func (r *reply) end(response *llms.ContentResponse) error {
	text, reason, calls := merge(response)
	if rest, ok := strings.CutPrefix(text, r.text.String()+r.held); ok && !r.say(rest) {
		return nil // else the provider streamed something that it then tidied; what was said stays said
	}
	if r.held != "" && !r.flush() {
		return nil
	}
	for _, c := range calls {
		delta := prompts.Delta{}
		if call, err := r.call(c); err != nil {
			delta.CallError = err
		} else {
			r.calls = append(r.calls, *call)
			delta.ToolCall = call
		}
		if !r.send(delta) {
			return nil
		}
	}
	done := prompts.Completion{StopReason: stopReason(reason), Message: prompts.Assistant(r.text.String()), Usage: usageOf(response)}
	if done.Message.ToolCalls = r.calls; len(r.calls) > 0 && done.StopReason != prompts.StopReasonLength {
		done.StopReason = prompts.StopReasonToolCalls
	}
	if filtered(reason) {
		return refuse(llms.ErrCodeContentFilter, "the provider's filter stopped the answer (%s)", reason)
	}
	done.Usage.PrefillTime, done.Usage.DecodeTime = r.first.Sub(r.began), time.Since(r.first)
	r.send(prompts.Delta{Done: &done})
	return nil
}

// flush gives away the beginning of a character whose end never came.
func (r *reply) flush() bool {
	r.held = ""
	r.text.WriteString("\uFFFD")
	return r.send(prompts.Delta{Text: "\uFFFD"})
}
