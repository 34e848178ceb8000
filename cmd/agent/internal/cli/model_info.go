package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/prompts"
)

// modelInfo is what `model info --json` prints.
type modelInfo struct {
	Name          string  `json:"name"`
	Parameters    int64   `json:"parameters"`
	Quantization  string  `json:"quantization"`
	FileBytes     int64   `json:"file_bytes"`
	WeightBytes   int64   `json:"weight_bytes"`
	ContextLength int     `json:"context_length"`
	VocabSize     int     `json:"vocab_size"`
	Layers        int     `json:"layers"`
	Dim           int     `json:"dim"`
	HiddenDim     int     `json:"hidden_dim"`
	Heads         int     `json:"heads"`
	KVHeads       int     `json:"kv_heads"`
	HeadDim       int     `json:"head_dim"`
	RoPEBase      float64 `json:"rope_base"`
	Tied          bool    `json:"tied_embeddings"`
	Template      string  `json:"template"`
	TemplateError *string `json:"template_error"`
	Card          string  `json:"card,omitempty"`
}

func newModelInfo(s Streams) *cobra.Command {
	var runtime runtimeFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info MODEL",
		Short: "What a model file holds",
		Example: `  agent model info embedded
  agent model info ~/models/Llama-3.2-1B-Instruct-Q4_0.gguf --json`,
		Args: exactly("MODEL"),
		RunE: func(_ *cobra.Command, args []string) error {
			model, closeModel, err := runtime.open(args[0])
			if err != nil {
				return err
			}
			defer closeModel()
			info := describeModel(model)
			if asJSON {
				return printJSON(s.Out, info)
			}
			rows := [][2]string{
				{"name", info.Name},
				{"parameters", count(info.Parameters)},
				{"weights", fmt.Sprintf("mostly %s, %s in memory", info.Quantization, size(info.WeightBytes))},
				{"file", size(info.FileBytes)},
				{"context", fmt.Sprintf("%d tokens", info.ContextLength)},
				{"vocabulary", fmt.Sprintf("%d tokens", info.VocabSize)},
				{"layers", fmt.Sprintf("%d of width %d, feed-forward %d", info.Layers, info.Dim, info.HiddenDim)},
				{"attention", fmt.Sprintf("%d query heads, %d key and value heads, %d dimensions each", info.Heads, info.KVHeads, info.HeadDim)},
				{"template", info.Template},
			}
			if info.TemplateError != nil {
				rows[len(rows)-1][1] = "none that can be used: " + *info.TemplateError
			}
			for _, row := range rows {
				fmt.Fprintf(s.Out, "%-11s %s\n", row[0], row[1])
			}
			if info.Card != "" {
				card := strings.TrimSpace(info.Card) + "\n"
				if columns, terminal := terminalWidth(s.Out); terminal {
					card = wrap(card, columns)
				}
				fmt.Fprintf(s.Out, "\n%s", printable(card))
			}
			return nil
		},
	}
	runtime.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func describeModel(m *llm.Model) modelInfo {
	c := m.Config()
	info := modelInfo{
		Name: m.Name(), Parameters: m.Parameters(), Quantization: m.Quantization(), FileBytes: m.FileSize(),
		WeightBytes: m.WeightBytes(), ContextLength: m.ContextLength(), VocabSize: c.VocabSize, Layers: c.NLayers, Dim: c.Dim,
		HiddenDim: c.HiddenDim, Heads: c.NHeads, KVHeads: c.NKVHeads, HeadDim: c.HeadDim, RoPEBase: c.RoPEBase, Tied: c.Tied,
	}
	info.Card, _ = m.Metadata("drover.model_card")
	template, err := prompts.Detect(m.ChatTemplate(), m.Metadata)
	if err != nil {
		text := err.Error()
		info.TemplateError = &text
	} else {
		info.Template = template.Name()
	}
	return info
}

// count shows a large number as people say it.
func count(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f billion", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.2f million", float64(n)/1e6)
	}
	return fmt.Sprint(n)
}

// size shows a size in binary units.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
