package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
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

// Client is an MCP server that is in use: a process, or a connection over HTTP. A server that has ended, or forgotten its
// session, is started again by the next call; what it kept in memory is lost, and its tools are taken to be the same.
// It is safe for concurrent use.
type Client struct {
	options Options
	name    string
	where   string // the command or the address, for people
	hidden  *strings.Replacer
	tools   []*remote
	skipped []SkippedTool
	schemas schemas

	open    opener
	version string // of the protocol, which the server understood

	ctx    context.Context // ends with Close
	cancel context.CancelCauseFunc
	turn   chan struct{} // holds one: to be taken for what follows
	conn   *connection
}

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
		c := &Client{
			options: options, where: shorten(hidden.Replace(where), 200), hidden: hidden,
			open: open, version: version, turn: make(chan struct{}, 1),
		}
		err := c.begin(ctx, start)
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

// begin makes the first connection and lists the tools, until start ends. The client lives as long as ctx.
func (c *Client) begin(ctx, start context.Context) error {
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	conn, err := c.connect(start, c.meet)
	if err != nil {
		c.cancel(err)
		return err
	}
	c.conn = conn
	context.AfterFunc(ctx, func() { _ = c.close(0) }) // whoever ended ctx does not wait
	return nil
}

// meet learns the server's name and its tools.
func (c *Client) meet(ctx context.Context, session *sdk.ClientSession) error {
	if info := session.InitializeResult(); info != nil && info.ServerInfo != nil {
		c.name = info.ServerInfo.Name
	}
	if c.options.Name != "" {
		c.name = c.options.Name
	}
	if c.name = validName(c.name); c.name == "" {
		c.name = "mcp"
	}
	return c.list(ctx, session)
}

// list asks for the tools and keeps those that can be used.
func (c *Client) list(ctx context.Context, session *sdk.ClientSession) error {
	defer c.schemas.finish()
	taken := map[string]bool{}
	seen := 0
	for tool, err := range session.Tools(ctx, nil) {
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
	params := &sdk.CallToolParams{Name: name, Arguments: arguments}
	conn, err := c.alive(ended)
	if err != nil {
		return nil, err
	}
	result, err := conn.session.CallTool(ended, params)
	if errors.Is(err, sdk.ErrSessionMissing) && ended.Err() == nil { // refused before anything was done: it may be made again
		conn.end()
		if conn, err = c.alive(ended); err != nil {
			return nil, err
		}
		result, err = conn.session.CallTool(ended, params)
	}
	if err != nil {
		if c.ctx.Err() != nil {
			end(errClosed) // the first cause counts: a call that was out of time already stays so
		}
		return nil, c.explain(ended, conn, err)
	}
	return result, nil
}

// errClosed is the cause of calls that end with their client.
var errClosed = errors.New("the connection is closed")

// explain turns an error of the SDK, over a connection or before there is one, into what a person or a model can act on.
func (c *Client) explain(ctx context.Context, conn *connection, err error) error {
	return &hiddenError{c.explained(ctx, conn, err), c.hidden}
}

func (c *Client) explained(ctx context.Context, conn *connection, err error) error {
	name := c.where
	if c.name != "" {
		name = fmt.Sprintf("%s (%s)", c.name, c.where)
	}
	var p *process
	if conn != nil {
		p = conn.process
	}
	var answer *jsonrpc.Error
	if ctx.Err() == nil && p != nil && !errors.As(err, &answer) {
		// A process that dies is noticed first by its pipes; how it ended is known a moment later.
		if ended := p.ending(time.Second); ended != "" {
			return fmt.Errorf("MCP server %s %s", name, ended)
		}
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errClosed):
		return fmt.Errorf("MCP server %s: %w", name, cause)
	case cause != nil:
		words := ""
		if p != nil {
			words = p.lastWords()
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

func (c *Client) close(grace time.Duration) error {
	c.cancel(errClosed) // ends the calls, which the SDK would wait for, and a start that is under way
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	return c.conn.close(grace)
}
