package cli

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/tools/mcp"
)

func newMCP(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "The tools for other programs, by the Model Context Protocol",
		Example: `  agent mcp serve
  agent tools list --mcp 'agent mcp serve --root notes'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newMCPServe(s))
	return cmd
}

func newMCPServe(s Streams) *cobra.Command {
	var flags toolFlags
	level := slog.LevelWarn
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the tools on standard input and output",
		Long: `Serves the tools to an MCP client, which starts this command and talks to it over standard input and output. The log goes
to standard error. It ends when its input does. Nobody asks before a tool runs: that is up to the client.`,
		Example: `  agent mcp serve --root notes
  agent mcp serve --tools calculator,now
  agent tools list --mcp 'agent mcp serve'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			registry, closeTools, err := flags.open(cmd.Context(), s)
			if err != nil {
				return err
			}
			defer closeTools()
			server, err := mcp.NewServer(registry, mcp.ServerOptions{
				Version: buildVersion(),
				Logger:  slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: level})),
			})
			if err != nil {
				return fmt.Errorf("serving the tools: %w", err)
			}
			return server.Serve(cmd.Context(), s.In, s.Out)
		},
	}
	flags.addChoice(cmd)
	cmd.Flags().TextVar(&level, "log-level", slog.LevelWarn, "`level` of the log on standard error: debug, info, warn or error")
	cmd.Flags().Lookup("log-level").DefValue = "warn"
	return cmd
}
