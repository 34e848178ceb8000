package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/llm/grammar"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/test/vectors"
)

// babbler is a model of random weights with the embedded model's tokenizer: whatever the grammar does not rule out, it
// writes sooner or later, and it does not end a string before a thousand other tokens were as likely.
func babbler(t *testing.T) *chat.Model {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("..", "model.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	known, err := gguf.Parse("model.gguf", file)
	if err != nil {
		t.Fatal(err)
	}
	shape := vectors.Shape{
		Name: "babbler", Dim: 64, HiddenDim: 128, NLayers: 1, NHeads: 2, NKVHeads: 1, HeadDim: 32,
		ContextLength: 8192, Type: gguf.Q4_0, Set: map[string]any{},
	}
	for _, p := range known.Pairs() {
		if !strings.HasPrefix(p.Key, "tokenizer.") {
			continue
		}
		if text, ok := p.Value.Text(); ok {
			shape.Set[p.Key] = text
		} else if p.Value.IsStrings() {
			var list []string
			for _, s := range p.Value.Strings {
				list = append(list, string(s))
			}
			shape.Set[p.Key] = list
			if p.Key == "tokenizer.ggml.tokens" {
				shape.VocabSize = len(list)
			}
		} else if ints, ok := p.Value.Ints(); ok {
			var list []int32
			for _, n := range ints {
				list = append(list, int32(n))
			}
			shape.Set[p.Key] = list
		} else if n, ok := p.Value.Int(); ok {
			shape.Set[p.Key] = int(n)
		}
	}
	data, err := shape.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if known, err = gguf.Parse("babbler", data); err != nil {
		t.Fatal(err)
	}
	weights, err := llm.Load(known)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = weights.Close() })
	model, err := chat.New(weights, chat.WithTemplate(prompts.Llama32()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = model.Close() })
	return model
}

// forcedTools are the tools that calls are forced of: those of public MCP servers, and all functions of the leaderboard if
// its files are here.
func forcedTools(t *testing.T) (out []prompts.ToolDefinition) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "mcp.json"))
	if err != nil {
		t.Fatal(err)
	}
	var servers []struct {
		Server string
		Tools  []struct {
			Name, Description string
			InputSchema       json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &servers); err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		for _, d := range s.Tools {
			out = append(out, prompts.ToolDefinition{Name: d.Name, Description: d.Description, Parameters: d.InputSchema})
		}
	}
	folder := filepath.Join(os.Getenv("DROVER_TESTDATA"), "bfcl")
	if os.Getenv("DROVER_TESTDATA") == "" {
		folder = filepath.Join("..", "..", "..", "..", "shared", "data", "bfcl")
	}
	seen := map[string]bool{}
	for _, category := range bfclCategories {
		cases, err := readBFCL(folder, category)
		if errors.Is(err, os.ErrNotExist) {
			t.Logf("the leaderboard's functions are not here: %v", err)
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			for _, d := range c.Tools {
				if key := d.Name + string(d.Parameters); !seen[key] {
					seen[key] = true
					out = append(out, d)
				}
			}
		}
	}
	return out
}

// validator compiles a tool's schema with an implementation that is not ours.
func validator(t *testing.T, d prompts.ToolDefinition) *jsonschema.Schema {
	t.Helper()
	if len(d.Parameters) == 0 {
		return nil
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(d.Parameters)))
	if err != nil {
		t.Fatalf("%s: %v", d.Name, err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", document); err != nil {
		t.Fatalf("%s: %v", d.Name, err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatalf("%s: %v", d.Name, err)
	}
	return s
}

// Forced calls parse and validate against an independent validator, whatever the model would write. Those that the token
// limit cuts off are reported as such and are closed so that they validate as well. Where the limit leaves no room for any
// call, the error that says so comes instead, and with as many tokens as it names the call is made.
//
// DROVER_BABBLED_CALLS says how many calls are made:
//
//	DROVER_BABBLED_CALLS=10000 go test ./llm/tiny/eval -run TestBabbledCallsValidate -v -timeout 2h
func TestBabbledCallsValidate(t *testing.T) {
	n := 60
	if testing.Short() {
		n = 15
	}
	if text := os.Getenv("DROVER_BABBLED_CALLS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatalf("DROVER_BABBLED_CALLS: %v", err)
		}
	}
	model := babbler(t)
	definitions := forcedTools(t)
	b := babbling{model: model, validators: map[int]*jsonschema.Schema{}, refused: map[int]bool{}}
	limits := []int{60, 120, 240, 480}
	for i := range n {
		at := i % len(definitions)
		if n < len(definitions) {
			at = i * len(definitions) / n
		}
		if b.refused[at] {
			continue
		}
		d := definitions[at]
		if _, ok := b.validators[at]; !ok {
			b.validators[at] = validator(t, d)
		}
		req := prompts.Request{
			Messages: []prompts.Message{prompts.User("Please do it now.")}, Tools: []prompts.ToolDefinition{d},
			MaxTokens:  limits[i/len(definitions)%len(limits)] + i%9,
			ToolChoice: prompts.ToolChoice{Mode: prompts.ToolChoiceRequired, MaxCalls: 1},
			Sampling:   prompts.Sampling{Temperature: prompts.Set(1.0), Seed: prompts.Set(uint64(i))},
			// Random weights repeat themselves now and then, and would be stopped for that.
			AllowRepetition: true,
		}
		if needed := b.call(t, req, at); needed > 0 {
			if needed <= req.MaxTokens {
				t.Errorf("%s: %d tokens are said to be too few, and %d to be enough", d.Name, req.MaxTokens, needed)
			}
			b.short++
			req.MaxTokens = needed
			if again := b.call(t, req, at); again > 0 {
				t.Errorf("%s: %d tokens are too few after all, %d are needed", d.Name, needed, again)
			}
		}
	}
	t.Logf("%d calls of %d tools parse and validate: %d ended by the model, %d closed at the token limit; for %d the first limit was too low, and the one that was named enough; %d tools are refused; %d tokens",
		b.made+b.closed, len(b.validators), b.made, b.closed, b.short, len(b.refused), b.tokens)
}

type babbling struct {
	model      *chat.Model
	validators map[int]*jsonschema.Schema
	refused    map[int]bool

	made, closed, short, tokens int
}

// call forces a call and validates it. Where the limit is too low it returns how many tokens are needed.
func (b *babbling) call(t *testing.T, req prompts.Request, at int) (needed int) {
	d := req.Tools[0]
	called := false
	check := func(call *prompts.ToolCall) {
		called = true
		instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(call.Arguments)))
		if err == nil && call.Name != d.Name {
			err = fmt.Errorf("the call is of %q", call.Name)
		}
		if err == nil && b.validators[at] != nil {
			err = b.validators[at].Validate(instance)
		}
		if err != nil {
			t.Errorf("%s: %s: %v", d.Name, call.Arguments, err)
		}
	}
	for delta, err := range b.model.Generate(context.Background(), req) {
		var schema *grammar.SchemaError
		var limit *chat.TokenLimitError
		var cut *chat.CutOffError
		switch {
		case errors.As(err, &schema):
			b.refused[at] = true
			t.Logf("%s is refused: %v", d.Name, schema)
			return 0
		case errors.As(err, &limit):
			return limit.Needed
		case err != nil:
			t.Fatalf("%s: %v", d.Name, err)
		case errors.As(delta.CallError, &cut) && cut.Call != nil:
			b.closed++
			check(cut.Call)
		case delta.CallError != nil:
			t.Errorf("%s, %d tokens: %v", d.Name, req.MaxTokens, delta.CallError)
			called = true
		case delta.ToolCall != nil:
			b.made++
			check(delta.ToolCall)
		case delta.Done != nil:
			b.tokens += delta.Done.Usage.CompletionTokens
			if delta.Done.Usage.CompletionTokens > req.MaxTokens+1 { // the stop token is one
				t.Errorf("%s: %d tokens, at most %d were to be written", d.Name, delta.Done.Usage.CompletionTokens, req.MaxTokens)
			}
		}
	}
	if !called {
		t.Errorf("%s: nothing was called", d.Name)
	}
	return 0
}
