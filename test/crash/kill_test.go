package crash

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/agent/sessions"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// killsVariable sets how often TestKill kills; 500 is what the project promises.
const killsVariable = "DROVER_CRASH_KILLS"

// childVariable makes the test binary the agent that is killed: its value is the folder to work in and the session's name.
const childVariable = "DROVER_CRASH_CHILD"

func TestMain(m *testing.M) {
	if job := os.Getenv(childVariable); job != "" {
		folder, name, _ := strings.Cut(job, "|")
		if err := child(folder, name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// plan is the model: in each turn it calls tools in three steps and then answers. What it says depends on nothing but what
// it is asked.
func plan(req prompts.Request) agenttest.Reply {
	steps := 0
	for _, m := range req.Messages {
		switch {
		case m.Role == prompts.RoleUser:
			steps = 0
		case len(m.ToolCalls) > 0:
			steps++
		}
	}
	var calls []prompts.ToolCall
	for i := range []int{3, 1, 4, 0}[min(steps, 3)] {
		name := []string{"pay", "look"}[(steps+i)%2]
		calls = append(calls, prompts.ToolCall{Name: name, Arguments: json.RawMessage(fmt.Sprintf(`{"what":"%d.%d"}`, steps, i))})
	}
	if calls == nil {
		return agenttest.Say("All of it has been paid for and looked at, as far as I can tell.")
	}
	return agenttest.Calls(calls...)
}

type what struct {
	What string `json:"what"`
}

// child runs turn after turn until it is killed. It tells what happens on standard output, and what it does to the world
// in files that only grow.
func child(folder, name string) error {
	ctx := context.Background()
	store, err := sessions.Open(ctx, filepath.Join(folder, "sessions.db"), sessions.Options{Wait: time.Minute})
	if err != nil {
		return err
	}
	session, err := store.Session(ctx, name)
	if err != nil {
		return err
	}
	appendLine := func(file, line string) error {
		f, err := os.OpenFile(filepath.Join(folder, file), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteString(line + "\n") // one write: whole or not at all
		return err
	}
	act := func(file string) func(context.Context, what) (string, error) {
		return func(ctx context.Context, in what) (string, error) {
			time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
			if err := appendLine(file, tools.IdempotencyKey(ctx)); err != nil {
				return "", err
			}
			time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
			return "done " + in.What, nil
		}
	}
	pay, err := tools.New("pay", "Pay for something.", act("paid"), tools.WithEffects(tools.Writes))
	if err != nil {
		return err
	}
	look, err := tools.New("look", "Look at something.", act("looked"), tools.WithEffects(tools.Reads))
	if err != nil {
		return err
	}
	approve := func(_ context.Context, req agent.ApprovalRequest) (agent.Decision, error) {
		if !req.Again {
			return agent.Decision{Approved: true}, nil
		}
		h := fnv.New32()
		fmt.Fprint(h, req.ID, time.Now().UnixNano())
		if h.Sum32()%2 == 0 {
			return agent.Decision{Note: "I have looked: leave it"}, nil
		}
		st := fmt.Sprintf("%s/%s", session.ID(), req.ID)
		return agent.Decision{Approved: true}, appendLine("again", st)
	}
	a, err := agent.New(agenttest.NewFunc(plan), agent.WithTools(pay, look), agent.WithApproval(nil, approve))
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	show := func(events func(func(agent.Event, error) bool)) error {
		for event, err := range events {
			if err != nil {
				return err
			}
			if err := out.Encode(event); err != nil {
				return err
			}
		}
		return nil
	}
	if err := show(a.Resume(ctx, session)); err != nil && !errors.Is(err, agent.ErrNotInterrupted) {
		return err
	}
	for turn := 0; ; turn++ {
		if os.Getenv("DROVER_CRASH_TURNS") == strconv.Itoa(turn) {
			return store.Close()
		}
		if err := show(a.Run(ctx, fmt.Sprint("turn ", turn), agent.WithSession(session))); err != nil {
			return err
		}
	}
}

func start(t *testing.T, folder, name string, environment ...string) (*exec.Cmd, *bytes.Buffer, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childVariable+"="+folder+"|"+name), environment...)
	stderr := &bytes.Buffer{}
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, stderr, bufio.NewReader(out)
}

// Killing the process at random moments of turns with several tools loses nothing that was shown, runs no call that had
// finished a second time, and leaves a session that opens and goes on.
func TestKill(t *testing.T) {
	kills := 30
	if text := os.Getenv(killsVariable); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("%s is %q, want a number", killsVariable, text)
		}
		kills = n
	}
	folder := t.TempDir()
	ctx := context.Background()
	store, err := sessions.Open(ctx, filepath.Join(folder, "sessions.db"), sessions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	shown, interrupted, started := 0, 0, 0
	for kill := range kills {
		name := fmt.Sprintf("session %d", kill/20)
		cmd, stderr, out := start(t, folder, name)
		lines := make(chan []string, 1)
		first := make(chan struct{})
		go func() { // reads what the child says until it is dead
			var all []string
			for {
				line, err := out.ReadString('\n')
				if err != nil {
					lines <- all // a last line without an end was not shown
					return
				}
				if all = append(all, line); len(all) == 1 {
					close(first)
				}
			}
		}()
		if kill%8 != 0 { // else it may die before it has begun
			select {
			case <-first:
			case <-time.After(20 * time.Second):
				_ = cmd.Process.Kill()
				t.Fatalf("the agent says nothing: %s", stderr)
			}
		}
		time.Sleep(time.Duration(rand.IntN(30_000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		said := <-lines
		if err := cmd.Wait(); err == nil || stderr.Len() > 0 {
			t.Fatalf("kill %d: the agent ended by itself: %v %s", kill, err, stderr)
		}
		shown += len(said)
		if check(t, store, name, said) {
			interrupted++
		}
		started++
	}
	for i := range (kills + 19) / 20 { // whatever was interrupted can be finished
		cmd, stderr, out := start(t, folder, fmt.Sprintf("session %d", i), "DROVER_CRASH_TURNS=1")
		_, _ = out.WriteTo(&bytes.Buffer{}) // until its end
		if err := cmd.Wait(); err != nil {
			t.Fatalf("session %d cannot go on: %v %s", i, err, stderr)
		}
	}
	calls := checkEffects(t, store, folder)
	if err := store.Check(ctx); err != nil {
		t.Error(err)
	}
	if interrupted == 0 || calls == 0 {
		t.Errorf("%d of %d kills came in the middle of a turn, %d calls: the test has tested nothing", interrupted, started, calls)
	}
	t.Logf("%d kills, %d in the middle of a turn; %d events shown, all stored; %d calls, none that had finished ran again",
		started, interrupted, shown, calls)
}

// check compares what was shown with what is stored, and reports whether the session was interrupted.
func check(t *testing.T, store *sessions.Store, name string, said []string) bool {
	t.Helper()
	ctx := context.Background()
	session, err := store.Session(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	status, err := session.Status(ctx)
	if err != nil {
		t.Fatalf("%s does not open: %v", name, err)
	}
	var log bytes.Buffer
	if err := store.Export(ctx, name, &log); err != nil {
		t.Fatal(err)
	}
	stored := map[string]bool{}
	for line := range strings.Lines(log.String()) {
		stored[withoutTime(t, line)] = true
	}
	for _, line := range said {
		if !stored[withoutTime(t, line)] {
			t.Errorf("%s: shown and not stored: %s", name, line)
		}
	}
	return status.Interrupted
}

// withoutTime is a line without its time: a call is shown again when its turn is resumed.
func withoutTime(t *testing.T, line string) string {
	var fields map[string]any
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	delete(fields, "time")
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkEffects looks at what the tools did: at most once for each call unless somebody was asked, and never after a result.
func checkEffects(t *testing.T, store *sessions.Store, folder string) (calls int) {
	t.Helper()
	ctx := context.Background()
	paid, again := countLines(t, filepath.Join(folder, "paid")), countLines(t, filepath.Join(folder, "again"))
	looked := countLines(t, filepath.Join(folder, "looked"))
	list, err := store.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range list {
		session, err := store.Session(ctx, info.Name)
		if err != nil {
			t.Fatal(err)
		}
		events, err := session.Events(ctx)
		if err != nil {
			t.Fatal(err)
		}
		results, starts := map[string]bool{}, map[string]int{}
		keys := map[string]string{}
		for _, event := range events {
			switch e := event.(type) {
			case agent.Start:
				keys, results = map[string]string{}, map[string]bool{}
			case agent.ToolStart:
				if results[e.ID] {
					t.Errorf("%s: %s started again after its result", info.Name, e.Key)
				}
				keys[e.ID] = e.Key
				starts[e.Key]++
			case agent.ToolResult:
				if results[e.ID] {
					t.Errorf("%s: two results of %s", info.Name, e.ID)
				}
				results[e.ID] = true
				if key := keys[e.ID]; e.Error == "" && paid[key]+looked[key] == 0 {
					t.Errorf("%s: %s has a result and never ran", info.Name, key)
				}
			}
		}
		for key, n := range starts {
			calls++
			parts := strings.Split(key, "/")
			if paid[key] > 1 && again[parts[0]+"/"+parts[2]] == 0 {
				t.Errorf("%s: %s was paid %d times in %d attempts, and nobody was asked", info.Name, key, paid[key], n)
			}
			if paid[key] > n || looked[key] > n {
				t.Errorf("%s: %s ran more often than it was started", info.Name, key)
			}
		}
	}
	return calls
}

func countLines(t *testing.T, path string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for line := range strings.Lines(string(text)) {
		counts[strings.TrimSpace(line)]++
	}
	return counts
}
