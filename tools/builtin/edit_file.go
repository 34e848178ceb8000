package builtin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/drover-ai/drover/tools"
)

type editFileInput struct {
	Path string `json:"path"`
	Old  string `json:"old" jsonschema:"description=the text to replace\\, exactly as it is in the file"`
	New  string `json:"new" jsonschema:"description=what comes in its place"`
	All  *bool  `json:"all,omitempty" jsonschema:"description=replace every place where the text is"`
}

// EditFile returns a tool that replaces a piece of a text file inside root, in one step as [WriteFile] does and with the same
// limits. The piece must be there once, unless all places are asked for. It has a preview.
func EditFile(root *os.Root) tools.Tool {
	tool := tools.Must(tools.New("edit_file", "Replace a piece of a text file by another.",
		func(_ context.Context, in editFileInput) (string, error) {
			changing.Lock()
			defer changing.Unlock()
			e, err := edit(root, in)
			if err != nil {
				return "", err
			}
			if err := replaceFile(root, in.Path, e.clean, []byte(e.text), e.info); err != nil {
				return "", err
			}
			return fmt.Sprintf("changed %s at line %s", e.clean, listed(e.lines)), nil
		}, tools.WithEffects(tools.Reads|tools.Writes)))
	return withPreview(tool, func(in editFileInput) (string, error) {
		e, err := edit(root, in)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s, line %s:\n%s\n%s", e.clean, listed(e.lines), marked("- ", in.Old), marked("+ ", in.New)), nil
	})
}

// edited is what a file would be after an edit.
type edited struct {
	clean, text string
	lines       []int // where something changes
	info        fs.FileInfo
}

func edit(root *os.Root, in editFileInput) (e edited, err error) {
	if e.clean, err = writable(in.Path); err != nil {
		return e, err
	}
	switch in.Old {
	case "":
		return e, errors.New("the old text is empty; give the text to replace, or use write_file to write the whole file")
	case in.New:
		return e, errors.New("the old and the new text are the same")
	}
	if e.info, err = replaceable(root, in.Path, e.clean); err != nil {
		return e, err
	}
	text, err := wholeText(root, in.Path, e.clean)
	if err != nil {
		return e, err
	}
	from, to := in.Old, in.New
	if !strings.Contains(text, from) && strings.Contains(text, "\r\n") {
		// Models write \n for the end of a line, whatever the file has.
		from, to = windowsLines(from), windowsLines(to)
	}
	e.lines = occurrences(text, from)
	switch {
	case len(e.lines) == 0 && strings.Contains(strings.Join(strings.Fields(text), " "), strings.Join(strings.Fields(in.Old), " ")):
		return e, fmt.Errorf("%s has these words with other spaces or line breaks; give the old text exactly as it is in the file", in.Path)
	case len(e.lines) == 0:
		return e, fmt.Errorf("%s does not have the old text; read it with read_file and give the text exactly as it is there", in.Path)
	case len(e.lines) > 1 && (in.All == nil || !*in.All):
		return e, fmt.Errorf("%s has the old text %d times, at line %s; give more of the text around it, or set all to true",
			in.Path, len(e.lines), listed(e.lines))
	}
	if size := len(text) + len(e.lines)*(len(to)-len(from)); size > maxFileWritten {
		return e, fmt.Errorf("%s would have %d bytes; at most %d can be written", in.Path, size, maxFileWritten)
	}
	e.text = strings.ReplaceAll(text, from, to)
	return e, nil
}

// wholeText reads a text file that can be written again as it was.
func wholeText(root *os.Root, name, clean string) (string, error) {
	file, err := root.Open(clean)
	if err != nil {
		return "", explain(root, "file", name, clean, err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFileWritten+1))
	switch {
	case err != nil:
		return "", explain(root, "file", name, clean, err)
	case len(content) > maxFileWritten:
		return "", fmt.Errorf("%s is larger than %d bytes and cannot be edited", name, maxFileWritten)
	case !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0:
		return "", fmt.Errorf("%s is not a text file in UTF-8 and cannot be edited", name)
	}
	return string(content), nil
}

func windowsLines(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
}

// occurrences lists the lines, from 1, at which piece begins in text.
func occurrences(text, piece string) (lines []int) {
	line := 1
	for {
		before, after, found := strings.Cut(text, piece)
		if !found {
			return lines
		}
		line += strings.Count(before, "\n")
		lines = append(lines, line)
		line += strings.Count(piece, "\n")
		text = after
	}
}

// listed names the first of some lines.
func listed(lines []int) string {
	const shown = 5
	more := ""
	if n := len(lines) - shown; n > 0 {
		lines, more = lines[:shown], fmt.Sprintf(" and %d more", n)
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(lines), " ", ", "), "[]") + more
}
