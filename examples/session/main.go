// Command session keeps a conversation in a file: run it twice, and the second run goes on where the first one ended, also
// where it was killed in the middle of a turn.
//
//	go run ./examples/session
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/sessions"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/tools/builtin"
)

func main() {
	path := flag.String("store", "conversations.db", "file of the conversations")
	flag.Parse()
	if err := run(context.Background(), *path); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, path string) error {
	store, err := sessions.Open(ctx, path, sessions.Options{})
	if err != nil {
		return err
	}
	defer store.Close()
	weights, err := tiny.Open()
	if err != nil {
		return err
	}
	defer weights.Close()
	model, err := chat.New(weights)
	if err != nil {
		return err
	}
	defer model.Close()
	a, err := agent.New(model, agent.WithTools(builtin.Calculator(), builtin.ConvertUnits()))
	if err != nil {
		return err
	}
	session, err := store.Session(ctx, "sums")
	if err != nil {
		return err
	}
	result, err := a.Ask(ctx, "What is 12 * 12?", agent.WithSession(session))
	if err != nil {
		return err
	}
	fmt.Println(result.Answer)
	events, err := session.Events(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d events are stored in %s\n", len(events), path)
	return nil
}
