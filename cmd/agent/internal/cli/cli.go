// Package cli is the command line of agent: one file a command.
//
// How it speaks: data goes to standard output and nothing else does, so that it can be piped; progress, hints and errors go
// to standard error. An error is one line that begins with "agent: " and says what is wrong, where, and what to do. The exit
// code says what kind of end it was; see [Code]. Nothing waits for a person unless standard input is a terminal.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// Code is an exit code. Scripts rely on the numbers.
type Code int

// The exit codes.
const (
	OK          Code = 0   // done
	Failed      Code = 1   // the message says what, where, and the fix
	Misused     Code = 2   // unknown command or flag, wrong or missing argument
	Guarded     Code = 3   // stopped by a guard
	OutOfBudget Code = 4   // stopped by a budget: steps, tokens or time
	Interrupted Code = 130 // Ctrl-C
)

// codedError is an error that ends the program with a certain code. A nil err prints nothing: the output has said it all.
type codedError struct {
	code Code
	err  error
}

func (e *codedError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *codedError) Unwrap() error { return e.err }

// misused marks an error as the caller's: wrong flags or arguments.
func misused(format string, args ...any) error {
	return &codedError{Misused, fmt.Errorf(format, args...)}
}

// Streams are what a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// grace is how long an interrupted command may take to end in order. What is stored survives a process that is killed, so
// nothing is lost with a command that cannot: one that waits for its input, or for a pipe that nobody reads.
const grace = 250 * time.Millisecond

// Main runs the command line and returns the exit code. args does not include the program's name. Ctrl-C and SIGTERM end
// the command; a second one ends the process on the spot.
func Main(args []string, streams Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	done := make(chan Code, 1)
	go func() { done <- Run(ctx, args, streams) }() // ends with the command or, after a signal, with the process
	select {
	case code := <-done:
		return int(code)
	case <-ctx.Done():
	}
	stop()
	select {
	case <-done:
	case <-time.After(grace):
	}
	return int(Interrupted)
}

// Run is [Main] with a context that the caller ends; for tests.
func Run(ctx context.Context, args []string, streams Streams) Code {
	out := &output{w: streams.Out}
	streams.Out = out
	root := newRoot(streams)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if ctx.Err() != nil {
		return Interrupted
	}
	if err != nil && strings.HasPrefix(err.Error(), excludedPrefix) {
		err = excluded(err)
	}
	return report(streams.Err, out.failure(err))
}

// excludedPrefix begins cobra's error for flags that exclude each other, which has no type.
const excludedPrefix = "if any flags in the group"

// excluded says it in the words of ours: cobra's is "if any flags in the group [a b c] are set none of the others can be;
// [a b] were all set".
func excluded(err error) error {
	text := err.Error()
	_, list, ok := strings.Cut(text, "; [")
	list, _, closed := strings.Cut(list, "]")
	if !ok || !closed {
		return misused("%w", err)
	}
	return misused("--%s exclude each other; give one of them", strings.Join(strings.Fields(list), " and --"))
}

// report prints an error, if there is one, and chooses the exit code.
func report(w io.Writer, err error) Code {
	if err == nil {
		return OK
	}
	code := Failed
	var coded *codedError
	if errors.As(err, &coded) {
		code = coded.code
		if coded.err == nil {
			return code
		}
	}
	// A line break inside an error would look like a second one.
	fmt.Fprintf(w, "agent: %s\n", strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", " "))
	return code
}

// newRoot builds the command tree.
func newRoot(streams Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "agent",
		Short: "An agent with tools, running Llama 3.2 inside this process",
		Long: `agent answers questions with a Llama 3.2 model that runs inside this process: no server, no network.
It can use tools, and shows what it does. Out of the box it runs a tiny model that is part of the program.

Exit codes: 0 done, 1 failed, 2 used wrongly, 3 stopped by a guard, 4 stopped by a budget, 130 interrupted.

A flag's default can be set in the environment (--max-steps is AGENT_MAX_STEPS) and in a configuration file
(see "agent help configuration").`,
		Example: `  agent ask "What is 17.5% of 2,340?"
  agent ask --model ~/models/Llama-3.2-3B-Instruct-Q4_0.gguf "What does notes.txt say about the budget?"
  agent tools list`,
		Version:           buildVersion(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: applyDefaults,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
		Args: noArguments,
	}
	root.SuggestionsMinimumDistance = 2
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return misused("%w; see %q", err, cmd.CommandPath()+" --help")
	})
	root.AddCommand(newAsk(streams), newSessions(streams), newMemory(streams), newTools(streams), newMCP(streams), newModel(streams), newDoctor(streams), newConfigurationHelp())
	root.SetVersionTemplate("agent {{.Version}}\n")
	setHelp(root)
	addCompletion(root)
	return root
}

// noArguments is for commands that take none: cobra's own check would not say which command was meant.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		hint := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf(" (did you mean %q?)", near[0])
		}
		return misused("unknown command %q for %q%s; see %q", args[0], cmd.CommandPath(), hint, cmd.CommandPath()+" --help")
	}
	return misused("%s takes no arguments, got %q", cmd.CommandPath(), args[0])
}

// exactly is for commands that take a fixed number of arguments, named as in the usage line.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return misused("%s needs %s; usage: %s", cmd.CommandPath(), names[len(args)], cmd.UseLine())
		case len(args) > len(names):
			return misused("%s: unexpected argument %q; quote a text that has spaces; usage: %s",
				cmd.CommandPath(), args[len(names)], cmd.UseLine())
		}
		return nil
	}
}
