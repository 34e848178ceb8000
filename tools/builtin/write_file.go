package builtin

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/drover-ai/drover/tools"
)

type writeFileInput struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}

// WriteFile returns a tool that writes a text file inside root, up to 1 MiB, and creates the folders that it needs. What the file
// had before is replaced in one step, never half. Nothing outside of root can be written, also not through symbolic links; a
// link itself is not written to, nor a write-protected file, nor anything in a folder .git: its hooks would run later, unasked. It
// has a preview.
func WriteFile(root *os.Root) tools.Tool {
	tool := tools.Must(tools.New("write_file", "Write a text file, replacing what is in it.",
		func(_ context.Context, in writeFileInput) (string, error) {
			return writeText(root, in)
		}, tools.WithEffects(tools.Writes), tools.WithRepeatable(true)))
	return withPreview(tool, func(in writeFileInput) (string, error) {
		clean, err := writable(in.Path)
		if err != nil {
			return "", err
		}
		info, err := replaceable(root, in.Path, clean)
		if err != nil {
			return "", err
		}
		what := "a new file"
		if info != nil {
			what = fmt.Sprintf("replaces a file of %d bytes", info.Size())
		}
		return fmt.Sprintf("%s (%s):\n%s", clean, what, marked("+ ", in.Content)), nil
	})
}

func writeText(root *os.Root, in writeFileInput) (string, error) {
	clean, err := writable(in.Path)
	if err != nil {
		return "", err
	}
	if len(in.Content) > maxFileWritten {
		return "", fmt.Errorf("%d bytes are too many for one file; at most %d can be written", len(in.Content), maxFileWritten)
	}
	changing.Lock()
	defer changing.Unlock()
	info, err := replaceable(root, in.Path, clean)
	if err != nil {
		return "", err
	}
	if err := replaceFile(root, in.Path, clean, []byte(in.Content), info); err != nil {
		return "", err
	}
	if info == nil {
		return fmt.Sprintf("created %s with %d bytes", clean, len(in.Content)), nil
	}
	return fmt.Sprintf("wrote %d bytes to %s; it had %d", len(in.Content), clean, info.Size()), nil
}

// What a preview shows of a text, so that the question below it stays in sight.
const (
	maxPreviewed      = 60   // lines
	maxPreviewedBytes = 8000 // in them
)

// marked puts mark before each line of a text.
func marked(mark, text string) string {
	more := ""
	if n := len(text) - maxPreviewedBytes; n > 0 {
		text, more = strings.ToValidUTF8(text[:maxPreviewedBytes], ""), fmt.Sprintf("\n(and %d more bytes)", n)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if n := len(lines) - maxPreviewed; n > 0 {
		lines, more = lines[:maxPreviewed], fmt.Sprintf("\n(and %d more lines)", n)+more
	}
	return mark + strings.Join(lines, "\n"+mark) + more
}
