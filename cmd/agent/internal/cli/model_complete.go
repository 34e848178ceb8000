package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/prompts"
)

// completion is what `model complete --json` prints.
type completion struct {
	parsedReply
	StopReason prompts.StopReason `json:"stop_reason"`
	Usage      agent.Usage        `json:"usage"`
}

func newModelComplete(s Streams) *cobra.Command {
	var flags modelFlags
	var sampling samplingFlags
	var asJSON, lines, free bool
	var schemaFile string
	var maxTokens int
	cmd := &cobra.Command{
		Use:   "complete MODEL",
		Short: "Let the model write the next message of a conversation on standard input",
		Long: `Reads what "agent model render" reads and lets the model write the assistant's next message. No tool is run.
Greedy unless --temperature is given.`,
		Example: `  echo '{"messages": [{"role": "user", "content": "Hi"}]}' | agent model complete embedded --json`,
		Args:    exactly("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.name = args[0]
			if maxTokens < 0 {
				return misused("--max-tokens is %d; want 0 (no limit) or more", maxTokens)
			}
			if err := sampling.check(); err != nil {
				return err
			}
			schema, err := readSchema(schemaFile)
			if err != nil {
				return err
			}
			model, closeModel, err := flags.openChat()
			if err != nil {
				return err
			}
			defer closeModel()
			return eachInput(s.In, lines, func(text []byte) error {
				input, err := prompts.ReadConversation(text)
				if err != nil {
					return misused("%w", err)
				}
				if len(input.Messages) == 0 {
					return misused("conversation: it has no messages; there is nothing to answer")
				}
				settings := sampling.values()
				if settings.Temperature == nil {
					settings.Temperature = prompts.Set(0.0)
				}
				out, err := complete(cmd.Context(), model, prompts.Request{
					Messages: input.Messages, Tools: input.Tools, Date: input.Date, ToolsInUserMessage: input.ToolsInUserMessage,
					MaxTokens: maxTokens, Sampling: settings, Schema: schema, Free: free,
				})
				if err != nil {
					return err
				}
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
	flags.runtime.add(cmd)
	sampling.add(cmd)
	cmd.Flags().IntVar(&maxTokens, "max-tokens", agent.DefaultLimits().StepTokens, "tokens that the model may write; 0 for no limit")
	cmd.Flags().BoolVar(&asJSON, "json", false, `print {"content", "tool_calls", "stop_reason", "error", "usage"}`)
	cmd.Flags().BoolVar(&free, "free", false, "let the model write calls as it likes, without a grammar")
	cmd.Flags().StringVar(&schemaFile, "schema", "", "`file` with a JSON Schema that an answer in words must match")
	cmd.Flags().BoolVar(&lines, "lines", false, "one conversation a line")
	return cmd
}

// complete collects one message.
func complete(ctx context.Context, model agent.Model, req prompts.Request) (completion, error) {
	var out completion
	var reply prompts.ParsedReply
	var malformed error
	for delta, err := range model.Generate(ctx, req) {
		switch {
		case err != nil:
			return out, err
		case delta.Text != "":
			reply.Content += delta.Text
		case delta.ToolCall != nil:
			reply.ToolCalls = append(reply.ToolCalls, *delta.ToolCall)
		case delta.CallError != nil:
			malformed = delta.CallError
		case delta.Done != nil:
			u := delta.Done.Usage
			out.StopReason = delta.Done.StopReason
			out.Usage = agent.Usage{PromptTokens: u.PromptTokens, CachedTokens: u.CachedTokens,
				CompletionTokens: u.CompletionTokens, ForwardPasses: u.ForwardPasses, PrefillTime: u.PrefillTime, DecodeTime: u.DecodeTime}
		}
	}
	out.parsedReply = newParsedReply(reply, malformed)
	return out, nil
}
