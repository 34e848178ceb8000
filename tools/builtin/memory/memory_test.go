package memory_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/drover-ai/drover/internal/sqlite"
	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/builtin/memory"
)

func newStore(t testing.TB, path string) *memory.Store {
	t.Helper()
	s := memory.NewStore(path)
	t.Cleanup(func() {
		if err := errors.Join(s.Check(context.Background()), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func remember(t testing.TB, s *memory.Store, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, err := s.Remember(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
}

func texts(list []memory.Memory) (all []string) {
	for _, m := range list {
		all = append(all, m.Text)
	}
	return all
}

func call(t testing.TB, tool tools.Tool, arguments string) (string, error) {
	t.Helper()
	result, err := tool.Call(t.Context(), json.RawMessage(arguments))
	return result.Content, err
}

func Example() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	store := memory.NewStore(filepath.Join(folder, "memory.db"))
	defer store.Close()
	for _, tool := range store.Tools() {
		fmt.Println(tool.Definition().Name, tools.EffectsOf(tool))
	}
	ctx := context.Background()
	for _, text := range []string{"Ann is allergic to peanuts", "The car is parked on level 3"} {
		if _, err := store.Remember(ctx, text); err != nil {
			fmt.Println(err)
		}
	}
	found, err := store.Recall(ctx, "What allergies or peanut problems are there?", 3)
	for _, m := range found {
		fmt.Println(m.Text, err)
	}
	// Output:
	// remember writes
	// recall reads
	// Ann is allergic to peanuts <nil>
}

func TestRecall(t *testing.T) {
	s := newStore(t, filepath.Join(t.TempDir(), "memory.db"))
	remember(t, s, "My home is in Oslo", "The cat's name is Miss Kitty", "Two cats live next door", "The car is in the garage; the garage is cold",
		"The garage code is 4711", "Größe 42, Schuhe", "我住在东京", "Anna works at the port in Oslo on weekdays, from early in the morning until late")
	for query, want := range map[string][]string{
		"cats":                               {"Two cats live next door", "The cat's name is Miss Kitty"},
		"what is the CODE of the garage?":    {"The garage code is 4711", "The car is in the garage; the garage is cold"},
		"oslo":                               {"My home is in Oslo", "Anna works at the port in Oslo on weekdays, from early in the morning until late"}, // the shorter first
		"größe":                              {"Größe 42, Schuhe"},
		"东京":                                 {"我住在东京"},
		"the":                                {"The car is in the garage; the garage is cold"}, // a common word, if there is no other
		"zebra":                              nil,
		"":                                   nil,
		"' OR 1=1 --; DROP TABLE memory; \"": nil,
		"\x00\xff":                           nil,
	} {
		list, err := s.Recall(t.Context(), query, len(want)+min(1, len(want))*5)
		got := texts(list)
		if query == "the" { // others have it as often in proportion
			got = got[:min(1, len(got))]
		}
		if err != nil || len(got) != len(want) || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%.40q: %q, %v; want %q", query, got, err, want)
		}
	}
	if list, err := s.Recall(t.Context(), strings.Repeat("cats garage ", 5000), 10); err != nil || len(list) != 4 {
		t.Errorf("a long query: %q, %v", texts(list), err)
	}
}

func TestStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "memory.db")
	s := newStore(t, path)

	// Looking makes no file.
	if list, err := s.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	if err := s.Forget(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "nothing is remembered in") {
		t.Errorf("forgetting: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was made")
	}

	// On one line, and once.
	first, err := s.Remember(t.Context(), "  The code\n\tis 4711\x00 \x1b ")
	if err != nil || first.Text != "The code is 4711" {
		t.Errorf("%+v, %v", first, err)
	}
	again, err := s.Remember(t.Context(), "the code is 4711")
	if err != nil || again.ID != first.ID {
		t.Errorf("%+v, %v", again, err)
	}
	for text, want := range map[string]string{
		"": "is empty", " \n\x00": "is empty", "a\xff": "not valid UTF-8", strings.Repeat("x", memory.MaxText+1): "at most 1000",
	} {
		if m, err := s.Remember(t.Context(), text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %+v, %v; want an error with %q", text, m, err, want)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}

	// All or nothing is forgotten, and then it is gone from the file.
	remember(t, s, "a second secretphrase", "a third")
	if err := s.Forget(t.Context(), 2, 99); err == nil || !strings.Contains(err.Error(), "no memory 99") {
		t.Errorf("%v", err)
	}
	if list, err := s.List(t.Context()); err != nil || strings.Join(texts(list), "|") != "a third|a second secretphrase|The code is 4711" {
		t.Errorf("%v, %v", list, err)
	}
	if err := s.Forget(t.Context(), 2); err != nil {
		t.Error(err)
	}
	if list, err := s.Recall(t.Context(), "secretphrase", 5); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || bytes.Contains(content, []byte("secretphrase")) || !bytes.Contains(content, []byte("a third")) {
		t.Errorf("what was forgotten is still in the file, or all is gone: %v", err)
	}
	remember(t, s, "a fourth") // the store opens again, and no number comes twice
	if list, err := s.List(t.Context()); err != nil || len(list) != 3 || list[0].ID != 4 {
		t.Errorf("%v, %v", list, err)
	}
	if n, err := s.ForgetAll(t.Context()); err != nil || n != 3 {
		t.Errorf("%d, %v", n, err)
	}
}

// A file of somebody else is left alone.
func TestForeignFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte(strings.Repeat("my notes ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := memory.NewStore(path)
	_, err := s.Remember(t.Context(), "x")
	var wrong *sqlite.Error
	if !errors.As(err, &wrong) || wrong.Kind != sqlite.NotDatabase {
		t.Errorf("%v", err)
	}
}

func TestTools(t *testing.T) {
	s := newStore(t, filepath.Join(t.TempDir(), "memory.db"))
	rememberTool, recallTool := s.Tools()[0], s.Tools()[1]
	if got := tools.EffectsOf(rememberTool); got != tools.Writes || !tools.IsRepeatable(rememberTool) || tools.EffectsOf(recallTool) != tools.Reads {
		t.Errorf("remember: %v, repeatable %v; recall: %v", got, tools.IsRepeatable(rememberTool), tools.EffectsOf(recallTool))
	}
	previewer, ok := tools.As[tools.Previewer](rememberTool)
	if !ok {
		t.Fatal("remember has no preview")
	}
	preview, err := previewer.Preview(t.Context(), json.RawMessage(`{"text": "The user\nlikes tea"}`))
	if err != nil || !strings.HasSuffix(preview, "memory.db:\n+ The user likes tea") {
		t.Errorf("%q, %v", preview, err)
	}
	if list, err := s.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("the preview stored something: %v, %v", list, err)
	}
	for _, c := range []struct {
		tool            tools.Tool
		arguments, want string
	}{
		{recallTool, `{"query": "tea"}`, "nothing is remembered yet"},
		{rememberTool, `{"text": "The user\nlikes tea"}`, "remembered: The user likes tea"},
		{recallTool, `{"query": "what tea?"}`, "The user likes tea (remembered 20"},
		{recallTool, `{"query": "drinks"}`, "nothing has these words; the newest memories are:\nThe user likes tea (remembered 20"},
		{recallTool, `{}`, "The user likes tea (remembered 20"},
	} {
		if got, err := call(t, c.tool, c.arguments); err != nil || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", c.arguments, got, err, c.want)
		}
	}
	if got, err := call(t, rememberTool, `{"text": " "}`); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("%q, %v", got, err)
	}
}

// writer remembers one text after the other, named and numbered, and says so after each. It is a process of its own.
func writer(path, name string, n int) {
	s := memory.NewStore(path)
	for i := range n {
		if _, err := s.Remember(context.Background(), fmt.Sprintf("%s number %d", name, i)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(i)
	}
	os.Exit(0) // as it is: nothing is closed
}

func TestMain(m *testing.M) {
	if path := os.Getenv("MEMORY_TEST_FILE"); path != "" {
		writer(path, os.Getenv("MEMORY_TEST_NAME"), 1_000_000)
	}
	if path := os.Getenv("MEMORY_TEST_SHORT"); path != "" {
		writer(path, os.Getenv("MEMORY_TEST_NAME"), 100)
	}
	os.Exit(m.Run())
}

func process(t *testing.T, environment ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), environment...)
	return cmd
}

// A process that is killed loses nothing that it has said is stored.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.db")
	for round := range 4 {
		name := fmt.Sprintf("round%d", round)
		cmd := process(t, "MEMORY_TEST_FILE="+path, "MEMORY_TEST_NAME="+name)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said := 0
		for lines := bufio.NewScanner(out); lines.Scan(); said++ {
			if lines.Text() != fmt.Sprint(said) {
				t.Fatal(lines.Text())
			}
			if said == 10+13*round {
				_ = cmd.Process.Kill() // what it says until it is dead is read to the end
			}
		}
		_ = cmd.Wait() // killed
		s := newStore(t, path)
		if err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := s.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stored := map[string]bool{}
		for _, m := range list {
			stored[m.Text] = true
		}
		for i := range said {
			if text := fmt.Sprintf("%s number %d", name, i); !stored[text] {
				t.Errorf("%s is lost, of %d", text, said)
			}
		}
		if found, err := s.Recall(t.Context(), name, 1000); err != nil || len(found) < said {
			t.Errorf("%d of %d are found, %v", len(found), said, err)
		}
	}
}

// Two processes and this one store in one file.
func TestProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.db")
	var wait sync.WaitGroup
	for _, name := range []string{"first", "second"} {
		wait.Go(func() {
			if out, err := process(t, "MEMORY_TEST_SHORT="+path, "MEMORY_TEST_NAME="+name).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	s := newStore(t, path)
	for i := range 4 {
		wait.Go(func() {
			for j := range 10 {
				if _, err := s.Remember(context.Background(), fmt.Sprintf("third number %d", 10*i+j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if list, err := s.List(t.Context()); err != nil || len(list) != 240 {
		t.Errorf("%d memories, %v", len(list), err)
	}
}
