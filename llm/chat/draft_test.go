package chat_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/prompts"
)

// Guessing tokens saves forward passes and changes nothing that is written: calls under a grammar in all forms, answers that
// repeat a result, answers under a schema, greedy and sampled.
func TestDraftsChangeNothing(t *testing.T) {
	without, with := templates(t, chat.WithDraft(-1)), templates(t, chat.WithDraft(8))
	for form := range without {
		t.Run(form, func(t *testing.T) {
			var plain, drafted prompts.Usage
			for seed, req := range repeatingRequests(seeds(12)) {
				want, usage := deltas(t, without[form], req)
				plain = plain.Add(usage)
				got, usage := deltas(t, with[form], req)
				drafted = drafted.Add(usage)
				if diff := cmp.Diff(want, got, sameError); diff != "" {
					t.Errorf("request %d (-without drafts +with):\n%s", seed, diff)
				}
			}
			if plain.CompletionTokens != drafted.CompletionTokens || drafted.ForwardPasses >= plain.ForwardPasses {
				t.Errorf("%d tokens in %d passes with drafts, %d in %d without", drafted.CompletionTokens, drafted.ForwardPasses, plain.CompletionTokens, plain.ForwardPasses)
			}
		})
	}
}

var sameError = cmp.Comparer(func(a, b error) bool { return fmt.Sprint(a) == fmt.Sprint(b) })

// repeatingRequests are requests in whose answers something of the context comes again.
func repeatingRequests(n uint64) (list []prompts.Request) {
	r := rand.New(rand.NewPCG(8, 9))
	const said = "Send Zerbrechliche Wunderkammer to Maximiliane Oberstetter and pay 48213 to Zerbrechliche Wunderkammer."
	for seed := range n {
		tool := randomSchema(r)
		tool.Parameters = bytes.ReplaceAll(tool.Parameters, []byte("ü"), []byte("u")) // Python's names are plain
		req := prompts.Request{
			Messages: []prompts.Message{prompts.User(said)}, Tools: []prompts.ToolDefinition{tool}, MaxTokens: 90, AllowRepetition: true,
			Sampling: prompts.Sampling{Temperature: prompts.Set(float64(seed%3) * .4), Seed: prompts.Set(seed)},
		}
		switch seed % 3 {
		case 0:
			req.ToolChoice = prompts.ToolChoice{Mode: prompts.ToolChoiceRequired, MaxCalls: 3}
		case 1:
			call := prompts.ToolCall{ID: "call_1", Name: tool.Name, Arguments: []byte(`{}`)}
			req.Messages = append(req.Messages, prompts.AssistantCalls(call), prompts.ToolResult(call, "Zerbrechliche Wunderkammer has 48213 crates in Oberstetter. Maximiliane counts them on Friday."))
		case 2:
			req.Tools, req.Schema = nil, []byte(`{"type":"array","items":{"type":"object","properties":{"description":{"type":"string","maxLength":20}},"required":["description"]},"minItems":4,"maxItems":6}`)
		}
		list = append(list, req)
	}
	return list
}

// deltas is all that comes of a request, but how long it took.
func deltas(t *testing.T, m *chat.Model, req prompts.Request) (list []prompts.Delta, usage prompts.Usage) {
	t.Helper()
	for d, err := range m.Generate(context.Background(), req) {
		if err != nil {
			t.Fatal(err)
		}
		if d.Done != nil {
			done := *d.Done
			usage, done.Usage, d.Done = done.Usage, prompts.Usage{}, &done
		}
		list = append(list, d)
	}
	return list, usage
}
