package agent_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// words is a text of so many tokens.
func words(n int, word string) string { return strings.TrimSpace(strings.Repeat(word+" ", n)) }

// strict is a model with a context of so many words, which fails when it is asked more and never forgets to count.
func strict(t *testing.T, length int, answer func(prompts.Request) agenttest.Reply) *agenttest.Script {
	var model *agenttest.Script
	model = agenttest.NewFunc(func(req prompts.Request) agenttest.Reply {
		n := 0
		for _, m := range req.Messages {
			n += model.CountTokens(m.Content)
		}
		if n > length {
			t.Errorf("the model was asked %d words, its context has %d", n, length)
		}
		for i, m := range req.Messages { // a result never without its call
			if m.Role != prompts.RoleTool {
				continue
			}
			found := false
			for _, before := range req.Messages[:i] {
				for _, c := range before.ToolCalls {
					found = found || c.ID == m.ToolCallID
				}
			}
			if !found {
				t.Errorf("result %q has no call", m.ToolCallID)
			}
		}
		return answer(req)
	})
	model.Length = length
	return model
}

func compactions(t *testing.T, a *agent.Agent, prompt string, opts ...agent.RunOption) (list []agent.Compaction, answer string) {
	t.Helper()
	for event, err := range a.Run(context.Background(), prompt, opts...) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := event.(type) {
		case agent.Compaction:
			list = append(list, e)
		case agent.Done:
			answer = e.Result.Answer
		}
	}
	return list, answer
}

// Old results go first: the conversation itself stays.
func TestOldResultsAreElided(t *testing.T) {
	big := tool("big", tools.Pure, func(context.Context, string) (string, error) { return words(200, "data"), nil })
	step := 0
	model := strict(t, 1000, func(prompts.Request) agenttest.Reply {
		if step++; step <= 6 {
			return agenttest.Call("big", fmt.Sprintf(`{"text":"%d"}`, step))
		}
		return agenttest.Say("done")
	})
	a := newAgent(t, model, agent.WithTools(big), agent.WithSystem("the rules"))
	list, answer := compactions(t, a, "the goal")
	if answer != "done" || len(list) == 0 {
		t.Fatalf("answer %q, %d compactions", answer, len(list))
	}
	for _, c := range list {
		if len(c.Elided) == 0 || c.Replaced != 0 || c.After >= c.Before {
			t.Errorf("compaction %+v", c)
		}
	}
}

// When results are not enough, the turns before are summarized, and what they were about is kept.
func TestOldTurnsAreSummarized(t *testing.T) {
	summaries := 0
	model := strict(t, 600, func(req prompts.Request) agenttest.Reply {
		last := req.Messages[len(req.Messages)-1].Content
		if req.Messages[0].Role != prompts.RoleSystem || req.Messages[0].Content != "the rules" {
			t.Errorf("the system prompt is %+v", req.Messages[0])
		}
		if last == prompts.Compaction() {
			if req.ToolChoice.Mode != prompts.ToolChoiceNone {
				t.Error("a summary may call tools")
			}
			summaries++
			return agenttest.Say(fmt.Sprintf("Facts: %d. Open goals: find the key.", summaries))
		}
		return agenttest.Say(words(40, "said"))
	})
	a := newAgent(t, model, agent.WithSystem("the rules"), limits(func(l *agent.Limits) { l.StepTokens = 60 }))
	s := agent.NewSession(agent.NewMemoryLog("s"))
	total := 0
	for turn := range 30 {
		list, answer := compactions(t, a, fmt.Sprintf("turn %d %s", turn, words(30, "more")), agent.WithSession(s))
		total += len(list)
		if answer == "" {
			t.Fatalf("turn %d has no answer", turn)
		}
	}
	messages := status(t, s).Messages
	first := messages[0].Content
	if total < 3 || summaries != total {
		t.Errorf("%d compactions, %d summaries", total, summaries)
	}
	if !strings.Contains(first, fmt.Sprintf("Facts: %d.", summaries)) || !strings.Contains(first, "Open goals: find the key.") ||
		!strings.Contains(first, "The first request was: turn 0") || strings.Count(first, "Summary of") != 1 {
		t.Errorf("the summary is %q", first)
	}
	if len(messages) > 20 {
		t.Errorf("%d messages are left of 60", len(messages))
	}
	last := messages[len(messages)-2].Content
	if !strings.HasPrefix(last, "turn 29") {
		t.Errorf("the last prompt is %.20q", last)
	}
	events, err := s.Events(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	stored := 0
	for _, e := range events {
		if e.Type() == agent.EventCompaction {
			stored++
		}
	}
	if stored != total {
		t.Errorf("%d compactions are stored, %d were shown", stored, total)
	}
	if err := drain(a.Replay(context.Background(), s)); err != nil {
		t.Errorf("replay: %v", err)
	}
}

// A model that cannot summarize does not stop the conversation.
func TestSummaryFails(t *testing.T) {
	model := strict(t, 300, func(req prompts.Request) agenttest.Reply {
		if req.Messages[len(req.Messages)-1].Content == prompts.Compaction() {
			return agenttest.Fail("half of ", fmt.Errorf("broken"))
		}
		return agenttest.Say(words(20, "said"))
	})
	a := newAgent(t, model, limits(func(l *agent.Limits) { l.StepTokens = 40 }))
	s := agent.NewSession(agent.NewMemoryLog("s"))
	n := 0
	for range 12 {
		list, _ := compactions(t, a, words(30, "more"), agent.WithSession(s))
		n += len(list)
	}
	if first := status(t, s).Messages[0].Content; n == 0 || !strings.Contains(first, "earlier messages were removed") {
		t.Errorf("%d compactions, the first message is %q", n, first)
	}
}

// A conversation that goes on and on takes no more and no more allocations.
func TestThousandTurns(t *testing.T) {
	model := agenttest.NewFunc(func(req prompts.Request) agenttest.Reply {
		if req.Messages[len(req.Messages)-1].Role == prompts.RoleUser && len(req.Tools) > 0 && req.ToolChoice.Mode == "" {
			return calls("echo", "echo")
		}
		return agenttest.Say("fine and well")
	})
	model.Length = 400
	a := newAgent(t, model, agent.WithTools(echo()), limits(func(l *agent.Limits) { l.StepTokens = 50 }))
	s := agent.NewSession(&forgetful{id: "s"})
	turn := func() {
		if _, err := a.Ask(context.Background(), "how are you today", agent.WithSession(s)); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 {
		turn()
	}
	early := testing.AllocsPerRun(200, turn)
	for range 500 {
		turn()
	}
	late := testing.AllocsPerRun(250, turn)
	if late > early*1.05 {
		t.Errorf("%.0f allocations a turn after 50 turns, %.0f after 1,000", early, late)
	}
	if n := len(status(t, s).Messages); n > 400 {
		t.Errorf("%d messages after 1,000 turns", n)
	}
}
