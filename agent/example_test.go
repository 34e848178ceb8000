package agent_test

import (
	"context"
	"fmt"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

type addition struct {
	A int `json:"a"`
	B int `json:"b"`
}

type person struct {
	Name string `json:"name"`
	Age  int    `json:"age" jsonschema:"minimum=0"`
}

// The answer is a value of a Go type.
func ExampleInto() {
	model := agenttest.NewScript(agenttest.Say(`{"name": "Ada", "age": 36}`))
	a, err := agent.New(model)
	if err != nil {
		fmt.Println(err)
		return
	}
	ada, _, err := agent.Into[person](context.Background(), a, "Ada Lovelace died at the age of 36. Who is this about?")
	fmt.Printf("%+v %v\n", ada, err)
	// Output: {Name:Ada Age:36} <nil>
}

// A turn that was interrupted goes on where it was: the tool that had finished does not run again.
func ExampleAgent_Resume() {
	add := tools.Must(tools.New("add", "Add two numbers.",
		func(_ context.Context, in addition) (int, error) {
			fmt.Println("adding")
			return in.A + in.B, nil
		}, tools.WithEffects(tools.Pure)))
	model := agenttest.NewScript(agenttest.Call("add", `{"a": 2, "b": 3}`), agenttest.Say("2 + 3 is 5."))
	a, err := agent.New(model, agent.WithTools(add))
	if err != nil {
		fmt.Println(err)
		return
	}
	session := agent.NewSession(agent.NewMemoryLog("example")) // package agent/sessions keeps them in a file
	for event := range a.Run(context.Background(), "What is 2 + 3?", agent.WithSession(session)) {
		if event.Type() == agent.EventToolResult {
			break // as if the process ended here
		}
	}
	for event, err := range a.Resume(context.Background(), session) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if done, ok := event.(agent.Done); ok {
			fmt.Println(done.Result.Answer)
		}
	}
	// Output:
	// adding
	// 2 + 3 is 5.
}

// An agent is a tool of another one.
func ExampleAgent_AsTool() {
	historian, err := agent.New(agenttest.NewScript(agenttest.Say("In 1815.")), agent.WithSystem("You know history."))
	if err != nil {
		fmt.Println(err)
		return
	}
	ask, err := historian.AsTool("ask_historian", "Ask a historian.")
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := agent.New(agenttest.NewScript(
		agenttest.Call("ask_historian", `{"task": "When was Ada Lovelace born?"}`), agenttest.Say("She was born in 1815."),
	), agent.WithTools(ask))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := a.Ask(context.Background(), "When was Ada born?")
	fmt.Println(result.Steps[0].ToolCalls[0].Result, result.Answer, err)
	// Output: In 1815. She was born in 1815. <nil>
}

// Middleware sees every tool call and may change it.
func ExampleWithMiddleware() {
	log := agent.Middleware{Call: func(next agent.CallFunc) agent.CallFunc {
		return func(ctx context.Context, call prompts.ToolCall) (tools.Result, error) {
			result, err := next(ctx, call)
			fmt.Printf("%s%s = %s %v\n", call.Name, call.Arguments, result.Content, err)
			return result, err
		}
	}}
	add := tools.Must(tools.New("add", "Add two numbers.",
		func(_ context.Context, in addition) (int, error) { return in.A + in.B, nil }, tools.WithEffects(tools.Pure)))
	a, err := agent.New(agenttest.NewScript(agenttest.Call("add", `{"a": 2, "b": 3}`), agenttest.Say("5")),
		agent.WithTools(add), agent.WithMiddleware(log))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := a.Ask(context.Background(), "What is 2 + 3?"); err != nil {
		fmt.Println(err)
	}
	// Output: add{"a": 2, "b": 3} = 5 <nil>
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
