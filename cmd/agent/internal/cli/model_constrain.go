package cli

import (
	"bytes"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/llm/grammar"
)

// constrained is what `model constrain --json` prints.
type constrained struct {
	Accepted bool   `json:"accepted"`
	At       int    `json:"at"`
	Why      string `json:"why"`
}

func newModelConstrain(s Streams) *cobra.Command {
	var runtime runtimeFlags
	var asked constrainedBy
	var asJSON, lines bool
	cmd := &cobra.Command{
		Use:   "constrain MODEL",
		Short: "Whether a grammar lets the model write exactly the text on standard input",
		Long: `Compiles a JSON Schema, a regular expression, a list of choices or a grammar in EBNF, and says whether the model may write exactly the text
on standard input (less one newline at its end) under it: {"accepted", "at", "why"}, where "at" is the byte that does not fit.

A grammar has one rule after the other, the first of which is the whole text: list ::= "[" ( item ("," item)* )? "]".
Parts are "text", classes [a-z], expressions /[a-z]{2}/, names of rules and alternatives in parentheses; ?, *, + and {m,n}
repeat the part before.

JSON is read compact, or with one space after commas and colons. A schema that cannot be enforced is an error that names
the keyword and its place; nothing is ever dropped silently.`,
		Example: `  echo -n '{"n":5}' | agent model constrain embedded --schema schema.json --json
  echo -n yes | agent model constrain embedded --choice yes --choice no
  echo -n AB-12 | agent model constrain embedded --regex '[A-Z]{2}-[0-9]+'
  echo -n '(1+2)' | agent model constrain embedded --grammar sums.ebnf`,
		Args: exactly("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			grammars, err := asked.grammars()
			if err != nil {
				return err
			}
			_, closeModel, err := runtime.open(args[0])
			if err != nil {
				return err
			}
			defer closeModel()
			return eachInput(s.In, lines, func(text []byte) error {
				text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
				var out constrained
				for _, g := range grammars { // the spelling that goes further tells more
					accepted, at, why := grammar.Match(g, string(text))
					if accepted || at >= out.At {
						out = constrained{accepted, at, why}
					}
					if accepted {
						break
					}
				}
				switch {
				case asJSON:
					return printJSON(s.Out, out)
				case out.Accepted:
					_, err := fmt.Fprintln(s.Out, "accepted")
					return err
				}
				_, err := fmt.Fprintf(s.Out, "not accepted: at byte %d: %s\n", out.At, out.Why)
				return err
			})
		},
	}
	runtime.add(cmd)
	f := cmd.Flags()
	f.StringVar(&asked.schemaFile, "schema", "", "file with a JSON Schema")
	f.StringVar(&asked.expression, "regex", "", "regular expression that the whole text must match")
	f.StringArrayVar(&asked.choices, "choice", nil, "a text that may be written (repeatable)")
	f.StringVar(&asked.grammarFile, "grammar", "", "file with a grammar in EBNF")
	f.BoolVar(&asked.closed, "closed", false, "treat an absent additionalProperties as false, as for the arguments of a tool")
	f.BoolVar(&asJSON, "json", false, `print {"accepted", "at", "why"}`)
	f.BoolVar(&lines, "lines", false, "one text a line")
	cmd.MarkFlagsMutuallyExclusive("schema", "regex", "choice", "grammar")
	return cmd
}

// constrainedBy is what the text is to be written under: one of its fields, closed aside.
type constrainedBy struct {
	schemaFile, grammarFile, expression string
	choices                             []string
	closed                              bool
}

// grammars compiles what was asked for: of a schema both spellings.
func (c *constrainedBy) grammars() ([]*grammar.Grammar, error) {
	one := func(g *grammar.Grammar, err error) ([]*grammar.Grammar, error) { return []*grammar.Grammar{g}, err }
	switch {
	case c.expression != "":
		return one(grammar.CompileRegexp(c.expression))
	case len(c.choices) > 0:
		return one(grammar.CompileChoices(c.choices))
	case c.grammarFile != "":
		text, err := os.ReadFile(c.grammarFile)
		if err != nil {
			return nil, misused("--grammar: %w", err)
		}
		g, err := grammar.CompileEBNF(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.grammarFile, err)
		}
		return one(g, nil)
	case c.schemaFile == "":
		return nil, misused("agent model constrain needs --schema, --regex, --choice or --grammar")
	}
	schema, err := os.ReadFile(c.schemaFile)
	if err != nil {
		return nil, misused("--schema: %w", err)
	}
	var out []*grammar.Grammar
	for _, spaced := range []bool{false, true} {
		g, err := grammar.CompileSchema(schema, grammar.Options{Spaced: spaced, Closed: c.closed})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.schemaFile, err)
		}
		out = append(out, g)
	}
	return out, nil
}
