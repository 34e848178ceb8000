package cli

import "github.com/spf13/cobra"

// addCompletion adds cobra's commands that print completion for four shells, with the exit codes of ours.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Short = "Print completion for bash, zsh, fish or powershell"
		cmd.Long = `Prints a script that completes commands, flags, tools and names of sessions in a shell. "agent completion SHELL --help"
says where it goes.`
		cmd.Example = "  source <(agent completion bash)\n  agent completion fish > ~/.config/fish/completions/agent.fish"
		cmd.Args = noArguments
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		for _, shell := range cmd.Commands() {
			shell.Args = noArguments
		}
	}
}
