//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package sessions

import "os"

// tryLock locks nothing here: a second process is only noticed when both have written, by the position of the record.
func tryLock(*os.File) (bool, error) { return true, nil }
