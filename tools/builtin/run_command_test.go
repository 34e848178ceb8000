//go:build unix

package builtin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/builtin"
)

func runCommand(t testing.TB, ctx context.Context, tool tools.Tool, command string) (string, error) {
	t.Helper()
	arguments, err := json.Marshal(map[string]string{"command": command})
	if err != nil {
		t.Fatal(err)
	}
	result, err := tool.Call(ctx, arguments)
	return result.Content, err
}

func TestRunCommand(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, "notes.txt", "the budget\n")
	tool := builtin.RunCommand(open(t, folder), builtin.CommandOptions{Environment: []string{"EXTRA=given"}})
	for _, c := range []struct{ command, want string }{
		{"cat notes.txt | tr a-z A-Z", "exit code 0\nTHE BUDGET\n"},
		{"echo one; echo two >&2; echo three; exit 3", "exit code 3\none\ntwo\nthree\n"},
		{"true", "exit code 0\n(no output)"},
		{"no-such-program-anywhere 2>/dev/null", "exit code 127\n(no output)"},
		{"kill -TERM $$", "ended by signal: terminated\n(no output)"},
		{`printf 'a\377\000b'`, "exit code 0\na\uFFFD\x00b"},
		{"cat", "exit code 0\n(no output)"}, // nothing to wait for
		{"echo $EXTRA", "exit code 0\ngiven\n"},
		{"exec >&- 2>&-; sleep 0.05; exit 4", "exit code 4\n(no output)"}, // it closes its output before it ends
	} {
		if got, err := runCommand(t, t.Context(), tool, c.command); err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.command, got, err, c.want)
		}
	}
	for command, want := range map[string]string{
		" ": "is empty", "echo a\x00b": "NUL byte", strings.Repeat("x", 9000): "at most 8000",
	} {
		if got, err := runCommand(t, t.Context(), tool, command); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %q, %v; want an error with %q", command, got, err, want)
		}
	}
	if got := tools.EffectsOf(tool); got != tools.Anything || tools.IsRepeatable(tool) {
		t.Errorf("effects %v, repeatable %v", got, tools.IsRepeatable(tool))
	}
	preview, err := must[tools.Previewer](t, tool).Preview(t.Context(), json.RawMessage(`{"command": "a\nb"}`))
	if err != nil || !strings.HasSuffix(preview, filepath.Base(folder)+":\n$ a\n> b") {
		t.Errorf("preview %q, %v", preview, err)
	}
}

// A command sees where things are, and none of the keys.
func TestRunCommandEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"OPENAI_API_KEY": "sk-secret", "GITHUB_TOKEN": "secret", "DATABASE_URL": "postgres://me:secret@db", "SSH_AUTH_SOCK": "/secret",
		"https_proxy": "http://me:secret@proxy", "MY_OWN_NAME": "secret", "LC_TIME": "C", "GOFLAGS": "-x=shown",
	} {
		t.Setenv(name, value)
	}
	got, err := runCommand(t, t.Context(), builtin.RunCommand(open(t, t.TempDir()), builtin.CommandOptions{}), "env")
	if err != nil || strings.Contains(got, "secret") {
		t.Errorf("%q, %v", got, err)
	}
	for _, want := range []string{"\nPATH=", "\nLC_TIME=C\n", "-x=shown", "\nTERM=dumb\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
}

// Both ends of a long output are kept, whole characters, and what is missing is told.
func TestRunCommandOutput(t *testing.T) {
	tool := builtin.RunCommand(open(t, t.TempDir()), builtin.CommandOptions{MaxOutput: 101})
	got, err := runCommand(t, t.Context(), tool, "echo begin; i=0; while [ $i -lt 2000 ]; do echo äääääääääääääääääääää; i=$((i+1)); done; echo; echo end")
	if err != nil || !strings.HasPrefix(got, "exit code 0\nbegin\nä") || !strings.HasSuffix(got, "ä\n\nend\n") ||
		!strings.Contains(got, "ä\n[cut: 85") || strings.ContainsRune(got, '\uFFFD') || len(got) > 200 {
		t.Errorf("%d bytes: %q, %v", len(got), got, err)
	}
	got, err = runCommand(t, t.Context(), tool, "yes")
	if err == nil || !strings.Contains(err.Error(), "more than 64 MiB and was stopped; its output until then:\ny\ny\n") {
		t.Errorf("%q, %v", got, err)
	}
}

// waitForPID reads the number of a process that a command writes into a file when it has begun.
func waitForPID(t testing.TB, path string) int {
	t.Helper()
	for range 2000 {
		text, err := os.ReadFile(path)
		if line, whole := bytes.CutSuffix(text, []byte("\n")); err == nil && whole {
			pid, err := strconv.Atoi(string(line))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("the command does not begin")
	return 0
}

// ended fails unless the process ends: one that nobody waited for counts as ended.
func ended(t testing.TB, pid int) {
	t.Helper()
	for range 1000 {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return
		}
		if stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil && bytes.Contains(stat, []byte(") Z ")) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("process %d still runs", pid)
}

func TestRunCommandEnds(t *testing.T) {
	folder := t.TempDir()
	root := open(t, folder)
	pid := filepath.Join(folder, "pid")
	const waiting = "echo begun; sleep 1000 & echo $! > pid; wait"

	// Canceled: an error, and neither the shell nor what it started goes on.
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		waitForPID(t, pid)
		cancel()
	}()
	got, err := runCommand(t, ctx, builtin.RunCommand(root, builtin.CommandOptions{}), waiting)
	var failed *tools.CallError
	if !errors.As(err, &failed) || failed.Kind != tools.Canceled {
		t.Errorf("canceled: %q, %v", got, err)
	}
	ended(t, waitForPID(t, pid))

	// Out of time, also when signals are ignored.
	os.Remove(pid)
	got, err = runCommand(t, t.Context(), builtin.RunCommand(root, builtin.CommandOptions{Timeout: 300 * time.Millisecond}), "trap '' TERM INT HUP; "+waiting)
	if !errors.As(err, &failed) || failed.Kind != tools.TimedOut || !strings.Contains(err.Error(), "until then:\nbegun") {
		t.Errorf("out of time: %q, %v", got, err)
	}
	ended(t, waitForPID(t, pid))

	// The command ends, and what it left in the background with it.
	os.Remove(pid)
	got, err = runCommand(t, t.Context(), builtin.RunCommand(root, builtin.CommandOptions{}), "sleep 1000 >/dev/null 2>&1 & echo $! > pid; sleep 1000 & echo done")
	if err != nil || got != "exit code 0\ndone\n" {
		t.Errorf("background: %q, %v", got, err)
	}
	ended(t, waitForPID(t, pid))
}

// BenchmarkRunCommandCancel reports how long a call goes on after its context ended.
func BenchmarkRunCommandCancel(b *testing.B) {
	folder := b.TempDir()
	root := open(b, folder)
	tool := builtin.RunCommand(root, builtin.CommandOptions{})
	pid := filepath.Join(folder, "pid")
	var total, slowest time.Duration
	for b.Loop() {
		os.Remove(pid)
		ctx, cancel := context.WithCancel(b.Context())
		var at time.Time
		go func() {
			waitForPID(b, pid)
			at = time.Now()
			cancel()
		}()
		_, err := runCommand(b, ctx, tool, "sleep 1000 & echo $! > pid; wait")
		took := time.Since(at)
		if err == nil {
			b.Fatal("no error")
		}
		total, slowest = total+took, max(slowest, took)
	}
	b.ReportMetric(float64(total.Microseconds())/1e3/float64(b.N), "ms/cancel")
	b.ReportMetric(float64(slowest.Microseconds())/1e3, "ms/slowest")
}
