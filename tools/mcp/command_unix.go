//go:build unix

package mcp

import (
	"os/exec"
	"syscall"
)

// inGroup gives the process a group of its own: what it starts can be killed with it, and Ctrl-C in the terminal is ours
// alone to handle.
func inGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills the process, which has not been waited for, and what it started.
func killGroup(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	_ = cmd.Process.Kill()
}
