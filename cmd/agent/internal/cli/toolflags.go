package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/builtin"
	"github.com/drover-ai/drover/tools/builtin/sqlquery"
	"github.com/drover-ai/drover/tools/mcp"
)

// toolFlags are the flags that say which tools there are.
type toolFlags struct {
	root string
	only []string
	none bool
	mcp  []string

	headers []string // for the server of mcp
	servers bool     // there may be MCP servers

	memory memoryFlags
	all    bool // also those that must be named: for commands that run no model
}

// byName makes the tools that are only there when somebody names them, because they write, reach the network, or are of no use
// in most folders.
func byName(root *os.Root) []tools.Tool {
	return []tools.Tool{builtin.WriteFile(root), builtin.EditFile(root), builtin.RunCommand(root, builtin.CommandOptions{}),
		builtin.HTTPGet(builtin.HTTPOptions{}), sqlquery.New(root, sqlquery.Options{})}
}

func (f *toolFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.root, "root", ".", "the `folder` that file tools see; they cannot leave it")
	f.memory.add(cmd)
}

// addServers adds the flag for MCP servers. A command that is one itself must not have it: AGENT_MCP='agent mcp serve' in
// the environment would start processes without end.
func (f *toolFlags) addServers(cmd *cobra.Command) {
	f.servers = true
	cmd.Flags().StringArrayVar(&f.headers, "mcp-header", nil,
		"send this `header` to the --mcp that is an address: 'Authorization: Bearer ${TOKEN}', with variables of the environment")
	cmd.Flags().StringArrayVar(&f.mcp, "mcp", nil,
		"also use the tools of this MCP `server`: a command line, or an address that begins with http; may be repeated")
}

// addChoice adds the flags that choose among the tools.
func (f *toolFlags) addChoice(cmd *cobra.Command) {
	f.add(cmd)
	cmd.Flags().StringSliceVar(&f.only, "tools", nil, "use only these tools (comma-separated `names`)")
	cmd.Flags().BoolVar(&f.none, "no-tools", false, "use no tools")
	cmd.MarkFlagsMutuallyExclusive("tools", "no-tools")
	_ = cmd.RegisterFlagCompletionFunc("tools", f.completeNames) // only an unknown flag could fail
}

// open makes the tools. The caller closes what they hold open; servers among it end at once when ctx ends.
func (f *toolFlags) open(ctx context.Context, s Streams) (registry *tools.Registry, closeTools func(), err error) {
	nothing := func() {}
	if f.none {
		return nil, nothing, nil
	}
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return nil, nothing, misused("--root: %w", err)
	}
	named := byName(root)
	memories, err := f.memory.store()
	if err == nil { // a user without a home has no memories, and may have everything else
		named = append(named, memories.Tools()...)
	}
	servers, err := f.openServers(ctx, s)
	closeTools = func() {
		closeServers(servers)
		if memories != nil {
			_ = memories.Close() // what was stored is stored
		}
		root.Close()
	}
	if err == nil { // all names are ours to keep, also those of tools that are not there unless somebody names them
		registry, err = tools.NewRegistry(mcp.Combine(append(builtin.All(root), named...), servers...)...)
	}
	switch {
	case err != nil || f.all:
	case len(f.only) == 0:
		registry, err = without(registry, named)
	default:
		registry, err = registry.Subset(f.only...)
		var unknown *tools.CallError
		if errors.As(err, &unknown) {
			err = misused("--tools: %w", err)
		}
	}
	if err != nil {
		closeTools()
		return nil, nothing, err
	}
	return registry, closeTools, nil
}

// without is the registry without the tools of these names.
func without(registry *tools.Registry, left []tools.Tool) (*tools.Registry, error) {
	names := slices.DeleteFunc(registry.Names(), func(name string) bool {
		return slices.ContainsFunc(left, func(t tools.Tool) bool { return t.Definition().Name == name })
	})
	return registry.Subset(names...)
}

// completeNames completes the name of a tool, also after a comma.
func (f *toolFlags) completeNames(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	registry, closeTools, err := (&toolFlags{root: ".", all: true}).open(cmd.Context(), Streams{})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer closeTools()
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	var names []string
	for _, name := range registry.Names() {
		if !slices.Contains(strings.Split(before, ","), name) {
			names = append(names, fmt.Sprintf("%s%s", before, name))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
