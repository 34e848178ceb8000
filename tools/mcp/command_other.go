//go:build !unix

package mcp

import "os/exec"

func inGroup(*exec.Cmd) {}

// killGroup kills the process. What it started is not known here.
func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
