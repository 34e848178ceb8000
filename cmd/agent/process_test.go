//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What a script cannot say: signals, and output that goes wrong.

// start prepares the agent as a process of its own that sees no configuration of whoever runs the test, and that is killed
// if it hangs.
func start(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "agent", args...) // testscript.Main has put it into the path
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "XDG_CONFIG_HOME=", "XDG_DATA_HOME=", "AGENT_CONFIG=")
	return cmd
}

// endless are flags of a question whose answer takes far longer than the test: a list of numbers that may not end, drawn so that
// they do not repeat themselves.
func endless(t *testing.T) []string {
	t.Helper()
	schema := filepath.Join(t.TempDir(), "numbers.json")
	if err := os.WriteFile(schema, []byte(`{"type": "array", "items": {"type": "integer"}, "minItems": 5000}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--no-tools", "--schema", schema, "--max-tokens", "0", "--context-length", "100000", "--temperature", "2", "--seed", "1"}
}

// A signal ends the agent with 130 and without a word, whatever it is doing.
func TestInterrupt(t *testing.T) {
	long := strings.Repeat("hello world ", 90_000) // more than a pipe holds: once it is written, the agent has begun to read
	cases := []struct {
		name   string
		args   []string
		input  string
		keep   bool // standard input stays open
		stuck  bool // nobody reads the output after its beginning
		signal os.Signal
	}{
		{name: "while it writes", args: append([]string{"ask", "Count."}, endless(t)...)},
		{name: "while it writes events", args: append([]string{"ask", "--stream-json", "Count."}, endless(t)...)},
		{name: "while it writes, in a session", args: append([]string{"ask", "--session", "s", "Count."}, endless(t)...)},
		{name: "SIGTERM", args: append([]string{"ask", "Count."}, endless(t)...), signal: syscall.SIGTERM},
		{name: "while nobody reads", args: append([]string{"ask", "--stream-json", "Count."}, endless(t)...), stuck: true},
		{name: "while it reads the prompt", args: []string{"ask", "--context-length", "400000", "-"}, input: long},
		{name: "while it waits for its input", args: []string{"ask", "-"}, input: long, keep: true},
		{name: "while another command waits", args: []string{"model", "tokenize", "embedded"}, input: long, keep: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cmd := start(t, c.args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if c.input != "" {
				if _, err := io.WriteString(stdin, c.input); err != nil {
					t.Fatal(err)
				}
			} else if _, err := io.ReadFull(stdout, make([]byte, 10)); err != nil { // it has begun to write
				t.Fatalf("%v; standard error: %s", err, &stderr)
			}
			if !c.keep {
				stdin.Close()
			}
			time.Sleep(300 * time.Millisecond) // into the middle of it; any other moment must give the same
			if c.signal == nil {
				c.signal = os.Interrupt
			}
			if err := cmd.Process.Signal(c.signal); err != nil {
				t.Fatalf("it has ended before the signal: %v; standard error: %s", err, &stderr)
			}
			if !c.stuck {
				if _, err := io.Copy(io.Discard, stdout); err != nil {
					t.Fatal(err)
				}
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
				t.Errorf("ended with %v, want exit status 130", err)
			}
			if stderr.Len() > 0 {
				t.Errorf("standard error has %q, want nothing", &stderr)
			}
		})
	}
}

// A signal does not leave the MCP servers behind, not even one that never answers.
func TestInterruptEndsServers(t *testing.T) {
	cmd := start(t, "tools", "list", "--mcp", `sh -c 'echo $$ >pid; sleep 3600'`)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	for deadline := time.Now().Add(time.Minute); pid == 0; time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(filepath.Join(cmd.Dir, "pid"))
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		if time.Now().After(deadline) {
			t.Fatal("the server was not started")
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("ended with %v, want exit status 130", err)
	}
	// The group has the number of its first process: it is gone when the shell and what it started are.
	for deadline := time.Now().Add(time.Minute); syscall.Kill(-pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the server, process %d, or what it started is still there", pid)
		}
	}
}

// printing are commands that print, each in a way of its own.
var printing = [][]string{
	{"--help"}, {"--version"}, {"ask", "--help"}, {"help", "configuration"}, {"completion", "bash"},
	{"ask", "What is 2+2?"}, {"ask", "--json", "hello"}, {"ask", "--stream-json", "hello"}, {"ask", "-q", "hello"},
	{"tools", "list"}, {"tools", "list", "--json"}, {"tools", "call", "calculator", `{"expression": "1+1"}`},
	{"tools", "call", "--json", "calculator", `{"expression": "1+1"}`}, {"doctor"}, {"doctor", "--json"},
	{"model", "info", "embedded"}, {"model", "info", "--json", "embedded"}, {"model", "logits", "embedded", "--tokens", "1,2"},
	{"model", "tokenize", "embedded"}, {"model", "parse", "embedded"}, {"model", "render", "embedded"},
	{"model", "complete", "embedded"}, {"model", "complete", "--json", "embedded"},
}

// A conversation that every command with an input takes as its input.
const conversation = `{"messages": [{"role": "user", "content": "hello"}]}`

// A disk without space is a failure that is told, never half of the data and an exit code of 0.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes that share nothing: the full tests run them")
	}
	for _, args := range printing {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Skipf("this system has no full device: %v", err)
			}
			defer full.Close()
			cmd := start(t, args...)
			var stderr bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(conversation), full, &stderr
			var exit *exec.ExitError
			if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("ended with %v, want exit status 1", err)
			}
			if !strings.HasPrefix(stderr.String(), "agent: ") || !strings.Contains(stderr.String(), "no space left") || strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("standard error has %q, want one line about the space", &stderr)
			}
		})
	}
}

// A reader that has seen enough, as in "agent tools list | head -1", ends the agent in silence.
func TestReaderThatLeaves(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes that share nothing: the full tests run them")
	}
	for _, args := range printing {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			reader.Close()
			cmd := start(t, args...)
			var stderr bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(conversation), writer, &stderr
			err = cmd.Run()
			writer.Close()
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Fatalf("ended with %v, want SIGPIPE", err)
			}
			if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGPIPE {
				t.Errorf("ended with %v, want SIGPIPE", err)
			}
			if stderr.Len() > 0 {
				t.Errorf("standard error has %q, want nothing", &stderr)
			}
		})
	}
}

// BenchmarkAsk starts the built program on a question with one tool call. first-ms is the time from its start to its first
// word for a greeting, turn-ms that from its start to its end for the question.
func BenchmarkAsk(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "agent")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	var first, turn time.Duration
	for b.Loop() {
		greeting := exec.Command(binary, "ask", "hello")
		stdout, err := greeting.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if err := greeting.Start(); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(stdout, make([]byte, 1)); err != nil {
			b.Fatal(err)
		}
		first += time.Since(began)
		if _, err := io.Copy(io.Discard, stdout); err != nil {
			b.Fatal(err)
		}
		if err := greeting.Wait(); err != nil {
			b.Fatal(err)
		}
		began = time.Now()
		if out, err := exec.Command(binary, "ask", "What is 17.5% of 2,340?").Output(); err != nil || !bytes.Contains(out, []byte("\n  = 409.5\n")) {
			b.Fatalf("%v\n%s", err, out)
		}
		turn += time.Since(began)
	}
	b.ReportMetric(first.Seconds()*1000/float64(b.N), "first-ms")
	b.ReportMetric(turn.Seconds()*1000/float64(b.N), "turn-ms")
	b.ReportMetric(0, "ns/op")
}
