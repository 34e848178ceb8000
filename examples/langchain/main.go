// Command langchain runs langchaingo's own agent on the model in this process: no server, no key, no network.
//
//	go run ./examples/langchain
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/tmc/langchaingo/agents"
	"github.com/tmc/langchaingo/chains"
	lctools "github.com/tmc/langchaingo/tools"

	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/langchain"
	"github.com/drover-ai/drover/llm/tiny"
)

// weather is a tool of langchaingo: one string in, one out.
type weather struct{}

func (weather) Name() string        { return "get_weather" }
func (weather) Description() string { return "Get the weather of a city." }

func (weather) Call(_ context.Context, city string) (string, error) {
	fmt.Println("asked for", city)
	return "4 degrees and rain in " + city, nil // your own service
}

func main() {
	weights, err := tiny.Open() // or llm.Open("Llama-3.2-3B-Instruct-Q4_0.gguf")
	if err != nil {
		log.Fatal(err)
	}
	defer weights.Close()
	inner, err := chat.New(weights)
	if err != nil {
		log.Fatal(err)
	}
	defer inner.Close()
	model := langchain.New(inner)
	agent := agents.NewOpenAIFunctionsAgent(model, []lctools.Tool{weather{}})
	answer, err := chains.Run(context.Background(), agents.NewExecutor(agent), "What is the weather in Oslo?")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
}
