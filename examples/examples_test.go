// Package examples holds programs to copy, one folder a question. This test runs them all.
package examples

import (
	"context"
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
		"session":    {args: []string{"-store", filepath.Join(t.TempDir(), "c.db")}, want: []string{"144", "events are stored"}},
	}
	folders, err := filepath.Glob("*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, main := range folders {
		if name := filepath.Dir(main); name != "web" { // which has a test of its own
			if _, ok := programs[name]; !ok {
				t.Errorf("%s is not run by this test", name)
			}
		}
	}
	bin := t.TempDir()
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
