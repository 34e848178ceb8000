package mcp

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// link is one attempt at a connection.
type link struct {
	transport sdk.Transport
	process   *process
}

// opener makes a link, over which the tools' schemas are looked for.
type opener func(found *schemas) (link, error)

// startError is that of a process that could not be started: another version of the protocol would not help.
type startError struct{ err error }

func (e *startError) Error() string { return e.err.Error() }
func (e *startError) Unwrap() error { return e.err }

// connection is one life of a server: a process, or a session over HTTP.
type connection struct {
	session *sdk.ClientSession
	process *process // nil for a server that is no process of ours
	cancel  context.CancelFunc
	gone    chan struct{} // closed when nothing can be called over it any more
	once    sync.Once     // closes gone

	closeOnce sync.Once
	closeErr  error
}

// connect opens a connection, with meet at the end of the handshake, until start ends. It lives as long as the client.
func (c *Client) connect(start context.Context, meet func(context.Context, *sdk.ClientSession) error) (*connection, error) {
	l, err := c.open(&c.schemas)
	if err != nil {
		return nil, &startError{&hiddenError{fmt.Errorf("MCP server %s: %w", c.where, err), c.hidden}}
	}
	ctx, cancel := context.WithCancel(c.ctx)
	conn := &connection{process: l.process, cancel: cancel, gone: make(chan struct{})}
	client := sdk.NewClient(&sdk.Implementation{Name: "drover", Version: buildVersion()}, &sdk.ClientOptions{
		Capabilities: &sdk.ClientCapabilities{}, // nil would promise roots
	})
	giveUp := context.AfterFunc(start, cancel)
	conn.session, err = client.Connect(ctx, l.transport, &sdk.ClientSessionOptions{ProtocolVersion: c.version})
	if err == nil && meet != nil {
		err = meet(start, conn.session)
	}
	if !giveUp() && err == nil { // start ended at the last moment, and ctx with it
		err = start.Err()
	}
	if err != nil {
		err = c.explain(start, conn, err)
		_ = conn.close(0) // the first error says more
		return nil, err
	}
	go func() {
		_ = conn.session.Wait()
		conn.end()
	}()
	return conn, nil
}

// alive returns a connection that can be used, as far as is known: a new one, if the last one has ended. One call makes
// it, others wait for it.
func (c *Client) alive(ctx context.Context) (*connection, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, c.explain(ctx, nil, context.Cause(ctx))
	}
	if c.ctx.Err() != nil {
		return nil, c.explain(c.ctx, nil, context.Cause(c.ctx))
	}
	if !c.conn.ended() {
		return c.conn, nil
	}
	_ = c.conn.close(0) // what is left of it
	start, stop := context.WithTimeoutCause(ctx, c.options.StartTimeout,
		fmt.Errorf("no answer within %v: %w", c.options.StartTimeout, context.DeadlineExceeded))
	defer stop()
	conn, err := c.connect(start, nil)
	if err != nil {
		return nil, fmt.Errorf("the server ended, and starting it again failed: %w", err)
	}
	c.options.Logger.Warn("MCP server ended; it was started again", "server", c.name)
	c.conn = conn
	return conn, nil
}

// end marks a connection as one that is of no use any more.
func (c *connection) end() { c.once.Do(func() { close(c.gone) }) }

func (c *connection) ended() bool {
	var done chan struct{} // of the process; a nil channel never is
	if c.process != nil {
		done = c.process.done
	}
	select {
	case <-c.gone:
		return true
	case <-done:
		return true
	default:
		return false
	}
}

// close ends a connection, with some time for the server to end by itself.
func (c *connection) close(grace time.Duration) error {
	c.closeOnce.Do(func() {
		c.cancel()
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
