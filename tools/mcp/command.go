package mcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/drover-ai/drover/tools/internal/group"
)

// Command starts an MCP server as a process, command[0] with the arguments after it, and talks to it over its standard
// input and output. No shell is between: nothing is expanded. The process ends with [Client.Close], or at once when ctx ends.
func Command(ctx context.Context, command []string, options Options) (*Client, error) {
	if len(command) == 0 || command[0] == "" {
		return nil, errors.New("MCP server: no command")
	}
	return connect(ctx, command, options, func(found *schemas) (link, error) {
		p, err := startProcess(command, options)
		if err != nil {
			return link{}, err
		}
		return link{seeing{&sdk.IOTransport{Reader: p.stdout, Writer: p.stdin}, found}, p}, nil
	})
}

// process is a server that runs.
type process struct {
	cmd    *exec.Cmd
	stdin  *os.File // our ends of the pipes
	stdout *os.File
	stderr *tail
	done   chan struct{} // closed when the process has ended
	state  string        // how, once done is closed
}

func startProcess(command []string, options Options) (*process, error) {
	childIn, stdin, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer childIn.Close()
	stdout, childOut, err := os.Pipe()
	if err != nil {
		stdin.Close()
		return nil, err
	}
	defer childOut.Close()
	p := &process{stdin: stdin, stdout: stdout, stderr: &tail{also: options.Stderr}, done: make(chan struct{})}
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Dir, p.cmd.Env = options.Folder, options.Environment
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = childIn, childOut, p.stderr
	p.cmd.WaitDelay = 500 * time.Millisecond // a descendant may keep standard error open
	group.Make(p.cmd)
	if err := p.cmd.Start(); err != nil {
		stdin.Close()
		stdout.Close()
		return nil, err
	}
	go p.wait()
	return p, nil
}

// wait ends with the process.
func (p *process) wait() {
	err := p.cmd.Wait()
	p.state = "ended"
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		p.state = "ended with " + exit.String()
	}
	close(p.done)
	// What it has said is still in the pipe. A descendant that keeps the other end open will not add to it.
	time.AfterFunc(time.Second, func() { p.stdout.Close() })
}

// ending tells how the process ended, if it does within the time; else it is empty.
func (p *process) ending(within time.Duration) string {
	select {
	case <-p.done:
		return p.state + p.lastWords()
	case <-time.After(within):
		return ""
	}
}

// lastWords are the end of the process's standard error, as the end of a sentence.
func (p *process) lastWords() string {
	if text := p.stderr.text(); text != "" {
		return fmt.Sprintf("; the end of its standard error is %q", text)
	}
	return ""
}

// stop closes the standard input, which asks the server to end, and kills what has not ended after the grace.
func (p *process) stop(grace time.Duration) error {
	p.stdin.Close()
	defer p.stdout.Close()
	if grace > 0 {
		select {
		case <-p.done:
			return nil
		case <-time.After(grace):
		}
	}
	select {
	case <-p.done: // its number may already be another's
		return nil
	default:
		group.Kill(p.cmd)
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(5 * time.Second):
		return fmt.Errorf("process %d (%s) does not end although it was killed", p.cmd.Process.Pid, p.cmd.Path)
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	also io.Writer

	mu   sync.Mutex
	last []byte
}

// mostTail is how many bytes of standard error are kept for errors.
const mostTail = 500

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	t.last = append(t.last, p...)
	if len(t.last) > mostTail {
		t.last = append([]byte(nil), t.last[len(t.last)-mostTail:]...)
	}
	t.mu.Unlock()
	if t.also != nil {
		_, _ = t.also.Write(p) // a log that cannot be written must not stop the server
	}
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(bytes.TrimSpace(t.last)), "\uFFFD")
}
