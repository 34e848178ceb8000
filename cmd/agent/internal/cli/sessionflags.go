package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/sessions"
	"github.com/drover-ai/drover/agent/trace"
)

// storeFlags say which file sessions are kept in.
type storeFlags struct {
	path  string
	state bool // keep what the model computed
}

func (f *storeFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.path, "session-store", "", "the file that sessions are kept in (default: drover/sessions.db in $XDG_DATA_HOME or ~/.local/share)")
}

// open opens the store. Commands that only look do not create one.
func (f *storeFlags) open(ctx context.Context, create bool) (*sessions.Store, error) {
	path := f.path
	if path == "" {
		var err error
		if path, err = sessions.DefaultPath(); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(path); os.IsNotExist(err) && !create {
		return nil, fmt.Errorf("there are no sessions: %s does not exist; begin one with agent ask --session NAME", path)
	}
	return sessions.Open(ctx, path, sessions.Options{KeepState: f.state})
}

// sessionFlags say which stored conversation a question belongs to.
type sessionFlags struct {
	store  storeFlags
	name   string
	resume bool
}

func (f *sessionFlags) add(cmd *cobra.Command) {
	f.store.add(cmd)
	cmd.Flags().StringVar(&f.name, "session", "", "go on with the stored conversation of this name, or begin it")
	cmd.Flags().BoolVar(&f.resume, "resume", false, "finish the interrupted turn of --session instead of asking something new")
	cmd.Flags().BoolVar(&f.store.state, "keep-state", false,
		"also keep what the model computed for --session, so that the next question does not compute it again (32 KiB a token with a 1B model)")
	_ = cmd.RegisterFlagCompletionFunc("session", f.store.completeNames) // only an unknown flag could fail
}

// open opens the store, if a session is asked for; begin then opens the session, or makes it. The caller closes the store.
func (f *sessionFlags) open(ctx context.Context) (begin func() (*agent.Session, error), closeStore func(), err error) {
	if f.name == "" {
		if f.resume {
			return nil, nil, misused("--resume needs --session NAME: the conversation whose turn was interrupted")
		}
		return func() (*agent.Session, error) { return nil, nil }, func() {}, nil
	}
	if err := sessions.CheckName(f.name); err != nil {
		return nil, nil, misused("--session: %w", err)
	}
	store, err := f.store.open(ctx, !f.resume)
	if err != nil {
		return nil, nil, err
	}
	closeStore = func() { store.Close() }
	if f.resume {
		s, err := store.Existing(ctx, f.name)
		if err != nil {
			closeStore()
			return nil, nil, err
		}
		return func() (*agent.Session, error) { return s, nil }, closeStore, nil
	}
	return func() (*agent.Session, error) { return store.Session(ctx, f.name) }, closeStore, nil
}

// completeNames completes the name of a session.
func (f *storeFlags) completeNames(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	store, err := f.open(cmd.Context(), false)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer store.Close()
	list, err := store.List(cmd.Context())
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, i := range list {
		names = append(names, i.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// openTrace creates the file of --trace. The returned function closes it and tells whether all of it was written.
func openTrace(path string) (option agent.Option, closeTrace func() error, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // it has the whole conversation in it
	if err != nil {
		return nil, nil, fmt.Errorf("--trace: %w", err)
	}
	w := trace.New(file)
	return w.Option(), func() error {
		err := file.Close()
		if w.Err() != nil {
			err = w.Err()
		}
		if err != nil {
			return fmt.Errorf("--trace: the file is not whole: %w", err)
		}
		return nil
	}, nil
}
