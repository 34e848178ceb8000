// Package inside checks the paths that models give to tools that see one folder.
package inside

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Path checks a path as a model writes it and returns it relative to the folder, with slashes. What it points to is not looked
// at: that a link does not lead outside is up to [os.Root].
func Path(name string) (string, error) {
	clean := path.Clean(strings.ReplaceAll(strings.TrimSpace(name), `\`, "/"))
	switch {
	case strings.TrimSpace(name) == "":
		return "", errors.New("the path is empty")
	case strings.ContainsRune(name, 0):
		return "", errors.New("the path has a NUL byte")
	case path.IsAbs(clean), clean == "..", strings.HasPrefix(clean, "../"), strings.HasPrefix(clean, "~"):
		return "", fmt.Errorf("%s is outside of the folder that may be seen; use a path inside it, such as notes.txt", name)
	}
	return clean, nil
}
