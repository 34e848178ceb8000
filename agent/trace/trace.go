// Package trace writes down what an agent does, for a person to read.
//
// [New] makes a writer; its Option goes into agent.New. Each run, each model call with the messages that are new in it,
// each tool call with its attempts, results and times is written as it happens:
//
//	12:30:01.204  run 1: What is 17.5% of 2,340?
//	  +0.000s  model call 1: 2 messages, 4 tools, up to 1024 tokens
//	           | user: What is 17.5% of 2,340?
//	  +0.310s  model call 1: 341 tokens read, 0 of them cached; 18 written in 0.2 s (90.0 tokens/s)
//	  +0.310s  call call_1: calculator {"expression":"17.5% of 2,340"}
//	  +0.311s  result of call_1 after 0.2 ms: 409.5
//
// The form is for people and may change. Programs read the events of the run, or package agent/telemetry's spans.
// A trace holds the whole conversation: keep it as you keep that.
package trace

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// Writer writes traces. It is safe for concurrent use: lines of runs that overlap are told apart by their number.
type Writer struct {
	mu   sync.Mutex
	w    io.Writer
	now  func() time.Time
	runs int
	err  error
}

// New returns a writer of traces to w.
func New(w io.Writer) *Writer { return &Writer{w: w, now: time.Now} }

// Err is the first error of writing. A trace that cannot be written does not stop the agent.
func (t *Writer) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Option has an agent traced.
func (t *Writer) Option() agent.Option {
	return agent.WithMiddleware(agent.Middleware{Run: t.wrapRun, Generate: t.wrapGenerate, Call: t.wrapCall})
}

// run is what the trace knows of one run.
type run struct {
	*Writer
	number int
	start  time.Time
	mu     sync.Mutex
	calls  int // model calls so far
	shown  int // messages that were written so far
}

type runKey struct{}

// of finds the run that a model call or a tool call belongs to.
func of(ctx context.Context) *run {
	r, _ := ctx.Value(runKey{}).(*run)
	return r
}

func (t *Writer) write(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		_, t.err = io.WriteString(t.w, text)
	}
}

// printf writes a line of a run, and below it, indented, a text of any length.
func (r *run) printf(text string, format string, args ...any) {
	var b strings.Builder
	fmt.Fprintf(&b, "%9s  ", fmt.Sprintf("+%.3fs", r.now().Sub(r.start).Seconds()))
	if r.number > 1 {
		fmt.Fprintf(&b, "run %d, ", r.number)
	}
	b.WriteString(oneLine(fmt.Sprintf(format, args...)))
	b.WriteByte('\n')
	if text != "" {
		for line := range strings.Lines(text) {
			b.WriteString("           | " + printable(strings.TrimRight(line, "\r\n")) + "\n")
		}
	}
	r.write(b.String())
}

func (t *Writer) wrapRun(next agent.RunFunc) agent.RunFunc {
	return func(ctx context.Context, prompt string, opts ...agent.RunOption) iter.Seq2[agent.Event, error] {
		return func(yield func(agent.Event, error) bool) {
			t.mu.Lock()
			t.runs++
			r := &run{Writer: t, number: t.runs, start: t.now()}
			t.mu.Unlock()
			title := prompt
			if title == "" {
				title = "(resumed)"
			}
			r.write(fmt.Sprintf("%s  run %d: %s\n", r.start.Format("15:04:05.000"), r.number, oneLine(title)))
			for event, err := range next(context.WithValue(ctx, runKey{}, r), prompt, opts...) {
				if err != nil {
					r.printf("", "error: %v", err)
				} else {
					r.event(event)
				}
				if !yield(event, err) {
					r.printf("", "nobody reads on")
					return
				}
			}
		}
	}
}

// event writes what was not written already where it happened.
func (r *run) event(event agent.Event) {
	switch e := event.(type) {
	case agent.UserMessage:
		r.printf("", "the user puts in: %s", e.Text)
	case agent.ToolCall:
		r.printf("", "call %s: %s %s", e.ID, e.Name, e.Arguments)
	case agent.Approval:
		said := "denied"
		if e.Approved {
			said = "approved"
		}
		r.printf("", "call %s %s: %s", e.ID, said, e.Reason)
	case agent.ToolResult:
		text, what := e.Result, "result"
		if e.Error != "" {
			text, what = e.Error, "error"
		}
		cut := ""
		if e.Elided > 0 {
			cut = fmt.Sprintf(" (the model reads all but the last %d bytes)", e.Elided)
		}
		after := e.Duration.Round(100 * time.Microsecond)
		if strings.Contains(text, "\n") || len(text) > 100 {
			r.printf(shorten(text), "%s of %s after %v%s:", what, e.ID, after, cut)
		} else {
			r.printf("", "%s of %s after %v%s: %s", what, e.ID, after, cut, text)
		}
	case agent.Compaction:
		r.printf(e.Summary, "conversation shortened from %d to %d tokens: %d results removed, %d messages summarized",
			e.Before, e.After, len(e.Elided), e.Replaced)
	case agent.Notice:
		r.printf("", "%s", e.Text)
	case agent.Done:
		u := e.Result.Usage
		r.printf("", "done (%s): %d steps, %d tokens read, %d of them cached, %d written",
			e.Result.StopReason, len(e.Result.Steps), u.PromptTokens, u.CachedTokens, u.CompletionTokens)
	}
}

func (t *Writer) wrapGenerate(next agent.GenerateFunc) agent.GenerateFunc {
	return func(ctx context.Context, req prompts.Request) iter.Seq2[prompts.Delta, error] {
		r := of(ctx)
		if r == nil {
			return next(ctx, req)
		}
		return func(yield func(prompts.Delta, error) bool) {
			number := r.request(req)
			var text strings.Builder
			for delta, err := range next(ctx, req) {
				text.WriteString(delta.Text)
				switch {
				case err != nil:
					r.printf(text.String(), "model call %d failed: %v", number, err)
				case delta.CallError != nil:
					r.printf(text.String(), "model call %d: a call cannot be read: %v", number, delta.CallError)
				case delta.Done != nil:
					u := delta.Done.Usage
					r.printf(text.String(), "model call %d: %d tokens read, %d of them cached; %d written%s (%s)", number,
						u.PromptTokens, u.CachedTokens, u.CompletionTokens, speed(u), delta.Done.StopReason)
				}
				if !yield(delta, err) {
					return
				}
			}
		}
	}
}

// request writes what the model is asked: what is new since the last call, or everything where the beginning has changed.
func (r *run) request(req prompts.Request) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.shown > len(req.Messages) {
		r.shown = 0
	}
	var b strings.Builder
	for _, m := range req.Messages[r.shown:] {
		fmt.Fprintf(&b, "%s: %s\n", m.Role, shorten(m.Content))
		for _, c := range m.ToolCalls {
			fmt.Fprintf(&b, "  calls %s %s\n", c.Name, c.Arguments)
		}
	}
	r.shown = len(req.Messages)
	names := make([]string, len(req.Tools))
	for i, d := range req.Tools {
		names[i] = d.Name
	}
	about := fmt.Sprintf("%d messages", len(req.Messages))
	if len(names) > 0 {
		about += ", tools " + strings.Join(names, " ")
	}
	if req.ToolChoice.Mode != "" {
		about += ", tool choice " + string(req.ToolChoice.Mode) + " " + req.ToolChoice.Name
	}
	if req.MaxTokens > 0 {
		about += fmt.Sprintf(", up to %d tokens", req.MaxTokens)
	}
	r.printf(b.String(), "model call %d: %s", r.calls, strings.TrimSpace(about))
	return r.calls
}

func (t *Writer) wrapCall(next agent.CallFunc) agent.CallFunc {
	return func(ctx context.Context, call prompts.ToolCall) (tools.Result, error) {
		r := of(ctx)
		if r == nil {
			return next(ctx, call)
		}
		start := t.now()
		result, err := next(ctx, call)
		if err != nil {
			r.printf("", "attempt of %s failed after %v: %v", call.ID, t.now().Sub(start).Round(100*time.Microsecond), err)
		}
		return result, err
	}
}

func speed(u prompts.Usage) string {
	if u.DecodeTime <= 0 {
		return ""
	}
	return fmt.Sprintf(" in %.2f s (%.1f tokens/s)", u.DecodeTime.Seconds(), float64(u.CompletionTokens)/u.DecodeTime.Seconds())
}

// shorten keeps the beginning and the end of a long text.
func shorten(text string) string {
	const most = 4000
	if len(text) <= most {
		return text
	}
	begin, end := strings.ToValidUTF8(text[:most/2], ""), strings.ToValidUTF8(text[len(text)-most/2:], "")
	return fmt.Sprintf("%s\n… %d bytes left out …\n%s", begin, len(text)-len(begin)-len(end), end)
}

func oneLine(text string) string {
	return printable(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "⏎"))
}

// printable replaces what could control a terminal that shows the file.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
