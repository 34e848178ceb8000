package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// ledger is the world outside: it counts what tools did to it, by idempotency key.
type ledger struct {
	mu   sync.Mutex
	done map[string]int
}

func (l *ledger) tool(name string, effects tools.Effects) tools.Tool {
	return tool(name, effects, func(ctx context.Context, s string) (string, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.done[tools.IdempotencyKey(ctx)]++
		return name + " " + s, nil
	})
}

// worker is a model that calls tools for three steps and then says how many results it has read: all from what it is
// asked, so that it says the same wherever a turn goes on.
func worker(req prompts.Request) agenttest.Reply {
	steps, results := 0, 0
	for _, m := range req.Messages {
		switch {
		case m.Role == prompts.RoleUser && !strings.HasPrefix(m.Content, "and"):
			steps, results = 0, 0
		case len(m.ToolCalls) > 0 || m.Role == prompts.RoleTool && strings.HasPrefix(m.Content, "error: cut"):
			steps++
		}
		if m.Role == prompts.RoleTool {
			results++
		}
	}
	switch steps {
	case 0:
		return calls("read", "write")
	case 1:
		return agenttest.Malformed(errors.New("cut off"))
	case 2:
		return calls("write", "read", "write")
	default:
		return agenttest.Say(fmt.Sprintf("I have read %d results of %d steps.", results, steps))
	}
}

func workerAgent(t *testing.T, l *ledger, approve agent.Approver) *agent.Agent {
	return newAgent(t, agenttest.NewFunc(worker), agent.WithSystem("work"),
		agent.WithTools(l.tool("read", tools.Reads), l.tool("write", tools.Writes)),
		agent.WithApproval(nil, approve), agent.WithSampling(prompts.Sampling{Seed: prompts.Set(uint64(7))}))
}

func approveAll(context.Context, agent.ApprovalRequest) (agent.Decision, error) {
	return agent.Decision{Approved: true}, nil
}

// recordsOf reads a log.
func recordsOf(t *testing.T, log agent.Log) (list []agent.Record) {
	t.Helper()
	for r, err := range log.Records(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// prefix returns a log with the first n records, after a trip through JSON.
func prefix(t *testing.T, records []agent.Record, n int) agent.Log {
	t.Helper()
	log := agent.NewMemoryLog("s")
	for i, r := range records[:n] {
		data, err := json.Marshal(r.Event)
		if err != nil {
			t.Fatal(err)
		}
		event, err := agent.DecodeEvent(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := log.Append(context.Background(), agent.Record{Position: int64(i) + 1, Event: event}); err != nil {
			t.Fatal(err)
		}
	}
	return log
}

func status(t *testing.T, s *agent.Session) agent.Status {
	t.Helper()
	st, err := s.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// A turn that breaks off after any of its records ends as if it had not: the same conversation, nothing done twice.
func TestResumeAfterEveryRecord(t *testing.T) {
	log := agent.NewMemoryLog("s")
	l := &ledger{done: map[string]int{}}
	whole := agent.NewSession(log)
	for _, prompt := range []string{"first", "second"} {
		if _, err := workerAgent(t, l, approveAll).Ask(context.Background(), prompt, agent.WithSession(whole)); err != nil {
			t.Fatal(err)
		}
	}
	want := status(t, whole).Messages
	if len(want) != 22 || len(l.done) != 10 {
		t.Fatalf("%d messages, %d calls; the test is about 22 and 10", len(want), len(l.done))
	}
	records := recordsOf(t, log)
	second := slices.IndexFunc(records, func(r agent.Record) bool {
		s, ok := r.Event.(agent.Start)
		return ok && s.Prompt == "second"
	})
	for n := second + 1; n < len(records); n++ {
		cut := prefix(t, records, n)
		finished := map[string]bool{} // what had a result, or whose start was recorded
		for _, r := range records[:n] {
			if e, ok := r.Event.(agent.ToolStart); ok {
				finished[e.Key] = true
			}
		}
		l := &ledger{done: map[string]int{}}
		s := agent.NewSession(cut)
		if st := status(t, s); !st.Interrupted || st.Prompt != "second" || st.Turns != 2 {
			t.Fatalf("after %d records the session says %+v", n, st)
		}
		var again []string
		approve := func(_ context.Context, req agent.ApprovalRequest) (agent.Decision, error) {
			if req.Again {
				again = append(again, req.ID)
				return agent.Decision{Approved: true}, nil
			}
			return agent.Decision{Approved: true}, nil
		}
		for event, err := range workerAgent(t, l, approve).Resume(context.Background(), s) {
			if err != nil {
				t.Fatalf("after %d records: %v (%v)", n, err, event)
			}
		}
		if diff := cmp.Diff(want, status(t, s).Messages); diff != "" {
			t.Fatalf("after %d records the conversation differs (-want +got):\n%s", n, diff)
		}
		for key := range l.done {
			if !finished[key] {
				continue
			}
			// It may have run before: fine for what only reads, and after somebody has agreed.
			result := slices.ContainsFunc(records[:n], func(r agent.Record) bool {
				e, ok := r.Event.(agent.ToolResult)
				return ok && strings.HasSuffix(key, "/"+e.ID) && strings.HasPrefix(key, "s/2")
			})
			asked := slices.ContainsFunc(again, func(id string) bool { return strings.HasSuffix(key, "/"+id) })
			reads := slices.ContainsFunc(records[:n], func(r agent.Record) bool {
				e, ok := r.Event.(agent.ToolStart)
				return ok && e.Key == key && e.Name == "read"
			})
			if result || !asked && !reads {
				t.Errorf("after %d records %s ran again (result %v, asked %v, reads %v)", n, key, result, asked, reads)
			}
		}
		if err := s.Rewind(context.Background(), 1); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[:11], status(t, s).Messages); diff != "" {
			t.Errorf("rewound to the first turn (-want +got):\n%s", diff)
		}
	}
	if err := drain(workerAgent(t, l, approveAll).Resume(context.Background(), whole)); !errors.Is(err, agent.ErrNotInterrupted) {
		t.Errorf("resuming a finished session gives %v", err)
	}
}

func drain(events func(func(agent.Event, error) bool)) (err error) {
	for _, e := range events {
		err = e
	}
	return err
}

// A call that may have changed something is not made again when nobody is there to ask, and the model is told.
func TestDoubtfulCallIsNotRepeated(t *testing.T) {
	log := agent.NewMemoryLog("s")
	l := &ledger{done: map[string]int{}}
	if _, err := workerAgent(t, l, approveAll).Ask(context.Background(), "go", agent.WithSession(agent.NewSession(log))); err != nil {
		t.Fatal(err)
	}
	records := recordsOf(t, log)
	cut := slices.IndexFunc(records, func(r agent.Record) bool {
		e, ok := r.Event.(agent.ToolResult)
		return ok && e.Name == "write"
	})
	for name, resume := range map[string]func(*agent.Agent, *agent.Session) error{
		"resumed": func(a *agent.Agent, s *agent.Session) error { return drain(a.Resume(context.Background(), s)) },
		"asked something else": func(a *agent.Agent, s *agent.Session) error {
			return drain(a.Run(context.Background(), "something else", agent.WithSession(s)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			after := &ledger{done: map[string]int{}}
			var without []agent.Record
			for _, r := range records[:cut] {
				// Whether the read had finished does not matter here.
				if e, ok := r.Event.(agent.ToolResult); !ok || e.Name == "write" {
					without = append(without, r)
				}
			}
			s := agent.NewSession(prefix(t, without, len(without)))
			if err := resume(workerAgent(t, after, nil), s); err != nil {
				t.Fatal(err)
			}
			if n := after.done["s/1/call_2"]; n != 0 {
				t.Errorf("the call ran %d times", n)
			}
			found := false
			for _, m := range status(t, s).Messages {
				found = found || m.ToolCallID == "call_2" && strings.Contains(m.Content, "interrupted")
			}
			if !found {
				t.Errorf("the model is not told: %+v", status(t, s).Messages)
			}
		})
	}
}

// Breaking off and canceling leave conversations that can go on.
func TestConversationAfterCancel(t *testing.T) {
	started := make(chan struct{}, 1)
	slow := tool("slow", tools.Pure, func(ctx context.Context, _ string) (string, error) {
		started <- struct{}{}
		<-ctx.Done()
		return "", ctx.Err()
	})
	model := agenttest.NewScript(calls("slow", "echo"), agenttest.Block("half an "), agenttest.Say("whole"))
	a := newAgent(t, model, agent.WithTools(slow, echo()))
	s := agent.NewSession(agent.NewMemoryLog("s"))
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-started; cancel() }()
	if err := drain(a.Run(ctx, "one", agent.WithSession(s))); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	for event, err := range a.Run(ctx, "two", agent.WithSession(s)) {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if event != nil && event.Type() == agent.EventTextDelta {
			cancel()
		}
	}
	if _, err := a.Ask(context.Background(), "three", agent.WithSession(s)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range status(t, s).Messages {
		got = append(got, fmt.Sprintf("%s %s %d", m.Role, m.Content, len(m.ToolCalls)))
	}
	if len(got) != 8 || got[4] != "user two 0" || got[5] != "assistant half  0" || got[7] != "assistant whole 0" {
		t.Errorf("conversation is %q", got)
	}
	if !strings.HasPrefix(got[2], "ipython error: ") ||
		!strings.HasPrefix(got[3], "ipython 1") && !strings.HasPrefix(got[3], "ipython error: ") { // echo may come too late
		t.Errorf("results are %q and %q", got[2], got[3])
	}
}

// A log that fails stops the turn before anything else happens.
type failingLog struct {
	agent.Log
	left int
}

var errFull = errors.New("no space left")

func (l *failingLog) Append(ctx context.Context, records ...agent.Record) error {
	if l.left--; l.left < 0 {
		return errFull
	}
	return l.Log.Append(ctx, records...)
}

func TestLogFails(t *testing.T) {
	for n := range 30 {
		inner := agent.NewMemoryLog("s")
		log := &failingLog{inner, n}
		l := &ledger{done: map[string]int{}}
		shown := 0
		var err error
		for event, e := range workerAgent(t, l, approveAll).Run(context.Background(), "go", agent.WithSession(agent.NewSession(log))) {
			if err = e; event != nil {
				shown++
			}
		}
		if log.left >= 0 {
			break // enough for the whole turn
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("after %d appends the error is %v", n, err)
		}
		records := recordsOf(t, inner)
		starts, public := 0, 0
		for _, r := range records {
			switch r.Event.(type) {
			case agent.ToolStart:
				starts++
			case agent.Start, agent.Message:
			default:
				public++
			}
		}
		if len(l.done) > starts || shown > public {
			t.Errorf("after %d appends: %d calls ran, %d were stored; %d events shown, %d stored", n, len(l.done), starts, shown, public)
		}
		// With space again, the turn can be finished.
		if n > 0 {
			if err := drain(workerAgent(t, l, approveAll).Resume(context.Background(), agent.NewSession(inner))); err != nil {
				t.Errorf("after %d appends: %v", n, err)
			}
		}
	}
}

func TestSessionTurnsWaitForEachOther(t *testing.T) {
	log := agent.NewMemoryLog("s")
	l := &ledger{done: map[string]int{}}
	a := workerAgent(t, l, approveAll)
	s := agent.NewSession(log)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			session := s
			if i%2 == 0 {
				session = agent.NewSession(log) // as another process has
			}
			if _, err := a.Ask(context.Background(), fmt.Sprint("turn ", i), agent.WithSession(session)); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	st := status(t, s)
	if st.Turns != 8 || st.Interrupted || len(st.Messages) != 8*11 {
		t.Errorf("%d turns, %d messages", st.Turns, len(st.Messages))
	}
}

func TestReplay(t *testing.T) {
	log := agent.NewMemoryLog("s")
	l := &ledger{done: map[string]int{}}
	s := agent.NewSession(log)
	deny := func(_ context.Context, req agent.ApprovalRequest) (agent.Decision, error) {
		return agent.Decision{Approved: req.ID != "call_2", Note: "not now"}, nil
	}
	a := workerAgent(t, l, deny)
	var steering agent.Steering
	steering.Say("and quickly")
	for _, prompt := range []string{"first", "second"} {
		if _, err := a.Ask(context.Background(), prompt, agent.WithSession(s), agent.WithSteering(&steering)); err != nil {
			t.Fatal(err)
		}
	}
	ran := len(l.done)
	var answers []string
	for event, err := range a.Replay(context.Background(), s) {
		if err != nil {
			t.Fatal(err)
		}
		if done, ok := event.(agent.Done); ok {
			answers = append(answers, done.Result.Answer)
		}
	}
	if len(answers) != 2 || len(l.done) != ran {
		t.Errorf("answers %q; %d calls ran before, %d after", answers, ran, len(l.done))
	}
	other := newAgent(t, agenttest.NewFunc(func(req prompts.Request) agenttest.Reply {
		if r := worker(req); len(req.Messages) != 8 {
			return r
		}
		return agenttest.Say("something else")
	}), agent.WithSystem("work"), agent.WithTools(l.tool("read", tools.Reads), l.tool("write", tools.Writes)), agent.WithApproval(nil, deny))
	var differs *agent.ReplayError
	if err := drain(other.Replay(context.Background(), s)); !errors.As(err, &differs) || differs.Turn != 1 {
		t.Errorf("another model gives %v", err)
	}
}

func TestSteering(t *testing.T) {
	var steering agent.Steering
	said := tool("said", tools.Pure, func(context.Context, string) (string, error) {
		steering.Say("in French")
		return "ok", nil
	})
	model := agenttest.NewScript(calls("said"), agenttest.Say("bonjour"), agenttest.Say("au revoir"))
	a := newAgent(t, model, agent.WithTools(said))
	n := 0
	for event, err := range a.Run(context.Background(), "go", agent.WithSteering(&steering)) {
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := event.(agent.UsageReport); ok && e.Step == 1 {
			steering.Say("and say goodbye") // after the answer, before the end
		}
		if event.Type() == agent.EventUserMessage {
			n++
		}
		if done, ok := event.(agent.Done); ok && (done.Result.Answer != "au revoir" || len(done.Result.Messages) != 7) {
			t.Errorf("answer %q, %d messages", done.Result.Answer, len(done.Result.Messages))
		}
	}
	if n != 2 {
		t.Errorf("%d messages were put in, want 2", n)
	}
	last := model.Requests()[1].Messages
	if last[len(last)-1].Content != "in French" {
		t.Errorf("the model read %+v", last)
	}
}

func TestSessionRefuses(t *testing.T) {
	s := agent.NewSession(agent.NewMemoryLog("s"))
	a := newAgent(t, agenttest.NewScript(agenttest.Say("x")))
	err := drain(a.Run(context.Background(), "x", agent.WithSession(s), agent.WithHistory(prompts.User("y"))))
	if err == nil || !strings.Contains(err.Error(), "WithHistory or WithSession") {
		t.Errorf("history and session: %v", err)
	}
	if err := s.Rewind(context.Background(), 1); err == nil {
		t.Error("going back to a turn that is not there is no error")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	for range a.Run(context.Background(), "x", agent.WithSession(s)) {
		if _, err := s.Status(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a session that is at work gives %v", err)
		}
		break
	}
	var unknown *agent.UnknownEventError
	if _, err := agent.DecodeEvent([]byte(`{"type":"news"}`)); !errors.As(err, &unknown) {
		t.Errorf("an unknown event gives %v", err)
	}
	if _, err := agent.DecodeEvent([]byte(`{"type":"tool_call","id":7}`)); err == nil {
		t.Error("a number as an id is no error")
	}
}

func TestMemoryLogConforms(t *testing.T) {
	log := agent.NewMemoryLog("s")
	agenttest.TestLog(t, func(*testing.T) agent.Log { return log })
}

// An approver that gives up leaves a turn that goes on when somebody can decide.
func TestApprovalLater(t *testing.T) {
	later := errors.New("ask me tomorrow")
	log := agent.NewMemoryLog("s")
	l := &ledger{done: map[string]int{}}
	wait := func(context.Context, agent.ApprovalRequest) (agent.Decision, error) { return agent.Decision{}, later }
	if _, err := workerAgent(t, l, wait).Ask(context.Background(), "go", agent.WithSession(agent.NewSession(log))); !errors.Is(err, later) {
		t.Fatal(err)
	}
	if len(l.done) != 0 {
		t.Errorf("%d calls ran", len(l.done))
	}
	s := agent.NewSession(log)
	if err := drain(workerAgent(t, l, approveAll).Resume(context.Background(), s)); err != nil {
		t.Fatal(err)
	}
	if st := status(t, s); len(l.done) != 5 || st.Interrupted || len(st.Messages) != 11 {
		t.Errorf("%d calls ran; %d messages", len(l.done), len(st.Messages))
	}
}

// What was interrupted, and what was said after an answer, is replayed as it was.
func TestReplayOfOddTurns(t *testing.T) {
	model := func() *agenttest.Script {
		return agenttest.NewFunc(func(req prompts.Request) agenttest.Reply {
			return agenttest.Say(fmt.Sprintf("answer to %d messages, the last %q", len(req.Messages), req.Messages[len(req.Messages)-1].Content))
		})
	}
	s := agent.NewSession(agent.NewMemoryLog("s"))
	a := newAgent(t, model())
	var steering agent.Steering
	for event, err := range a.Run(context.Background(), "one", agent.WithSession(s), agent.WithSteering(&steering)) {
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := event.(agent.UsageReport); ok && e.Step == 0 {
			steering.Say("more")
		}
	}
	for range a.Run(context.Background(), "two", agent.WithSession(s)) { // stopped in the middle of the text
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for range a.Run(ctx, "three", agent.WithSession(s)) { // stopped before it
		cancel()
	}
	if _, err := a.Ask(context.Background(), "four", agent.WithSession(s)); err != nil {
		t.Fatal(err)
	}
	answers := 0
	for event, err := range newAgent(t, model()).Replay(context.Background(), s) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Type() == agent.EventDone {
			answers++
		}
	}
	if answers < 2 {
		t.Errorf("%d turns were replayed to their end", answers)
	}
}

// Calls that were stopped with their run are made when it goes on: those that had not begun and those that only read.
// One that may have changed something is asked about.
func TestStoppedCallsGoOn(t *testing.T) {
	started := make(chan struct{}, 2)
	slow := func(name string, effects tools.Effects) tools.Tool {
		return tool(name, effects, func(ctx context.Context, _ string) (string, error) {
			if name != "late" {
				started <- struct{}{}
			}
			<-ctx.Done()
			return "", ctx.Err()
		})
	}
	log := agent.NewMemoryLog("s")
	three := func() *agenttest.Script {
		return agenttest.NewScript(calls("echo", "read", "write", "late"), agenttest.Say("done"))
	}
	a := newAgent(t, three(), agent.WithTools(echo(), slow("read", tools.Reads), slow("write", tools.Writes), slow("late", tools.Pure)),
		agent.WithApproval(nil, approveAll), limits(func(l *agent.Limits) { l.ParallelTools = 3 }))
	for event, err := range a.Run(context.Background(), "go", agent.WithSession(agent.NewSession(log))) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Type() == agent.EventToolResult { // of echo
			<-started
			<-started
			break
		}
	}
	ran := map[string]int{}
	var asked []string
	var mu sync.Mutex
	quick := func(name string, effects tools.Effects) tools.Tool {
		return tool(name, effects, func(context.Context, string) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			ran[name]++
			return "ok", nil
		})
	}
	approve := func(_ context.Context, req agent.ApprovalRequest) (agent.Decision, error) {
		asked = append(asked, fmt.Sprint(req.Name, req.Again))
		return agent.Decision{Note: "leave it"}, nil
	}
	b := newAgent(t, agenttest.NewScript(agenttest.Say("done")), agent.WithTools(quick("echo", tools.Pure), quick("read", tools.Reads),
		quick("write", tools.Writes), quick("late", tools.Pure)), agent.WithApproval(nil, approve))
	s := agent.NewSession(log)
	if err := drain(b.Resume(context.Background(), s)); err != nil {
		t.Fatal(err)
	}
	late := ran["late"]
	delete(ran, "late")
	if diff := cmp.Diff(map[string]int{"read": 1}, ran); diff != "" || late > 1 {
		t.Errorf("calls that ran again (-want +got):\n%s, and late %d times", diff, late)
	}
	if diff := cmp.Diff([]string{"writetrue"}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if got := status(t, s).Messages[4].Content; got != "error: denied: leave it" {
		t.Errorf("the model reads %q", got)
	}
}
