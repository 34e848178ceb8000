package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
)

// UserFile is where a file of the user's is kept unless another place is named: in drover in the user's data folder, which is
// $XDG_DATA_HOME, or ~/.local/share. what is in it is for the error.
func UserFile(name, what string) (string, error) {
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no folder for %s: %w; set XDG_DATA_HOME, or name the file", what, err)
		}
		data = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(data, "drover", name), nil
}
