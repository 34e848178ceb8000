package agent_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/prompts"
)

// endless is the error of a call without an end, as models have their own.
type endless struct{ cut bool }

func (e endless) Error() string { return "the call is cut off after 9 tokens" }
func (e endless) CutOff() bool  { return e.cut }

func echoCall(text string) prompts.ToolCall {
	return prompts.ToolCall{Name: "echo", Arguments: json.RawMessage(fmt.Sprintf(`{"text":%q}`, text))}
}

// What a message has besides complete calls is not lost: the calls are made, the user hears what is missing, and the model reads
// it after the results.
func TestCompleteCallsAndMore(t *testing.T) {
	for name, c := range map[string]struct {
		reply  agenttest.Reply
		notice agent.NoticeKind
		words  string // of the notice and of what the model reads; "": neither
	}{
		"nothing more":       {reply: agenttest.Calls(echoCall("a"), echoCall("b"))},
		"the token limit":    {agenttest.CutOff("").Calling(echoCall("a"), echoCall("b")), agent.NoticeCutOff, "cut the message off after 2 calls; calls that are missing"},
		"half a call":        {agenttest.Malformed(endless{true}).Calling(echoCall("a"), echoCall("b")), agent.NoticeCutOff, "cut the message off after 2 calls: the call is cut off after 9 tokens"},
		"half a parsed call": {agenttest.Malformed(&prompts.ParseError{Problem: prompts.ProblemCutOff, Tool: "echo"}).Calling(echoCall("a"), echoCall("b")), agent.NoticeCutOff, "cut the message off after 2 calls: "},
		"half a call of a server": {agenttest.CutOff("").Calling(echoCall("a"), echoCall("b")).Failing(errors.New("no JSON")), agent.NoticeCutOff,
			"cut the message off after 2 calls: no JSON"},
		"a call that is none": {agenttest.Malformed(errors.New("no such tool")).Calling(echoCall("a"), echoCall("b")), agent.NoticeMalformedCall, "what the message has after 2 calls is no call: no such tool"},
	} {
		t.Run(name, func(t *testing.T) {
			model := agenttest.NewScript(c.reply, agenttest.Say("ok"))
			session := agent.NewSession(agent.NewMemoryLog("s"))
			a := newAgent(t, model, agent.WithTools(echo()))
			got, result, err := outline(t, a, "go", agent.WithSession(session))
			if err != nil {
				t.Fatal(err)
			}
			want := []string{
				`call call_1 echo {"text":"a"}`, `call call_2 echo {"text":"b"}`, "result call_1 a|", "result call_2 b|", "text ok", "done stop",
			}
			if c.notice != "" {
				want = append([]string{"notice " + string(c.notice)}, want...)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			read := model.Requests()[1].Messages
			last := read[len(read)-1]
			if c.words == "" {
				if last.ToolCallID != "call_2" {
					t.Errorf("the model reads %+v last", last)
				}
			} else if last.Role != prompts.RoleTool || last.ToolCallID != "" || !strings.Contains(last.Content, c.words) || read[len(read)-2].ToolCallID != "call_2" {
				t.Errorf("the model reads %+v last, want %q", last, c.words)
			}
			if len(result.Steps) != 2 || len(result.Steps[0].ToolCalls) != 2 {
				t.Errorf("steps %+v", result.Steps)
			}
			status, err := session.Status(t.Context())
			if err != nil || len(status.Messages) != len(read)+1 {
				t.Errorf("the session has %d messages, the model read %d, %v", len(status.Messages), len(read), err)
			}
			again := newAgent(t, agenttest.NewScript(c.reply, agenttest.Say("ok")), agent.WithTools(echo()))
			for _, err := range again.Replay(t.Context(), session) {
				if err != nil {
					t.Errorf("replay: %v", err)
				}
			}
		})
	}
}
