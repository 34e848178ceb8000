//go:build unix

package test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/tools/mcp"
)

// An MCP server that is killed in the middle of a call: the call is an error that the model reads, with how the server ended; the next
// call starts it again, tools of ours go on, and the turn ends with an answer.
func TestServerDiesInTheMiddleOfATurn(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "agent")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/agent").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	client, err := mcp.Command(t.Context(), []string{binary, "mcp", "serve", "--tools", "run_command,now"}, mcp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	own, err := agent.New(agenttest.NewScript(agenttest.Say("four")))
	if err != nil {
		t.Fatal(err)
	}
	helper, err := own.AsTool("helper", "Helps.")
	if err != nil {
		t.Fatal(err)
	}
	a, err := agent.New(agenttest.NewScript(
		agenttest.Call("run_command", `{"command":"echo alive"}`),
		agenttest.Call("run_command", `{"command":"kill -9 $PPID; sleep 1"}`),
		agenttest.Call("now", `{}`), agenttest.Call("helper", `{"task":"2+2"}`), agenttest.Say("Sorry."),
	), agent.WithTools(append(client.Tools(), helper)...), agent.WithApproval(agent.ApproveAll, nil))
	if err != nil {
		t.Fatal(err)
	}
	result, err := a.Ask(t.Context(), "go")
	if err != nil || result.Answer != "Sorry." || len(result.Steps) != 5 {
		t.Fatalf("%+v, %v", result, err)
	}
	for i, want := range []string{"alive", "signal: killed", "UTC", "four"} { // the call after the one that it died of starts it again
		call := result.Steps[i].ToolCalls[0]
		if got := call.Result + call.Error; !strings.Contains(got, want) || (call.Error == "") != (i != 1) {
			t.Errorf("call %d, %s, gives %q and %q, want %q", i, call.Name, call.Result, call.Error, want)
		}
	}
}
