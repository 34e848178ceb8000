package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/prompts"
)

// choiceFlags say whether, and how often, tools are called.
type choiceFlags struct {
	cmd       *cobra.Command
	choice    string
	threshold float64
	maxCalls  int
}

func (f *choiceFlags) add(cmd *cobra.Command) {
	f.cmd = cmd
	flags := cmd.Flags()
	flags.StringVar(&f.choice, "tool-choice", "auto", "auto, none, required (call a tool first) or the `name` of the tool to call first")
	flags.Float64Var(&f.threshold, "call-threshold", 0, "how likely a call must be for one to be made, 0 to 1 (default: the model's)")
	flags.IntVar(&f.maxCalls, "max-calls", 0, "calls that one message may have; 0 for as many as the model is made for")
}

// check refuses values out of range.
func (f *choiceFlags) check() error {
	switch {
	case f.choice == "":
		return misused("--tool-choice is empty; want auto, none, required or the name of a tool")
	case !(f.threshold >= 0 && f.threshold <= 1):
		return misused("--call-threshold is %v; want 0 to 1", f.threshold)
	case f.maxCalls < 0:
		return misused("--max-calls is %d; want 0 (as many as the model is made for) or more", f.maxCalls)
	}
	return nil
}

// checkTools refuses a choice that the tools do not allow.
func (f *choiceFlags) checkTools(definitions []prompts.ToolDefinition) error {
	switch c := f.value(); {
	case c.Mode == prompts.ToolChoiceRequired && len(definitions) == 0:
		return misused("--tool-choice required: there are no tools; choose some with --tools")
	case c.Mode == prompts.ToolChoiceNamed && !slices.ContainsFunc(definitions, func(d prompts.ToolDefinition) bool { return d.Name == c.Name }):
		return misused("--tool-choice %s: there is no such tool; agent tools lists them, and auto, none and required are no names", c.Name)
	}
	return nil
}

// value has what was set.
func (f *choiceFlags) value() prompts.ToolChoice {
	c := prompts.ToolChoice{MaxCalls: f.maxCalls}
	modes := []prompts.ToolChoiceMode{prompts.ToolChoiceNone, prompts.ToolChoiceRequired}
	switch mode := prompts.ToolChoiceMode(f.choice); {
	case slices.Contains(modes, mode):
		c.Mode = mode
	case mode != prompts.ToolChoiceAuto:
		c.Mode, c.Name = prompts.ToolChoiceNamed, f.choice
	}
	if f.cmd.Flags().Changed("call-threshold") {
		c.Threshold = &f.threshold
	}
	return c
}
