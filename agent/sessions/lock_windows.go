package sessions

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// tryLock locks a file for this opening of it and reports whether it could. Closing the file unlocks it. The locked byte is
// far behind the text, which others can then still read.
func tryLock(file *os.File) (bool, error) {
	at := windows.Overlapped{OffsetHigh: 1}
	err := windows.LockFileEx(windows.Handle(file.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}
