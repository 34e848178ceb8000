package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/tools/builtin/memory"
)

// memoryFlags say which file the tools remember and recall use.
type memoryFlags struct{ path string }

func (f *memoryFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.path, "memory-store", "",
		"the `file` that the tools remember and recall use (default: drover/memory.db in $XDG_DATA_HOME or ~/.local/share)")
}

// store returns the store, which is opened when it is used.
func (f *memoryFlags) store() (*memory.Store, error) {
	path := f.path
	if path == "" {
		var err error
		if path, err = memory.DefaultPath(); err != nil {
			return nil, err
		}
	}
	return memory.NewStore(path), nil
}

func newMemory(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "memory",
		Short: "What the tool remember has stored",
		Long: `Texts that a model has stored with the tool remember, for later conversations. It has that tool, and recall, only with
"agent ask --tools"; each text is shown to you before it is stored.`,
		Example: `  agent ask --tools remember "Remember that my home is in Oslo"
  agent memory list
  agent memory rm 3`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newMemoryList(s), newMemoryRemove(s))
	return cmd
}

// memoryCommand is a command on the store: f gets the arguments.
func memoryCommand(cmd *cobra.Command, f func(ctx context.Context, store *memory.Store, args []string) error) *cobra.Command {
	var flags memoryFlags
	flags.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		store, err := flags.store()
		if err != nil {
			return err
		}
		return errors.Join(f(cmd.Context(), store, args), store.Close())
	}
	return cmd
}

func newMemoryList(s Streams) *cobra.Command {
	var asJSON bool
	cmd := memoryCommand(&cobra.Command{
		Use:     "list",
		Short:   "All that is remembered, the newest first",
		Example: `  agent memory list --json | jq -r '.[].text'`,
		Args:    noArguments,
	}, func(ctx context.Context, store *memory.Store, _ []string) error {
		list, err := store.List(ctx)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(s.Out, append([]memory.Memory{}, list...))
		}
		for _, m := range list {
			fmt.Fprintf(s.Out, "%5d  %s  %s\n", m.ID, m.Created.Local().Format(time.DateTime), printable(m.Text))
		}
		return nil
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func newMemoryRemove(s Streams) *cobra.Command {
	var all bool
	cmd := memoryCommand(&cobra.Command{
		Use:   "rm NUMBER…",
		Short: "Forget memories, by their numbers",
		Example: `  agent memory rm 3 7
  agent memory rm --all`,
		Args: func(_ *cobra.Command, args []string) error {
			if all != (len(args) == 0) {
				return misused("want the numbers of memories, as \"agent memory list\" shows them, or --all")
			}
			return nil
		},
	}, func(ctx context.Context, store *memory.Store, args []string) error {
		if all {
			n, err := store.ForgetAll(ctx)
			if err == nil {
				fmt.Fprintf(s.Err, "forgot %d\n", n)
			}
			return err
		}
		var ids []int64
		for _, arg := range args {
			id, err := strconv.ParseInt(arg, 10, 64)
			if err != nil {
				return misused("%q is not the number of a memory", arg)
			}
			ids = append(ids, id)
		}
		return store.Forget(ctx, ids...)
	})
	cmd.Flags().BoolVar(&all, "all", false, "forget everything")
	return cmd
}
