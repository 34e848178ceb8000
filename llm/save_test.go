package llm_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/test/vectors"
)

func tinyModel(t testing.TB) *llm.Model {
	t.Helper()
	m, err := tiny.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func someTokens(n, seed int) []llm.Token {
	tokens := make([]llm.Token, n)
	for i := range tokens {
		tokens[i] = llm.Token((i*7919 + seed*104729) % 250)
	}
	return tokens
}

func prefilled(t testing.TB, m *llm.Model, tokens []llm.Token) *llm.Session {
	t.Helper()
	s, err := m.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.Sync(context.Background(), tokens); err != nil {
		t.Fatal(err)
	}
	return s
}

// A loaded session goes on as the saved one: the same logits, bit for bit, and only the new tokens are computed.
func TestSaveAndLoad(t *testing.T) {
	m := tinyModel(t)
	path := filepath.Join(t.TempDir(), "s.kv")
	tail := someTokens(9, 5)
	for _, n := range []int{1, 63, 64, 65, 200, 130} { // grows, and in the end another one that is shorter
		seed := 1
		if n == 130 {
			seed = 2
		}
		tokens := someTokens(n, seed)
		s := prefilled(t, m, tokens)
		if err := s.Save(path); err != nil {
			t.Fatal(err)
		}
		loaded, err := tinyModel(t).LoadSession(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tokens, loaded.Tokens()); diff != "" {
			t.Fatalf("%d tokens (-want +got):\n%s", n, diff)
		}
		whole := append(append([]llm.Token{}, tokens...), tail...)
		cached, err := loaded.Sync(context.Background(), whole)
		if err != nil || cached != n {
			t.Fatalf("%d of %d tokens are used again (%v)", cached, n, err)
		}
		if diff := cmp.Diff(prefilled(t, m, whole).Logits(), loaded.Logits()); diff != "" {
			t.Errorf("%d tokens: logits differ", n)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read it: %v", info.Mode())
	}
}

// What is there already is not written again.
func TestSaveWritesWhatIsNew(t *testing.T) {
	m := tinyModel(t)
	path := filepath.Join(t.TempDir(), "s.kv")
	tokens := someTokens(200, 1)
	if err := prefilled(t, m, tokens[:150]).Save(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[600] ^= 1 // in the data of the first block, which stays as it is, and is noticed when it is read
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := prefilled(t, m, tokens).Save(path); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if after[600] != data[600] {
		t.Error("the first block was written again")
	}
	var damaged *llm.SavedError
	if _, err := m.LoadSession(path); !errors.As(err, &damaged) || damaged.Block != 0 {
		t.Errorf("a damaged first block gives %v", err)
	}
}

// Whatever happened to a file, what is loaded is a beginning of what was saved, or an error.
func TestDamagedSave(t *testing.T) {
	m := tinyModel(t)
	path := filepath.Join(t.TempDir(), "s.kv")
	tokens := someTokens(200, 1)
	if err := prefilled(t, m, tokens).Save(path); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	load := func(data []byte) (int, error) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := m.LoadSession(path)
		if err != nil {
			var bad *llm.SavedError
			if !errors.As(err, &bad) {
				t.Errorf("error is %v", err)
			}
			return 0, err
		}
		defer s.Close()
		if diff := cmp.Diff(tokens[:s.Position()], s.Tokens()); diff != "" {
			t.Errorf("the tokens are others: %s", diff)
		}
		return s.Position(), nil
	}
	step := len(good) / 97
	for at := 0; at < len(good); at += step {
		if n, err := load(good[:at]); err == nil && n == 200 {
			t.Errorf("a file that ends at byte %d is whole", at)
		}
		flipped := append([]byte{}, good...)
		flipped[at] ^= 0x10
		if n, err := load(flipped); err == nil && n == 200 {
			t.Errorf("a wrong byte at %d is not noticed", at)
		}
	}
	for at := range 56 { // every byte of the header
		flipped := append([]byte{}, good...)
		flipped[at] ^= 0x10
		if _, err := load(flipped); err == nil {
			t.Errorf("a wrong byte %d of the header is not noticed", at)
		}
	}
	if n, err := load(good); err != nil || n != 200 {
		t.Errorf("the good one has %d tokens (%v)", n, err)
	}
	short, err := tiny.Open(llm.ContextLength(64))
	if err != nil {
		t.Fatal(err)
	}
	defer short.Close()
	if _, err := short.LoadSession(path); err == nil {
		t.Error("a session that is longer than the context is loaded")
	}
	if _, err := m.LoadSession(path + ".missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}

// A session that is loaded works on the mapped file, and whatever is saved there afterwards, its content stays.
func TestSaveOverMapped(t *testing.T) {
	m := tinyModel(t)
	tail := someTokens(9, 5)
	tokens := someTokens(200, 1)
	goesOn := func(t *testing.T, s *llm.Session, tokens []llm.Token) {
		t.Helper()
		whole := slices.Concat(tokens, tail)
		if cached, err := s.Sync(context.Background(), whole); err != nil || cached != len(tokens) {
			t.Fatalf("%d of %d tokens are used again (%v)", cached, len(tokens), err)
		}
		if diff := cmp.Diff(prefilled(t, m, whole).Logits(), s.Logits()); diff != "" {
			t.Error("logits differ from those of a session that was computed")
		}
	}
	for name, next := range map[string][]llm.Token{
		"longer":          someTokens(300, 1),
		"shorter":         someTokens(70, 1),
		"another":         someTokens(200, 2),
		"another, longer": someTokens(400, 3),
		"one token":       someTokens(1, 1),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s.kv")
			if err := prefilled(t, m, tokens).Save(path); err != nil {
				t.Fatal(err)
			}
			before, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := tinyModel(t).LoadSession(path)
			if err != nil {
				t.Fatal(err)
			}
			fork, err := loaded.Fork()
			if err != nil {
				t.Fatal(err)
			}
			if total, shared := loaded.MemoryUse(); shared < total/4*3 { // three blocks of four are full
				t.Errorf("%d of %d bytes are shared with the file", shared, total)
			}
			if err := prefilled(t, m, next).Save(path); err != nil {
				t.Fatal(err)
			}
			after, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if same := os.SameFile(before, after); same != (name == "longer") {
				t.Errorf("it is the same file: %v", same)
			}
			again, err := m.LoadSession(path)
			if err != nil {
				t.Fatal(err)
			}
			goesOn(t, again, next)
			goesOn(t, fork, tokens)
			if err := loaded.Rewind(64); err != nil { // the block is shared with the file only: it is copied, not written to
				t.Fatal(err)
			}
			if err := fork.Close(); err != nil {
				t.Fatal(err)
			}
			goesOn(t, loaded, tokens[:64])
		})
	}
}

// A mapping is given back with the last session that uses it; then the file is written in place again.
func TestSaveInPlace(t *testing.T) {
	m := tinyModel(t)
	path := filepath.Join(t.TempDir(), "s.kv")
	if err := prefilled(t, m, someTokens(200, 1)).Save(path); err != nil {
		t.Fatal(err)
	}
	func() {
		loaded, err := m.LoadSession(path)
		if err != nil {
			t.Fatal(err)
		}
		if llm.Changeable(t, path) {
			t.Skip("nothing is mapped here")
		}
		if err := loaded.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	for deadline := time.Now().Add(time.Minute); !llm.Changeable(t, path); time.Sleep(time.Millisecond) {
		if runtime.GC(); time.Now().After(deadline) {
			t.Fatal("the file is still mapped when the session is closed")
		}
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := prefilled(t, m, someTokens(200, 2)).Save(path); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("another file (%v)", err)
	}
	if again, err := m.LoadSession(path); err != nil || again.Position() != 200 {
		t.Errorf("%v", err)
	}
}

// BenchmarkLoadSession loads 8,192 tokens with a KV cache of Llama 3.2 1B's shape, 256 MiB, and decodes there with a model
// that does little but attention: on the mapped file, and on memory of its own.
func BenchmarkLoadSession(b *testing.B) {
	shape := vectors.Llama1B(gguf.Q4_0, 16)
	shape.Dim, shape.HiddenDim, shape.NHeads, shape.VocabSize = 256, 256, 8, 320
	m := loadShape(b, shape)
	tokens := someTokens(8192, 1)
	s := prefilled(b, m, tokens)
	path := filepath.Join(b.TempDir(), "s.kv")
	if err := s.Save(path); err != nil {
		b.Fatal(err)
	}
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			loaded, err := m.LoadSession(path)
			if err != nil || loaded.Position() != len(tokens) {
				b.Fatal(err)
			}
			loaded.Close()
		}
	})
	loaded, err := m.LoadSession(path)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		*llm.Session
	}{{"decode/mapped", loaded}, {"decode/computed", s}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.Rewind(len(tokens) - 1); err != nil {
					b.Fatal(err)
				}
				if err := c.Prefill(context.Background(), tokens[len(tokens)-1:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
