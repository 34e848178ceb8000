package memory

import (
	"slices"
	"testing"
)

// A text is found by each of its words.
func FuzzWords(f *testing.F) {
	for _, seed := range []string{"Ann's cats", "dishes and boxes", "我住在东京 cats", "ÄÖÜ", "\xff\x00", "''s", "İstanbul"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		counts, length := countWords(text)
		words := queryWords(text)
		if length == 0 != (len(words) == 0) {
			t.Fatalf("%q: %d words, asked for by %q", text, length, words)
		}
		for _, word := range words {
			if counts[word] == 0 {
				t.Fatalf("%q is asked for by %q, and has %v", text, word, counts)
			}
		}
		if !slices.IsSorted(words) || len(words) > maxQueryWords {
			t.Fatalf("%q", words)
		}
	})
}
