package builtin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/internal/group"
)

// CommandOptions are the limits of [RunCommand]. The zero value is ready for use.
type CommandOptions struct {
	// Timeout is how long a command may run; 0 is two minutes.
	Timeout time.Duration
	// MaxOutput is how many bytes of the output the model reads, half from its beginning and half from its end; 0 is 16 KiB.
	MaxOutput int
	// Environment has variables ("NAME=value") that commands get besides those that are passed on; see [RunCommand].
	Environment []string
}

const (
	maxCommand = 8000     // bytes of a command line: a person has to read all of it
	maxWritten = 64 << 20 // bytes that a command may write before it is stopped
)

type runCommandInput struct {
	Command string `json:"command" jsonschema:"description=a command line for the shell"`
}

// RunCommand returns a tool that runs a command line by /bin/sh in the folder root and gives its exit code and what it wrote,
// standard output and standard error together. A command that fails is a result, too. It needs Unix; elsewhere calls say so.
//
// This is no sandbox: a command may do whatever the user may, also outside of root, so that the tool declares every effect and
// has a preview for whoever approves. Of the environment it gets the well-known variables that programs need to find their
// things, such as PATH, HOME and GOPATH, and no others: keys and tokens are in variables of any name.
//
// At the time limit, and when the context ends, the command and all it started is killed. What it leaves in the background is
// killed when it ends. A process that makes itself independent (setsid) escapes both.
func RunCommand(root *os.Root, o CommandOptions) tools.Tool {
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Minute
	}
	if o.MaxOutput <= 0 {
		o.MaxOutput = 16 << 10
	}
	folder, folderErr := filepath.Abs(root.Name())
	tool := tools.Must(tools.New("run_command", "Run a shell command and return its exit code and output.",
		func(ctx context.Context, in runCommandInput) (string, error) {
			if folderErr != nil {
				return "", folderErr
			}
			return o.run(ctx, folder, in.Command)
		}, tools.WithEffects(tools.Anything), tools.WithTimeout(o.Timeout), tools.WithMaxResult(3*o.MaxOutput+4096)))
	return withPreview(tool, func(in runCommandInput) (string, error) {
		if err := checkCommand(in.Command); err != nil {
			return "", err
		}
		// All of it: what is cut off may be what matters.
		return fmt.Sprintf("in %s:\n$ %s", folder, strings.ReplaceAll(strings.TrimSpace(in.Command), "\n", "\n> ")), nil
	})
}

func checkCommand(command string) error {
	switch {
	case runtime.GOOS == "windows" || runtime.GOOS == "plan9" || runtime.GOOS == "js" || runtime.GOOS == "wasip1":
		return fmt.Errorf("commands cannot be run on %s: there is no /bin/sh", runtime.GOOS)
	case strings.TrimSpace(command) == "":
		return errors.New("the command is empty")
	case strings.ContainsRune(command, 0):
		return errors.New("the command has a NUL byte")
	case len(command) > maxCommand:
		return fmt.Errorf("the command has %d bytes; at most %d can be run: write a script and run that", len(command), maxCommand)
	}
	return nil
}

// run runs a command that was approved.
func (o CommandOptions) run(ctx context.Context, folder, command string) (string, error) {
	if err := checkCommand(command); err != nil {
		return "", err
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer reader.Close()
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.Dir, cmd.Env = folder, commandEnvironment(os.Environ(), folder, o.Environment)
	cmd.Stdout, cmd.Stderr = writer, writer // one pipe keeps their order
	group.Make(cmd)
	err = cmd.Start()
	writer.Close()
	if err != nil {
		return "", fmt.Errorf("the command cannot be started: %w", err)
	}
	out := &bothEnds{limit: o.MaxOutput}
	copied, exited := make(chan error, 1), make(chan error, 1)
	go func() { copied <- out.copy(reader, maxWritten) }()
	go func() { exited <- cmd.Wait() }()

	var stopped error // why it had to be
	select {
	case err = <-exited:
	case <-ctx.Done():
		stopped = errors.New("the command was stopped")
	case stopped = <-copied: // nil: it closed its output, and goes on
		copied <- stopped
		if stopped == nil {
			select {
			case err = <-exited:
			case <-ctx.Done():
				stopped = errors.New("the command was stopped")
			}
		}
	}
	group.Kill(cmd) // also after its end: what it left in the background
	if stopped != nil {
		err = <-exited
	}
	// All who could write are dead and the pipe ends, unless one has left the group: it is not waited for.
	patience := time.Second
	if stopped != nil {
		patience = 20 * time.Millisecond
	}
	_ = reader.SetReadDeadline(time.Now().Add(patience)) // pipes have deadlines
	copyErr := <-copied
	text := out.text()
	if stopped == nil && errors.Is(copyErr, errTooMuch) {
		stopped = copyErr
	}
	if stopped != nil {
		return "", fmt.Errorf("%w; its output until then:\n%s", stopped, text)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "exit code 0\n" + text, nil
	case !errors.As(err, &exit):
		return "", fmt.Errorf("waiting for the command: %w", err)
	case exit.ExitCode() < 0:
		return fmt.Sprintf("ended by %s\n%s", exit, text), nil
	}
	return fmt.Sprintf("exit code %d\n%s", exit.ExitCode(), text), nil
}

// passedOn are the variables that commands get of our environment.
var passedOn = strings.Fields(`PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR TMP TEMP HOSTNAME
	XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_DATA_DIRS XDG_STATE_HOME XDG_RUNTIME_DIR
	CC CXX CFLAGS CXXFLAGS CPPFLAGS LDFLAGS LD_LIBRARY_PATH DYLD_LIBRARY_PATH LIBRARY_PATH CPATH PKG_CONFIG_PATH
	GOPATH GOROOT GOBIN GOCACHE GOMODCACHE GOTOOLCHAIN GOARCH GOOS GOFLAGS CGO_ENABLED
	CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN JAVA_HOME MAVEN_HOME GRADLE_HOME ANDROID_HOME
	NODE_PATH NVM_DIR NVM_BIN DENO_DIR BUN_INSTALL VOLTA_HOME
	VIRTUAL_ENV PYTHONPATH PYENV_ROOT CONDA_PREFIX CONDA_DEFAULT_ENV GEM_HOME GEM_PATH RBENV_ROOT
	NIX_PATH NIX_PROFILES HOMEBREW_PREFIX HOMEBREW_CELLAR HOMEBREW_REPOSITORY SSL_CERT_FILE SSL_CERT_DIR`)

// commandEnvironment is what a command gets of an environment, with settings that keep programs from waiting for a person or
// drawing for one.
func commandEnvironment(all []string, folder string, more []string) []string {
	environment := []string{"TERM=dumb", "NO_COLOR=1", "PAGER=cat", "GIT_PAGER=cat", "GIT_TERMINAL_PROMPT=0", "PWD=" + folder}
	for _, variable := range all {
		if name, _, _ := strings.Cut(variable, "="); slices.Contains(passedOn, name) || strings.HasPrefix(name, "LC_") {
			environment = append(environment, variable)
		}
	}
	return append(environment, more...) // the last of a name counts
}

// errTooMuch is what a command that writes without end is stopped for.
var errTooMuch = fmt.Errorf("the command wrote more than %d MiB and was stopped", maxWritten>>20)

// bothEnds keeps the beginning and the end of what is written to it: the head says what happens, the tail what went wrong.
type bothEnds struct {
	limit int // bytes of both together
	total int
	head  []byte
	tail  []byte // what follows the head; its end counts
}

// copy reads until the end or an error, at most limit bytes.
func (b *bothEnds) copy(from *os.File, limit int) error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		b.add(buffer[:n])
		switch {
		case b.total > limit:
			return errTooMuch
		case err != nil:
			return nil // the end, or the deadline after the end of the command
		}
	}
}

func (b *bothEnds) add(piece []byte) {
	b.total += len(piece)
	room := min(b.limit/2-len(b.head), len(piece))
	b.head = append(b.head, piece[:room]...)
	b.tail = append(b.tail, piece[room:]...)
	if keep := b.limit - b.limit/2; len(b.tail) > 4*keep+64<<10 {
		b.tail = append(b.tail[:0], b.tail[len(b.tail)-keep:]...)
	}
}

// text is valid UTF-8 of about limit bytes, which says what is missing in the middle.
func (b *bothEnds) text() string {
	if b.total == 0 {
		return "(no output)"
	}
	clean := func(part []byte) string { return strings.ToValidUTF8(string(part), "\uFFFD") }
	if b.total <= b.limit {
		return clean(append(b.head, b.tail...))
	}
	head, tail := b.head, b.tail[len(b.tail)-(b.limit-b.limit/2):]
	for n := 0; n < utf8.UTFMax-1 && len(head) > 0 && !utf8.Valid(head[max(0, len(head)-utf8.UTFMax):]); n++ {
		head = head[:len(head)-1]
	}
	for n := 0; n < utf8.UTFMax-1 && len(tail) > 0 && !utf8.RuneStart(tail[0]); n++ {
		tail = tail[1:]
	}
	return fmt.Sprintf("%s\n[cut: %d of %d bytes are left out here]\n%s", clean(head), b.total-len(head)-len(tail), b.total, clean(tail))
}
