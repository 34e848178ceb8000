package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/builtin"
)

// toolFlags are the flags that say which tools there are.
type toolFlags struct {
	root string
	only []string
	none bool
	all  bool // also those that must be named: for commands that run no model
}

// byName makes the tools that are only there when somebody names them, because they write or reach the network.
func byName() []tools.Tool {
	return []tools.Tool{builtin.HTTPGet(builtin.HTTPOptions{})}
}

func (f *toolFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.root, "root", ".", "the `folder` that file tools see; they cannot leave it")
}

// addChoice adds the flags that choose among the tools.
func (f *toolFlags) addChoice(cmd *cobra.Command) {
	f.add(cmd)
	cmd.Flags().StringSliceVar(&f.only, "tools", nil, "use only these tools (comma-separated `names`)")
	cmd.Flags().BoolVar(&f.none, "no-tools", false, "use no tools")
	cmd.MarkFlagsMutuallyExclusive("tools", "no-tools")
	_ = cmd.RegisterFlagCompletionFunc("tools", f.completeNames) // only an unknown flag could fail
}

// open makes the tools. The caller closes what they hold open.
func (f *toolFlags) open() (registry *tools.Registry, closeTools func(), err error) {
	nothing := func() {}
	if f.none {
		return nil, nothing, nil
	}
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return nil, nothing, misused("--root: %w", err)
	}
	closeTools = func() { root.Close() }
	usual, err := tools.NewRegistry(builtin.All(root)...)
	if err == nil {
		registry, err = usual.With(byName()...)
	}
	switch {
	case err != nil || f.all:
	case len(f.only) == 0:
		registry = usual
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

// completeNames completes the name of a tool, also after a comma.
func (f *toolFlags) completeNames(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	registry, closeTools, err := (&toolFlags{root: ".", all: true}).open()
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
