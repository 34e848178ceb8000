//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package sessions

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock locks a file for this opening of it and reports whether it could. Closing the file unlocks it.
func tryLock(file *os.File) (bool, error) {
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		default:
			return false, err
		}
	}
}
