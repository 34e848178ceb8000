//go:build unix

package gguf

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Open maps a model file into memory and reads its metadata. Weights are read from the disk as they are used. The file
// must not be cut or overwritten while it is open: the operating system would end the process.
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a file; name the GGUF file itself", path)
	}
	if info.Size() == 0 {
		return nil, &FormatError{File: path, Err: fmt.Errorf("it is empty")}
	}
	data, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: mapping it into memory: %w", path, err)
	}
	f, err := Parse(path, data)
	if err != nil {
		_ = unix.Munmap(data) // the parse error is the one to report
		return nil, err
	}
	f.unmap = func() error { return unix.Munmap(data) }
	return f, nil
}
