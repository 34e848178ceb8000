// Command turn measures an agent's turn with three tool calls: drover in this process against the usual stack, which is
// llama.cpp behind an OpenAI-compatible server and langchaingo's client. ../run.sh prepares and runs it; ../README.md says what
// is the same on both sides.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/prompts"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	model := flag.String("model", "", "the GGUF file that both sides read")
	server := flag.String("server", "", "the llama.cpp server, test/bench/llamacpp/server.mjs")
	pairs := flag.Int("pairs", 5, "how often each side takes the turn, in turn")
	flag.Parse()
	if err := run(ctx, *model, *server, *pairs); err != nil {
		fmt.Fprintln(os.Stderr, "turn:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path, server string, pairs int) error {
	if path == "" || server == "" || pairs < 1 {
		return errors.New("-model and -server name files, -pairs is 1 or more; see test/bench/README.md")
	}
	weights, err := llm.Open(path)
	if err != nil {
		return err
	}
	defer weights.Close()
	fmt.Printf("%s, %s, %.2f GB; drover computes with %d thread(s)\n", weights.Name(), weights.Quantization(), float64(weights.FileSize())/1e9, weights.Threads())
	drover, err := chat.New(weights, chat.WithTemplate(prompts.Llama32()), chat.WithIdleSessions(1))
	if err != nil {
		return err
	}
	defer drover.Close()
	_, replies, err := droverTurn(ctx, drover) // also warms up
	if err != nil {
		return err
	}
	s, err := startStack(ctx, server, path)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.script(ctx, replies); err != nil {
		return err
	}
	if err := samePrompts(ctx, s, replies); err != nil {
		return err
	}
	var ours, theirs []cost
	for range pairs {
		our, their, err := pair(ctx, drover, s)
		if ctx.Err() != nil && len(ours) > 0 {
			break // interrupted: what is there is shown
		}
		if err != nil {
			return err
		}
		ours, theirs = append(ours, our), append(theirs, their)
		fmt.Fprintf(os.Stderr, "drover %.2f s, stack %.2f s\n", our.wall.Seconds(), their.wall.Seconds())
	}
	report(ours, theirs)
	return nil
}

// pair lets both sides take the turn, and checks what they must have in common.
func pair(ctx context.Context, drover *chat.Model, s *stack) (our, their cost, err error) {
	if our, _, err = droverTurn(ctx, drover); err != nil {
		return our, their, err
	}
	if err := checkReuse(our.steps); err != nil {
		return our, their, err
	}
	if their, _, err = s.turn(ctx); err != nil {
		return our, their, err
	}
	return our, their, sameTokens(our, their)
}

// samePrompts makes sure that both sides read the same text, and warms the other side up.
func samePrompts(ctx context.Context, s *stack, replies []reply) error {
	_, all, err := s.turn(ctx)
	if err != nil {
		return err
	}
	for i, r := range replies {
		rendered, err := prompts.Llama32().Render(prompts.RenderInput{
			Messages: r.request.Messages, Tools: r.request.Tools, Date: r.request.Date, AddGenerationPrompt: true, SplitToolCalls: true,
		})
		if err != nil {
			return err
		}
		if got, want := all[i].Prompt, rendered.String(); got != want {
			return fmt.Errorf("step %d: the stack reads %q, drover %q", i+1, got, want)
		}
	}
	return nil
}

// sameTokens makes sure that both sides read and write as many tokens in every step.
func sameTokens(ours, theirs cost) error {
	for i, s := range ours.steps {
		if t := theirs.steps[i]; s.prompt != t.prompt || s.completion != t.completion {
			return fmt.Errorf("step %d: drover reads %d tokens and writes %d, the stack %d and %d", i+1, s.prompt, s.completion, t.prompt, t.completion)
		}
	}
	return nil
}

// report prints medians.
func report(ours, theirs []cost) {
	fmt.Println("\ntokens of each step (prompt, of these cached, written)")
	for i, s := range ours[0].steps {
		t := theirs[0].steps[i]
		fmt.Printf("  step %d   drover %4d %4d %3d   stack %4d %4d %3d\n", i+1, s.prompt, s.cached, s.completion, t.prompt, t.cached, t.completion)
	}
	fmt.Printf("\nmedian of %d turns, seconds      drover     stack   stack/drover\n", len(ours))
	for _, row := range []struct {
		name string
		of   func(cost) time.Duration
	}{
		{"wall", func(c cost) time.Duration { return c.wall }},
		{"  prefill", func(c cost) time.Duration { return c.total().prefill }},
		{"  decode", func(c cost) time.Duration { return c.total().decode }},
		{"  framework (the rest)", cost.framework},
		{"processor", func(c cost) time.Duration { return c.cpu }},
	} {
		var ratios []float64
		for i := range ours {
			ratios = append(ratios, row.of(theirs[i]).Seconds()/row.of(ours[i]).Seconds())
		}
		slices.Sort(ratios)
		fmt.Printf("  %-26s %10.4f %9.4f   %.2f (%.2f to %.2f)\n", row.name, median(ours, row.of).Seconds(), median(theirs, row.of).Seconds(),
			ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1])
	}
}

func median(costs []cost, of func(cost) time.Duration) time.Duration {
	var all []time.Duration
	for _, c := range costs {
		all = append(all, of(c))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
