//go:build unix

package mcp

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/drover-ai/drover/tools"
)

// patience is how long something that must happen may take on a busy machine before the test gives up on it.
const patience = 20 * time.Second

// A server that dies in the middle of a call is an error with its end and its last words, as often as it does.
func TestServerDies(t *testing.T) {
	t.Parallel()
	registry := registryOf(t, startHelper(t, "well", Options{}).Tools()...)
	for range 2 {
		_, err := registry.Call(t.Context(), "die", nil)
		var failed *tools.CallError
		if !errors.As(err, &failed) || failed.Kind != tools.Failed {
			t.Fatalf("got %v", err)
		}
		for _, want := range []string{"die: MCP server helper (", "ended with exit status 3", "out of cheese"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
	}
}

// A server that died is started again by whoever calls next, once, and only then.
func TestServerStartsAgain(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := startHelper(t, "well", Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	registry := registryOf(t, c.Tools()...)
	pid := func() string {
		result, err := registry.Call(t.Context(), "pid", nil)
		if err != nil {
			t.Error(err)
		}
		return result.Content
	}
	first := pid()
	if again := pid(); again != first {
		t.Errorf("processes %s and %s although nothing died", first, again)
	}
	for _, how := range []string{"in a call", "between calls"} {
		before := pid()
		if how == "in a call" {
			if _, err := registry.Call(t.Context(), "die", nil); err == nil {
				t.Fatal("the call that the server died of has no error")
			}
		} else {
			n, err := strconv.Atoi(before)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-c.conn.process.done
		}
		var wg sync.WaitGroup
		pids := make([]string, 8)
		for i := range pids {
			wg.Go(func() { pids[i] = pid() })
		}
		wg.Wait()
		if all := slices.Compact(pids); len(all) != 1 || all[0] == before {
			t.Errorf("%s: after process %s came %q, want one other", how, before, all)
		}
	}
	if n := strings.Count(log.String(), "it was started again"); n != 2 {
		t.Errorf("%d starts are told: %s", n, log.String())
	}
}

// A server that cannot be started again says why with each call, and may come back.
func TestServerDoesNotStartAgain(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken")
	c := startHelper(t, "well", Options{Environment: append(os.Environ(), behavior+"=well", behavior+"_BROKEN="+broken)})
	registry := registryOf(t, c.Tools()...)
	if err := os.WriteFile(broken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Call(t.Context(), "die", nil); err == nil {
		t.Fatal("the call that the server died of has no error")
	}
	for range 2 {
		_, err := registry.Call(t.Context(), "pid", nil)
		var failed *tools.CallError
		if !errors.As(err, &failed) || failed.Kind != tools.Failed || !strings.Contains(err.Error(), "starting it again failed: MCP server helper (") ||
			!strings.Contains(err.Error(), "no license found") {
			t.Errorf("got %v", err)
		}
	}
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Call(t.Context(), "pid", nil); err != nil {
		t.Errorf("when it can be started: %v", err)
	}
}

// Whoever closes a client that starts its server again ends the start too.
func TestCloseWhileStartingAgain(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken")
	c := startHelper(t, "well", Options{Environment: append(os.Environ(), behavior+"=well", behavior+"_MUTE="+broken)})
	registry := registryOf(t, c.Tools()...)
	if err := os.WriteFile(broken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Call(t.Context(), "die", nil); err == nil {
		t.Fatal("the call that the server died of has no error")
	}
	called := make(chan error, 1)
	go func() {
		_, err := registry.Call(t.Context(), "pid", nil)
		called <- err
	}()
	time.Sleep(100 * time.Millisecond) // into the middle of the start; any other moment must give the same
	begin := time.Now()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-called; err == nil {
		t.Error("the call has no error")
	}
	if took := time.Since(begin); took > patience {
		t.Errorf("closing took %v", took)
	}
}

// A server that hangs costs the time that a call may take, or until the caller gives up, and nothing more.
func TestServerHangs(t *testing.T) {
	t.Parallel()
	c := startHelper(t, "well", Options{CallTimeout: time.Second})
	registry := registryOf(t, c.Tools()...)
	_, err := registry.Call(t.Context(), "hang", nil)
	var failed *tools.CallError
	if !errors.As(err, &failed) || failed.Kind != tools.TimedOut || !strings.Contains(err.Error(), "no result within 1s") {
		t.Errorf("got %v", err)
	}
	if _, err := registry.Call(t.Context(), "pid", nil); err != nil {
		t.Errorf("after one call that hangs: %v", err)
	}

	registry = registryOf(t, startHelper(t, "well", Options{}).Tools()...)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = registry.Call(ctx, "hang", nil)
	if !errors.As(err, &failed) || failed.Kind != tools.Canceled {
		t.Errorf("got %v", err)
	}
}

// A process does not outlive its client, whether it is closed or its context ends, and even if it will not end by itself.
func TestProcessEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, how string
		end       func(*Client, context.CancelFunc)
	}{
		{"closed", "well", func(c *Client, _ context.CancelFunc) { c.Close() }},
		{"closed, stubborn", "stubborn", func(c *Client, _ context.CancelFunc) { c.Close() }},
		{"context", "stubborn", func(_ *Client, cancel context.CancelFunc) { cancel() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			client, err := Command(ctx, []string{"env", behavior + "=" + c.how, os.Args[0]}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			registry := registryOf(t, client.Tools()...)
			pid, err := registry.Call(t.Context(), "pid", nil)
			if err != nil {
				t.Fatal(err)
			}
			hanging := make(chan error, 1)
			go func() {
				_, err := registry.Call(t.Context(), "hang", nil)
				hanging <- err
			}()
			time.Sleep(50 * time.Millisecond) // into the middle of the call; before it would do as well
			c.end(client, cancel)
			select {
			case err := <-hanging:
				if err == nil {
					t.Error("the call that was under way has no error")
				}
			case <-time.After(patience):
				t.Fatal("the call that was under way goes on")
			}
			n, err := strconv.Atoi(pid.Content)
			if err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(patience); syscall.Kill(n, 0) == nil; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("process %d is still there", n)
				}
			}
			if _, err := registry.Call(t.Context(), "pid", nil); err == nil || !strings.Contains(err.Error(), "the connection is closed") {
				t.Errorf("a call after the end: %v", err)
			}
		})
	}
}

// Servers of every age are understood: one that dies of anything but the old handshake, and one that has only heard of
// the new one.
func TestProtocolVersions(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"old", "new"} {
		c := startHelper(t, how, Options{})
		if _, err := registryOf(t, c.Tools()...).Call(t.Context(), "pid", nil); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		if got := c.conn.session.InitializeResult().ProtocolVersion; (how == "new") != (got == fallbacks[1]) {
			t.Errorf("%s: spoke %s", how, got)
		}
	}
	if _, err := command(t, "new", Options{ProtocolVersion: fallbacks[0]}); err == nil {
		t.Error("a version that was asked for is not the only one that is tried")
	}
}

// A server that cannot be used says why at once.
func TestServerThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]string{
		"mute":   "no answer within 200ms",
		"dead":   `ended with exit status 4; the end of its standard error is "no license found"`,
		"babble": "invalid character 'W'",
	} {
		options := Options{}
		if how == "mute" {
			options.StartTimeout = 200 * time.Millisecond
		}
		if _, err := command(t, how, options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", how, err, want)
		}
	}
	if _, err := Command(t.Context(), []string{"no-such-program-anywhere"}, Options{}); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("got %v", err)
	}
	if _, err := Command(t.Context(), nil, Options{}); err == nil {
		t.Error("no command is no error")
	}
	if _, err := Dial(t.Context(), "ftp://example.com", Options{}); err == nil {
		t.Error("ftp is no error")
	}
	if _, err := Dial(t.Context(), "http://127.0.0.1:1/mcp", Options{}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
}
