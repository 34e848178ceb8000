package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/llm"
)

// tokenLogit is a token with its logit.
type tokenLogit struct {
	ID    llm.Token `json:"id"`
	Logit float64   `json:"logit"`
}

// positionLogits is what `model logits --json` prints.
type positionLogits struct {
	VocabSize int          `json:"n_vocab"`
	Position  *int         `json:"position,omitempty"`
	Top       []tokenLogit `json:"top"`
	LogSumExp float64      `json:"logsumexp"`
}

func newModelLogits(s Streams) *cobra.Command {
	var runtime runtimeFlags
	var asJSON, all bool
	var tokens []string
	var top int
	cmd := &cobra.Command{
		Use:   "logits MODEL",
		Short: "The logits of the token after a list of tokens",
		Long: `Runs the model on token ids and prints the largest logits of the token that follows, and the logarithm of the sum
of the exponentials of all. With --all it does so for every position. For comparing implementations.`,
		Example: `  agent model logits model.gguf --tokens 128000,9906 --top 10 --json`,
		Args:    exactly("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := parseTokens(tokens)
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				return misused("agent model logits needs --tokens, such as --tokens 128000,9906")
			}
			if top < 1 {
				return misused("--top is %d; want at least 1", top)
			}
			model, closeModel, err := runtime.open(args[0])
			if err != nil {
				return err
			}
			defer closeModel()
			for _, id := range ids {
				if err := checkToken(id, model.Config().VocabSize); err != nil {
					return err
				}
			}
			return eachPosition(cmd.Context(), model, ids, all, func(position int, logits []float32) error {
				out := positionLogits{VocabSize: len(logits), LogSumExp: llm.LogSumExp(logits)}
				for _, l := range llm.TopLogprobs(logits, top) {
					out.Top = append(out.Top, tokenLogit{l.Token, float64(logits[l.Token])})
				}
				if all {
					out.Position = &position
				}
				if asJSON {
					return printJSON(s.Out, out)
				}
				var list []string
				for _, l := range out.Top {
					list = append(list, fmt.Sprintf("%d %.6g %q", l.ID, l.Logit, model.Tokenizer().Piece(l.ID)))
				}
				_, err := fmt.Fprintf(s.Out, "position %d, logsumexp %.6g\n  %s\n", position, out.LogSumExp, strings.Join(list, "\n  "))
				return err
			})
		},
	}
	runtime.add(cmd)
	cmd.Flags().StringSliceVar(&tokens, "tokens", nil, "token ids, separated by commas")
	cmd.Flags().IntVar(&top, "top", 10, "how many of the largest logits to print")
	cmd.Flags().BoolVar(&all, "all", false, "every position, one line each")
	cmd.Flags().BoolVar(&asJSON, "json", false, `print {"n_vocab", "top", "logsumexp"}`)
	return cmd
}

// eachPosition runs tokens through a model and calls print after the last or, with all, after each.
func eachPosition(ctx context.Context, model *llm.Model, ids []llm.Token, all bool, print func(position int, logits []float32) error) error {
	session, err := model.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	if !all {
		if err := session.Prefill(ctx, ids); err != nil {
			return err
		}
		return print(len(ids)-1, session.Logits())
	}
	for i := range ids {
		if err := session.Prefill(ctx, ids[i:i+1]); err != nil {
			return err
		}
		if err := print(i, session.Logits()); err != nil {
			return err
		}
	}
	return nil
}
