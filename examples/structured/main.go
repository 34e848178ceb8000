// Command structured answers with a Go struct. The model can only write what the struct's schema allows, so that the answer
// always parses; whether it is true depends on the model, and the embedded one is a toy.
//
//	go run ./examples/structured
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
)

type verdict struct {
	Mood  string `json:"mood" jsonschema:"enum=good,enum=bad,enum=mixed"`
	Stars int    `json:"stars" jsonschema:"minimum=1,maximum=5"`
}

func main() {
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
	a, err := agent.New(model)
	if err != nil {
		log.Fatal(err)
	}
	v, _, err := agent.Into[verdict](context.Background(), a, "The soup was cold but the waiter was kind. How was it?")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("mood %s, %d stars\n", v.Mood, v.Stars)
}
