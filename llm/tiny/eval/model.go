package main

import (
	"context"
	"strings"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/prompts"
)

// model is the model that is measured.
type model struct {
	chat  *chat.Model
	free  bool
	calls int // that one message may have, 0 for the model's default
	close func()
}

func openModel(o options) (*model, error) {
	var weights *llm.Model
	var err error
	if o.model == tiny.Name {
		weights, err = tiny.Open(llm.Threads(1))
	} else {
		weights, err = llm.Open(o.model)
	}
	if err != nil {
		return nil, err
	}
	var settings []chat.Option
	if o.threshold >= 0 {
		settings = append(settings, chat.WithCallThreshold(o.threshold))
	}
	if o.copyBias >= 0 {
		settings = append(settings, chat.WithCopyBias(o.copyBias))
	}
	c, err := chat.New(weights, settings...)
	if err != nil {
		weights.Close()
		return nil, err
	}
	return &model{chat: c, free: o.free, calls: o.maxCalls, close: func() { c.Close(); weights.Close() }}, nil
}

// reply lets the model write one message, greedily.
func (m *model) reply(ctx context.Context, c testCase) (reply, error) {
	var out reply
	var text strings.Builder
	req := prompts.Request{
		Messages: c.Messages, Tools: c.Tools, MaxTokens: 256, Sampling: prompts.Greedy(), ToolsInUserMessage: true, Free: m.free,
		ToolChoice: prompts.ToolChoice{MaxCalls: m.calls}, Schema: c.Schema,
	}
	for delta, err := range m.chat.Generate(ctx, req) {
		switch {
		case err != nil:
			return out, err
		case delta.Text != "":
			text.WriteString(delta.Text)
		case delta.ToolCall != nil:
			out.calls = append(out.calls, *delta.ToolCall)
		case delta.CallError != nil:
			out.err = delta.CallError
		}
	}
	out.text = text.String()
	if c.Schema != nil {
		out.calls = []prompts.ToolCall{{Name: c.Expect.Calls[0].Name, Arguments: []byte(out.text)}}
	}
	return out, nil
}
