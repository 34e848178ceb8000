package agent_test

import (
	"context"
	"fmt"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/tools"
)

type addition struct {
	A int `json:"a"`
	B int `json:"b"`
}

func Example() {
	add := tools.Must(tools.New("add", "Add two numbers.",
		func(_ context.Context, in addition) (int, error) { return in.A + in.B, nil },
		tools.WithEffects(tools.Pure)))

	// A scripted model, so that the example always says the same. Use chat.New with a real one.
	model := agenttest.NewScript(
		agenttest.Call("add", `{"a": 2, "b": 3}`),
		agenttest.Say("2 + 3 is 5."),
	)
	a, err := agent.New(model, agent.WithTools(add))
	if err != nil {
		fmt.Println(err)
		return
	}
	for event, err := range a.Run(context.Background(), "What is 2 + 3?") {
		if err != nil {
			fmt.Println(err)
			return
		}
		switch e := event.(type) {
		case agent.ToolCall:
			fmt.Printf("%s %s\n", e.Name, e.Arguments)
		case agent.ToolResult:
			fmt.Println("=", e.Result)
		case agent.Done:
			fmt.Println(e.Result.Answer)
		}
	}
	// Output:
	// add {"a": 2, "b": 3}
	// = 5
	// 2 + 3 is 5.
}
