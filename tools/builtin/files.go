package builtin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/internal/inside"
	"github.com/drover-ai/drover/tools/internal/nearest"
)

const (
	maxListed   = 1000    // names that list_files gives
	maxFileRead = 1 << 20 // bytes that read_file gives
)

type listFilesInput struct {
	Folder *string `json:"folder,omitempty"`
}

type readFileInput struct {
	Path string `json:"path"`
}

// ListFiles returns a tool that lists a folder inside root: a name a line, sorted, folders with a slash at the end. Names
// that begin with a dot are left out. Nothing outside of root can be seen, also not through symbolic links.
func ListFiles(root *os.Root) tools.Tool {
	return tools.Must(tools.New("list_files", "List the files in a folder.",
		func(_ context.Context, in listFilesInput) (string, error) {
			folder := "."
			if in.Folder != nil && strings.TrimSpace(*in.Folder) != "" {
				folder = *in.Folder
			}
			return listFolder(root, folder)
		}, tools.WithEffects(tools.Reads)))
}

// ReadFile returns a tool that reads a text file inside root, up to 1 MiB. Binary files are refused. Nothing outside of root
// can be read, also not through symbolic links.
func ReadFile(root *os.Root) tools.Tool {
	return tools.Must(tools.New("read_file", "Read a text file.",
		func(_ context.Context, in readFileInput) (string, error) {
			return readText(root, in.Path)
		}, tools.WithEffects(tools.Reads), tools.WithMaxResult(2*maxFileRead)))
}

func listFolder(root *os.Root, name string) (string, error) {
	clean, err := inside.Path(name)
	if err != nil {
		return "", err
	}
	folder, err := root.Open(clean)
	if err != nil {
		return "", explain(root, "folder", name, clean, err)
	}
	defer folder.Close()
	if info, err := folder.Stat(); err != nil {
		return "", explain(root, "folder", name, clean, err)
	} else if !info.IsDir() {
		return "", fmt.Errorf("%s is a file, not a folder; read it with read_file", name)
	}
	entries, err := folder.ReadDir(-1)
	if err != nil {
		return "", explain(root, "folder", name, clean, err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		shown := e.Name()
		if e.IsDir() {
			shown += "/"
		}
		names = append(names, shown)
	}
	if len(names) == 0 {
		return "(empty)", nil
	}
	slices.Sort(names)
	more := ""
	if n := len(names) - maxListed; n > 0 {
		names, more = names[:maxListed], fmt.Sprintf("\n(and %d more)", n)
	}
	return strings.Join(names, "\n") + more, nil
}

func readText(root *os.Root, name string) (string, error) {
	clean, err := inside.Path(name)
	if err != nil {
		return "", err
	}
	// Looking before opening: opening a pipe would wait for somebody who writes.
	info, err := root.Stat(clean)
	if err != nil {
		return "", explain(root, "file", name, clean, err)
	}
	switch {
	case info.IsDir():
		return "", fmt.Errorf("%s is a folder; list it with list_files", name)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a regular file", name)
	}
	file, err := root.Open(clean)
	if err != nil {
		return "", explain(root, "file", name, clean, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFileRead+1))
	if err != nil {
		return "", explain(root, "file", name, clean, err)
	}
	if len(text) == 0 {
		return "(the file is empty)", nil
	}
	cut := ""
	if len(text) > maxFileRead {
		text = text[:maxFileRead]
		for n := 0; n < utf8.UTFMax-1 && len(text) > 0 && !utf8.Valid(text[max(0, len(text)-utf8.UTFMax):]); n++ {
			text = text[:len(text)-1]
		}
		cut = fmt.Sprintf("\n(cut: these are the first %d of %d bytes)", len(text), info.Size())
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) {
		return "", fmt.Errorf("%s is not a text file in UTF-8", name)
	}
	return string(text) + cut, nil
}

// explain says what is wrong with a path in words that help to find the right one.
func explain(root *os.Root, kind, name, clean string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint := ""
		if near := similar(root, clean); len(near) > 0 {
			hint = "; there is " + strings.Join(near, ", ")
		}
		return fmt.Errorf("no %s named %s%s", kind, name, hint)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be read", name)
	}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return fmt.Errorf("%s: %w", name, pathError.Err) // without the place of the root on this machine
	}
	return fmt.Errorf("%s: %w", name, err)
}

// similar names the files of the same folder that are spelled most like a name.
func similar(root *os.Root, clean string) []string {
	folder, err := root.Open(path.Dir(clean))
	if err != nil {
		return nil
	}
	defer folder.Close()
	entries, err := folder.ReadDir(maxListed)
	if err != nil && len(entries) == 0 {
		return nil
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, path.Join(path.Dir(clean), e.Name()))
		}
	}
	names = nearest.Sort(clean, names)
	return names[:min(len(names), 3)]
}
