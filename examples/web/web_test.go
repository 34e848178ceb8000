package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/tools/builtin"
)

func TestEventsArrive(t *testing.T) {
	model := agenttest.NewScript(agenttest.Call("calculator", `{"expression": "6*7"}`), agenttest.Say("It is 42."))
	a, err := agent.New(model, agent.WithTools(builtin.Calculator()))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler(a))
	defer server.Close()
	for path, parts := range map[string][]string{
		"/": {"EventSource"},
		"/ask?q=" + url.QueryEscape("What is 6*7?"): {`data: {"type":"tool_call"`, `"result":"42"`, `"type":"text_delta"`, `"answer":"It is 42."`, `data: {"type":"done"`},
	} {
		response, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			if !strings.Contains(string(body), part) {
				t.Errorf("%s: %q is missing in %s", path, part, body)
			}
		}
	}
}
