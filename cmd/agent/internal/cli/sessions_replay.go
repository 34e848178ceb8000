package cli

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/sessions"
)

// replayOptions are the flags of `agent sessions replay`: those of `agent ask` that what the model writes depends on.
type replayOptions struct {
	model     modelFlags
	tools     toolFlags
	system    string
	maxTokens int
}

func newSessionsReplay(s Streams) *cobra.Command {
	var o replayOptions
	cmd := sessionCommand(&cobra.Command{
		Use:   "replay NAME",
		Short: "Run a conversation again and check that the model writes the same",
		Long: `Runs the turns of a conversation again and compares what the model writes with what it wrote then, token by token. No tool
runs and nothing is stored: results come from the log, and so do the seeds. Model, tools, system prompt and --max-tokens must
be those of the conversation; the number of threads does not matter.`,
		Example: `  agent sessions replay trip
  agent sessions replay trip --threads 1`,
		Args: exactly("NAME"),
	}, false, func(ctx context.Context, store *sessions.Store, args []string) error {
		session, err := store.Existing(ctx, args[0])
		if err != nil {
			return err
		}
		return o.run(ctx, s, session)
	})
	o.model.add(cmd)
	o.tools.addChoice(cmd)
	o.tools.addServers(cmd)
	cmd.MarkFlagsMutuallyExclusive("mcp", "no-tools")
	cmd.Flags().StringVar(&o.system, "system", "", "system prompt")
	cmd.Flags().IntVar(&o.maxTokens, "max-tokens", agent.DefaultLimits().StepTokens, "tokens that the model may write in one step")
	return cmd
}

func (o *replayOptions) run(ctx context.Context, s Streams, session *agent.Session) error {
	registry, closeTools, err := o.tools.open(ctx, s)
	if err != nil {
		return err
	}
	defer closeTools()
	model, closeModel, err := o.model.openChat(looseTools(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	defer closeModel()
	limits := agent.DefaultLimits()
	limits.StepTokens = o.maxTokens
	a, err := agent.New(model, agent.WithLimits(limits), agent.WithSystem(o.system), agent.WithTools(registry.Tools()...))
	if err != nil {
		return misused("%w", err)
	}
	turns, tokens := 0, 0
	for event, err := range a.Replay(ctx, session) {
		if err != nil {
			return err
		}
		switch e := event.(type) {
		case agent.UsageReport:
			tokens += e.CompletionTokens
		case agent.Done:
			turns++
		}
	}
	fmt.Fprintf(s.Out, "the same: %d turns, %d tokens written\n", turns, tokens)
	return nil
}
