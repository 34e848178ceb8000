package trace_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/agent/trace"
	"github.com/drover-ai/drover/tools"
)

type text struct {
	Text string `json:"text"`
}

func traced(t *testing.T, w *trace.Writer, replies ...agenttest.Reply) *agent.Agent {
	t.Helper()
	say := tools.Must(tools.New("say", "Say something.", func(_ context.Context, in text) (string, error) {
		if in.Text == "fail" {
			return "", errors.New("no luck\x1b[2J")
		}
		return in.Text + "\nand more", nil
	}, tools.WithEffects(tools.Writes)))
	a, err := agent.New(agenttest.NewScript(replies...), agent.WithTools(say), w.Option(),
		agent.WithApproval(nil, func(context.Context, agent.ApprovalRequest) (agent.Decision, error) {
			return agent.Decision{Approved: true}, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTrace(t *testing.T) {
	var b strings.Builder
	w := trace.New(&b)
	a := traced(t, w, agenttest.Call("say", `{"text":"hi"}`), agenttest.Call("say", `{"text":"fail"}`),
		agenttest.Malformed(errors.New("no brace")), agenttest.Say("Two\nlines."), agenttest.Fail("half", errors.New("broken")))
	if _, err := a.Ask(context.Background(), "Do\nit"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Ask(context.Background(), "again"); err == nil {
		t.Fatal("the model should have failed")
	}
	times := regexp.MustCompile(`(?m)^ *\+\d+\.\d{3}s|^\d\d:\d\d:\d\d\.\d{3}|after [0-9.]+(µs|ms|s)`)
	got := times.ReplaceAllString(b.String(), "T")
	want := `T  run 1: Do⏎it
T  model call 1: 1 messages, tools say, up to 1024 tokens
           | user: Do
           | it
T  model call 1: 2 tokens read, 0 of them cached; 1 written (tool_calls)
T  call call_1: say {"text":"hi"}
T  call call_1 approved: it changes things
T  result of call_1 T:
           | hi
           | and more
T  model call 2: 3 messages, tools say, up to 1024 tokens
           | assistant: 
           |   calls say {"text":"hi"}
           | ipython: hi
           | and more
T  model call 2: 5 tokens read, 0 of them cached; 1 written (tool_calls)
T  call call_2: say {"text":"fail"}
T  call call_2 approved: it changes things
T  attempt of call_2 failed T: say: no luck�[2J
T  error of call_2 T: say: no luck�[2J
`
	if !strings.HasPrefix(got, want) {
		t.Errorf("trace is\n%s\nwant\n%s", got, want)
	}
	for _, part := range []string{
		"a call cannot be read: no brace", "           | Two\n           | lines.\n", "T  done (stop): 4 steps, ",
		"T  run 2, model call 1 failed: broken\n", "T  run 2, error: broken",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in\n%s", part, got)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriterFails(t *testing.T) {
	w := trace.New(full{})
	if _, err := traced(t, w, agenttest.Say("ok")).Ask(context.Background(), "x"); err != nil {
		t.Errorf("a trace that cannot be written ends the run: %v", err)
	}
	if w.Err() == nil {
		t.Error("nobody is told")
	}
}

func Example() {
	file, err := os.CreateTemp("", "trace")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(file.Name())
	defer file.Close()
	w := trace.New(file)
	a, err := agent.New(agenttest.NewScript(agenttest.Say("Hello.")), w.Option())
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := a.Ask(context.Background(), "Hi")
	fmt.Println(result.Answer, err, w.Err())
	// Output: Hello. <nil> <nil>
}
