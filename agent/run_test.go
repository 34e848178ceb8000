package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

type text struct {
	Text string `json:"text"`
}

// tool makes a tool with one string argument.
func tool(name string, effects tools.Effects, fn func(context.Context, string) (string, error)) tools.Tool {
	return tools.Must(tools.New(name, "A tool for tests.", func(ctx context.Context, in text) (string, error) {
		return fn(ctx, in.Text)
	}, tools.WithEffects(effects)))
}

func echo() tools.Tool {
	return tool("echo", tools.Pure, func(_ context.Context, s string) (string, error) { return s, nil })
}

func newAgent(t *testing.T, model agent.Model, opts ...agent.Option) *agent.Agent {
	t.Helper()
	a, err := agent.New(model, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// outline runs a prompt and writes each event as one line, without times and durations.
func outline(t *testing.T, a *agent.Agent, prompt string, opts ...agent.RunOption) (lines []string, result *agent.Result, err error) {
	t.Helper()
	for event, err := range a.Run(context.Background(), prompt, opts...) {
		if err != nil {
			return lines, result, err
		}
		switch e := event.(type) {
		case agent.TextDelta:
			lines = append(lines, "text "+e.Text)
		case agent.ToolCall:
			lines = append(lines, fmt.Sprintf("call %s %s %s", e.ID, e.Name, e.Arguments))
		case agent.Approval:
			lines = append(lines, fmt.Sprintf("approval %s %v %s", e.Name, e.Approved, e.Reason))
		case agent.ToolResult:
			lines = append(lines, fmt.Sprintf("result %s %s|%s", e.ID, e.Result, e.Error))
		case agent.Notice:
			lines = append(lines, fmt.Sprintf("notice %s", e.Kind))
		case agent.Done:
			lines = append(lines, fmt.Sprintf("done %s", e.Result.StopReason))
			result = e.Result
		}
	}
	return lines, result, nil
}

func calls(names ...string) agenttest.Reply {
	var list []prompts.ToolCall
	for i, name := range names {
		list = append(list, prompts.ToolCall{Name: name, Arguments: json.RawMessage(fmt.Sprintf(`{"text":"%d"}`, i))})
	}
	return agenttest.Calls(list...)
}

// Each case is a conversation as the model writes it and the events that it must give.
func TestRun(t *testing.T) {
	failing := tool("fail", tools.Pure, func(context.Context, string) (string, error) { return "", errors.New("no luck") })
	panicking := tool("panic", tools.Pure, func(context.Context, string) (string, error) { panic("boom") })
	delete_ := tool("delete", tools.Writes, func(context.Context, string) (string, error) { return "deleted", nil })
	for name, c := range map[string]struct {
		replies []agenttest.Reply
		opts    []agent.Option
		want    []string
	}{
		"answer": {
			replies: []agenttest.Reply{agenttest.Say("Hello there.")},
			want:    []string{"text Hello ", "text there.", "done stop"},
		},
		"answer cut off": {
			replies: []agenttest.Reply{agenttest.CutOff("Once")},
			want:    []string{"text Once", "done length"},
		},
		"answer that repeats itself": {
			replies: []agenttest.Reply{agenttest.Repeating("no no no", "no")},
			want:    []string{"text no ", "text no ", "text no", "done repetition"},
		},
		"call": {
			replies: []agenttest.Reply{calls("echo"), agenttest.Say("ok")},
			want:    []string{`call call_1 echo {"text":"0"}`, "result call_1 0|", "text ok", "done stop"},
		},
		"two steps have different ids": {
			replies: []agenttest.Reply{calls("echo"), calls("fail"), agenttest.Say("ok")},
			want: []string{
				`call call_1 echo {"text":"0"}`, "result call_1 0|",
				`call call_2 fail {"text":"0"}`, "result call_2 |fail: no luck",
				"text ok", "done stop",
			},
		},
		"a failing, a panicking, an unknown tool and wrong arguments go back to the model": {
			replies: []agenttest.Reply{
				calls("fail", "panic", "nope"), agenttest.Call("echo", `{"txt":"x"}`), agenttest.Say("ok"),
			},
			want: []string{
				`call call_1 fail {"text":"0"}`, `call call_2 panic {"text":"1"}`, `call call_3 nope {"text":"2"}`,
				"result call_1 |fail: no luck",
				"result call_2 |panic: panicked: boom",
				`result call_3 |unknown tool "nope": use one of `,
				`call call_4 echo {"txt":"x"}`,
				`result call_4 |echo: invalid arguments: `,
				"text ok", "done stop",
			},
		},
		"step limit ends in an answer": {
			replies: []agenttest.Reply{calls("echo"), calls("fail"), agenttest.Say("what I have")},
			opts:    []agent.Option{limits(func(l *agent.Limits) { l.Steps = 2 })},
			want: []string{
				`call call_1 echo {"text":"0"}`, "result call_1 0|",
				`call call_2 fail {"text":"0"}`, "result call_2 |fail: no luck",
				"notice tools_off", "text what ", "text I ", "text have", "done tool_limit",
			},
		},
		"a call that cannot be read goes back": {
			replies: []agenttest.Reply{agenttest.Malformed(errors.New("no closing brace")), agenttest.Say("ok")},
			want:    []string{"notice malformed_call", "text ok", "done stop"},
		},
		"calls that cannot be read, again and again": {
			replies: []agenttest.Reply{
				agenttest.Malformed(errors.New("1")), agenttest.Malformed(errors.New("2")),
				agenttest.Malformed(errors.New("3")), agenttest.Say("sorry"),
			},
			want: []string{
				"notice malformed_call", "notice malformed_call", "notice malformed_call", "notice tools_off",
				"text sorry", "done tool_limit",
			},
		},
		"repeated calls": {
			replies: []agenttest.Reply{calls("echo"), calls("echo"), calls("echo"), agenttest.Say("0")},
			want: []string{
				`call call_1 echo {"text":"0"}`, "result call_1 0|",
				`call call_2 echo {"text":"0"}`, "result call_2 0|",
				`call call_3 echo {"text":"0"}`, "result call_3 0|",
				"notice repeated_call", "notice tools_off", "text 0", "done tool_limit",
			},
		},
		"too many calls in one step": {
			replies: []agenttest.Reply{calls("echo", "echo", "echo"), agenttest.Say("ok")},
			opts:    []agent.Option{limits(func(l *agent.Limits) { l.StepCalls = 2 })},
			want: []string{
				`call call_1 echo {"text":"0"}`, `call call_2 echo {"text":"1"}`, `call call_3 echo {"text":"2"}`,
				"result call_1 0|", "result call_2 1|", "result call_3 |not called: one step may make 2 calls",
				"text ok", "done stop",
			},
		},
		"a tool that writes is denied when nobody can approve": {
			replies: []agenttest.Reply{calls("delete"), agenttest.Say("ok")},
			want: []string{
				`call call_1 delete {"text":"0"}`, "approval delete false nobody is there to approve it",
				"result call_1 |denied: nobody is there to approve it", "text ok", "done stop",
			},
		},
		"a tool that writes is approved": {
			replies: []agenttest.Reply{calls("delete"), agenttest.Say("ok")},
			opts: []agent.Option{agent.WithApproval(nil, func(_ context.Context, req agent.ApprovalRequest) (agent.Decision, error) {
				return agent.Decision{Approved: req.Reason == "it changes things"}, nil
			})},
			want: []string{
				`call call_1 delete {"text":"0"}`, "approval delete true it changes things",
				"result call_1 deleted|", "text ok", "done stop",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			opts := append([]agent.Option{agent.WithTools(echo(), failing, panicking, delete_)}, c.opts...)
			model := agenttest.NewScript(c.replies...)
			got, result, err := outline(t, newAgent(t, model, opts...), "go")
			if err != nil {
				t.Fatal(err)
			}
			for i := range got { // long error texts are compared by their beginning
				if i < len(c.want) && strings.HasSuffix(c.want[i], " ") || i < len(c.want) && strings.HasSuffix(c.want[i], "calls") {
					got[i] = got[i][:min(len(got[i]), len(c.want[i]))]
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if n := len(model.Requests()); n != len(c.replies) || len(result.Steps) != n {
				t.Errorf("%d requests, %d steps, %d replies", n, len(result.Steps), len(c.replies))
			}
		})
	}
}

func limits(set func(*agent.Limits)) agent.Option {
	l := agent.DefaultLimits()
	set(&l)
	return agent.WithLimits(l)
}

// What the model reads in the second step decides whether it can go on.
func TestConversation(t *testing.T) {
	model := agenttest.NewScript(calls("echo", "nope"), agenttest.Say("done"), agenttest.Say("again"))
	a := newAgent(t, model, agent.WithTools(echo()), agent.WithSystem("be brief"))
	first, err := a.Ask(context.Background(), "first")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Ask(context.Background(), "second", agent.WithHistory(first.Messages...)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range model.Requests()[2].Messages {
		got = append(got, fmt.Sprintf("%s %s%s %d", m.Role, m.ToolCallID, m.Content, len(m.ToolCalls)))
	}
	want := []string{
		"system be brief 0", "user first 0", "assistant  2", "ipython call_10 0",
		"ipython call_2error: unknown tool \"nope\": use one of echo 0", "assistant done 0", "user second 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("third request (-want +got):\n%s", diff)
	}
}

func TestToolsRunSideBySideAndReportInOrder(t *testing.T) {
	second := make(chan struct{})
	waits := tool("waits", tools.Pure, func(ctx context.Context, s string) (string, error) {
		if s == "0" {
			<-second // deadlocks unless the other call runs at the same time
		} else {
			close(second)
		}
		return s, nil
	})
	a := newAgent(t, agenttest.NewScript(calls("waits", "waits"), agenttest.Say("ok")), agent.WithTools(waits))
	result, err := a.Ask(context.Background(), "go")
	if err != nil {
		t.Fatal(err)
	}
	got := result.Steps[0].ToolCalls
	if got[0].Result != "0" || got[1].Result != "1" {
		t.Errorf("results are %q and %q", got[0].Result, got[1].Result)
	}
}

func TestParallelLimit(t *testing.T) {
	var running, most atomic.Int32
	busy := tool("busy", tools.Pure, func(context.Context, string) (string, error) {
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(time.Millisecond)
		running.Add(-1)
		return "", nil
	})
	names := strings.Split(strings.Repeat("busy ", 12), " ")[:12]
	a := newAgent(t, agenttest.NewScript(calls(names...), agenttest.Say("ok")), agent.WithTools(busy),
		limits(func(l *agent.Limits) { l.ParallelTools = 3 }))
	if _, err := a.Ask(context.Background(), "go"); err != nil {
		t.Fatal(err)
	}
	if most.Load() > 3 {
		t.Errorf("%d tools ran at once, 3 allowed", most.Load())
	}
}

func TestCancel(t *testing.T) {
	slow := tool("slow", tools.Pure, func(ctx context.Context, _ string) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	})
	for name, replies := range map[string][]agenttest.Reply{
		"while the model writes": {agenttest.Block("half an answer")},
		"while a tool runs":      {calls("slow")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // in its own time, so that a loaded machine does not cancel too early
				ctx, cancel := context.WithCancel(context.Background())
				a := newAgent(t, agenttest.NewScript(replies...), agent.WithTools(slow))
				time.AfterFunc(20*time.Millisecond, cancel)
				result, err := a.Ask(ctx, "go")
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("error is %v", err)
				}
				if result == nil || result.StopReason != agent.StopCanceled {
					t.Fatalf("result is %+v", result)
				}
				if name == "while the model writes" && result.Answer != "half an answer" {
					t.Errorf("what was written is lost: %q", result.Answer)
				}
			})
		})
	}
}

func TestTimeBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t, agenttest.NewScript(agenttest.Block("so far")), limits(func(l *agent.Limits) { l.Time = 30 * time.Millisecond }))
		result, err := a.Ask(context.Background(), "go")
		if err != nil {
			t.Fatal(err)
		}
		if result.StopReason != agent.StopBudget || result.Answer != "so far" {
			t.Errorf("stop reason %q, answer %q", result.StopReason, result.Answer)
		}
	})
}

func TestTokenBudget(t *testing.T) {
	model := agenttest.NewScript(calls("echo"), agenttest.Say("one"))
	a := newAgent(t, model, agent.WithTools(echo()), limits(func(l *agent.Limits) { l.Tokens = 2 }))
	result, err := a.Ask(context.Background(), "go")
	if err != nil {
		t.Fatal(err)
	}
	if result.StopReason != agent.StopBudget || result.Answer != "one" {
		t.Errorf("stop reason %q, answer %q", result.StopReason, result.Answer)
	}
	if last := model.Requests()[1]; last.ToolChoice.Mode != prompts.ToolChoiceNone || last.MaxTokens != 1 || len(last.Tools) != 1 {
		t.Errorf("last request has tool choice %q, %d tokens, %d tools", last.ToolChoice.Mode, last.MaxTokens, len(last.Tools))
	}
}

func TestModelFails(t *testing.T) {
	broken := errors.New("out of memory")
	a := newAgent(t, agenttest.NewScript(agenttest.Fail("half", broken)))
	if _, err := a.Ask(context.Background(), "go"); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
}

func TestHugeResultIsCut(t *testing.T) {
	huge := strings.Repeat("wörd ", 1_000_000)
	big := tool("big", tools.Pure, func(context.Context, string) (string, error) { return huge[:100_000], nil })
	model := agenttest.NewScript(calls("big", "big"), agenttest.Say("ok"))
	model.Length = 1000
	a := newAgent(t, model, agent.WithTools(big))
	result, err := a.Ask(context.Background(), "go")
	if err != nil {
		t.Fatal(err)
	}
	words := 0
	for _, m := range model.Requests()[1].Messages {
		words += model.CountTokens(m.Content)
	}
	if words > 750 || words < 500 {
		t.Errorf("the second request has %d words; two cut results and room for an answer are about 700", words)
	}
	if got := result.Steps[0].ToolCalls[0].Result; len(got) != 100_000 {
		t.Errorf("the record has %d bytes; it keeps the whole result", len(got))
	}
	last := model.Requests()[1].Messages[2].Content
	if !strings.Contains(last, "more bytes cut") {
		t.Errorf("the model is not told: %q", last[max(0, len(last)-80):])
	}
}

func TestStopReadingLeavesNobodyBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	started := make(chan struct{}, 8)
	slow := tool("slow", tools.Pure, func(ctx context.Context, s string) (string, error) {
		started <- struct{}{}
		<-ctx.Done()
		return "", ctx.Err()
	})
	for range 20 {
		model := agenttest.NewScript(calls("slow", "echo", "slow"), agenttest.Say("never"))
		a := newAgent(t, model, agent.WithTools(slow, echo()))
		ctx, cancel := context.WithCancel(context.Background())
		go func() { <-started; cancel() }()
		for range a.Run(ctx, "go") {
		}
		for event := range newAgent(t, agenttest.NewScript(agenttest.Say("a b c"))).Run(context.Background(), "go") {
			if event.Type() == agent.EventTextDelta {
				break
			}
		}
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

func TestNewRefuses(t *testing.T) {
	if _, err := agent.New(nil); err == nil {
		t.Error("no model is no error")
	}
	model := agenttest.NewScript()
	for name, opt := range map[string]agent.Option{
		"two tools of one name": agent.WithTools(echo(), echo()),
		"no steps":              limits(func(l *agent.Limits) { l.Steps = 0 }),
		"negative time":         limits(func(l *agent.Limits) { l.Time = -1 }),
	} {
		if _, err := agent.New(model, opt); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The answer of a model that repeats itself is what is left of it; how calls are to be made holds for every step, whether
// one must be made for the first.
func TestRepetitionAndChoice(t *testing.T) {
	echo := tools.Must(tools.New("echo", "Echo.", func(context.Context, struct{}) (string, error) { return "x", nil }))
	model := agenttest.NewScript(agenttest.Call("echo", "{}"), agenttest.Repeating("no no no", "no"))
	a, err := agent.New(model, agent.WithTools(echo))
	if err != nil {
		t.Fatal(err)
	}
	threshold := 0.7
	choice := prompts.ToolChoice{Mode: prompts.ToolChoiceNamed, Name: "echo", MaxCalls: 2, Threshold: &threshold}
	result, err := a.Ask(context.Background(), "hi", agent.WithToolChoice(choice))
	if err != nil || result.Answer != "no" || result.StopReason != agent.StopRepetition {
		t.Errorf("%+v, %v, want the answer once", result, err)
	}
	for i, req := range model.Requests() {
		c := req.ToolChoice
		if c.MaxCalls != 2 || c.Threshold == nil || *c.Threshold != 0.7 || (c.Mode == prompts.ToolChoiceNamed) != (i == 0) {
			t.Errorf("request %d has the tool choice %+v", i, c)
		}
	}
}
