package langchain_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/llm/langchain"
)

// listener notes what it hears.
type listener struct {
	callbacks.SimpleHandler
	heard []string
}

func (l *listener) HandleLLMGenerateContentStart(_ context.Context, messages []llms.MessageContent) {
	l.heard = append(l.heard, "start "+messages[0].Parts[0].(llms.TextContent).Text)
}

func (l *listener) HandleLLMGenerateContentEnd(_ context.Context, r *llms.ContentResponse) {
	l.heard = append(l.heard, "end "+r.Choices[0].Content)
}

func (l *listener) HandleLLMError(_ context.Context, err error) {
	var ours *llms.Error
	if !errors.As(err, &ours) {
		l.heard = append(l.heard, "no llms.Error")
	}
	l.heard = append(l.heard, "error")
}

func (l *listener) HandleStreamingFunc(_ context.Context, chunk []byte) {
	l.heard = append(l.heard, "piece "+string(chunk))
}

func TestCallbacks(t *testing.T) {
	broken := errors.New("broken")
	drain := func(ctx context.Context, m *langchain.LLM, options ...llms.CallOption) error {
		stream, err := m.GenerateContentStream(ctx, ask("Hello!"), options...)
		if err != nil {
			return err
		}
		last := llms.ContentResponse{}
		for last = range stream {
		}
		if len(last.Choices) > 0 && last.Choices[0].StopReason == "error" {
			return last.Choices[0].GenerationInfo["Error"].(error)
		}
		return nil
	}
	call := func(ctx context.Context, m *langchain.LLM, options ...llms.CallOption) error {
		_, err := m.GenerateContent(ctx, ask("Hello!"), options...)
		return err
	}
	refused := llms.WithMinLength(3)
	for name, c := range map[string]struct {
		reply   agenttest.Reply
		options []llms.CallOption
		run     func(context.Context, *langchain.LLM, ...llms.CallOption) error
		fails   bool
		want    []string
	}{
		"call":            {agenttest.Say("one two"), nil, call, false, []string{"start Hello!", "end one two"}},
		"stream":          {agenttest.Say("one two"), nil, drain, false, []string{"start Hello!", "piece one ", "piece two", "end one two"}},
		"call fails":      {agenttest.Fail("one ", broken), nil, call, true, []string{"start Hello!", "error"}},
		"stream fails":    {agenttest.Fail("one ", broken), nil, drain, true, []string{"start Hello!", "piece one ", "error"}},
		"first fails":     {agenttest.Fail("", broken), nil, drain, true, []string{"start Hello!", "error"}},
		"refused":         {agenttest.Say("x"), []llms.CallOption{refused}, call, true, []string{"start Hello!", "error"}},
		"refused, stream": {agenttest.Say("x"), []llms.CallOption{refused}, drain, true, []string{"start Hello!", "error"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &listener{}
			model := langchain.New(agenttest.NewScript(c.reply), langchain.WithCallbacks(l))
			if err := c.run(context.Background(), model, c.options...); (err != nil) != c.fails {
				t.Errorf("error %v, want one: %v", err, c.fails)
			}
			if !slices.Equal(l.heard, c.want) {
				t.Errorf("heard %q, want %q", l.heard, c.want)
			}
		})
	}
	t.Run("canceled", func(t *testing.T) {
		l := &listener{}
		ctx, cancel := context.WithCancel(context.Background())
		stream, err := langchain.New(agenttest.NewScript(agenttest.Block("a b c")), langchain.WithCallbacks(l)).GenerateContentStream(ctx, ask("x"))
		if err != nil {
			t.Fatal(err)
		}
		<-stream
		cancel()
		for range stream { // ends
		}
		if last := l.heard[len(l.heard)-1]; last != "error" {
			t.Errorf("heard %q, want an error last", l.heard)
		}
	})
}

// Several choices cost one prefill: all but the first have the whole prompt in their cache, but for the token that the logits
// come from.
func TestChoicesShareThePrompt(t *testing.T) {
	model := langchain.New(embedded(t))
	response, err := model.GenerateContent(context.Background(), ask("Hello! "+strings.Repeat("It is a long story. ", 20)),
		llms.WithN(4), llms.WithTemperature(1), llms.WithMaxTokens(8))
	if err != nil {
		t.Fatal(err)
	}
	prompt := response.Choices[0].GenerationInfo["PromptTokens"].(int)
	for i, choice := range response.Choices {
		cached := choice.GenerationInfo["CachedTokens"].(int)
		if i == 0 && cached != 0 || i > 0 && cached < prompt-1 || prompt < 100 {
			t.Errorf("choice %d read %d tokens and had %d of them", i, prompt, cached)
		}
	}
}

// Zeros that were set are settings: a temperature of 0 is greedy whatever the seed, and a seed of 0 is a seed like any other.
func TestZeros(t *testing.T) {
	model := langchain.New(embedded(t))
	say := func(options ...llms.CallOption) *llms.ContentChoice {
		return generate(t, model, ask("Hello!"), append(options, llms.WithMaxTokens(12))...)
	}
	greedy := say(llms.WithTemperature(0), llms.WithSeed(1)).Content
	for seed := range 5 {
		if again := say(llms.WithTemperature(0), llms.WithSeed(seed), llms.WithTopP(0.9)).Content; again != greedy {
			t.Errorf("at temperature 0, seed %d says %q, seed 1 %q", seed, again, greedy)
		}
	}
	zero := say(llms.WithTemperature(3), llms.WithSeed(0))
	if seed := zero.GenerationInfo["Seed"]; seed != uint64(0) {
		t.Errorf("the seed is %v, want 0", seed)
	}
	for range 3 {
		if again := say(llms.WithTemperature(3), llms.WithSeed(0)).Content; again != zero.Content {
			t.Errorf("seed 0 says %q and then %q", zero.Content, again)
		}
	}
	if other := say(llms.WithTemperature(3), llms.WithSeed(1)).Content; other == zero.Content {
		t.Errorf("seeds 0 and 1 say the same: %q", other)
	}
}
