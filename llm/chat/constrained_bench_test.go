package chat_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/test/vectors"
)

// BenchmarkConstrained writes the same number of tokens freely and as a forced call, with a model of Llama 3.2 1B's shape and
// random weights: two of its sixteen layers, so that what a mask costs weighs eight times as much beside them as beside
// all, and the whole head of 128,256 rows. Its tokens are bytes and words; a real vocabulary has longer forced tokens.
func BenchmarkConstrained(b *testing.B) {
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
	defer weights.Close()
	model, err := chat.New(weights, chat.WithTemplate(prompts.Llama32()))
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
		{"free", prompts.Request{Free: true, ToolChoice: prompts.ToolChoice{Mode: prompts.ToolChoiceNone}}},
		{"constrained", prompts.Request{ToolChoice: prompts.ToolChoice{Mode: prompts.ToolChoiceRequired, MaxCalls: 1}}},
	} {
		b.Run(c.name, func(b *testing.B) {
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
