package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/llm"
)

// tokenList is what `model tokenize --json` prints and `model detokenize --json` reads.
type tokenList struct {
	IDs []llm.Token `json:"ids"`
}

func newModelTokenize(s Streams) *cobra.Command {
	var runtime runtimeFlags
	var asJSON, noSpecial, bos, lines bool
	cmd := &cobra.Command{
		Use:   "tokenize MODEL",
		Short: "Text on standard input to token ids",
		Long: `Reads text and prints its token ids. Names of special tokens, such as <|eot_id|>, become these tokens unless
--no-special is given. No begin token is added unless --bos is given.`,
		Example: `  echo -n "Hello world" | agent model tokenize embedded
  agent model tokenize model.gguf --json --lines --no-special < lines.txt`,
		Args: exactly("MODEL"),
		RunE: func(_ *cobra.Command, args []string) error {
			model, closeModel, err := runtime.open(args[0])
			if err != nil {
				return err
			}
			defer closeModel()
			tokenizer := model.Tokenizer()
			out := bufio.NewWriter(s.Out)
			ids := []llm.Token{}
			err = eachInput(s.In, lines, func(text []byte) error {
				ids = ids[:0]
				if begin, ok := tokenizer.Special("<|begin_of_text|>"); bos && ok {
					ids = append(ids, begin)
				}
				if noSpecial {
					ids = tokenizer.Encode(ids, string(text))
				} else {
					ids = tokenizer.EncodeSpecial(ids, string(text))
				}
				if asJSON {
					return printJSON(out, tokenList{ids})
				}
				words := make([]string, len(ids))
				for i, id := range ids {
					words[i] = strconv.Itoa(int(id))
				}
				_, err := fmt.Fprintln(out, strings.Join(words, " "))
				return err
			})
			if err != nil {
				return err
			}
			return out.Flush()
		},
	}
	runtime.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, `print {"ids": […]}`)
	cmd.Flags().BoolVar(&noSpecial, "no-special", false, "names of special tokens are text like any other")
	cmd.Flags().BoolVar(&bos, "bos", false, "begin with the begin-of-text token")
	cmd.Flags().BoolVar(&lines, "lines", false, "one line in, one line out")
	return cmd
}

func newModelDetokenize(s Streams) *cobra.Command {
	var runtime runtimeFlags
	var asJSON, lines, special bool
	cmd := &cobra.Command{
		Use:   "detokenize MODEL",
		Short: "Token ids on standard input to text",
		Long: `Reads token ids, separated by white space or as {"ids": […]}, and prints their text. Special tokens have none,
unless --special is given.`,
		Example: `  echo 9906 1917 | agent model detokenize model.gguf`,
		Args:    exactly("MODEL"),
		RunE: func(_ *cobra.Command, args []string) error {
			model, closeModel, err := runtime.open(args[0])
			if err != nil {
				return err
			}
			defer closeModel()
			tokenizer := model.Tokenizer()
			out := bufio.NewWriter(s.Out)
			err = eachInput(s.In, lines, func(input []byte) error {
				ids, err := readTokens(input)
				if err != nil {
					return err
				}
				var text []byte
				for _, id := range ids {
					if err := checkToken(id, tokenizer.VocabSize()); err != nil {
						return err
					}
					if name := tokenizer.SpecialName(id); special && name != "" {
						text = append(text, name...)
					}
					text = append(text, tokenizer.Piece(id)...)
				}
				if asJSON {
					return printJSON(out, struct {
						Text string `json:"text"`
					}{string(bytes.ToValidUTF8(text, []byte("\uFFFD")))})
				}
				if _, err := out.Write(text); err != nil || !lines {
					return err
				}
				return out.WriteByte('\n')
			})
			if err != nil {
				return err
			}
			return out.Flush()
		},
	}
	runtime.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, `print {"text": …}`)
	cmd.Flags().BoolVar(&lines, "lines", false, "one line in, one line out")
	cmd.Flags().BoolVar(&special, "special", false, "show special tokens by their names")
	return cmd
}

// readTokens reads token ids in either form.
func readTokens(input []byte) ([]llm.Token, error) {
	input = bytes.TrimSpace(input)
	if len(input) > 0 && input[0] == '{' {
		var list struct {
			IDs []json.Number `json:"ids"`
		}
		if err := json.Unmarshal(input, &list); err != nil {
			return nil, misused("token ids: %w; want numbers, or {\"ids\": [1, 2]}", err)
		}
		words := make([]string, len(list.IDs))
		for i, id := range list.IDs {
			words[i] = id.String()
		}
		return parseTokens(words)
	}
	return parseTokens(strings.FieldsFunc(string(input), func(r rune) bool { return strings.ContainsRune(", \t\r\n[]", r) }))
}

// checkToken refuses an id that a vocabulary does not have.
func checkToken(id llm.Token, vocabSize int) error {
	if id < 0 || int(id) >= vocabSize {
		return misused("token id %d is not in the vocabulary, which ends at %d", id, vocabSize-1)
	}
	return nil
}

// parseTokens reads decimal token ids.
func parseTokens(words []string) ([]llm.Token, error) {
	var ids []llm.Token
	for _, word := range words {
		id, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			if errors.Is(err, strconv.ErrRange) {
				return nil, misused("token id %s is in no vocabulary", word)
			}
			return nil, misused("token id %q is no whole number", word)
		}
		ids = append(ids, llm.Token(id))
	}
	return ids, nil
}
