package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/grammar"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/builtin"
)

// someTool has a definition and does nothing.
type someTool struct{ definition prompts.ToolDefinition }

func (s someTool) Definition() prompts.ToolDefinition { return s.definition }
func (s someTool) Call(context.Context, json.RawMessage) (tools.Result, error) {
	return tools.Text("ok"), nil
}

// Forced calls of all functions of the leaderboard parse and validate against an independent validator, whatever the model
// would write: the embedded model under a template that it has never seen, drawing at a high temperature, babbles. So do those
// of the built-in tools; and all of them in its own compact form, which is held to the same keywords.
// DROVER_FORCED_CALLS says how many calls are made; 10,000 take some minutes.
func TestForcedCallsOfTheLeaderboardValidate(t *testing.T) {
	folder := filepath.Join(os.Getenv("DROVER_TESTDATA"), "bfcl")
	if os.Getenv("DROVER_TESTDATA") == "" {
		folder = filepath.Join("..", "..", "..", "..", "shared", "data", "bfcl")
	}
	n := 40
	if testing.Short() {
		n = 8
	}
	if text := os.Getenv("DROVER_FORCED_CALLS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatalf("DROVER_FORCED_CALLS: %v", err)
		}
	}
	var definitions []prompts.ToolDefinition
	for _, category := range bfclCategories {
		cases, err := readBFCL(folder, category)
		if errors.Is(err, os.ErrNotExist) {
			t.Skipf("the leaderboard's questions are not here: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			definitions = append(definitions, c.Tools...)
		}
	}
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var own []prompts.ToolDefinition
	for _, tool := range builtin.All(root) {
		own = append(own, tool.Definition())
	}
	weights, err := tiny.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	for name, options := range map[string][]chat.Option{"json": {chat.WithTemplate(prompts.Llama32())}, "compact": nil} {
		t.Run(name, func(t *testing.T) { testForcedCalls(t, weights, definitions, n, options...) })
		t.Run(name+" builtin", func(t *testing.T) { testForcedCalls(t, weights, own, len(own), options...) })
	}
}

func testForcedCalls(t *testing.T, weights *llm.Model, definitions []prompts.ToolDefinition, n int, options ...chat.Option) {
	model, err := chat.New(weights, options...)
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	made, cut, tooLong, tokens, refused := 0, 0, 0, 0, map[string]bool{}
	for i := range n {
		d := definitions[i*len(definitions)/n%len(definitions)]
		if n > len(definitions) {
			d = definitions[i%len(definitions)]
		}
		if refused[d.Name] {
			continue
		}
		registry, err := tools.NewRegistry(someTool{d})
		if err != nil {
			t.Fatalf("%s: %v", d.Name, err)
		}
		for delta, err := range model.Generate(context.Background(), prompts.Request{
			Messages: []prompts.Message{prompts.User("Please do it now.")}, Tools: []prompts.ToolDefinition{d}, MaxTokens: 600,
			ToolChoice: prompts.ToolChoice{Mode: prompts.ToolChoiceRequired},
			Sampling:   prompts.Sampling{Temperature: prompts.Set(1.0), Seed: prompts.Set(uint64(i))},
		}) {
			var schema *grammar.SchemaError
			var long *llm.ContextLengthError
			var end *chat.CutOffError
			switch {
			case errors.As(err, &long): // the definition alone fills the small model's context
				tooLong++
			case errors.As(err, &schema):
				refused[d.Name] = true
				t.Logf("%s is refused: %v", d.Name, schema)
			case err != nil:
				t.Fatalf("%s: %v", d.Name, err)
			case errors.As(delta.CallError, &end) && end.Call != nil: // it is closed, and not run
				cut++
				if err := registry.Check(end.Call.Name, end.Call.Arguments); err != nil {
					t.Errorf("%s: %s, closed at the token limit: %v", d.Name, end.Call.Arguments, err)
				}
			case errors.As(delta.CallError, &end):
				t.Errorf("%s: the call could not be closed at the token limit: %v", d.Name, end)
			case delta.CallError != nil && strings.Contains(delta.CallError.Error(), "repeats itself"):
				cut++
			case delta.CallError != nil:
				t.Errorf("%s: %v", d.Name, delta.CallError)
			case delta.ToolCall != nil:
				made++
				if err := registry.Check(delta.ToolCall.Name, delta.ToolCall.Arguments); err != nil {
					t.Errorf("%s: %s: %v", d.Name, delta.ToolCall.Arguments, err)
				}
			case delta.Done != nil:
				tokens += delta.Done.Usage.CompletionTokens
			}
		}
	}
	t.Logf("%d calls parse and validate, %d were cut off after 600 tokens, %d of %d functions are refused, %d do not fit the context; %d tokens",
		made, cut, len(refused), len(definitions), tooLong, tokens)
	// A babbling model ends few of its calls, so that a handful says nothing about how many.
	if made+cut+tooLong < n-len(refused) || made < n/4 && n >= 40 {
		t.Errorf("%d of %d calls were made, %d were cut off", made, n, cut)
	}
}
