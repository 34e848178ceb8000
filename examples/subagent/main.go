// Command subagent makes an agent the tool of another: the one in front hands over a task in words and gets the answer, and the
// one behind has tools of its own, which the one in front does not see.
//
//	go run ./examples/subagent
package main

import (
	"context"
	"fmt"
	"iter"
	"log"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools/builtin"
)

func main() {
	weights, err := tiny.Open() // one model in memory, any number of agents on it
	if err != nil {
		log.Fatal(err)
	}
	defer weights.Close()
	model, err := chat.New(weights)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	accountant, err := agent.New(model, agent.WithTools(builtin.Calculator()), agent.WithMiddleware(agent.Middleware{
		Run: func(next agent.RunFunc) agent.RunFunc { // what happens inside, for us to see
			return func(ctx context.Context, task string, options ...agent.RunOption) iter.Seq2[agent.Event, error] {
				fmt.Println("the accountant is asked:", task)
				return next(ctx, task, options...)
			}
		},
	}))
	if err != nil {
		log.Fatal(err)
	}
	tool, err := accountant.AsTool("ask_accountant", "Ask the accountant to compute something.")
	if err != nil {
		log.Fatal(err)
	}
	front, err := agent.New(model, agent.WithTools(tool))
	if err != nil {
		log.Fatal(err)
	}
	// The embedded model has learned few kinds of questions; the choice spares it the decision.
	for event, err := range front.Run(context.Background(), "What is 12 * 12?",
		agent.WithToolChoice(prompts.ToolChoice{Mode: prompts.ToolChoiceRequired})) {
		if err != nil {
			log.Fatal(err)
		}
		switch e := event.(type) {
		case agent.ToolResult:
			fmt.Printf("%s: %s%s\n", e.Name, e.Result, e.Error)
		case agent.Done:
			fmt.Println(e.Result.Answer)
			fmt.Println("tokens written by both:", e.Result.Usage.CompletionTokens)
		}
	}
}
