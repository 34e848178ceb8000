package sessions

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/sessions"
	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools/builtin"
)

// newAgent returns an agent on a model of its own.
func newAgent(t testing.TB, opts []agent.Option, options ...llm.Option) *agent.Agent {
	t.Helper()
	weights, err := tiny.Open(options...)
	if err != nil {
		t.Fatal(err)
	}
	model, err := chat.New(weights, chat.WithIdleSessions(128))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { model.Close(); weights.Close() })
	a, err := agent.New(model, append([]agent.Option{agent.WithTools(builtin.Calculator(), builtin.ConvertUnits())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func openStore(t testing.TB) *sessions.Store {
	t.Helper()
	store, err := sessions.Open(context.Background(), filepath.Join(t.TempDir(), "sessions.db"), sessions.Options{Wait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func session(t testing.TB, store *sessions.Store, name string) *agent.Session {
	t.Helper()
	s, err := store.Session(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask runs a turn and returns what each of its model calls cost.
func ask(t testing.TB, a *agent.Agent, s *agent.Session, prompt string) (usage []agent.Usage, result *agent.Result) {
	t.Helper()
	for event, err := range a.Run(context.Background(), prompt, agent.WithSession(s)) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := event.(type) {
		case agent.UsageReport:
			usage = append(usage, e.Usage)
		case agent.Done:
			result = e.Result
		}
	}
	return usage, result
}

var questions = []string{"What is 17.5% of 2,340?", "How many km are 5 miles?", "What is 12 * 12?"}

// From the second model call of a conversation on, only what is new is read: nothing is computed twice.
func TestNothingIsComputedTwice(t *testing.T) {
	a, store := newAgent(t, nil), openStore(t)
	s := session(t, store, "s")
	had, steps := 0, 0
	for _, question := range questions {
		usage, _ := ask(t, a, s, question)
		for _, u := range usage {
			// All but the end of the last message, which is computed when it is needed, and the token that ends a message.
			if steps > 0 && u.CachedTokens < had-2 {
				t.Errorf("model call %d: %d tokens were there, %d of %d are used again", steps, had, u.CachedTokens, u.PromptTokens)
			}
			had = u.PromptTokens + u.CompletionTokens
			steps++
		}
	}
	if steps < 6 {
		t.Errorf("%d model calls; the test wants three questions with a tool each", steps)
	}

	// A fork reads only what it adds, and so does a turn after a rewind.
	fork, err := store.Fork(context.Background(), "s", "fork", 2)
	if err != nil {
		t.Fatal(err)
	}
	usage, _ := ask(t, a, fork, "What is 3 + 4?")
	if u := usage[0]; u.PromptTokens-u.CachedTokens > 40 {
		t.Errorf("the fork reads %d of %d tokens again", u.PromptTokens-u.CachedTokens, u.PromptTokens)
	}
	if err := s.Rewind(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	usage, _ = ask(t, a, s, "What is 5 + 6?")
	if u := usage[0]; u.PromptTokens-u.CachedTokens > 40 {
		t.Errorf("after the rewind %d of %d tokens are read again", u.PromptTokens-u.CachedTokens, u.PromptTokens)
	}
}

// A run is replayed from its log and seed, to the token, by another process with another number of threads.
func TestReplayAtAnyThreadCount(t *testing.T) {
	for name, sampling := range map[string]prompts.Sampling{
		"greedy": {}, "drawn": {Temperature: prompts.Set(0.9)},
	} {
		t.Run(name, func(t *testing.T) {
			store := openStore(t)
			opts := []agent.Option{agent.WithSampling(sampling)}
			recording := newAgent(t, opts, llm.Threads(2))
			s := session(t, store, "s")
			for _, question := range append(questions, "Tell me about yourself.") {
				ask(t, recording, s, question)
			}
			for _, threads := range []int{1, 3} {
				n := 0
				for event, err := range newAgent(t, opts, llm.Threads(threads)).Replay(context.Background(), session(t, store, "s")) {
					if err != nil {
						t.Fatalf("with %d threads: %v", threads, err)
					}
					if event.Type() == agent.EventDone {
						n++
					}
				}
				if n != 4 {
					t.Errorf("with %d threads %d turns were replayed", threads, n)
				}
			}
			// A replay that checks nothing would also pass with another seed, or with another model's words.
			events, err := s.Events(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			log := agent.NewMemoryLog("changed")
			for i, event := range events {
				if e, ok := event.(agent.Message); ok && len(e.Message.ToolCalls) == 0 {
					e.Message.Content += "!"
					event = e
				}
				if err := log.Append(context.Background(), agent.Record{Position: int64(i) + 1, Event: event}); err != nil {
					t.Fatal(err)
				}
			}
			var differs *agent.ReplayError
			for _, err = range newAgent(t, opts).Replay(context.Background(), agent.NewSession(log)) {
			}
			if !errors.As(err, &differs) {
				t.Errorf("a changed log is replayed: %v", err)
			}
		})
	}
}

// A hundred conversations at once on one model say what each says alone.
func TestHundredSessionsAtOnce(t *testing.T) {
	turns := func(i int) int { // some go on, most are short: the test should not take longer than it must
		if i%5 == 0 {
			return 2
		}
		return 1
	}
	a, store := newAgent(t, nil), openStore(t)
	question := func(i, turn int) string {
		return fmt.Sprintf("What is %d + %d?", i+turn, 2*i+1)
	}
	alone := map[int][]prompts.Message{}
	for _, i := range []int{0, 37, 99} {
		s := session(t, store, fmt.Sprint("alone ", i))
		for turn := range turns(i) {
			ask(t, a, s, question(i, turn))
		}
		alone[i] = messages(t, s)
	}
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s, err := store.Session(context.Background(), fmt.Sprint("together ", i))
			if err != nil {
				t.Error(err)
				return
			}
			for turn := range turns(i) {
				if _, err := a.Ask(context.Background(), question(i, turn), agent.WithSession(s)); err != nil {
					t.Errorf("session %d: %v", i, err)
				}
			}
		}()
	}
	wg.Wait()
	for i, want := range alone {
		if diff := cmp.Diff(want, messages(t, session(t, store, fmt.Sprint("together ", i)))); diff != "" {
			t.Errorf("session %d (-alone +together):\n%s", i, diff)
		}
	}
	list, err := store.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range list {
		var i int
		if _, err := fmt.Sscanf(info.Name[strings.LastIndexByte(info.Name, ' ')+1:], "%d", &i); err != nil {
			t.Fatal(err)
		}
		if info.Turns != turns(i) || info.Interrupted {
			t.Errorf("%s has %d turns, interrupted %v", info.Name, info.Turns, info.Interrupted)
		}
	}
	for range 100 {
		if runtime.NumGoroutine() <= before+2 { // the database keeps connections
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before+10 {
		t.Errorf("%d goroutines before, %d after", before, n)
	}
	if err := store.Check(context.Background()); err != nil {
		t.Error(err)
	}
}

func messages(t testing.TB, s *agent.Session) []prompts.Message {
	t.Helper()
	status, err := s.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return status.Messages
}

// A conversation that does not fit goes on: the model's context is never exceeded, and the last question is answered.
func TestLongConversation(t *testing.T) {
	a := newAgent(t, []agent.Option{agent.WithSystem("Be brief.")}, llm.ContextLength(512))
	s := session(t, openStore(t), "s")
	compactions := 0
	for i := range 25 {
		for event, err := range a.Run(context.Background(), fmt.Sprintf("What is %d + %d?", i, i), agent.WithSession(s)) {
			if err != nil {
				t.Fatalf("turn %d: %v", i, err)
			}
			switch e := event.(type) {
			case agent.Compaction:
				compactions++
				if e.After > 512 || e.After >= e.Before {
					t.Errorf("turn %d: %d tokens before, %d after", i, e.Before, e.After)
				}
			case agent.UsageReport:
				if e.PromptTokens > 512 {
					t.Errorf("turn %d: a prompt of %d tokens", i, e.PromptTokens)
				}
			case agent.Done:
				if e.Result.Answer == "" {
					t.Errorf("turn %d has no answer", i)
				}
			}
		}
	}
	if compactions == 0 {
		t.Error("nothing was compacted")
	}
	all := messages(t, s)
	if first := all[0].Content; !strings.Contains(first, "Summary of the conversation") || !strings.Contains(first, "What is 0 + 0?") {
		t.Errorf("the conversation begins with %q", first)
	}
}

// Another process goes on with a conversation and computes only what is new.
func TestStateOutlivesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	process := func(name, question string, keep bool) agent.Usage {
		t.Helper()
		store, err := sessions.Open(context.Background(), path, sessions.Options{KeepState: keep})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		usage, _ := ask(t, newAgent(t, nil), session(t, store, name), question)
		return usage[0]
	}
	first := process("s", questions[0], true)
	if first.CachedTokens != 0 {
		t.Errorf("%d tokens of a new conversation are there", first.CachedTokens)
	}
	for _, question := range questions[1:] {
		if u := process("s", question, true); u.PromptTokens-u.CachedTokens > 40 {
			t.Errorf("%d of %d tokens are computed again", u.PromptTokens-u.CachedTokens, u.PromptTokens)
		}
	}
	store, err := sessions.Open(context.Background(), path, sessions.Options{KeepState: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := store.Fork(context.Background(), "s", "fork", 2); err != nil {
		t.Fatal(err)
	}
	if u := process("fork", "What is 3 + 4?", true); u.PromptTokens-u.CachedTokens > 40 {
		t.Errorf("the fork computes %d of %d tokens again", u.PromptTokens-u.CachedTokens, u.PromptTokens)
	}
	if u := process("s", "What is 5 + 6?", false); u.CachedTokens != 0 {
		t.Errorf("%d tokens are there though nothing is kept", u.CachedTokens)
	}
	// A damaged file costs time and nothing else.
	files, err := filepath.Glob(path + ".state/*")
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files of state (%v)", len(files), err)
	}
	for _, file := range files {
		if err := os.WriteFile(file, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if u := process("s", "What is 7 + 8?", true); u.CachedTokens != 0 {
		t.Errorf("%d tokens come from a damaged file", u.CachedTokens)
	}
	if u := process("s", "What is 8 + 9?", true); u.CachedTokens == 0 {
		t.Error("the damaged file was not replaced")
	}
	for _, name := range []string{"s", "fork"} {
		if err := store.Remove(context.Background(), name); err != nil {
			t.Fatal(err)
		}
	}
	if files, err := filepath.Glob(path + ".state/*"); err != nil || len(files) != 0 {
		t.Errorf("%d files of removed sessions are left (%v)", len(files), err)
	}
}
