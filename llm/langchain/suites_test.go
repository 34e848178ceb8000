package langchain_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms/compliance"
	"github.com/tmc/langchaingo/testing/llmtest"

	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/langchain"
	"github.com/drover-ai/drover/prompts"
)

// langchaingo's two suites ask for knowledge as well as for mechanics: a hello, the days of the week. They run three times.
//
//   - On the embedded model, without the cases that ask for knowledge, which it has none of: it calls tools.
//   - In full over answers from a table, cut at the request's stop words and token limit: does the adapter pass all through?
//   - In full on the file that DROVER_LANGCHAIN_MODEL names, for whoever has Llama 3.2's weights.

func TestSuitesEmbedded(t *testing.T) {
	model := langchain.New(embedded(t))
	t.Run("llmtest", func(t *testing.T) { // TestLLM itself insists on a hello; the two calls below are the rest of it
		llmtest.TestLLMWithOptions(t, model, llmtest.TestOptions{}, "supports-streaming")
	})
	t.Run("compliance", func(t *testing.T) {
		suite := compliance.NewSuite("drover", model)
		suite.Skip("BasicGeneration") // asks for "Hello, World!"; the embedded model answers from tools only
		suite.Skip("MultiMessage")    // asks for a name said two messages before; the embedded model has no such skill
		suite.Skip("Temperature")     // asks for the number 42 without a tool
		suite.Skip("StopSequences")   // asks for the days of the week; TestStopWords checks stop words
		suite.Run(t)
	})
}

func TestSuitesTable(t *testing.T) {
	model := langchain.New(agenttest.NewFunc(func(req prompts.Request) agenttest.Reply {
		question := req.Messages[len(req.Messages)-1].Content
		text := "OK"
		switch {
		case len(req.Tools) > 0 && strings.Contains(question, "weather"):
			return agenttest.Call("get_weather", `{"location":"San Francisco, USA"}`)
		case strings.Contains(question, "Hello"):
			text = "Hello, World!"
		case strings.Contains(question, "name?") && strings.Contains(req.Messages[0].Content, "Alice"):
			text = "Your name is Alice."
		case strings.Contains(question, "42"):
			text = "42"
		case strings.Contains(question, "days of the week"):
			text = "Monday, Tuesday, Wednesday, Thursday, Friday"
		case strings.Contains(question, "Count"):
			text = "1 2 3 4 5 6 7 8 9 10 11 12 50 100"
		}
		for _, stop := range req.Stop {
			text, _, _ = strings.Cut(text, stop)
		}
		if words := strings.Fields(text); req.MaxTokens > 0 && len(words) > req.MaxTokens {
			return agenttest.CutOff(strings.Join(words[:req.MaxTokens], " "))
		}
		return agenttest.Say(text)
	}))
	t.Run("llmtest", func(t *testing.T) { llmtest.TestLLM(t, model) })
	t.Run("compliance", func(t *testing.T) { compliance.NewSuite("drover", model).Run(t) })
}

func TestSuitesWeights(t *testing.T) {
	path := os.Getenv("DROVER_LANGCHAIN_MODEL")
	if path == "" {
		t.Skip("DROVER_LANGCHAIN_MODEL names no GGUF file of Llama 3.2")
	}
	weights, err := llm.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := chat.New(weights)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inner.Close(); weights.Close() })
	model := langchain.New(inner)
	t.Run("llmtest", func(t *testing.T) { llmtest.TestLLM(t, model) })
	t.Run("compliance", func(t *testing.T) { compliance.NewSuite("drover", model).Run(t) })
}
