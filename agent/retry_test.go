package agent_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/prompts"
)

var errBusy = errors.New("too many requests")

func busy(after time.Duration) agenttest.Reply {
	return agenttest.Fail("", &agent.TransientError{Err: errBusy, After: after})
}

// Calls that may succeed later are made again, after pauses that grow or that the other side asks for; the clock is synctest's.
func TestModelIsAskedAgain(t *testing.T) {
	hello, broken := agenttest.Say("Hello."), errors.New("broken")
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, c := range map[string]struct {
		replies  []agenttest.Reply
		opts     []agent.Option
		asked    int // requests that the model gets
		notices  int
		min, max time.Duration // what the pauses take together
		want     error         // nil: an answer
		words    string        // of the error
	}{
		"once":             {replies: []agenttest.Reply{busy(0), hello}, asked: 2, notices: 1, min: 250 * time.Millisecond, max: 500 * time.Millisecond},
		"pauses double":    {replies: []agenttest.Reply{busy(0), busy(0), busy(0), hello}, asked: 4, notices: 3, min: 1750 * time.Millisecond, max: 3500 * time.Millisecond},
		"as long as asked": {replies: []agenttest.Reply{busy(20 * time.Second), hello}, asked: 2, notices: 1, min: 20 * time.Second, max: 20250 * time.Millisecond},
		"in the end an error": {replies: []agenttest.Reply{busy(0), busy(0), busy(0), busy(0), hello}, asked: 4, notices: 3, min: 1750 * time.Millisecond, max: 3500 * time.Millisecond,
			want: errBusy, words: "(4 attempts)"},
		"longer than may be":   {replies: []agenttest.Reply{busy(time.Hour), hello}, asked: 1, want: errBusy, words: "asked again in 1h0m0s"},
		"an error that stays":  {replies: []agenttest.Reply{agenttest.Fail("", broken), hello}, asked: 1, want: broken, words: "broken"},
		"after the first word": {replies: []agenttest.Reply{agenttest.Fail("He", &agent.TransientError{Err: errBusy}), hello}, asked: 1, want: errBusy},
		"switched off":         {replies: []agenttest.Reply{busy(0), hello}, opts: []agent.Option{agent.WithRetry(agent.Retry{})}, asked: 1, want: errBusy},
		"other settings": {replies: []agenttest.Reply{busy(0), busy(0), hello}, asked: 3, notices: 2, min: 3 * time.Second, max: 6 * time.Second,
			opts: []agent.Option{agent.WithRetry(agent.Retry{Retries: 9, Backoff: 2 * time.Second, MaxPause: 5 * time.Second})}},
		"never longer than the longest pause": {replies: []agenttest.Reply{busy(0), busy(0), busy(0), hello}, asked: 4, notices: 3, min: 1500 * time.Millisecond, max: 3 * time.Second,
			opts: []agent.Option{agent.WithRetry(agent.Retry{Retries: 3, Backoff: time.Second, MaxPause: time.Second})}},
		"a connection that is refused": {replies: []agenttest.Reply{agenttest.Fail("", fmt.Errorf("ask: %w", refused)), hello}, asked: 2, notices: 1, max: time.Second},
		"a connection that is reset":   {replies: []agenttest.Reply{agenttest.Fail("", syscall.ECONNRESET), hello}, asked: 2, notices: 1, max: time.Second},
		"half a body":                  {replies: []agenttest.Reply{agenttest.Fail("", io.ErrUnexpectedEOF), hello}, asked: 2, notices: 1, max: time.Second},
		"no answer at all":             {replies: []agenttest.Reply{agenttest.Fail("", &url.Error{Op: "Post", URL: "x", Err: io.EOF}), hello}, asked: 2, notices: 1, max: time.Second},
		"a name that nobody has": {replies: []agenttest.Reply{agenttest.Fail("", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}), hello},
			asked: 1, words: "no such host"},
		"no time left": {replies: []agenttest.Reply{busy(20 * time.Second), hello}, asked: 1, want: errBusy, words: "no time left",
			opts: []agent.Option{limits(func(l *agent.Limits) { l.Time = 10 * time.Second })}},
		"a later step": {replies: []agenttest.Reply{calls("echo"), busy(0), hello}, asked: 3, notices: 1, max: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				model := agenttest.NewScript(c.replies...)
				a := newAgent(t, model, append([]agent.Option{agent.WithTools(echo())}, c.opts...)...)
				start := time.Now()
				lines, result, err := outline(t, a, "go")
				if took := time.Since(start); took < c.min || took > c.max {
					t.Errorf("it took %v, want %v to %v", took, c.min, c.max)
				}
				if n := len(model.Requests()); n != c.asked {
					t.Errorf("the model was asked %d times, want %d", n, c.asked)
				}
				if n := strings.Count(strings.Join(lines, "\n"), "notice retry"); n != c.notices {
					t.Errorf("%d notices, want %d: %q", n, c.notices, lines)
				}
				switch {
				case c.want == nil && c.words == "":
					if err != nil || result.Answer != "Hello." {
						t.Errorf("%+v, %v", result, err)
					}
				case err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.words):
					t.Errorf("error %v, want %v and %q", err, c.want, c.words)
				}
			})
		})
	}
}

// A person sees that a call is made again and why, in the log too.
func TestRetryIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		a := newAgent(t, agenttest.NewScript(busy(3*time.Second), agenttest.Say("ok")),
			agent.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		var said string
		for event, err := range a.Run(t.Context(), "go") {
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := event.(agent.Notice); ok && e.Kind == agent.NoticeRetry {
				said = e.Text
			}
		}
		if !strings.HasPrefix(said, "the model call failed: too many requests; retry 1 of 3 in 3") {
			t.Errorf("notice %q", said)
		}
		if l := log.String(); !strings.Contains(l, "level=WARN") || !strings.Contains(l, "too many requests") || !strings.Contains(l, "retry=1") {
			t.Errorf("log %q", l)
		}
	})
}

// Whoever cancels does not wait for the pause to end: no time passes at all.
func TestRetryIsCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		a := newAgent(t, agenttest.NewScript(busy(30*time.Second), agenttest.Say("ok")))
		result, err := a.Ask(ctx, "go")
		if !errors.Is(err, context.Canceled) || result == nil || result.StopReason != agent.StopCanceled || time.Since(start) != time.Second {
			t.Errorf("%+v, %v after %v, want cancelled after 1s", result, err, time.Since(start))
		}
	})
}

// A turn of a session that failed for good is finished later, by a process that finds the server well.
func TestRetryThenResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		session := agent.NewSession(agent.NewMemoryLog("s"))
		a := newAgent(t, agenttest.NewScript(calls("echo"), busy(time.Hour), agenttest.Say("ok")), agent.WithTools(echo()))
		if _, err := a.Ask(t.Context(), "go", agent.WithSession(session)); !errors.Is(err, errBusy) {
			t.Fatalf("error %v", err)
		}
		var result *agent.Result
		for event, err := range a.Resume(t.Context(), session) {
			if err != nil {
				t.Fatal(err)
			}
			if done, ok := event.(agent.Done); ok {
				result = done.Result
			}
		}
		if result.Answer != "ok" || len(result.Steps) != 2 {
			t.Errorf("%+v", result)
		}
	})
}

// Each attempt passes through the middleware, which can also say what may pass.
func TestRetryThroughMiddleware(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		a := newAgent(t, agenttest.NewScript(agenttest.Fail("", errBusy), agenttest.Say("ok")), agent.WithMiddleware(agent.Middleware{
			Generate: func(next agent.GenerateFunc) agent.GenerateFunc {
				return func(ctx context.Context, req prompts.Request) iter.Seq2[prompts.Delta, error] {
					attempts++
					return func(yield func(prompts.Delta, error) bool) {
						for delta, err := range next(ctx, req) {
							if errors.Is(err, errBusy) {
								err = &agent.TransientError{Err: err}
							}
							if !yield(delta, err) {
								return
							}
						}
					}
				}
			},
		}))
		if result, err := a.Ask(t.Context(), "go"); err != nil || result.Answer != "ok" || attempts != 2 {
			t.Errorf("%+v, %v after %d attempts", result, err, attempts)
		}
	})
}

func TestRetryOption(t *testing.T) {
	if _, err := agent.New(agenttest.NewScript(), agent.WithRetry(agent.Retry{Retries: -1})); err == nil {
		t.Error("a negative number of retries was taken")
	}
}
