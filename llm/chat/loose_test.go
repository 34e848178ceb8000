package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/grammar"
	"github.com/drover-ai/drover/prompts"
)

// A tool whose schema cannot be enforced in full ends the message, unless it is allowed: then what can be enforced is, in whatever
// form, and what was left out is told.
func TestLooseTools(t *testing.T) {
	add := prompts.ToolDefinition{Name: "add", Description: "Add two numbers.", Parameters: json.RawMessage(`{"type":"object","properties":{"a":{"type":"number"}},"required":["a"]}`)}
	for name, options := range map[string][]chat.Option{
		"marked": nil, "json": {chat.WithTemplate(prompts.Llama32())}, "pythonic": {chat.WithTemplate(prompts.Llama32Pythonic())},
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct{ schema, left string }{
				{`{"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":3},"tags":{"type":"array","uniqueItems":true}},"required":["n","tags"],"additionalProperties":false}`,
					"/properties/tags/uniqueItems"},
				{`{"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":3},"tags":{"$ref":"https://example.com/tags"}},"required":["n"],"additionalProperties":false}`,
					"/properties/tags/$ref"},
			} {
				tool := prompts.ToolDefinition{Name: "odd", Description: "A tool.", Parameters: json.RawMessage(c.schema)}
				req := prompts.Request{
					Messages: []prompts.Message{prompts.User("Call it.")}, Tools: []prompts.ToolDefinition{add, tool}, MaxTokens: 200, AllowRepetition: true,
					ToolChoice: prompts.ToolChoice{Mode: prompts.ToolChoiceNamed, Name: "odd"},
				}
				var refused *grammar.SchemaError
				var got error
				for _, err := range embedded(t, options...).Generate(context.Background(), req) {
					got = err
				}
				if !errors.As(got, &refused) || refused.Pointer != c.left || !strings.Contains(got.Error(), `tool "odd"`) {
					t.Errorf("error %v, want one at %s", got, c.left)
				}
				var told []string
				m := embedded(t, append(slices.Clone(options), chat.WithLooseTools(func(tool string, pointers []string) {
					told = append(told, fmt.Sprint(tool, " ", pointers))
				}))...)
				for range 2 { // the second time its grammar is there
					var call *prompts.ToolCall
					for d, err := range m.Generate(context.Background(), req) {
						var cut *chat.CutOffError
						switch {
						case err != nil:
							t.Fatal(err)
						case d.ToolCall != nil:
							call = d.ToolCall
						case errors.As(d.CallError, &cut): // where anything may be written, it may be long
							call = cut.Call
						}
					}
					var arguments struct{ N int }
					if call == nil || json.Unmarshal(call.Arguments, &arguments) != nil || arguments.N < 1 || arguments.N > 3 {
						t.Errorf("the call is %+v", call)
					}
				}
				if diff := cmp.Diff([]string{"odd [" + c.left + "]"}, told); diff != "" {
					t.Errorf("told (-want +got):\n%s", diff)
				}
			}
		})
	}
}
