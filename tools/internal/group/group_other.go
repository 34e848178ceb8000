//go:build !unix

package group

import "os/exec"

func begin(*exec.Cmd) {}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
