//go:build unix

package group_test

import (
	"bufio"
	"os/exec"
	"testing"

	"github.com/drover-ai/drover/tools/internal/group"
)

// What the process started ends with it: its standard output is closed by all who had it.
func TestKill(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", "sleep 1000 & echo ready; wait")
	group.Make(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("%q, %v", lines.Text(), lines.Err())
	}
	group.Kill(cmd)
	if lines.Scan() { // would wait for the sleep
		t.Errorf("%q after the end", lines.Text())
	}
	if err := cmd.Wait(); err == nil {
		t.Error("a killed process ended well")
	}
}
