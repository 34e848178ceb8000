// Package examples holds programs to copy, one folder a question. This test runs them all.
package examples

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each program runs and prints what a reader is promised. The embedded model takes part, so that what is asserted is
// mechanics: calls, results, answers that are copied from results.
func TestPrograms(t *testing.T) {
	bin := t.TempDir()
	command := filepath.Join(bin, "agent")
	if out, err := exec.Command("go", "build", "-o", command, "../cmd/agent").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	programs := map[string]struct {
		args  []string
		input string
		want  []string
	}{
		"minimal":    {want: []string{"409.5"}},
		"typed-tool": {want: []string{`calls get_weather {"city":"Oslo"}`, "gets 4 degrees and rain in Oslo"}},
		"structured": {want: []string{"mood ", " stars"}},
		"approval":   {input: "y\n", want: []string{`send_email {"to":"sam@example.com"`, "it changes things and reaches the network", "send_email: sent to sam@example.com"}},
		"langchain":  {want: []string{"asked for Oslo", "4 degrees and rain in Oslo"}},
		"remote":     {args: []string{"-url", openAI(t), "-model", "m"}, want: []string{"calculator: 409.5", "It is 409.5.", "20 tokens read there"}},
		"mcp":        {args: []string{command, "mcp", "serve", "--tools", "calculator,now"}, want: []string{"offers now", `calculator {"expression":`, ": 409.5", "409.5."}},
		"subagent":   {want: []string{"the accountant is asked: 12 * 12", "ask_accountant: ", "144"}},
		"session":    {args: []string{"-store", filepath.Join(t.TempDir(), "c.db")}, want: []string{"144", "events are stored"}},
	}
	folders, err := filepath.Glob("*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, main := range folders {
		if !strings.Contains(string(list), "]("+filepath.ToSlash(main)+")") {
			t.Errorf("README.md does not list %s", main)
		}
		if name := filepath.Dir(main); name != "web" { // which has a test of its own
			if _, ok := programs[name]; !ok {
				t.Errorf("%s is not run by this test", name)
			}
		}
	}
	for name, p := range programs {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
			defer cancel()
			program := filepath.Join(bin, name)
			if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./"+name).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			cmd := exec.CommandContext(ctx, program, p.args...)
			cmd.Dir, cmd.Stdin, cmd.Env = bin, strings.NewReader(p.input), os.Environ()
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, want := range p.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("%q is missing in:\n%s", want, out)
				}
			}
		})
	}
}

// openAI is a server that speaks OpenAI's API and knows one conversation: a call, and an answer that repeats the result.
func openAI(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Messages []struct{ Role, Content string }
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/chat/completions" || len(body.Messages) == 0 {
			t.Errorf("%s: %v", r.URL.Path, err)
			http.Error(w, "what?", http.StatusBadRequest)
			return
		}
		message, reason := `{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"calculator","arguments":"{\"expression\":\"17.5% of 2340\"}"}}]}`, "tool_calls"
		if last := body.Messages[len(body.Messages)-1]; last.Role == "tool" {
			message, reason = fmt.Sprintf(`{"role":"assistant","content":"It is %s."}`, last.Content), "stop"
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"1","object":"chat.completion","model":"m","choices":[{"index":0,"message":%s,"finish_reason":%q}],"usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14}}`, message, reason)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
