package chat_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/test/vectors"
)

// BenchmarkConstrained writes the same number of tokens freely and as a forced call, with two models: one of Llama 3.2 1B's
// shape and random weights, of whose sixteen layers it has two, so that what a mask costs weighs eight times as much beside
// them as beside all, and the whole head of 128,256 rows; and the embedded model, whose passes are so short that any mask is
// long beside them, and whose tokenizer was trained, under Llama's template and under its own. Under its own both write a call.
// The first one's tokens are bytes and words.
func BenchmarkConstrained(b *testing.B) {
	b.Run("model=1B-shape", func(b *testing.B) {
		shape := vectors.Llama1B(gguf.Q4_0, 2)
		data, err := shape.Bytes()
		if err != nil {
			b.Fatal(err)
		}
		file, err := gguf.Parse("synthetic", data)
		if err != nil {
			b.Fatal(err)
		}
		weights, err := llm.Load(file)
		if err != nil {
			b.Fatal(err)
		}
		noCall := prompts.ToolChoice{Mode: prompts.ToolChoiceNone}
		benchmarkConstrained(b, weights, noCall, chat.WithTemplate(prompts.Llama32()))
		weights.Close()
	})
	b.Run("model=embedded", func(b *testing.B) {
		weights, err := tiny.Open()
		if err != nil {
			b.Fatal(err)
		}
		b.Run("template=llama", func(b *testing.B) {
			noCall := prompts.ToolChoice{Mode: prompts.ToolChoiceNone}
			benchmarkConstrained(b, weights, noCall, chat.WithTemplate(prompts.Llama32()))
		})
		b.Run("template=own", func(b *testing.B) {
			benchmarkConstrained(b, weights, prompts.ToolChoice{Mode: prompts.ToolChoiceRequired, MaxCalls: 1})
		})
		weights.Close()
	})
}

// benchmarkConstrained compares a forced call with what the model writes as it likes, under the tool choice free.
func benchmarkConstrained(b *testing.B, weights *llm.Model, free prompts.ToolChoice, options ...chat.Option) {
	model, err := chat.New(weights, options...)
	if err != nil {
		b.Fatal(err)
	}
	defer model.Close()
	tool := prompts.ToolDefinition{Name: "create_event", Description: "Enters an event.", Parameters: json.RawMessage(`{"type":"object",
		"properties":{"title":{"type":"string","maxLength":80},"start":{"type":"string","format":"date-time"},"minutes":{"type":"integer","minimum":5,"maximum":600},
		"guests":{"type":"array","items":{"type":"string","maxLength":60},"minItems":2,"maxItems":4},"color":{"enum":["red","green","blue"]}},
		"required":["title","start","minutes","guests","color"]}`)}
	const tokens = 160
	for _, c := range []struct {
		name string
		req  prompts.Request
	}{
		{"free", prompts.Request{Free: true, ToolChoice: free}},
		{"constrained", prompts.Request{ToolChoice: prompts.ToolChoice{Mode: prompts.ToolChoiceRequired, MaxCalls: 1}}},
	} {
		b.Run("decoding="+c.name, func(b *testing.B) {
			c.req.Tools, c.req.MaxTokens = []prompts.ToolDefinition{tool}, tokens
			c.req.Messages = []prompts.Message{prompts.User("Enter it.")}
			c.req.AllowRepetition = true
			var sum prompts.Usage
			for i := 0; b.Loop(); i++ {
				c.req.Sampling = prompts.Sampling{Temperature: prompts.Set(1.0), Seed: prompts.Set(uint64(i))}
				for delta, err := range model.Generate(context.Background(), c.req) {
					if err != nil {
						b.Fatal(err)
					}
					if delta.Done != nil {
						sum = sum.Add(delta.Done.Usage)
					}
				}
			}
			written := float64(sum.CompletionTokens)
			b.ReportMetric(float64(sum.DecodeTime.Microseconds())/written/1000, "decode-ms/token")
			b.ReportMetric(written/float64(max(sum.ForwardPasses, 1)), "tokens/pass")
			b.ReportMetric(written/float64(b.N), "tokens/op")
		})
	}
}
