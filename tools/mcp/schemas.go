package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// schemas remembers the tools' schemas as the server wrote them. The SDK decodes them into maps and floats: the order of
// the properties, in which models write arguments, would be lost, and with it the digits of large numbers.
type schemas struct {
	mu   sync.Mutex
	raw  map[string]json.RawMessage // by the server's names; nil once the list is complete
	done bool
}

// see looks for tools in the result of a request.
func (s *schemas) see(result json.RawMessage) {
	if !bytes.Contains(result, []byte(`"inputSchema"`)) {
		return
	}
	var list struct {
		Tools []struct {
			Name        string          `json:"name"`
			InputSchema json.RawMessage `json:"inputSchema"`
		} `json:"tools"`
	}
	if json.Unmarshal(result, &list) != nil {
		return // the SDK will say so
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return
	}
	for _, tool := range list.Tools {
		if len(s.raw) < mostTools {
			if s.raw == nil {
				s.raw = map[string]json.RawMessage{}
			}
			s.raw[tool.Name] = tool.InputSchema
		}
	}
}

// of is the schema of a tool as it was written; ok is false if that is not known.
func (s *schemas) of(name string) (schema json.RawMessage, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	schema, ok = s.raw[name]
	var compact bytes.Buffer
	if !ok || json.Compact(&compact, schema) != nil {
		return nil, false
	}
	return compact.Bytes(), true
}

// finish forgets everything: there is nothing more to look for.
func (s *schemas) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw, s.done = nil, true
}

func (s *schemas) finished() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

// seeing is a transport whose responses are looked at.
type seeing struct {
	sdk.Transport
	schemas *schemas
}

// Connect implements the SDK's Transport.
func (t seeing) Connect(ctx context.Context) (sdk.Connection, error) {
	inner, err := t.Transport.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return seeingConnection{inner, t.schemas}, nil
}

type seeingConnection struct {
	sdk.Connection
	schemas *schemas
}

// Read implements the SDK's Connection.
func (c seeingConnection) Read(ctx context.Context) (jsonrpc.Message, error) {
	message, err := c.Connection.Read(ctx)
	if response, ok := message.(*jsonrpc.Response); ok && err == nil && !c.schemas.finished() {
		c.schemas.see(response.Result)
	}
	return message, err
}
