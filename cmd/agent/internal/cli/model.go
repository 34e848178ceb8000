package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newModel(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "The model's parts: files, tokenizer, template, raw completions",
		Example: `  agent model info ~/models/Llama-3.2-1B-Instruct-Q4_0.gguf
  echo "Hello world" | agent model tokenize embedded --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newModelInfo(s), newModelTokenize(s), newModelDetokenize(s), newModelRender(s), newModelParse(s),
		newModelComplete(s), newModelLogits(s), newModelConstrain(s))
	return cmd
}

// readAll reads standard input up to a size that no model could take.
func readAll(in io.Reader) ([]byte, error) {
	const most = 256 << 20
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	if len(text) > most {
		return nil, misused("standard input has more than %d MiB", most>>20)
	}
	return text, nil
}

// eachInput calls handle with all of standard input or, with lines, with each of its lines.
func eachInput(in io.Reader, lines bool, handle func(input []byte) error) error {
	if !lines {
		text, err := readAll(in)
		if err != nil {
			return err
		}
		return handle(text)
	}
	reader := bufio.NewReaderSize(in, 1<<16)
	for n := 1; ; n++ {
		line, err := reader.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("standard input: %w", err)
		}
		atEnd := err != nil
		if atEnd && len(line) == 0 {
			return nil
		}
		if k := len(line); k > 0 && line[k-1] == '\n' {
			line = line[:k-1]
		}
		if err := handle(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if atEnd {
			return nil
		}
	}
}
