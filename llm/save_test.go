package llm_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/tiny"
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

// BenchmarkLoadSession reads back 4,000 tokens; compare with BenchmarkSync, which computes them.
func BenchmarkLoadSession(b *testing.B) {
	m := longModel(b)
	path := filepath.Join(b.TempDir(), "s.kv")
	if err := prefilled(b, m, someTokens(4000, 1)).Save(path); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		s, err := m.LoadSession(path)
		if err != nil || s.Position() != 4000 {
			b.Fatal(err)
		}
		s.Close()
	}
}

func BenchmarkSync(b *testing.B) {
	m := longModel(b)
	for b.Loop() {
		s, err := m.NewSession()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Sync(context.Background(), someTokens(4000, 1)); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func longModel(b *testing.B) *llm.Model {
	m, err := tiny.Open(llm.ContextLength(8192))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	return m
}
