package builtin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/internal/inside"
)

const maxFileWritten = 1 << 20 // bytes that write_file and edit_file put into a file: what read_file can read

// changing is held while a file is read, changed and replaced, so that two edits of one step both last.
var changing sync.Mutex

// previewed is a tool whose calls can be shown to a person before they are made.
type previewed struct {
	tools.Tool
	preview func(ctx context.Context, arguments json.RawMessage) (string, error)
}

// Unwrap returns the tool that is called.
func (p previewed) Unwrap() tools.Tool { return p.Tool }

// Preview implements [tools.Previewer].
func (p previewed) Preview(ctx context.Context, arguments json.RawMessage) (string, error) {
	return p.preview(ctx, arguments)
}

// withPreview adds a preview made from the decoded arguments.
func withPreview[In any](tool tools.Tool, preview func(In) (string, error)) tools.Tool {
	return previewed{tool, func(_ context.Context, arguments json.RawMessage) (string, error) {
		var in In
		if err := json.Unmarshal(arguments, &in); err != nil {
			return "", err
		}
		return preview(in)
	}}
}

// writable checks a path as [inside.Path] does, and that it may be written.
func writable(name string) (string, error) {
	clean, err := inside.Path(name)
	if err != nil {
		return "", err
	}
	for part := range strings.SplitSeq(clean, "/") {
		// As file systems compare names that ignore case, or dots and spaces at the end.
		if strings.EqualFold(strings.TrimRight(part, ". "), ".git") {
			return "", fmt.Errorf("%s is inside of .git, which only git may change", name)
		}
	}
	return clean, nil
}

// replaceable looks at the file that is to be written: info is nil if there is none yet.
func replaceable(root *os.Root, name, clean string) (info fs.FileInfo, err error) {
	// Not Stat: a link would be replaced by a file, or lead to one that nobody named.
	info, err = root.Lstat(clean)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, explainWrite(name, err)
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, fmt.Errorf("%s is a symbolic link; name the file that it points to", name)
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder; name a file in it", name)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", name)
	case info.Mode().Perm()&0o222 == 0:
		return nil, fmt.Errorf("%s is write-protected; leave it as it is or write another file", name)
	}
	return info, nil
}

// replaceFile puts content into the file in one step: whoever reads it, whatever fails and whenever the process ends, it is the old
// one or the new one. info is what there was, or nil.
func replaceFile(root *os.Root, name, clean string, content []byte, info fs.FileInfo) (err error) {
	folder := path.Dir(clean)
	if err := root.MkdirAll(folder, 0o777); err != nil {
		return explainWrite(name, err)
	}
	// Random and exclusive: nobody can put a link there first.
	part := path.Join(folder, ".drover-"+rand.Text()+".tmp")
	file, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return explainWrite(name, err)
	}
	defer func() {
		if err != nil {
			file.Close()
			_ = root.Remove(part) // the first error is the one that says why
			err = explainWrite(name, err)
		}
	}()
	if _, err := file.Write(content); err != nil {
		return err
	}
	if info != nil {
		if err := file.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return root.Rename(part, clean)
}

// explainWrite tells what went wrong without the place of the root on this machine.
func explainWrite(name string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s may not be written", name)
	}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	var linkError *os.LinkError
	if errors.As(err, &linkError) {
		err = linkError.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}
