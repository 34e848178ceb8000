package agenttest_test

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/prompts"
)

// endless is a script that says the same to everybody, so that the conformance kit can ask as often as it likes.
type endless struct{}

func (endless) Name() string { return "endless" }

func (endless) Generate(ctx context.Context, req prompts.Request) iter.Seq2[prompts.Delta, error] {
	text := "one two three four"
	if req.MaxTokens == 3 {
		text = "one two three"
	}
	return agenttest.NewScript(agenttest.Say(text)).Generate(ctx, req)
}

func TestScriptConforms(t *testing.T) { agenttest.TestModel(t, endless{}) }

func ExampleScript() {
	model := agenttest.NewScript(agenttest.Say("Hello there."))
	a, err := agent.New(model)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := a.Ask(context.Background(), "Hi")
	fmt.Println(result.Answer, err)
	// Output: Hello there. <nil>
}
