package crash

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drover-ai/drover/agent/sessions"
)

// Processes that use one conversation at the same time take turns, and lose nothing.
func TestProcessesTakeTurns(t *testing.T) {
	const processes, turns = 3, 4
	folder := t.TempDir()
	type process struct {
		cmd    *exec.Cmd
		stderr fmt.Stringer
		said   chan int
	}
	var all []process
	for range processes {
		cmd, stderr, out := start(t, folder, "shared", fmt.Sprintf("DROVER_CRASH_TURNS=%d", turns))
		p := process{cmd, stderr, make(chan int, 1)}
		go func() {
			n := 0
			for {
				line, err := out.ReadString('\n')
				if strings.HasPrefix(line, `{"type":"done"`) {
					n++
				}
				if err != nil {
					p.said <- n
					return
				}
			}
		}()
		all = append(all, p)
	}
	done := 0
	for _, p := range all {
		done += <-p.said
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, p.stderr)
		}
	}
	ctx := context.Background()
	store, err := sessions.Open(ctx, filepath.Join(folder, "sessions.db"), sessions.Options{Wait: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	session, err := store.Session(ctx, "shared")
	if err != nil {
		t.Fatal(err)
	}
	status, err := session.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// A turn is a prompt, three messages with eight results, and an answer.
	if done != processes*turns || status.Turns != done || status.Interrupted || len(status.Messages) != done*13 {
		t.Errorf("%d turns ended, %d are stored with %d messages", done, status.Turns, len(status.Messages))
	}
	if calls := checkEffects(t, store, folder); calls != done*8 {
		t.Errorf("%d calls, want %d", calls, done*8)
	}
	for what, n := range countLines(t, filepath.Join(folder, "paid")) {
		if n != 1 {
			t.Errorf("%s was paid %d times", what, n)
		}
	}
	if err := store.Check(ctx); err != nil {
		t.Error(err)
	}
}

// Whoever waits too long is told who has the session.
func TestOtherProcessHoldsTheSession(t *testing.T) {
	folder := t.TempDir()
	cmd, stderr, out := start(t, folder, "held")
	if _, err := out.ReadString('\n'); err != nil {
		t.Fatalf("the agent says nothing: %s", stderr)
	}
	ctx := context.Background()
	store, err := sessions.Open(ctx, filepath.Join(folder, "sessions.db"), sessions.Options{Wait: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	// Nobody reads what it says: it stops in the middle of a turn, with the session in its hands.
	var inUse *sessions.InUseError
	for range 500 {
		session, err := store.Session(ctx, "held")
		if err != nil {
			t.Fatal(err)
		}
		_, err = session.Status(ctx)
		if errors.As(err, &inUse) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if inUse == nil || inUse.Holder != fmt.Sprintf("process %d", cmd.Process.Pid) {
		t.Errorf("the error is %v, want one that names process %d", inUse, cmd.Process.Pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	session, err := store.Session(ctx, "held")
	if err != nil {
		t.Fatal(err)
	}
	if status, err := session.Status(ctx); err != nil || status.Turns == 0 {
		t.Errorf("after the end of the process: %+v, %v", status.Turns, err)
	}
}
