package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

func newTools(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tools",
		Short: "The tools, without a model",
		Example: `  agent tools list
  agent tools call calculator '{"expression": "2^10"}'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newToolsList(s), newToolsCall(s))
	return cmd
}

// listedTool is a tool as `tools list --json` prints it.
type listedTool struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
	Effects     string          `json:"effects"`
}

func newToolsList(s Streams) *cobra.Command {
	flags := toolFlags{all: true}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "The tools that the agent can use",
		Long: `Lists the tools that the agent can use, and what they do to the world outside the conversation.
Those that write or reach the network, and sql_query and recall, are not used unless "agent ask --tools" names them.`,
		Example: `  agent tools list
  agent tools list --json | jq -r '.[].name'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			registry, closeTools, err := flags.open(cmd.Context(), s)
			if err != nil {
				return err
			}
			defer closeTools()
			list := []listedTool{}
			width := 0
			for _, tool := range registry.Tools() {
				d := tool.Definition()
				list = append(list, listedTool{d.Name, d.Description, d.Parameters, tools.EffectsOf(tool).String()})
				width = max(width, utf8.RuneCountInString(signature(d)))
			}
			if asJSON {
				return printJSON(s.Out, list)
			}
			columns, terminal := terminalWidth(s.Out)
			for i, tool := range registry.Tools() {
				if terminal { // below the name, where a narrow window has room
					text := wrap(fmt.Sprintf("%s [%s]", line(list[i].Description), list[i].Effects), max(columns-4, 20))
					fmt.Fprintf(s.Out, "%s\n    %s\n", signature(tool.Definition()), strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    "))
					continue
				}
				fmt.Fprintf(s.Out, "%-*s  %s [%s]\n", width, signature(tool.Definition()), line(list[i].Description), list[i].Effects)
			}
			return nil
		},
	}
	flags.add(cmd)
	flags.addServers(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array with each tool's schema")
	return cmd
}

// signature shows a tool's parameters as a person would write them down: read_file(path), now(place?).
func signature(d prompts.ToolDefinition) string {
	var schema struct {
		Required []string `json:"required"`
	}
	_ = json.Unmarshal(d.Parameters, &schema) // a schema without the list requires nothing
	required := map[string]bool{}
	for _, name := range schema.Required {
		required[name] = true
	}
	var names []string
	for _, name := range propertyNames(d.Parameters) {
		if !required[name] {
			name += "?"
		}
		names = append(names, name)
	}
	return line(d.Name + "(" + strings.Join(names, ", ") + ")")
}

// line is a text of a server's on one line, without what could control a terminal.
func line(text string) string { return printable(strings.Join(strings.Fields(text), " ")) }

// propertyNames lists a schema's properties in their order, which a Go map would lose.
func propertyNames(schema json.RawMessage) []string {
	var object struct {
		Properties json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(schema, &object) != nil || len(object.Properties) == 0 {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(object.Properties)))
	if _, err := decoder.Token(); err != nil {
		return nil
	}
	var names []string
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return names
		}
		name, _ := key.(string)
		names = append(names, name)
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return names
		}
	}
	return names
}

// calledTool is the outcome of `tools call --json`.
type calledTool struct {
	Result string  `json:"result"`
	Error  *string `json:"error"`
	Kind   string  `json:"kind,omitempty"`
}

func newToolsCall(s Streams) *cobra.Command {
	flags := toolFlags{all: true}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "call NAME JSON",
		Short: "Call a tool as the model would",
		Long: `Calls a tool with arguments, a JSON object, as the model would, and prints the result.
An unknown tool or arguments that do not fit the tool's schema exit with 2, a tool that fails with 1.`,
		Example: `  agent tools call calculator '{"expression": "17.5% of 2,340"}'
  agent tools call read_file '{"path": "notes.txt"}' --json`,
		Args:              exactly("NAME", "JSON"),
		ValidArgsFunction: flags.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkText("the arguments", args[1]); err != nil {
				return err
			}
			registry, closeTools, err := flags.open(cmd.Context(), s)
			if err != nil {
				return err
			}
			defer closeTools()
			result, err := registry.Call(cmd.Context(), args[0], json.RawMessage(args[1]))
			if asJSON {
				out := calledTool{Result: result.Content}
				if err != nil {
					text := err.Error()
					out.Error = &text
					var call *tools.CallError
					if errors.As(err, &call) {
						out.Kind = string(call.Kind)
					}
				}
				if printErr := printJSON(s.Out, out); printErr != nil {
					return printErr
				}
				if err != nil {
					return &codedError{code: callCode(err)}
				}
				return nil
			}
			if err != nil {
				return &codedError{callCode(err), err}
			}
			fmt.Fprintln(s.Out, strings.TrimSuffix(result.Content, "\n"))
			return nil
		},
	}
	flags.add(cmd)
	flags.addServers(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, `print {"result", "error", "kind"}`)
	return cmd
}

// callCode is the exit code for a call that gave no result.
func callCode(err error) Code {
	var call *tools.CallError
	switch {
	case errors.Is(err, context.Canceled):
		return Interrupted
	case errors.As(err, &call) && (call.Kind == tools.UnknownTool || call.Kind == tools.InvalidArguments):
		return Misused
	}
	return Failed
}
