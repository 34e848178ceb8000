// Command typed-tool makes a tool of a Go function: the struct of its argument is the schema that the model is held to.
//
//	go run ./examples/typed-tool
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/tools"
)

type lookup struct {
	City string `json:"city" jsonschema:"description=name of the city"`
}

func main() {
	weather := tools.Must(tools.New("get_weather", "Get the weather of a city.",
		func(_ context.Context, in lookup) (string, error) {
			return "4 degrees and rain in " + in.City, nil // your own service
		}, tools.WithEffects(tools.Pure)))

	weights, err := tiny.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer weights.Close()
	model, err := chat.New(weights)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	a, err := agent.New(model, agent.WithTools(weather))
	if err != nil {
		log.Fatal(err)
	}
	for event, err := range a.Run(context.Background(), "What's the weather like in Oslo?") {
		if err != nil {
			log.Fatal(err)
		}
		switch e := event.(type) {
		case agent.ToolCall:
			fmt.Printf("calls %s %s\n", e.Name, e.Arguments)
		case agent.ToolResult:
			fmt.Printf("gets %s%s\n", e.Result, e.Error)
		case agent.TextDelta:
			fmt.Print(e.Text)
		case agent.Done:
			fmt.Println()
		}
	}
}
