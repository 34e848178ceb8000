// Package group starts a process so that it can be killed together with what it starts.
//
// On Unix this is a process group: a descendant that leaves the group (setsid) is not killed. Other systems have none; there
// only the process itself is.
package group

import "os/exec"

// Make has cmd, which has not been started, begin a group of its own. Ctrl-C in the terminal then no longer reaches it.
func Make(cmd *exec.Cmd) { begin(cmd) }

// Kill kills the process of cmd, which has been started, and its group, at once and without asking. It may be called when the
// process has ended and left others behind, but not long after: its number will be somebody else's one day.
func Kill(cmd *exec.Cmd) { kill(cmd) }
