package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/sessions"
)

func newSessions(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "Stored conversations",
		Long: `Conversations that "agent ask --session NAME" stores. Each event of one is in a file before it is printed, so that a
turn that was interrupted, by kill -9 too, can be finished with "agent ask --session NAME --resume".`,
		Example: `  agent ask --session trip "How many km are 5 miles?"
  agent sessions list
  agent sessions export trip --markdown`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSessionsList(s), newSessionsShow(s), newSessionsExport(s), newSessionsImport(s),
		newSessionsFork(s), newSessionsRename(s), newSessionsReplay(s), newSessionsRemove(s))
	return cmd
}

// sessionCommand is a command on the store: f gets the arguments.
func sessionCommand(cmd *cobra.Command, create bool, f func(ctx context.Context, store *sessions.Store, args []string) error) *cobra.Command {
	var flags storeFlags
	flags.add(cmd)
	if cmd.Args == nil {
		cmd.Args = noArguments
	}
	if !create {
		cmd.ValidArgsFunction = flags.completeNames
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		store, err := flags.open(cmd.Context(), create)
		if err != nil {
			return err
		}
		defer store.Close()
		err = f(cmd.Context(), store, args)
		var exists *sessions.ExistsError
		if errors.As(err, &exists) {
			return misused("%w", err)
		}
		return err
	}
	return cmd
}

func newSessionsList(s Streams) *cobra.Command {
	var asJSON bool
	cmd := sessionCommand(&cobra.Command{
		Use:     "list",
		Short:   "All stored conversations, the last used first",
		Example: `  agent sessions list --json | jq -r '.[] | select(.interrupted) | .name'`,
	}, true, func(ctx context.Context, store *sessions.Store, _ []string) error {
		list, err := store.List(ctx)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(s.Out, list)
		}
		width := 0
		for _, i := range list {
			width = max(width, len([]rune(i.Name)))
		}
		for _, i := range list {
			state := ""
			if i.Interrupted {
				state = "interrupted  "
			}
			turns := "turns"
			if i.Turns == 1 {
				turns = "turn "
			}
			fmt.Fprintf(s.Out, "%-*s  %s  %3d %s  %s%s\n", width, i.Name, i.Updated.Local().Format(time.DateTime), i.Turns, turns,
				state, shorten(printable(strings.Join(strings.Fields(i.Title), " ")), 60))
		}
		return nil
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func newSessionsShow(s Streams) *cobra.Command {
	return sessionCommand(&cobra.Command{
		Use:     "show NAME",
		Short:   "A conversation as it was printed",
		Example: `  agent sessions show trip`,
		Args:    exactly("NAME"),
	}, false, func(ctx context.Context, store *sessions.Store, args []string) error {
		session, err := store.Existing(ctx, args[0])
		if err != nil {
			return err
		}
		events, err := session.Events(ctx)
		if err != nil {
			return err
		}
		t := newTranscript(s.Out, false)
		for _, event := range events {
			switch e := event.(type) {
			case agent.Start:
				t.line()
				t.printf("> %s\n", printable(e.Prompt))
				event = nil
			case agent.UserMessage:
				t.line()
				t.printf("> %s\n", printable(e.Text))
				event = nil
			case agent.TextDelta: // the message has it whole, and once
				event = nil
			case agent.Message:
				event = nil
				if e.Message.Content != "" && len(e.Message.ToolCalls) == 0 {
					event = agent.TextDelta{Header: e.Header, Text: e.Message.Content}
				}
			}
			if event == nil {
				continue
			}
			if err := t.print(event); err != nil {
				return err
			}
		}
		t.line()
		return t.failed
	})
}

func newSessionsExport(s Streams) *cobra.Command {
	var markdown bool
	cmd := sessionCommand(&cobra.Command{
		Use:   "export NAME",
		Short: "The stored events, one a line as JSON, or a text to read",
		Example: `  agent sessions export trip > trip.jsonl
  agent sessions export trip --markdown > trip.md`,
		Args: exactly("NAME"),
	}, false, func(ctx context.Context, store *sessions.Store, args []string) error {
		if markdown {
			return store.Markdown(ctx, args[0], s.Out)
		}
		return store.Export(ctx, args[0], s.Out)
	})
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print Markdown")
	return cmd
}

func newSessionsImport(s Streams) *cobra.Command {
	return sessionCommand(&cobra.Command{
		Use:     "import NAME FILE",
		Short:   `What "export" wrote becomes a conversation; FILE "-" is standard input`,
		Example: `  agent sessions import trip trip.jsonl`,
		Args:    exactly("NAME", "FILE"),
	}, true, func(ctx context.Context, store *sessions.Store, args []string) error {
		in := s.In
		if args[1] != "-" {
			file, err := os.Open(args[1])
			if err != nil {
				return err
			}
			defer file.Close()
			in = file
		}
		return store.Import(ctx, args[0], in)
	})
}

func newSessionsFork(_ Streams) *cobra.Command {
	turns := -1
	cmd := sessionCommand(&cobra.Command{
		Use:   "fork NAME NEW",
		Short: "A copy that goes on by itself, from the end or from an earlier turn",
		Example: `  agent sessions fork trip other-trip --turns 2
  agent ask --session other-trip "And by train?"`,
		Args: exactly("NAME", "NEW"),
	}, false, func(ctx context.Context, store *sessions.Store, args []string) error {
		_, err := store.Fork(ctx, args[0], args[1], turns)
		return err
	})
	cmd.Flags().IntVar(&turns, "turns", -1, "keep only this many of the first turns (default: all)")
	return cmd
}

func newSessionsRename(_ Streams) *cobra.Command {
	return sessionCommand(&cobra.Command{
		Use:     "rename NAME NEW",
		Short:   "Give a conversation another name",
		Example: `  agent sessions rename trip "trip to Oslo"`,
		Args:    exactly("NAME", "NEW"),
	}, false, func(ctx context.Context, store *sessions.Store, args []string) error {
		return store.Rename(ctx, args[0], args[1])
	})
}

func newSessionsRemove(_ Streams) *cobra.Command {
	return sessionCommand(&cobra.Command{
		Use:     "rm NAME…",
		Short:   "Delete conversations",
		Example: `  agent sessions rm trip other-trip`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misused("%s needs NAME; usage: %s", cmd.CommandPath(), cmd.UseLine())
			}
			return nil
		},
	}, false, func(ctx context.Context, store *sessions.Store, args []string) error {
		for _, name := range args {
			if err := store.Remove(ctx, name); err != nil {
				return err
			}
		}
		return nil
	})
}
