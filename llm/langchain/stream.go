package langchain

import (
	"context"
	"errors"
	"iter"

	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/prompts"
)

// GenerateContentStream writes one answer into a channel: a response for each piece of text, and a last one without text that
// has the stop reason, the tool calls and the GenerationInfo. What goes wrong before the first piece is returned; later, the
// last response has the stop reason "error" and the error as GenerationInfo["Error"]. Whoever stops reading must cancel ctx.
// Several choices are refused, and so are streaming functions beside the channel.
//
// The callbacks hear of the start, of each piece, and of the end, with the whole text, or the error.
func (l *LLM) GenerateContentStream(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (<-chan llms.ContentResponse, error) {
	l.started(ctx, messages)
	out, err := l.openStream(ctx, messages, options)
	if err != nil {
		l.ended(ctx, nil, err)
	}
	return out, err
}

func (l *LLM) openStream(ctx context.Context, messages []llms.MessageContent, options []llms.CallOption) (<-chan llms.ContentResponse, error) {
	c, err := l.newCall(messages, options)
	switch {
	case err != nil:
		return nil, err
	case c.choices > 1:
		return nil, refuse(llms.ErrCodeInvalidRequest, "%d choices cannot be told apart in one stream; ask for one, or use GenerateContent", c.choices)
	case c.streaming != nil || c.reasoning != nil:
		return nil, refuse(llms.ErrCodeInvalidRequest, "a streaming function is set beside the channel; read one of the two")
	}
	next, stop := iter.Pull2(l.model.Generate(ctx, c.choice(0)))
	first, err, ok := next()
	if err != nil || !ok {
		stop()
		if err == nil {
			err = errors.New("the model's stream is empty")
		}
		return nil, asError(err)
	}
	out := make(chan llms.ContentResponse)
	go func() {
		defer close(out)
		defer stop()
		send := func(choice *llms.ContentChoice) error {
			select {
			case out <- llms.ContentResponse{Choices: []*llms.ContentChoice{choice}}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		choice, err := collect(resume(first, next), func(text string) error {
			if l.CallbacksHandler != nil {
				l.CallbacksHandler.HandleStreamingFunc(ctx, []byte(text))
			}
			return send(&llms.ContentChoice{Content: text})
		})
		if err != nil {
			err = asError(err)
			l.ended(ctx, nil, err)
			_ = send(&llms.ContentChoice{StopReason: "error", GenerationInfo: map[string]any{"Error": err}})
			return
		}
		if c.sampled {
			choice.GenerationInfo["Seed"] = c.seed
		}
		l.ended(ctx, &llms.ContentResponse{Choices: []*llms.ContentChoice{choice}}, nil)
		last := *choice
		last.Content = "" // it was streamed
		_ = send(&last)   // nobody reads after ctx
	}()
	return out, nil
}

// resume is a stream again, with the first delta that was taken off it.
func resume(first prompts.Delta, next func() (prompts.Delta, error, bool)) iter.Seq2[prompts.Delta, error] {
	return func(yield func(prompts.Delta, error) bool) {
		delta, err, ok := first, error(nil), true
		for ok && yield(delta, err) {
			delta, err, ok = next()
		}
	}
}
