package mcp

import (
	"context"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// drainGrace is how long answers are waited for when no more requests can come.
const drainGrace = 2 * time.Second

// draining is a transport that tells of the end of its input only when every request has its answer, or after drainGrace:
// the SDK cancels what is under way then, and "printf … | agent mcp serve" would lose the answers that it is run for.
type draining struct{ inner sdk.Transport }

// Connect implements the SDK's Transport.
func (t *draining) Connect(ctx context.Context) (sdk.Connection, error) {
	inner, err := t.inner.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &drainingConnection{Connection: inner, open: map[jsonrpc.ID]bool{}, idle: make(chan struct{}, 1)}, nil
}

type drainingConnection struct {
	sdk.Connection

	mu   sync.Mutex
	open map[jsonrpc.ID]bool // the requests without an answer
	idle chan struct{}       // gets something when open becomes empty
}

// Read implements the SDK's Connection.
func (c *drainingConnection) Read(ctx context.Context) (jsonrpc.Message, error) {
	message, err := c.Connection.Read(ctx)
	if err != nil {
		c.drain(ctx)
		return nil, err
	}
	if request, ok := message.(*jsonrpc.Request); ok && request.ID.IsValid() {
		c.mu.Lock()
		c.open[request.ID] = true
		c.mu.Unlock()
	}
	return message, nil
}

// Write implements the SDK's Connection.
func (c *drainingConnection) Write(ctx context.Context, message jsonrpc.Message) error {
	err := c.Connection.Write(ctx, message)
	if response, ok := message.(*jsonrpc.Response); ok {
		c.mu.Lock()
		delete(c.open, response.ID)
		if len(c.open) == 0 {
			select {
			case c.idle <- struct{}{}:
			default:
			}
		}
		c.mu.Unlock()
	}
	return err
}

func (c *drainingConnection) drain(ctx context.Context) {
	limit := time.NewTimer(drainGrace)
	defer limit.Stop()
	for {
		c.mu.Lock()
		left := len(c.open)
		c.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-c.idle:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
