package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/prompts"
)

// reply is what drover's model wrote in a step.
type reply struct {
	request prompts.Request
	message prompts.Message
}

// droverTurn takes the turn with drover's agent. Nothing steers the model but its grammar: the steps must call a tool, and the
// last must not.
func droverTurn(ctx context.Context, model agent.Model) (cost, []reply, error) {
	var (
		c       cost
		replies []reply
	)
	steer := func(next agent.GenerateFunc) agent.GenerateFunc {
		return func(ctx context.Context, req prompts.Request) iter.Seq2[prompts.Delta, error] {
			req.ToolChoice = prompts.ToolChoice{Mode: prompts.ToolChoiceRequired}
			if len(replies) == toolSteps {
				req.ToolChoice.Mode, req.MaxTokens = prompts.ToolChoiceNone, answerTokens
			}
			return func(yield func(prompts.Delta, error) bool) {
				for d, err := range next(ctx, req) {
					if d.Done != nil {
						u := d.Done.Usage
						c.steps = append(c.steps, step{
							u.PromptTokens, u.CachedTokens, u.CompletionTokens, len(d.Done.Message.Tokens), u.PrefillTime, u.DecodeTime,
						})
						replies = append(replies, reply{req, d.Done.Message})
					}
					if !yield(d, err) {
						return
					}
				}
			}
		}
	}
	if err := forget(ctx, model); err != nil {
		return c, nil, err
	}
	limits := agent.DefaultLimits()
	limits.RepeatedCalls, limits.Time = 0, 0 // random weights may call the same tool again
	options := []agent.Option{agent.WithSystem(system), agent.WithLimits(limits), agent.WithMiddleware(agent.Middleware{Generate: steer})}
	for _, t := range turnTools {
		options = append(options, agent.WithTools(t.droverTool()))
	}
	begin, cpu := time.Now(), cpuTime()
	a, err := agent.New(model, options...)
	if err != nil {
		return c, nil, err
	}
	result, err := a.Ask(ctx, question)
	c.wall, c.cpu = time.Since(begin), cpuTime()-cpu
	if err != nil {
		return c, nil, err
	}
	if n := len(replies); n != toolSteps+1 {
		return c, nil, fmt.Errorf("the turn ended with %s after %d steps, want %d", result.StopReason, n, toolSteps+1)
	}
	return c, replies, nil
}

// forget makes the model answer something else, so that it keeps nothing of the turn before, if it keeps one conversation.
func forget(ctx context.Context, model agent.Model) error {
	for _, err := range model.Generate(ctx, prompts.Request{Messages: []prompts.Message{prompts.User("x")}, MaxTokens: 1}) {
		if err != nil {
			return err
		}
	}
	return nil
}
