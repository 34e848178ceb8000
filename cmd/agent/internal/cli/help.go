package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// Help goes to standard output, fits the terminal, and has the same parts in the same order for every command: what it
// does, usage, examples, the commands below it, flags.

// helpWidth is how wide help may be.
func helpWidth(w io.Writer) int {
	columns, ok := terminalWidth(w)
	if !ok {
		return 80
	}
	return min(max(columns, 40), 100) // longer lines are hard to read
}

// setHelp gives a command tree its help, and its help command.
func setHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(cmd.OutOrStdout(), cmd) })
	root.SetHelpCommand(&cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about a command",
		Example: "  agent help ask\n  agent help configuration",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			at, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, below := range at.Commands() {
				if strings.HasPrefix(below.Name(), typed) && !below.Hidden {
					names = append(names, below.Name()+"\t"+below.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return misused("there is no help about %q; see %q", strings.Join(args, " "), "agent --help")
			}
			return about.Help()
		},
	})
}

// writeHelp prints the help of one command. Errors of writing are kept by [output].
func writeHelp(w io.Writer, cmd *cobra.Command) {
	width := helpWidth(w)
	var b bytes.Buffer
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	b.WriteString(wrap(strings.TrimSpace(about), width))
	topic := !cmd.Runnable() && !cmd.HasSubCommands() // such as configuration: a text that is no command
	if !topic {
		fmt.Fprintf(&b, "\nUsage:\n  %s\n", cmd.UseLine())
		if cmd.HasAvailableSubCommands() {
			fmt.Fprintf(&b, "  %s COMMAND\n", cmd.CommandPath())
		}
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	var commands, topics []*cobra.Command
	for _, below := range cmd.Commands() {
		switch {
		case below.IsAdditionalHelpTopicCommand():
			topics = append(topics, below)
		case below.IsAvailableCommand() || below.Name() == "help":
			commands = append(commands, below)
		}
	}
	writeCommands(&b, "Commands", commands, width)
	writeCommands(&b, `Help topics (agent help TOPIC)`, topics, width)
	if !topic && cmd.HasAvailableLocalFlags() {
		fmt.Fprintf(&b, "\nFlags:\n%s", cmd.LocalFlags().FlagUsagesWrapped(width))
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s", wrap(fmt.Sprintf("%q says more about one of them.", cmd.CommandPath()+" COMMAND --help"), width))
	}
	_, _ = w.Write(b.Bytes())
}

// writeCommands lists commands with what they do, in two columns.
func writeCommands(b *bytes.Buffer, title string, commands []*cobra.Command, width int) {
	if len(commands) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	names := 0
	for _, c := range commands {
		names = max(names, len(c.Name()))
	}
	for _, c := range commands {
		indent := names + 4
		text := wrap(c.Short, max(width-indent, 20))
		fmt.Fprintf(b, "  %-*s  %s\n", names, c.Name(), strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+strings.Repeat(" ", indent)))
	}
}

// wrap breaks a text into lines of at most width characters, where a word allows it. Lines that follow each other are one
// paragraph; an indented line stays as it is. The result ends with a line break.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0 // characters of the line being written
	end := func() {
		if column > 0 {
			b.WriteByte('\n')
			column = 0
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || strings.ContainsRune(" \t", rune(line[0])) {
			end()
			b.WriteString(line + "\n")
			continue
		}
		for word := range strings.FieldsSeq(line) {
			size := utf8.RuneCountInString(word)
			if column > 0 && column+1+size > width {
				end()
			}
			if column > 0 {
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += size
		}
	}
	end()
	return b.String()
}
