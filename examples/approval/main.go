// Command approval asks a person before a tool changes anything. A tool that declares that it writes, or declares nothing,
// runs only after a yes; a no, with its reason, is what the model reads instead of a result.
//
//	go run ./examples/approval
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/tools"
)

type message struct {
	To   string `json:"to" jsonschema:"description=email address"`
	Text string `json:"text"`
}

func main() {
	send := tools.Must(tools.New("send_email", "Send an email to somebody.",
		func(_ context.Context, in message) (string, error) { return "sent to " + in.To, nil },
		tools.WithEffects(tools.Writes|tools.Network)))

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
	in := bufio.NewReader(os.Stdin)
	ask := func(_ context.Context, req agent.ApprovalRequest) (agent.Decision, error) {
		fmt.Printf("%s %s? (%s) [y/N] ", req.Name, req.Arguments, req.Reason)
		answer, _ := in.ReadString('\n') // no input is a no
		fmt.Println()
		return agent.Decision{Approved: strings.EqualFold(strings.TrimSpace(answer), "y"), Note: "the user said no"}, nil
	}
	a, err := agent.New(model, agent.WithTools(send), agent.WithApproval(nil, ask))
	if err != nil {
		log.Fatal(err)
	}
	result, err := a.Ask(context.Background(), "Send an email to sam@example.com saying dinner is ready")
	if err != nil {
		log.Fatal(err)
	}
	for _, step := range result.Steps {
		for _, call := range step.ToolCalls {
			fmt.Printf("%s: %s%s\n", call.Name, call.Result, call.Error)
		}
	}
	fmt.Println(result.Answer)
}
