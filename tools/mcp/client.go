package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/drover-ai/drover/internal/redact"
	"github.com/drover-ai/drover/tools"
)

// The defaults of [Options].
const (
	DefaultStartTimeout = 30 * time.Second // servers that are downloaded when they start take their time
	DefaultCallTimeout  = 60 * time.Second
)

// mostTools is how many tools a server may have. A list that never ends would fill the memory.
const mostTools = 1000

// fallbacks are the protocol versions that are tried, in this order. The handshake of the older one goes first: servers
// that only know it may die of, or never answer, the question that the newer one begins with, while one that only knows
// the newer answers the handshake with an error.
var fallbacks = []string{"2025-11-25", "2026-07-28"}

// Options say how a server is used. The zero value is ready for use.
type Options struct {
	// Name is what the server's tools are prefixed with where their names clash; by default the name it gives itself.
	Name string
	// StartTimeout is how long the server may take until its tools are known, [DefaultStartTimeout] if 0.
	StartTimeout time.Duration
	// CallTimeout is how long a call may take, [DefaultCallTimeout] if 0.
	CallTimeout time.Duration
	// MaxResult cuts results to at most that many bytes, [tools.DefaultMaxResult] if 0.
	MaxResult int
	// TrustAnnotations believes what the server says of its tools: that one only reads, that it may be called twice,
	// that it reaches no other machine. Without it every tool is taken to do [tools.Anything].
	TrustAnnotations bool
	// ProtocolVersion is the only version of the protocol to speak, such as "2025-06-18"; empty negotiates.
	ProtocolVersion string
	// Logger gets warnings, about tools that cannot be used; nil for none.
	Logger *slog.Logger

	// Folder is where [Command] starts the process; empty is the current folder.
	Folder string
	// Environment is that of the process, as for [os/exec.Cmd]; nil is ours, with all that is in it.
	Environment []string
	// Stderr also gets what the process writes to its standard error; nil for nobody. The end of it is in errors.
	Stderr io.Writer

	// HTTPClient makes the requests of [Dial], with the authorization that the server wants; nil for the default one.
	HTTPClient *http.Client
	// Headers go with each request of [Dial], such as Authorization; not to another host, if the server redirects to one.
	Headers http.Header
	// Secrets are texts that errors and the log do not show, besides those that are known for secrets: the values of Headers, what
	// Environment has that ours has not, users, passwords and queries of addresses, and the values of flags and variables on the
	// command line with names such as --api-key and GITHUB_TOKEN. Texts of less than four bytes are always shown.
	Secrets []string
}

// SkippedTool is a tool of a server that cannot be used.
type SkippedTool struct {
	Name   string // as the server calls it
	Reason error
}

// Client is a connection to an MCP server. It is safe for concurrent use.
type Client struct {
	options Options
	name    string
	where   string // the command or the address, for people
	hidden  *strings.Replacer
	session *sdk.ClientSession
	process *process // nil for a server that is no process of ours
	tools   []*remote
	skipped []SkippedTool
	schemas schemas

	ctx       context.Context // of the connection: ends with Close
	cancel    context.CancelFunc
	closeOnce sync.Once
	closeErr  error
}

// link is one attempt at a connection.
type link struct {
	transport sdk.Transport
	process   *process
}

// opener makes a link, over which the tools' schemas are looked for.
type opener func(found *schemas) (link, error)

// Dial connects to the MCP server at an address that begins with http:// or https://. The connection ends with
// [Client.Close] or when ctx ends.
func Dial(ctx context.Context, address string, options Options) (*Client, error) {
	if !IsAddress(address) {
		return nil, fmt.Errorf("MCP server %q: want an address that begins with http:// or https://", redact.URLs(address))
	}
	return connect(ctx, []string{address}, options, func(found *schemas) (link, error) {
		return link{transport: &sdk.StreamableClientTransport{
			Endpoint:             address,
			HTTPClient:           watched(withHeaders(options.HTTPClient, address, options.Headers), found),
			DisableStandaloneSSE: true, // the list of tools is read once: nothing to be told of
		}}, nil
	})
}

// IsAddress reports whether a text is an address for [Dial], and not a command.
func IsAddress(text string) bool {
	lower := strings.ToLower(text)
	return strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://")
}

// connect tries the versions of the protocol in turn, each with a new link, and lists the tools.
func connect(ctx context.Context, words []string, options Options, open opener) (*Client, error) {
	if options.StartTimeout <= 0 {
		options.StartTimeout = DefaultStartTimeout
	}
	if options.CallTimeout <= 0 {
		options.CallTimeout = DefaultCallTimeout
	}
	if options.MaxResult <= 0 {
		options.MaxResult = tools.DefaultMaxResult
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	hidden := hide(words, options)
	where := strings.Join(words, " ")
	versions := fallbacks
	if options.ProtocolVersion != "" {
		versions = []string{options.ProtocolVersion}
	}
	start, stop := context.WithTimeoutCause(ctx, options.StartTimeout,
		fmt.Errorf("no answer within %v: %w", options.StartTimeout, context.DeadlineExceeded))
	defer stop()
	var first error
	for _, version := range versions {
		c := &Client{options: options, where: shorten(hidden.Replace(where), 200), hidden: hidden}
		err := c.begin(ctx, start, version, open)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
		var unusable *startError
		if start.Err() != nil || errors.As(err, &unusable) {
			break
		}
	}
	return nil, first
}

// startError is that of a process that could not be started: another version of the protocol would not help.
type startError struct{ err error }

func (e *startError) Error() string { return e.err.Error() }
func (e *startError) Unwrap() error { return e.err }

// begin makes the connection and lists the tools, until start ends. The connection itself lives as long as ctx.
func (c *Client) begin(ctx, start context.Context, version string, open opener) error {
	l, err := open(&c.schemas)
	if err != nil {
		return &startError{&hiddenError{fmt.Errorf("MCP server %s: %w", c.where, err), c.hidden}}
	}
	c.process = l.process
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	client := sdk.NewClient(&sdk.Implementation{Name: "drover", Version: buildVersion()}, &sdk.ClientOptions{
		Capabilities: &sdk.ClientCapabilities{}, // nil would promise roots
	})
	giveUp := context.AfterFunc(start, c.cancel)
	c.session, err = client.Connect(c.ctx, l.transport, &sdk.ClientSessionOptions{ProtocolVersion: version})
	if err == nil {
		if info := c.session.InitializeResult(); info != nil && info.ServerInfo != nil {
			c.name = info.ServerInfo.Name
		}
		if c.options.Name != "" {
			c.name = c.options.Name
		}
		if c.name = validName(c.name); c.name == "" {
			c.name = "mcp"
		}
		err = c.list(start)
	}
	if !giveUp() && err == nil { // start ended at the last moment, and c.ctx with it
		err = start.Err()
	}
	if err != nil {
		err = c.explain(start, err)
		c.kill()
		return err
	}
	context.AfterFunc(ctx, func() { _ = c.close(0) }) // whoever ended ctx does not wait
	return nil
}

// list asks for the tools and keeps those that can be used.
func (c *Client) list(ctx context.Context) error {
	defer c.schemas.finish()
	taken := map[string]bool{}
	seen := 0
	for tool, err := range c.session.Tools(ctx, nil) {
		if err != nil {
			return err
		}
		if seen++; seen > mostTools {
			return fmt.Errorf("it has more than %d tools; serve fewer", mostTools)
		}
		t, err := newRemote(c, tool)
		if err == nil {
			t.definition.Name = unused(t.definition.Name, taken)
			_, err = tools.NewRegistry(t) // compiles the schema: one bad tool must not cost the others
		}
		if err != nil {
			err = &hiddenError{err, c.hidden}
			c.skipped = append(c.skipped, SkippedTool{tool.Name, err})
			c.options.Logger.Warn("tool left out", "server", c.name, "tool", tool.Name, "reason", err)
			continue
		}
		taken[t.definition.Name] = true
		c.tools = append(c.tools, t)
	}
	return nil
}

// Name is the server's name, made of what may be in the name of a tool.
func (c *Client) Name() string { return c.name }

// Tools returns the tools that the server had when the connection was made, by its own names for them where these are
// valid. Use [Combine] to put them beside others. The slice is the caller's.
func (c *Client) Tools() []tools.Tool {
	all := make([]tools.Tool, len(c.tools))
	for i, t := range c.tools {
		all[i] = t
	}
	return all
}

// Skipped returns the tools of the server that cannot be used, with the reasons.
func (c *Client) Skipped() []SkippedTool { return slices.Clone(c.skipped) }

// call calls a tool by the server's name for it.
func (c *Client) call(ctx context.Context, name string, arguments json.RawMessage) (*sdk.CallToolResult, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.CallTimeout,
		fmt.Errorf("no result within %v: %w", c.options.CallTimeout, context.DeadlineExceeded))
	defer cancel()
	ended, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(c.ctx, func() { end(errClosed) })()
	result, err := c.session.CallTool(ended, &sdk.CallToolParams{Name: name, Arguments: arguments})
	if err != nil {
		if c.ctx.Err() != nil {
			end(errClosed) // the first cause counts: a call that was out of time already stays so
		}
		return nil, c.explain(ended, err)
	}
	return result, nil
}

// errClosed is the cause of calls that end with their client.
var errClosed = errors.New("the connection is closed")

// explain turns an error of the SDK into what a person or a model can act on.
func (c *Client) explain(ctx context.Context, err error) error {
	return &hiddenError{c.explained(ctx, err), c.hidden}
}

func (c *Client) explained(ctx context.Context, err error) error {
	name := c.where
	if c.name != "" {
		name = fmt.Sprintf("%s (%s)", c.name, c.where)
	}
	var answer *jsonrpc.Error
	if ctx.Err() == nil && c.process != nil && !errors.As(err, &answer) {
		// A process that dies is noticed first by its pipes; how it ended is known a moment later.
		if ended := c.process.ending(time.Second); ended != "" {
			return fmt.Errorf("MCP server %s %s", name, ended)
		}
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errClosed):
		return fmt.Errorf("MCP server %s: %w", name, cause)
	case cause != nil:
		words := ""
		if c.process != nil {
			words = c.process.lastWords()
		}
		return fmt.Errorf("MCP server %s: %w%s", name, cause, words)
	case errors.Is(err, sdk.ErrConnectionClosed):
		return fmt.Errorf("MCP server %s closed the connection: %w", name, err)
	}
	return fmt.Errorf("MCP server %s: %w", name, err)
}

// closeGrace is how long a server may take to end by itself when it is closed.
const closeGrace = 2 * time.Second

// Close ends the connection. Calls that are under way end with an error. A process may end by itself for about two
// seconds; then it is killed, with its descendants where the system has process groups. The error is that of a process that
// did not end even so.
func (c *Client) Close() error { return c.close(closeGrace) }

func (c *Client) kill() { _ = c.close(0) }

func (c *Client) close(grace time.Duration) error {
	c.closeOnce.Do(func() {
		c.cancel() // ends the calls, which the SDK would wait for
		closed := make(chan struct{})
		go func() {
			if c.session != nil {
				_ = c.session.Close()
			}
			close(closed)
		}()
		if c.process != nil {
			c.closeErr = c.process.stop(grace)
			return
		}
		select { // a server over HTTP is told, if it listens
		case <-closed:
		case <-time.After(grace):
		}
	})
	return c.closeErr
}

func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
