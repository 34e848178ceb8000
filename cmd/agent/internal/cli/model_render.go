package cli

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/prompts"
)

// templateFlag chooses a chat template.
type templateFlag struct{ name string }

func (f *templateFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "template", "", "chat template: llama-3.2, llama-3.2-pythonic or compact (default: the model's)")
}

func (f *templateFlag) template(model *llm.Model) (prompts.Template, error) {
	if f.name != "" {
		template, err := prompts.Named(f.name)
		if err != nil {
			return nil, misused("--template: %w", err)
		}
		return template, nil
	}
	return prompts.Detect(model.ChatTemplate(), model.Metadata)
}

func newModelRender(s Streams) *cobra.Command {
	var runtime runtimeFlags
	var template templateFlag
	var asJSON, lines bool
	cmd := &cobra.Command{
		Use:   "render MODEL",
		Short: "A conversation on standard input to the prompt that the model reads",
		Long: `Reads a conversation in OpenAI's form, {"messages": […], "tools": […], "date", "add_generation_prompt",
"tools_in_user_message"}, and prints the prompt.`,
		Example: `  echo '{"messages": [{"role": "user", "content": "Hi"}]}' | agent model render embedded`,
		Args:    exactly("MODEL"),
		RunE: func(_ *cobra.Command, args []string) error {
			model, closeModel, err := runtime.open(args[0])
			if err != nil {
				return err
			}
			defer closeModel()
			form, err := template.template(model)
			if err != nil {
				return err
			}
			return eachInput(s.In, lines, func(text []byte) error {
				input, err := prompts.ReadConversation(text)
				if err != nil {
					return misused("%w", err)
				}
				prompt, err := form.Render(input)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(s.Out, struct {
						Text string `json:"text"`
					}{prompt.String()})
				}
				_, err = fmt.Fprint(s.Out, prompt.String())
				return err
			})
		},
	}
	runtime.add(cmd)
	template.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, `print {"text": …}`)
	cmd.Flags().BoolVar(&lines, "lines", false, "one conversation a line")
	return cmd
}

// parsedCall is a tool call as the commands print it.
type parsedCall struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

// parsedReply is what `model parse --json` prints.
type parsedReply struct {
	Content   string       `json:"content"`
	ToolCalls []parsedCall `json:"tool_calls"`
	Error     *string      `json:"error"`
}

func newModelParse(s Streams) *cobra.Command {
	var runtime runtimeFlags
	var template templateFlag
	var toolsFile string
	var asJSON, lines bool
	cmd := &cobra.Command{
		Use:   "parse MODEL",
		Short: "What a model wrote, on standard input, to text and tool calls",
		Long: `Reads a model's raw reply and prints the text and the tool calls in it. With --tools, a file with a list of tools
in OpenAI's form, names and types are checked against it. A call that cannot be read is part of the output, not a failure.`,
		Example: `  echo '{"name": "f", "parameters": {"a": 1}}' | agent model parse embedded --json`,
		Args:    exactly("MODEL"),
		RunE: func(_ *cobra.Command, args []string) error {
			model, closeModel, err := runtime.open(args[0])
			if err != nil {
				return err
			}
			defer closeModel()
			form, err := template.template(model)
			if err != nil {
				return err
			}
			var definitions []prompts.ToolDefinition
			if toolsFile != "" {
				text, err := os.ReadFile(toolsFile)
				if err != nil {
					return misused("--tools: %w", err)
				}
				if definitions, err = prompts.ReadTools(text); err != nil {
					return misused("--tools %s: %w", toolsFile, err)
				}
			}
			return eachInput(s.In, lines, func(text []byte) error {
				reply, err := form.Parser().Parse(string(text), definitions)
				out := newParsedReply(reply, err)
				if asJSON {
					return printJSON(s.Out, out)
				}
				if out.Content != "" {
					fmt.Fprintln(s.Out, out.Content)
				}
				for _, call := range out.ToolCalls {
					fmt.Fprintf(s.Out, "%s %s\n", call.Name, call.Arguments)
				}
				if out.Error != nil {
					fmt.Fprintf(s.Err, "agent: %s\n", *out.Error)
				}
				return nil
			})
		},
	}
	runtime.add(cmd)
	template.add(cmd)
	cmd.Flags().StringVar(&toolsFile, "tools", "", "`file` with the tools, as a JSON list in OpenAI's form")
	cmd.Flags().BoolVar(&asJSON, "json", false, `print {"content", "tool_calls", "error"}`)
	cmd.Flags().BoolVar(&lines, "lines", false, "one reply a line")
	return cmd
}

func newParsedReply(reply prompts.ParsedReply, err error) parsedReply {
	out := parsedReply{Content: reply.Content, ToolCalls: []parsedCall{}}
	for _, call := range reply.ToolCalls {
		out.ToolCalls = append(out.ToolCalls, parsedCall{call.Name, call.Arguments})
	}
	if err != nil {
		text := err.Error()
		out.Error = &text
	}
	return out
}
