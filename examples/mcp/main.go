// Command mcp gives an agent the tools of an MCP server: a program that it starts, or one that is already there.
//
//	go run ./examples/mcp agent mcp serve
//	go run ./examples/mcp https://example.com/mcp
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/tools/mcp"
)

func connect(ctx context.Context, server []string) (*mcp.Client, error) {
	options := mcp.Options{
		TrustAnnotations: true, // believe the server that a tool only reads; without it every call asks for approval
	}
	if len(server) == 1 && mcp.IsAddress(server[0]) {
		return mcp.Dial(ctx, server[0], options)
	}
	return mcp.Command(ctx, server, options)
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("name a server: a command and its arguments, or an address")
	}
	ctx := context.Background()
	client, err := connect(ctx, os.Args[1:])
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	offered := mcp.Combine(nil, client)
	for _, tool := range offered {
		fmt.Println("offers", tool.Definition().Name)
	}

	weights, err := tiny.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer weights.Close()
	model, err := chat.New(weights, chat.WithLooseTools(nil)) // strangers' schemas may have keywords that no grammar enforces
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	a, err := agent.New(model, agent.WithTools(offered...))
	if err != nil {
		log.Fatal(err)
	}
	result, err := a.Ask(ctx, "What is 17.5% of 2,340?")
	if err != nil {
		log.Fatal(err)
	}
	for _, step := range result.Steps {
		for _, call := range step.ToolCalls {
			fmt.Printf("%s %s: %s%s\n", call.Name, call.Arguments, call.Result, call.Error)
		}
	}
	fmt.Println(result.Answer)
}
