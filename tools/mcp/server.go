package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/drover-ai/drover/tools"
)

// ServerOptions say what a server tells of itself.
type ServerOptions struct {
	Name    string       // "drover" if empty
	Version string       // of the program, if empty that of the build
	Logger  *slog.Logger // nil for none; it must not write to where the protocol is spoken
}

// Server offers tools to MCP clients. It is safe for concurrent use, by any number of clients.
type Server struct {
	server *sdk.Server
}

// NewServer makes a server of the tools in a registry, which checks the arguments of every call. Nobody is asked before a
// call: that is up to the client, which is told the tools' effects.
func NewServer(registry *tools.Registry, options ServerOptions) (*Server, error) {
	if options.Name == "" {
		options.Name = "drover"
	}
	if options.Version == "" {
		options.Version = buildVersion()
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	s := sdk.NewServer(&sdk.Implementation{Name: options.Name, Version: options.Version}, &sdk.ServerOptions{
		Logger:       options.Logger,
		Capabilities: &sdk.ServerCapabilities{Tools: &sdk.ToolCapabilities{}}, // nil would promise logging
	})
	for _, tool := range registry.Tools() {
		d := tool.Definition()
		schema, err := objectSchema(d.Parameters)
		if err != nil {
			return nil, fmt.Errorf("tool %s: %w", d.Name, err)
		}
		effects := tools.EffectsOf(tool)
		destructive, open := effects.Has(tools.Writes), effects.Has(tools.Network)
		s.AddTool(&sdk.Tool{
			Name: d.Name, Description: d.Description, InputSchema: schema,
			Annotations: &sdk.ToolAnnotations{
				ReadOnlyHint: !destructive, DestructiveHint: &destructive,
				IdempotentHint: tools.IsRepeatable(tool), OpenWorldHint: &open,
			},
		}, func(ctx context.Context, request *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			result, err := registry.Call(ctx, d.Name, request.Params.Arguments)
			if err != nil { // for the model at the other end to read
				return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: err.Error()}}}, nil
			}
			return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: result.Content}}}, nil
		})
	}
	return &Server{s}, nil
}

// objectSchema is a tool's schema as the protocol wants it: of type "object", which ours may leave out.
func objectSchema(parameters json.RawMessage) (json.RawMessage, error) {
	parameters = bytes.TrimSpace(parameters)
	if len(parameters) == 0 {
		return json.RawMessage(`{"type":"object"}`), nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(parameters, &members); err != nil {
		return nil, fmt.Errorf("parameters are no JSON object: %w", err)
	}
	if _, ok := members["type"]; ok {
		return parameters, nil
	}
	if len(members) == 0 {
		return json.RawMessage(`{"type":"object"}`), nil
	}
	return append(json.RawMessage(`{"type":"object",`), parameters[1:]...), nil // the order of the others stays
}

// Serve talks to one client: requests come from in, one JSON message a line, answers go to out and nothing else does. When
// in ends, calls that are under way may take two more seconds, and Serve returns nil; when ctx ends, its error.
func (s *Server) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	err := s.server.Run(ctx, &draining{inner: &sdk.IOTransport{Reader: io.NopCloser(in), Writer: keepOpen{out}}})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("MCP client: %w", err)
	}
	return nil
}

// keepOpen writes to what is not ours to close.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

// Handler serves over streamable HTTP. It asks nobody for a password: whoever can reach it can call the tools. Put it on a
// loopback address or behind what checks who calls.
func (s *Server) Handler() http.Handler {
	return sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return s.server }, &sdk.StreamableHTTPOptions{Stateless: true})
}
