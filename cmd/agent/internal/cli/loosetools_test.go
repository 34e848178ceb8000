package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// A tool of an MCP server whose schema no grammar can enforce in full is called all the same, and a warning says what is not enforced.
func TestAskLooseTools(t *testing.T) {
	var got []string
	server := sdk.NewServer(&sdk.Implementation{Name: "strange", Version: "1"}, nil)
	server.AddTool(&sdk.Tool{
		Name: "get_weather", Description: "Get the weather of a city.",
		InputSchema: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"},"units":{"type":"array","uniqueItems":true}},"required":["city"]}`),
	}, func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		got = append(got, string(r.Params.Arguments))
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "4 degrees and rain"}}}, nil
	})
	web := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, nil))
	defer web.Close()
	var out, log bytes.Buffer
	code := Run(t.Context(), []string{"ask", "--yes", "--mcp", web.URL, "--tools", "get_weather", "--tool-choice", "get_weather", "What is the weather in Oslo?"},
		Streams{In: strings.NewReader(""), Out: &out, Err: &log})
	if code != 0 || len(got) == 0 || !strings.Contains(got[0], "Oslo") {
		t.Errorf("code %d, calls %q, output %q, log %q", code, got, &out, &log)
	}
	if l := log.String(); !strings.Contains(l, "level=WARN") || !strings.Contains(l, "tool=get_weather") || !strings.Contains(l, "/properties/units/uniqueItems") {
		t.Errorf("log %q", l)
	}
}
