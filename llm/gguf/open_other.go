//go:build !unix

package gguf

import "os"

// Open reads a model file into memory.
func Open(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}
