package test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/agent/telemetry"
	"github.com/drover-ai/drover/agent/trace"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools/mcp"
)

// An MCP server whose tools fail, tell what they were given and at last die: neither events nor log, trace and telemetry show what
// the address and the headers carry.
func TestNobodyTellsSecrets(t *testing.T) {
	server := sdk.NewServer(&sdk.Implementation{Name: "leaky", Version: "1"}, nil)
	schema := json.RawMessage(`{"type":"object"}`)
	server.AddTool(&sdk.Tool{Name: "fail", Description: "Fails.", InputSchema: schema},
		func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: "denied: " + r.Extra.Header.Get("Authorization")}}}, nil
		})
	server.AddTool(&sdk.Tool{Name: "bad", InputSchema: json.RawMessage(`{"type":"object","properties":{"a":{"pattern":"headersecret("}}}`)},
		func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) { return nil, nil })
	handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, nil)
	gone := false
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gone {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, "cannot serve %s with %v", r.URL, r.Header)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	defer web.Close()

	var told bytes.Buffer // by all of them
	log := slog.New(slog.NewTextHandler(&told, &slog.HandlerOptions{Level: slog.LevelDebug}))
	spans := tracetest.NewInMemoryExporter()
	reported, err := telemetry.New(telemetry.Config{Traces: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))})
	if err != nil {
		t.Fatal(err)
	}
	client, err := mcp.Dial(t.Context(), strings.Replace(web.URL, "//", "//user:passsecret@", 1)+"/?key=querysecret", mcp.Options{
		Headers: http.Header{"Authorization": {"Bearer headersecret"}}, Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	model := agenttest.NewFunc(func(req prompts.Request) agenttest.Reply {
		switch len(req.Messages) {
		case 1:
			return agenttest.Call("fail", "{}")
		case 3:
			gone = true
			return agenttest.Call("fail", `{"again":true}`)
		}
		return agenttest.Say("It failed.")
	})
	a, err := agent.New(model, agent.WithTools(client.Tools()...), agent.WithApproval(agent.ApproveAll, nil), agent.WithLogger(log),
		trace.New(&told).Option(), reported)
	if err != nil {
		t.Fatal(err)
	}
	failures := 0
	for event, err := range a.Run(t.Context(), "go") {
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := event.(agent.ToolResult); ok && e.Error != "" {
			failures++
		}
		text, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&told, "%s\n", text)
	}
	for _, span := range spans.GetSpans() {
		fmt.Fprintln(&told, span.Name, span.Status.Description, span.Attributes, span.Events)
	}
	all := told.String()
	if failures != 2 || strings.Count(all, "denied: ***") < 3 || strings.Count(all, "tool left out") != 1 || len(spans.GetSpans()) < 4 {
		t.Errorf("the test does not test what it should: %d failures", failures)
	}
	for _, secret := range []string{"passsecret", "querysecret", "headersecret"} {
		if at := strings.Index(all, secret); at >= 0 {
			t.Errorf("%q is told: …%s…", secret, all[max(0, at-200):min(len(all), at+100)])
		}
	}
	if t.Failed() {
		t.Log(all)
	}
}
