package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/agent/sessions"
	"github.com/drover-ai/drover/tools"
)

// When the disk is full, the turn stops with a clear error, what was stored stays, and with space again the turn goes on.
// It needs a small disk, which only root can make; internal/sqlite and agent test the two halves without one.
func TestDiskFull(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("no small disk: mounting one: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	}()
	filler := filepath.Join(folder, "filler")
	if err := os.WriteFile(filler, make([]byte, 7<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	store, err := sessions.Open(ctx, filepath.Join(folder, "sessions.db"), sessions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	session, err := store.Session(ctx, "s")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	do := func(context.Context, what) (string, error) {
		ran++
		return strings.Repeat("x", 500), nil
	}
	pay := tools.Must(tools.New("pay", "Pay.", do, tools.WithEffects(tools.Writes)))
	look := tools.Must(tools.New("look", "Look.", do, tools.WithEffects(tools.Pure)))
	limits := agent.DefaultLimits()
	limits.ParallelTools = 1
	a, err := agent.New(agenttest.NewFunc(plan), agent.WithTools(pay, look), agent.WithLimits(limits),
		agent.WithApproval(nil, func(_ context.Context, req agent.ApprovalRequest) (agent.Decision, error) {
			return agent.Decision{Approved: !req.Again}, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	turns := 0
	for err = nil; err == nil && turns < 200; turns++ {
		for event, e := range a.Run(ctx, fmt.Sprint("turn ", turns), agent.WithSession(session)) {
			if err = e; e == nil {
				line, _ := json.Marshal(event)
				shown = append(shown, string(line))
			}
		}
	}
	var clear interface{ Unwrap() error }
	if err == nil || !errors.As(err, &clear) || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "free some space") {
		t.Fatalf("after %d turns the error is %v", turns, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if err := store.Export(ctx, "s", &log); err != nil {
		t.Fatal(err)
	}
	stored := map[string]bool{}
	starts := 0
	for line := range strings.Lines(log.String()) {
		stored[withoutTime(t, line)] = true
		if strings.Contains(line, `"type":"tool_start"`) {
			starts++
		}
	}
	for _, line := range shown {
		if !stored[withoutTime(t, line)] {
			t.Errorf("shown and not stored: %s", line)
		}
	}
	if ran > starts {
		t.Errorf("%d calls ran, %d starts are stored", ran, starts)
	}
	if err := store.Check(ctx); err != nil {
		t.Error(err)
	}
	status, err := session.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if status.Interrupted {
		for _, err := range a.Resume(ctx, session) {
			if err != nil {
				t.Fatalf("with space again: %v", err)
			}
		}
	}
	if _, err := a.Ask(ctx, "and on", agent.WithSession(session)); err != nil {
		t.Errorf("with space again: %v", err)
	}
	t.Logf("full after %d turns and %d records", turns, len(stored))
}
