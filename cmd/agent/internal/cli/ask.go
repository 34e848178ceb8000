package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/prompts"
)

// askOptions are the flags of `agent ask`.
type askOptions struct {
	model      modelFlags
	tools      toolFlags
	sampling   samplingFlags
	choice     choiceFlags
	session    sessionFlags
	trace      string
	logLevel   slog.Level
	system     string
	schemaFile string
	maxSteps   int
	maxTokens  int
	timeout    time.Duration
	yes        bool
	quiet      bool
	asJSON     bool
	streamJSON bool
}

func newAsk(s Streams) *cobra.Command {
	var o askOptions
	cmd := &cobra.Command{
		Use:   "ask PROMPT",
		Short: "Ask one question: model, tools, answer",
		Long: `Asks one question and prints the tool calls, their results and the answer. The prompt "-" is read from standard input.

Tools that only read run at once. Tools that change something or reach the network ask first when standard input is a
terminal; otherwise they are denied, unless --yes is given. Tools of MCP servers (--mcp) always ask: what a server says of them is not
trusted.

With --session the conversation is stored, each event before it is printed, and goes on with the next question. A turn that
was interrupted, even by kill -9, is finished with --resume; tools that have finished do not run again, and one that may
have changed something asks first. See "agent sessions".`,
		Example: `  agent ask "What is 17.5% of 2,340?"
  agent ask "What does notes.txt say about the budget?"
  agent ask --json "What time is it in Tokyo?" | jq -r .answer
  agent ask --mcp 'npx -y @modelcontextprotocol/server-filesystem .' --yes "Which files are here?"
  agent ask --session trip "How many km are 5 miles?"
  agent ask --schema answer.json --no-tools "Name a color."
  git diff | agent ask --no-tools --model ~/models/Llama-3.2-3B-Instruct-Q4_0.gguf -`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.session.resume && len(args) > 0:
				return misused("--resume finishes the turn that was interrupted and takes no prompt; ask %q after it", args[0])
			case o.session.resume:
				return nil
			}
			return exactly("PROMPT")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), s, args)
		},
	}
	limits := agent.DefaultLimits()
	o.model.add(cmd)
	o.tools.addChoice(cmd)
	o.tools.addServers(cmd)
	cmd.MarkFlagsMutuallyExclusive("mcp", "no-tools")
	o.sampling.add(cmd)
	o.session.add(cmd)
	o.choice.add(cmd)
	f := cmd.Flags()
	f.StringVar(&o.system, "system", "", "system prompt")
	f.StringVar(&o.schemaFile, "schema", "", "`file` with a JSON Schema; the answer is JSON that matches it")
	f.IntVar(&o.maxSteps, "max-steps", limits.Steps, "model calls that may call tools; after them the model must answer")
	f.IntVar(&o.maxTokens, "max-tokens", limits.StepTokens, "tokens that the model may write in one step; 0 for no limit")
	f.DurationVar(&o.timeout, "timeout", 0, "stop after this time, such as 30s; what was written until then is printed")
	f.StringVar(&o.trace, "trace", "", "write what happens, with what the model was asked, to this `file`, for a person to read")
	f.TextVar(&o.logLevel, "log-level", slog.LevelWarn, "`level` of the log on standard error: debug, info, warn or error")
	f.Lookup("log-level").DefValue = "warn"
	f.BoolVar(&o.yes, "yes", false, "approve every tool call")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print only the answer")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object at the end")
	f.BoolVar(&o.streamJSON, "stream-json", false, "print each event as one line of JSON")
	cmd.MarkFlagsMutuallyExclusive("json", "stream-json", "quiet")
	return cmd
}

func (o *askOptions) run(ctx context.Context, s Streams, args []string) (err error) {
	prompt := ""
	if len(args) > 0 {
		if prompt, err = readPrompt(s.In, args[0]); err != nil {
			return err
		}
	}
	if err := o.check(); err != nil {
		return err
	}
	schema, err := readSchema(o.schemaFile)
	if err != nil {
		return err
	}
	runOptions := []agent.RunOption{agent.WithToolChoice(o.choice.value())}
	if schema != nil {
		runOptions = append(runOptions, agent.WithSchema(schema))
	}
	beginSession, closeStore, err := o.session.open(ctx)
	if err != nil {
		return err
	}
	defer closeStore()
	registry, closeTools, err := o.tools.open(ctx, s)
	if err != nil {
		return err
	}
	defer closeTools()
	if err := o.choice.checkTools(registry.Definitions()); err != nil {
		return err
	}
	model, closeModel, err := o.model.openChat(looseTools(o.logger(s)))
	if err != nil {
		return err
	}
	defer closeModel()
	limits := agent.DefaultLimits()
	limits.Steps, limits.StepTokens, limits.Time = o.maxSteps, o.maxTokens, o.timeout
	options := []agent.Option{
		agent.WithLimits(limits), agent.WithSystem(o.system), agent.WithSampling(o.sampling.values()),
		agent.WithTools(registry.Tools()...), agent.WithApproval(nil, terminalApprover(s)), agent.WithLogger(o.logger(s)),
	}
	if o.yes {
		options = append(options, agent.WithApproval(agent.ApproveAll, nil))
	}
	if o.trace != "" {
		option, closeTrace, openErr := openTrace(o.trace)
		if openErr != nil {
			return openErr
		}
		options = append(options, option)
		defer func() {
			if closeErr := closeTrace(); err == nil {
				err = closeErr
			}
		}()
	}
	a, err := agent.New(model, options...)
	if err != nil {
		return misused("%w", err)
	}
	session, err := beginSession()
	switch {
	case err != nil:
		return err
	case o.session.resume:
		return o.show(ctx, s, a.Resume(ctx, session, runOptions...))
	case session != nil:
		return o.show(ctx, s, a.Run(ctx, prompt, append(runOptions, agent.WithSession(session))...))
	}
	return o.show(ctx, s, a.Run(ctx, prompt, runOptions...))
}

// check refuses flags out of range before anything is loaded, by the names that a caller knows.
func (o *askOptions) check() error {
	switch {
	case o.maxSteps < 1:
		return misused("--max-steps is %d; want at least 1", o.maxSteps)
	case o.maxTokens < 0:
		return misused("--max-tokens is %d; want 0 (no limit) or more", o.maxTokens)
	case o.timeout < 0:
		return misused("--timeout is %v; want 0 (no limit) or more", o.timeout)
	}
	if err := checkText("--system", o.system); err != nil {
		return err
	}
	if err := o.choice.check(); err != nil {
		return err
	}
	return o.sampling.check()
}

// logger writes the log for people, without texts of the conversation.
func (o *askOptions) logger(s Streams) *slog.Logger {
	return slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: o.logLevel}))
}

// readSchema is the JSON Schema in a file, nil without a name.
func readSchema(file string) (json.RawMessage, error) {
	if file == "" {
		return nil, nil
	}
	schema, err := os.ReadFile(file)
	if err != nil {
		return nil, misused("--schema: %w", err)
	}
	if !json.Valid(schema) {
		return nil, misused("--schema: %s is not JSON", file)
	}
	return schema, nil
}

// readPrompt is the argument, or standard input for "-".
func readPrompt(in io.Reader, argument string) (string, error) {
	prompt, where := argument, "the prompt"
	if argument == "-" {
		const most = 64 << 20 // far more than any context; a larger input is a mistake that should not fill the memory
		text, err := io.ReadAll(io.LimitReader(in, most+1))
		if err != nil {
			return "", fmt.Errorf("standard input: %w", err)
		}
		if len(text) > most {
			return "", misused("standard input has more than %d MiB; no model reads that much at once", most>>20)
		}
		prompt, where = string(text), "standard input"
	}
	if strings.TrimSpace(prompt) == "" {
		return "", misused("%s is empty; say what you want to know", where)
	}
	return prompt, checkText(where, prompt)
}

// checkText refuses what is no text. where names it in the error.
func checkText(where, text string) error {
	if i := strings.IndexByte(text, 0); i >= 0 {
		return misused("%s has a NUL byte at position %d; it is not text", where, i)
	}
	if !utf8.ValidString(text) {
		return misused("%s is not valid UTF-8 (byte %d); convert it first, for example with iconv", where, invalidAt(text))
	}
	return nil
}

// invalidAt is the index of the first byte that is not UTF-8.
func invalidAt(text string) int {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size <= 1 {
				return i
			}
		}
	}
	return len(text)
}

// samplingFlags say how tokens are drawn. What is not given is left to the model.
type samplingFlags struct {
	cmd         *cobra.Command
	temperature float64
	topP        float64
	minP        float64
	topK        int
	seed        uint64
}

func (f *samplingFlags) add(cmd *cobra.Command) {
	f.cmd = cmd
	flags := cmd.Flags()
	flags.Float64Var(&f.temperature, "temperature", 0, "randomness; 0 always takes the most likely token (default: the model's)")
	flags.Float64Var(&f.topP, "top-p", 0, "draw from the most likely tokens that have this share together (default: the model's)")
	flags.Float64Var(&f.minP, "min-p", 0, "draw from tokens that are at least this likely, relative to the best (default: off)")
	flags.IntVar(&f.topK, "top-k", 0, "draw from this many of the most likely tokens (default: off)")
	flags.Uint64Var(&f.seed, "seed", 0, "the same seed gives the same answer")
}

// check refuses values out of range.
func (f *samplingFlags) check() error {
	switch {
	case !(f.temperature >= 0 && f.temperature <= math.MaxFloat32):
		return misused("--temperature is %v; want 0 (greedy) or more", f.temperature)
	case !(f.topP >= 0 && f.topP <= 1):
		return misused("--top-p is %v; want 0 (off) to 1", f.topP)
	case !(f.minP >= 0 && f.minP <= 1):
		return misused("--min-p is %v; want 0 (off) to 1", f.minP)
	case f.topK < 0:
		return misused("--top-k is %d; want 0 (off) or more", f.topK)
	}
	return nil
}

// values has what was set, on the command line or by a default of the user's.
func (f *samplingFlags) values() prompts.Sampling {
	var s prompts.Sampling
	set := func(name string) bool { return f.cmd.Flags().Changed(name) }
	if set("temperature") {
		s.Temperature = &f.temperature
	}
	if set("top-p") {
		s.TopP = &f.topP
	}
	if set("min-p") {
		s.MinP = &f.minP
	}
	if set("top-k") {
		s.TopK = &f.topK
	}
	if set("seed") {
		s.Seed = &f.seed
	}
	return s
}
