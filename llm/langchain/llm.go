package langchain

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/prompts"
)

// LLM is a langchaingo model. It is safe for concurrent use as far as the model under it is; package chat's is.
type LLM struct {
	model   agent.Model
	aliases []string
	texts   Embedder // nil if the model itself embeds, or nobody
	// CallbacksHandler, if not nil, hears of each GenerateContent and GenerateContentStream.
	CallbacksHandler callbacks.Handler
}

var (
	_ llms.Model                = (*LLM)(nil)
	_ llms.ReasoningModel       = (*LLM)(nil)
	_ callbacks.HandlerHaver    = (*LLM)(nil)
	_ embeddings.EmbedderClient = (*LLM)(nil)
)

// Option is a setting of [New].
type Option func(*LLM)

// WithAliases sets names that llms.WithModel may use for the model, beside its own.
func WithAliases(names ...string) Option { return func(l *LLM) { l.aliases = names } }

// WithCallbacks sets who hears of each call.
func WithCallbacks(h callbacks.Handler) Option { return func(l *LLM) { l.CallbacksHandler = h } }

// New returns a langchaingo model on top of a model, which stays the caller's.
func New(model agent.Model, options ...Option) *LLM {
	l := &LLM{model: model}
	for _, option := range options {
		option(l)
	}
	return l
}

// SupportsReasoning implements llms.ReasoningModel: Llama 3.2 has no reasoning of its own.
func (l *LLM) SupportsReasoning() bool { return false }

// GetCallbackHandler implements callbacks.HandlerHaver.
func (l *LLM) GetCallbackHandler() callbacks.Handler { return l.CallbacksHandler }

// Call implements llms.Model: one prompt, one text.
func (l *LLM) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, l, prompt, options...)
}

// GenerateContent implements llms.Model. Every error is an [*llms.Error]; see the package for what is refused.
func (l *LLM) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	l.started(ctx, messages)
	response, err := l.generate(ctx, messages, options)
	l.ended(ctx, response, err)
	return response, err
}

// started tells the callbacks of a call.
func (l *LLM) started(ctx context.Context, messages []llms.MessageContent) {
	if l.CallbacksHandler != nil {
		l.CallbacksHandler.HandleLLMGenerateContentStart(ctx, messages)
	}
}

// ended tells the callbacks how a call ended.
func (l *LLM) ended(ctx context.Context, response *llms.ContentResponse, err error) {
	switch {
	case l.CallbacksHandler == nil:
	case err != nil:
		l.CallbacksHandler.HandleLLMError(ctx, err)
	default:
		l.CallbacksHandler.HandleLLMGenerateContentEnd(ctx, response)
	}
}

func (l *LLM) generate(ctx context.Context, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
	c, err := l.newCall(messages, options)
	if err != nil {
		return nil, err
	}
	response := &llms.ContentResponse{}
	for i := range c.choices {
		var stream func(string) error
		if i == 0 { // the pieces carry no number, so that those of two choices could not be told apart
			stream = func(text string) error { return c.stream(ctx, text) }
		}
		choice, err := collect(l.model.Generate(ctx, c.choice(i)), stream)
		if err != nil {
			return nil, asError(err)
		}
		if c.sampled {
			choice.GenerationInfo["Seed"] = c.seed + uint64(i)
		}
		response.Choices = append(response.Choices, choice)
	}
	return response, nil
}

// call is what one GenerateContent asks for.
type call struct {
	request prompts.Request
	choices int
	sampled bool   // tokens are drawn
	seed    uint64 // of the first choice, when sampled

	streaming func(ctx context.Context, chunk []byte) error
	reasoning func(ctx context.Context, reasoning, chunk []byte) error
}

// choice is the request of choice i.
func (c *call) choice(i int) prompts.Request {
	request := c.request
	if c.sampled {
		request.Sampling.Seed = prompts.Set(c.seed + uint64(i))
	}
	return request
}

// drawsLots settles whether tokens are drawn, and with which seed.
func (c *call) drawsLots() {
	if t := c.request.Sampling.Temperature; t == nil || *t == 0 {
		return
	}
	c.sampled, c.seed = true, uint64(rand.Uint32()) // short enough for llms.WithSeed on every machine
	if c.request.Sampling.Seed != nil {
		c.seed = *c.request.Sampling.Seed
	}
}

// stream hands a piece of text to whoever listens.
func (c *call) stream(ctx context.Context, text string) error {
	if c.streaming != nil {
		if err := c.streaming(ctx, []byte(text)); err != nil {
			return fmt.Errorf("the streaming function stopped the answer: %w", err)
		}
	}
	if c.reasoning != nil {
		if err := c.reasoning(ctx, nil, []byte(text)); err != nil {
			return fmt.Errorf("the streaming function stopped the answer: %w", err)
		}
	}
	return nil
}

// collect reads an answer to its end.
func collect(deltas iter.Seq2[prompts.Delta, error], stream func(string) error) (*llms.ContentChoice, error) {
	var unreadable error
	for delta, err := range deltas {
		switch {
		case err != nil:
			return nil, err
		case delta.Text != "" && stream != nil:
			if err := stream(delta.Text); err != nil {
				return nil, err
			}
		case delta.CallError != nil:
			unreadable = delta.CallError
		case delta.Done != nil:
			return choiceOf(delta.Done, unreadable)
		}
	}
	return nil, errors.New("the model's stream ended without an end")
}

// choiceOf turns the end of an answer into a choice.
func choiceOf(done *prompts.Completion, unreadable error) (*llms.ContentChoice, error) {
	message := done.Message
	if unreadable != nil && message.Content == "" && len(message.ToolCalls) == 0 && done.StopReason != prompts.StopReasonLength {
		return nil, unreadable // an empty answer would hide it
	}
	u, reason := done.Usage, done.StopReason
	if reason == prompts.StopReasonRepetition { // langchaingo has no word for it
		reason = prompts.StopReasonLength
	}
	choice := &llms.ContentChoice{Content: message.Content, StopReason: string(reason), GenerationInfo: map[string]any{
		"PromptTokens": u.PromptTokens, "CompletionTokens": u.CompletionTokens, "TotalTokens": u.PromptTokens + u.CompletionTokens,
		"CachedTokens": u.CachedTokens, "PromptCachedTokens": u.CachedTokens,
		"PrefillSeconds": u.PrefillTime.Seconds(), "DecodeSeconds": u.DecodeTime.Seconds(),
	}}
	if u.ForwardPasses > 0 {
		choice.GenerationInfo["ForwardPasses"] = u.ForwardPasses
	}
	if reason != done.StopReason {
		choice.GenerationInfo["Repetition"] = true
	}
	if unreadable != nil {
		choice.GenerationInfo["CallError"] = unreadable.Error()
	}
	for _, c := range message.ToolCalls {
		choice.ToolCalls = append(choice.ToolCalls, llms.ToolCall{
			ID: c.ID, Type: functionType, FunctionCall: &llms.FunctionCall{Name: c.Name, Arguments: string(c.Arguments)},
		})
	}
	if len(choice.ToolCalls) > 0 {
		choice.FuncCall = choice.ToolCalls[0].FunctionCall
	}
	return choice, nil
}
