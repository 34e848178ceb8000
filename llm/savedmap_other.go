//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package llm

import (
	"errors"
	"os"
)

// mapSaved maps nothing here: saved sessions are read.
func mapSaved(string, int64) (*savedMapping, error) { return nil, errors.ErrUnsupported }

// changeable reports whether no session has the file mapped.
func changeable(*os.File) bool { return true }
