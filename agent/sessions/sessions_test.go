package sessions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/agent/sessions"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

type text struct {
	Text string `json:"text"`
}

// talker calls a tool once in each turn and then counts the user's messages.
func talker(req prompts.Request) agenttest.Reply {
	last, said := req.Messages[len(req.Messages)-1], 0
	for _, m := range req.Messages {
		if m.Role == prompts.RoleUser {
			said++
		}
	}
	if last.Role == prompts.RoleUser {
		return agenttest.Call("echo", fmt.Sprintf(`{"text":%q}`, last.Content))
	}
	return agenttest.Say(fmt.Sprintf("You said %d things, the last one <%s>.", said, last.Content))
}

func newAgent(t testing.TB, opts ...agent.Option) *agent.Agent {
	t.Helper()
	echo := tools.Must(tools.New("echo", "Say it again.", func(_ context.Context, in text) (string, error) { return in.Text, nil },
		tools.WithEffects(tools.Pure)))
	a, err := agent.New(agenttest.NewFunc(talker), append([]agent.Option{agent.WithTools(echo)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func open(t testing.TB, path string) *sessions.Store {
	t.Helper()
	store, err := sessions.Open(context.Background(), path, sessions.Options{Wait: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Check(context.Background()); err != nil && !strings.Contains(err.Error(), "closed") {
			t.Error(err)
		}
		store.Close()
	})
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

func ask(t testing.TB, a *agent.Agent, s *agent.Session, prompt string) string {
	t.Helper()
	result, err := a.Ask(context.Background(), prompt, agent.WithSession(s))
	if err != nil {
		t.Fatal(err)
	}
	return result.Answer
}

func messages(t testing.TB, s *agent.Session) []prompts.Message {
	t.Helper()
	status, err := s.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return status.Messages
}

func export(t testing.TB, store *sessions.Store, name string) string {
	t.Helper()
	var b bytes.Buffer
	if err := store.Export(context.Background(), name, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLogConforms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	agenttest.TestLog(t, func(t *testing.T) agent.Log {
		store, err := sessions.Open(context.Background(), path, sessions.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		session(t, store, "talk")
		log, err := store.Log(context.Background(), "talk")
		if err != nil {
			t.Fatal(err)
		}
		return log
	})
}

func TestGoOnInAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	a := newAgent(t)
	for i := range 3 {
		store := open(t, path)
		want := fmt.Sprintf("You said %d things, the last one <no. %d>.", i+1, i)
		if got := ask(t, a, session(t, store, "talk"), fmt.Sprintf("no. %d", i)); got != want {
			t.Errorf("answer is %q, want %q", got, want)
		}
		store.Close()
	}
}

func TestListRenameRemove(t *testing.T) {
	ctx := context.Background()
	store := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	a := newAgent(t)
	for _, name := range []string{"one", "two", "three"} {
		ask(t, a, session(t, store, name), "hello "+name)
	}
	ask(t, a, session(t, store, "one"), "again")
	session(t, store, "empty")
	for event, err := range a.Run(ctx, "never finished", agent.WithSession(session(t, store, "two"))) {
		if err != nil || event.Type() == agent.EventToolCall {
			break
		}
	}
	if err := store.Rename(ctx, "three", "drei"); err != nil {
		t.Fatal(err)
	}
	if err := session(t, store, "one").Rewind(ctx, 1); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range list {
		got = append(got, fmt.Sprintf("%s|%s|%d|%v", i.Name, i.Title, i.Turns, i.Interrupted))
	}
	want := []string{"one|hello one|1|false", "two|hello two|2|true", "empty||0|false", "drei|hello three|1|false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	if err := store.Remove(ctx, "drei"); err != nil {
		t.Fatal(err)
	}
	var missing *sessions.NotFoundError
	for what, err := range map[string]error{
		"remove": store.Remove(ctx, "drei"), "export": store.Export(ctx, "drei", &bytes.Buffer{}),
		"rename": store.Rename(ctx, "drei", "x"), "markdown": store.Markdown(ctx, "drei", &bytes.Buffer{}),
	} {
		if !errors.As(err, &missing) {
			t.Errorf("%s of a session that is not there gives %v", what, err)
		}
	}
	var exists *sessions.ExistsError
	if err := store.Rename(ctx, "one", "two"); !errors.As(err, &exists) {
		t.Errorf("renaming to a name that is taken gives %v", err)
	}
	for _, name := range []string{"", " x", "a\nb", "\xff", strings.Repeat("x", 201)} {
		if _, err := store.Session(ctx, name); err == nil {
			t.Errorf("%q is accepted as a name", name)
		}
	}
}

func TestForkAndRewind(t *testing.T) {
	ctx := context.Background()
	store := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	a := newAgent(t)
	trunk := session(t, store, "trunk")
	for _, prompt := range []string{"a", "b", "c"} {
		ask(t, a, trunk, prompt)
	}
	fork, err := store.Fork(ctx, "trunk", "branch", 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(messages(t, trunk)[:8], messages(t, fork)); diff != "" {
		t.Errorf("the fork after two turns (-want +got):\n%s", diff)
	}
	if got := ask(t, a, fork, "d"); got != "You said 3 things, the last one <d>." {
		t.Errorf("the fork answers %q", got)
	}
	if err := trunk.Rewind(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, a, trunk, "new"); got != "You said 1 things, the last one <new>." {
		t.Errorf("the rewound session answers %q", got)
	}
	if n := len(messages(t, session(t, store, "trunk"))); n != 4 { // read again
		t.Errorf("the rewound session has %d messages", n)
	}
	whole, err := store.Fork(ctx, "branch", "whole", -1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(messages(t, fork), messages(t, whole)); diff != "" {
		t.Errorf("a whole fork (-want +got):\n%s", diff)
	}
	if _, err := store.Fork(ctx, "branch", "whole", -1); err == nil {
		t.Error("a fork over another session is no error")
	}
	if _, err := store.Fork(ctx, "branch", "short", 9); err == nil {
		t.Error("a fork after the ninth of three turns is no error")
	}
	if _, err := store.Existing(ctx, "short"); err == nil {
		t.Error("the fork that failed is there")
	}
}

func TestExportImport(t *testing.T) {
	ctx := context.Background()
	store := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	a := newAgent(t)
	s := session(t, store, "talk")
	ask(t, a, s, "a ``` fence, <b>")
	ask(t, a, s, "b")
	lines := export(t, store, "talk")
	other := open(t, filepath.Join(t.TempDir(), "other.db"))
	if err := other.Import(ctx, "copy", strings.NewReader(lines)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lines, export(t, other, "copy")); diff != "" {
		t.Errorf("export of an import (-want +got):\n%s", diff)
	}
	if got := ask(t, a, session(t, other, "copy"), "c"); got != "You said 3 things, the last one <c>." {
		t.Errorf("the copy answers %q", got)
	}
	for name, broken := range map[string]string{
		"line 1": "{", "line 3": "\n\n{\"type\":\"news\"}\n", "the first event": `{"type":"done","time":"2026-01-01T00:00:00Z"}`,
	} {
		err := other.Import(ctx, "broken", strings.NewReader(broken))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%q gives %v", broken, err)
		}
	}
	if err := other.Import(ctx, "copy", strings.NewReader(lines)); err == nil {
		t.Error("an import over another session is no error")
	}
	var b bytes.Buffer
	if err := store.Markdown(ctx, "talk", &b); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"# talk\n\n## User\n\na ``` fence, <b>", "**echo** called with\n\n````json\n{\n  \"text\": \"a ``` fence, <b>",
		"**echo** gave\n\n````\na ``` fence", "## Assistant\n\nYou said 2 things, the last one <b>.\n",
	} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("no %q in\n%s", part, b.String())
		}
	}
}

func FuzzImport(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds in testdata (%v)", err)
	}
	for _, path := range seeds {
		seed, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	store, err := sessions.Open(context.Background(), filepath.Join(f.TempDir(), "s.db"), sessions.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { store.Close() })
	n := 0
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx := context.Background()
		n++
		name := fmt.Sprint("s", n)
		if err := store.Import(ctx, name, bytes.NewReader(data)); err != nil {
			if _, err := store.Existing(ctx, name); err == nil {
				t.Error("an import that failed left a session")
			}
			return
		}
		defer func() {
			if err := store.Remove(ctx, name); err != nil {
				t.Error(err)
			}
		}()
		s := session(t, store, name)
		if _, err := s.Status(ctx); err != nil {
			t.Fatalf("what was imported does not open: %v", err)
		}
		lines := export(t, store, name)
		if err := store.Import(ctx, name+"b", strings.NewReader(lines)); err != nil {
			t.Fatalf("what was exported is not imported: %v", err)
		}
		if again := export(t, store, name+"b"); again != lines {
			t.Errorf("export gave %q, then %q", lines, again)
		}
		if err := store.Remove(ctx, name+"b"); err != nil {
			t.Error(err)
		}
		ask(t, newAgent(t), s, "go on")
	})
}

// Two stores on one file are what two processes have.
func TestInUse(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "sessions.db")
	one, two := open(t, path), open(t, path)
	a := newAgent(t)
	s := session(t, one, "talk")
	for event, err := range a.Run(ctx, "first", agent.WithSession(s)) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Type() != agent.EventToolCall {
			continue
		}
		_, err := a.Ask(ctx, "second", agent.WithSession(session(t, two, "talk")))
		var inUse *sessions.InUseError
		if !errors.As(err, &inUse) || !strings.Contains(err.Error(), "in use by this process") {
			t.Errorf("a session that is at work gives %v", err)
		}
		ask(t, a, session(t, two, "another"), "x") // others are free
		early, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		if _, err := a.Ask(early, "third", agent.WithSession(session(t, two, "talk"))); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting ends with %v", err)
		}
		cancel()
	}
	if got := ask(t, a, session(t, two, "talk"), "second"); got != "You said 2 things, the last one <second>." {
		t.Errorf("after the turn: %q", got)
	}
	if got := ask(t, a, s, "third"); got != "You said 3 things, the last one <third>." { // s has to read what two wrote
		t.Errorf("the first one goes on with %q", got)
	}
}

// Without the lock, the position of the records keeps two writers apart.
func TestConflict(t *testing.T) {
	ctx := context.Background()
	store := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	a := newAgent(t)
	s := session(t, store, "talk")
	var err error
	for event, e := range a.Run(ctx, "first", agent.WithSession(s)) {
		if err = e; event != nil && event.Type() == agent.EventToolCall {
			if err := os.RemoveAll(filepath.Join(filepath.Dir(store.Path()), "sessions.db.locks")); err != nil {
				t.Fatal(err)
			}
			ask(t, a, session(t, store, "talk"), "second")
		}
	}
	if !errors.Is(err, agent.ErrConflict) {
		t.Errorf("a run whose session was changed ends with %v", err)
	}
	if err := store.Remove(ctx, "talk"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Ask(ctx, "third", agent.WithSession(s)); err == nil || !strings.Contains(err.Error(), "removed") {
		t.Errorf("a removed session gives %v", err)
	}
}

func TestManySessionsAtOnce(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	a := newAgent(t)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s, err := store.Session(context.Background(), fmt.Sprint("s", i))
			if err != nil {
				t.Error(err)
				return
			}
			for turn := range 2 {
				result, err := a.Ask(context.Background(), fmt.Sprint("p", i), agent.WithSession(s))
				want := fmt.Sprintf("You said %d things, the last one <p%d>.", turn+1, i)
				if err != nil || result.Answer != want {
					t.Errorf("session %d: %v %v, want %q", i, result, err, want)
					return
				}
			}
		}()
	}
	wg.Wait()
	list, err := store.List(context.Background())
	if err != nil || len(list) != 100 {
		t.Errorf("%d sessions (%v)", len(list), err)
	}
}

func TestOpenRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte(strings.Repeat("notes ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sessions.Open(context.Background(), path, sessions.Options{}); err == nil || !strings.Contains(err.Error(), "not a database") {
		t.Errorf("a text file gives %v", err)
	}
}

func TestDamagedRecord(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	good := `{"type":"start","time":"2026-01-01T00:00:00Z","prompt":"x","model":"m"}`
	if err := store.Import(context.Background(), "s", strings.NewReader(good)); err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(export(t, store, "s")), &line); err != nil || line["prompt"] != "x" {
		t.Errorf("export is %v (%v)", line, err)
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := sessions.Open(ctx, filepath.Join(dir, "sessions.db"), sessions.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	a, err := agent.New(agenttest.NewScript(agenttest.Say("Hello Ada."), agenttest.Say("Your name is Ada.")))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, prompt := range []string{"I am Ada.", "What is my name?"} {
		session, err := store.Session(ctx, "ada") // as another process would
		if err != nil {
			fmt.Println(err)
			return
		}
		result, err := a.Ask(ctx, prompt, agent.WithSession(session))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(result.Answer)
	}
	// Output:
	// Hello Ada.
	// Your name is Ada.
}

// A stored turn costs as many allocations after a thousand turns as after a hundred.
func TestTurnsAllocateTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("stores a thousand turns")
	}
	a, err := agent.New(agenttest.NewFunc(func(req prompts.Request) agenttest.Reply {
		if req.Messages[len(req.Messages)-1].Role == prompts.RoleUser {
			return agenttest.Call("echo", `{"text":"x"}`)
		}
		return agenttest.Say("fine")
	}), agent.WithTools(tools.Must(tools.New("echo", "Say it again.", func(_ context.Context, in text) (string, error) { return in.Text, nil },
		tools.WithEffects(tools.Pure)))))
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, open(t, filepath.Join(t.TempDir(), "sessions.db")), "long")
	turns := func(n int) float64 { return testing.AllocsPerRun(n, func() { ask(t, a, s, "x") }) }
	turns(100)
	early := turns(100)
	turns(700)
	late := turns(100)
	t.Logf("allocations of a turn: %v after 100 turns, %v after 900", early, late)
	if late > early*1.05 { // see the test of this name in package agent
		t.Errorf("a turn costs %v allocations after 900 turns, %v after 100", late, early)
	}
}

// BenchmarkStep is what the framework adds to each step when it stores the conversation: everything but the model and the
// tool. A turn has ten steps with one call each, and an answer, which is stored with a flush of the disk; the metrics are
// the mean, the median and the 90th percentile over the turns of the time of one step.
func BenchmarkStep(b *testing.B) {
	store := open(b, filepath.Join(b.TempDir(), "sessions.db"))
	model := agenttest.NewFunc(func(req prompts.Request) agenttest.Reply {
		results := 0
		for i := len(req.Messages) - 1; req.Messages[i].Role != prompts.RoleUser; i-- {
			if req.Messages[i].Role == prompts.RoleTool {
				results++
			}
		}
		if results < 10 {
			return agenttest.Call("echo", `{"text":"x"}`)
		}
		return agenttest.Say("fine")
	})
	limits := agent.DefaultLimits()
	limits.Steps, limits.RepeatedCalls = 20, 0
	echo := tools.Must(tools.New("echo", "Say it again.", func(_ context.Context, in text) (string, error) { return in.Text, nil },
		tools.WithEffects(tools.Pure)))
	a, err := agent.New(model, agent.WithTools(echo), agent.WithLimits(limits))
	if err != nil {
		b.Fatal(err)
	}
	s := session(b, store, "bench")
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		if i%10 == 9 {
			s = session(b, store, fmt.Sprint("bench", i)) // conversations end, too
		}
		begin := time.Now()
		ask(b, a, s, "x")
		times = append(times, time.Since(begin))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/11, "µs/step")
	slices.Sort(times)
	for percent, unit := range map[int]string{50: "p50-µs/step", 90: "p90-µs/step"} {
		b.ReportMetric(float64(times[len(times)*percent/100].Microseconds())/11, unit)
	}
}
