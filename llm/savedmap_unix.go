//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package llm

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// mapSaved maps the beginning of a saved session into memory, read-only. The file is locked, shared, for as long as the
// mapping is reachable: whoever would change what is mapped finds out by [changeable].
func mapSaved(path string, size int64) (*savedMapping, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := lock(file, unix.LOCK_SH); err != nil {
		_ = file.Close() // the first error says more
		return nil, err
	}
	// Under the lock nobody cuts it. Behind the end of a file is no memory: reading there ends the process.
	if info, err := file.Stat(); err != nil || info.Size() < size {
		_ = file.Close()
		return nil, os.ErrInvalid
	}
	data, err := unix.Mmap(int(file.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		_ = file.Close()
		return nil, os.NewSyscallError("mmap", err)
	}
	_ = unix.Madvise(data, unix.MADV_WILLNEED) // advice only: all of it is read at once, to see whether it is damaged
	m := &savedMapping{data}
	runtime.AddCleanup(m, func(data []byte) {
		_ = unix.Munmap(data)
		_ = file.Close()
	}, data)
	return m, nil
}

// changeable reports whether no session has the file mapped, in this process or another one, and keeps it so until the
// file is closed.
func changeable(file *os.File) bool { return lock(file, unix.LOCK_EX) == nil }

func lock(file *os.File, how int) error {
	for {
		if err := unix.Flock(int(file.Fd()), how|unix.LOCK_NB); err != unix.EINTR {
			return err
		}
	}
}
