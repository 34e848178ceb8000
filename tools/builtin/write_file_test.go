package builtin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/builtin"
)

// leftovers fails if a temporary file was left anywhere below folder.
func leftovers(t *testing.T, folder string) {
	t.Helper()
	filepath.WalkDir(folder, func(path string, _ fs.DirEntry, _ error) error {
		if strings.HasSuffix(path, ".tmp") {
			t.Errorf("left behind: %s", path)
		}
		return nil
	})
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWriteFile(t *testing.T) {
	outer := t.TempDir()
	folder := filepath.Join(outer, "inner")
	write(t, outer, "secret.txt", "secret")
	write(t, folder, "notes.txt", "old notes")
	write(t, folder, "sub/deep.md", "deep")
	write(t, folder, "locked.txt", "locked")
	for name, mode := range map[string]os.FileMode{"notes.txt": 0o640, "locked.txt": 0o444} {
		if err := os.Chmod(filepath.Join(folder, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"out.txt": "../secret.txt", "outdir": "..", "ok.txt": "notes.txt", "abs.txt": filepath.Join(outer, "secret.txt"),
		"absdir": outer, "dangling": "../new-folder", "gone.txt": "../gone.txt", "indir": "sub",
	} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	tool := builtin.WriteFile(open(t, folder))
	if got := tools.EffectsOf(tool); got != tools.Writes || !tools.IsRepeatable(tool) {
		t.Errorf("effects %v, repeatable %v", got, tools.IsRepeatable(tool))
	}
	for _, c := range []struct{ path, content, want string }{
		{"notes.txt", "new ä\n", "wrote 7 bytes to notes.txt; it had 9"},
		{"./sub/../fresh.txt", "x", "created fresh.txt with 1 bytes"},
		{"a/b/c.txt", "", "created a/b/c.txt with 0 bytes"},
		{"indir/linked.txt", "through a link inside", "created indir/linked.txt with 21 bytes"},
	} {
		arguments, _ := json.Marshal(map[string]string{"path": c.path, "content": c.content})
		if got, err := call(t, tool, string(arguments)); err != nil || got != c.want {
			t.Errorf("%s: %q, %v", c.path, got, err)
		}
		if got := content(t, filepath.Join(folder, c.path)); got != c.content {
			t.Errorf("%s has %q", c.path, got)
		}
	}
	if info, err := os.Stat(filepath.Join(folder, "notes.txt")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode of notes.txt: %v, %v", info.Mode(), err)
	}
	for path, want := range map[string]string{
		"../secret.txt": "outside of the folder", filepath.Join(outer, "secret.txt"): "outside of the folder", "sub/../../x": "outside of the folder",
		"~/x": "outside of the folder", "": "the path is empty", ".": "is a folder", "sub": "is a folder",
		"out.txt": "is a symbolic link", "abs.txt": "is a symbolic link", "ok.txt": "is a symbolic link", "gone.txt": "is a symbolic link",
		"outdir": "is a symbolic link", "outdir/secret.txt": "escapes", "outdir/x": "escapes", "absdir/x": "escapes", "dangling/x": "dangling/x: ",
		"outdir/new/x": "escapes", "a\x00b": "NUL byte", ".git/hooks/pre-commit": "inside of .git", "sub/.GIT./config": "inside of .git", "locked.txt": "write-protected", "notes.txt/x": "notes.txt/x: ",
	} {
		arguments, _ := json.Marshal(map[string]string{"path": path, "content": "changed"})
		got, err := call(t, tool, string(arguments))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want an error with %q", path, got, err, want)
		}
		if err != nil && path != "" && !filepath.IsAbs(path) && strings.Contains(err.Error(), outer) {
			t.Errorf("%s: the error tells where the folder is: %v", path, err)
		}
	}
	if _, err := call(t, tool, fmt.Sprintf(`{"path": "big", "content": %q}`, strings.Repeat("x", 1<<20+1))); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("a megabyte and one byte: %v", err)
	}
	entries, err := os.ReadDir(outer)
	if err != nil || len(entries) != 2 || content(t, filepath.Join(outer, "secret.txt")) != "secret" {
		t.Errorf("something outside changed: %v, %v", entries, err)
	}
	if got := content(t, filepath.Join(folder, "locked.txt")); got != "locked" {
		t.Errorf("locked.txt has %q", got)
	}
	leftovers(t, outer)
}

// A reader that looks while the file is replaced sees all of one text or all of the other.
func TestWriteFileAtomic(t *testing.T) {
	folder := t.TempDir()
	tool := builtin.WriteFile(open(t, folder))
	texts := []string{strings.Repeat("a", 100_000), strings.Repeat("b", 50_000)}
	write(t, folder, "f", texts[0])
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 40 {
			if _, err := call(t, tool, fmt.Sprintf(`{"path": "f", "content": %q}`, texts[i%2])); err != nil {
				t.Error(err)
			}
		}
	}()
	for reads := 0; ; reads++ {
		if got := content(t, filepath.Join(folder, "f")); got != texts[0] && got != texts[1] {
			t.Fatalf("read %d: %d bytes, neither text", reads, len(got))
		}
		select {
		case <-done:
			leftovers(t, folder)
			return
		default:
		}
	}
}

func TestEditFile(t *testing.T) {
	outer := t.TempDir()
	folder := filepath.Join(outer, "inner")
	write(t, outer, "secret.txt", "secret")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret.txt", filepath.Join(folder, "out.txt")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	write(t, folder, "latin1", "caf\xe9")
	write(t, folder, "binary", "secret\x00")
	write(t, folder, ".git/config", "secret")
	write(t, folder, "big", strings.Repeat("x", 1<<20)+"yz")
	tool := builtin.EditFile(open(t, folder))
	if got := tools.EffectsOf(tool); got != tools.Reads|tools.Writes || tools.IsRepeatable(tool) {
		t.Errorf("effects %v, repeatable %v", got, tools.IsRepeatable(tool))
	}
	for _, c := range []struct{ before, old, new, all, after, want string }{
		{"one\ntwo\nthree\n", "two", "2", "", "one\n2\nthree\n", "changed f at line 2"},
		{"one\r\ntwo\r\nthree", "two\nthree", "2\n3", "", "one\r\n2\r\n3", "changed f at line 2"},
		{"a b a b a", "a", "c", "true", "c b c b c", "changed f at line 1, 1, 1"},
		{"\xef\xbb\xbfbom x", "x", "y", "", "\xef\xbb\xbfbom y", "changed f at line 1"},
		{"delete me", " me", "", "", "delete", "changed f at line 1"},
		{"a\na\n", "a", "b", "", "", "f has the old text 2 times, at line 1, 2"},
		{"a\na\n", "a", "b", "false", "", "f has the old text 2 times"},
		{"if x {\n\treturn\n}", "if x {\n    return", "y", "", "", "other spaces or line breaks"},
		{"abc", "xyz", "y", "", "", "does not have the old text"},
		{"abc", "", "y", "", "", "the old text is empty"},
		{"abc", "abc", "abc", "", "", "are the same"},
	} {
		write(t, folder, "f", c.before)
		arguments := fmt.Sprintf(`{"path": "f", "old": %q, "new": %q}`, c.old, c.new)
		if c.all != "" {
			arguments = strings.TrimSuffix(arguments, "}") + `, "all": ` + c.all + "}"
		}
		preview, previewError := must[tools.Previewer](t, tool).Preview(context.Background(), json.RawMessage(arguments))
		if got := content(t, filepath.Join(folder, "f")); got != c.before {
			t.Errorf("the preview changed %q to %q", c.before, got)
		}
		got, err := call(t, tool, arguments)
		if c.after == "" {
			if err == nil || !strings.Contains(err.Error(), c.want) || previewError == nil {
				t.Errorf("%q: %q, %v; want an error with %q", c.before, got, err, c.want)
			}
			c.after = c.before
		} else if err != nil || got != c.want || previewError != nil || !strings.Contains(preview, "- "+strings.Split(c.old, "\n")[0]) {
			t.Errorf("%q: %q, %v, preview %q, %v", c.before, got, err, preview, previewError)
		}
		if got := content(t, filepath.Join(folder, "f")); got != c.after {
			t.Errorf("%q became %q, want %q", c.before, got, c.after)
		}
	}
	for path, want := range map[string]string{
		"../secret.txt": "outside of the folder", "out.txt": "is a symbolic link", "missing": "no file named missing", ".": "is a folder",
		"latin1": "not a text file", "binary": "not a text file", ".git/config": "inside of .git", "a\x00b": "NUL byte", "big": "larger than",
	} {
		arguments, _ := json.Marshal(map[string]string{"path": path, "old": "secret", "new": "public"})
		if got, err := call(t, tool, string(arguments)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want an error with %q", path, got, err, want)
		}
	}
	write(t, folder, "grow", strings.Repeat("x", 2000))
	if _, err := call(t, tool, fmt.Sprintf(`{"path": "grow", "old": "x", "new": %q, "all": true}`, strings.Repeat("y", 1000))); err == nil || !strings.Contains(err.Error(), "would have 2000000 bytes") {
		t.Errorf("growing: %v", err)
	}
	if content(t, filepath.Join(outer, "secret.txt")) != "secret" {
		t.Error("a file outside changed")
	}
	leftovers(t, outer)
}

// Edits of one file made at once all last.
func TestEditFileTogether(t *testing.T) {
	folder := t.TempDir()
	var lines []string
	for i := range 16 {
		lines = append(lines, fmt.Sprintf("line-%02d old", i))
	}
	write(t, folder, "f", strings.Join(lines, "\n"))
	root := open(t, folder)
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if _, err := call(t, builtin.EditFile(root), fmt.Sprintf(`{"path": "f", "old": "line-%02d old", "new": "line-%02d new"}`, i, i)); err != nil {
				t.Error(err)
			}
		}()
	}
	wait.Wait()
	if got := content(t, filepath.Join(folder, "f")); strings.Count(got, "new") != 16 {
		t.Errorf("%q", got)
	}
}

func must[T any](t *testing.T, tool tools.Tool) T {
	t.Helper()
	found, ok := tools.As[T](tool)
	if !ok {
		t.Fatalf("%s is no %T", tool.Definition().Name, found)
	}
	return found
}

// Bytes that are no text do not reach a file: JSON has none.
func TestWriteFileInvalidText(t *testing.T) {
	folder := t.TempDir()
	_, err := call(t, builtin.WriteFile(open(t, folder)), "{\"path\": \"f\", \"content\": \"a\xff\"}")
	if text, readErr := os.ReadFile(filepath.Join(folder, "f")); err == nil && (readErr != nil || !utf8.Valid(text)) {
		t.Errorf("wrote %q, %v", text, readErr)
	}
}

func TestWriteFilePreview(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, "f", "12345")
	preview := must[tools.Previewer](t, builtin.WriteFile(open(t, folder)))
	for arguments, want := range map[string]string{
		`{"path": "f", "content": "a\nb\n"}`:                             "f (replaces a file of 5 bytes):\n+ a\n+ b",
		`{"path": "g", "content": "a"}`:                                  "g (a new file):\n+ a",
		`{"path": "g", "content": "` + strings.Repeat(`x\n`, 100) + `"}`: "(and 40 more lines)",
		`{"path": "g", "content": "` + strings.Repeat(`ä`, 5000) + `"}`:  "äää\n(and 2000 more bytes)",
	} {
		if got, err := preview.Preview(context.Background(), json.RawMessage(arguments)); err != nil || !strings.HasSuffix(got, want) {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "g")); err == nil {
		t.Error("the preview wrote a file")
	}
}
