// Command minimal is the smallest agent: the embedded model, one question, the answer.
//
//	go run ./examples/minimal
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/tools/builtin"
)

func main() {
	weights, err := tiny.Open() // or llm.Open("Llama-3.2-3B-Instruct-Q4_0.gguf")
	if err != nil {
		log.Fatal(err)
	}
	defer weights.Close()
	model, err := chat.New(weights)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	a, err := agent.New(model, agent.WithTools(builtin.Calculator()))
	if err != nil {
		log.Fatal(err)
	}
	result, err := a.Ask(context.Background(), "What is 17.5% of 2,340?")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Answer)
}
