package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"agent": main})
}

// The scripts in testdata are what the command line promises: one file a command, each with its exit codes.
func TestScripts(t *testing.T) {
	embedded, err := filepath.Abs("../../llm/tiny/model.gguf")
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts in testdata (%v)", err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			// Scripts see neither the configuration nor the models of whoever runs them.
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "data"))
			env.Setenv("NO_COLOR", "1")
			return nil
		},
		Condition: func(condition string) (bool, error) {
			name, argument, _ := strings.Cut(condition, ":")
			switch name {
			case "root": // who may read everything
				return os.Geteuid() == 0, nil
			case "exists":
				_, err := os.Stat(argument)
				return err == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", condition)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			// code N ARGS…: run agent and check its exit code, which "exec" alone does not tell apart.
			"code": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) < 2 || neg {
					ts.Fatalf("usage: code N COMMAND [ARG…]")
				}
				err := ts.Exec(args[1], args[2:]...)
				got := "0"
				if exit, ok := err.(interface{ ExitCode() int }); ok {
					got = strconv.Itoa(exit.ExitCode())
				} else if err != nil {
					ts.Fatalf("%v", err)
				}
				if got != args[0] {
					ts.Fatalf("exit code %s, want %s", got, args[0])
				}
			},
			// repeat FILE N TEXT: a file with the text N times.
			"repeat": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) != 3 || neg {
					ts.Fatalf("usage: repeat FILE N TEXT")
				}
				n, err := strconv.Atoi(args[1])
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat(args[2], n)), 0o600))
			},
			// checkpoint FILE [N]: the embedded model as a file, or its first N bytes.
			"checkpoint": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) < 1 || len(args) > 2 || neg {
					ts.Fatalf("usage: checkpoint FILE [N]")
				}
				model, err := os.ReadFile(embedded)
				ts.Check(err)
				if len(args) == 2 {
					n, err := strconv.Atoi(args[1])
					ts.Check(err)
					model = model[:n]
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), model, 0o600))
			},
		},
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}
