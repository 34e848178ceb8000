package nearest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/drover-ai/drover/tools/internal/nearest"
)

func TestNames(t *testing.T) {
	known := []string{"calculator", "now", "convert_units", "list_files", "read_file"}
	for _, test := range []struct {
		word string
		want []string
	}{
		{"calculater", []string{"calculator"}},
		{"Calculator", []string{"calculator"}},
		{"calc", []string{"calculator"}},
		{"read_files", []string{"read_file"}},
		{"units", []string{"convert_units"}},
		{"nwo", []string{"now"}},
		{"weather", nil},
		{"", nil},
	} {
		if got := nearest.Names(test.word, known, 2); !slices.Equal(got, test.want) {
			t.Errorf("Names(%q) = %q, want %q", test.word, got, test.want)
		}
	}
	if got := nearest.Names("aa", []string{"ab", "ab", "ac", "ad"}, 2); !slices.Equal(got, []string{"ab", "ac"}) {
		t.Errorf("got %q, want two different names in their order", got)
	}
}

func TestSort(t *testing.T) {
	got := nearest.Sort("raed", []string{"zzzzzzz", "write", "read"})
	if !slices.Equal(got, []string{"read", "write", "zzzzzzz"}) {
		t.Errorf("got %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "", 3}, {"", "äö", 2}, {"kitten", "sitting", 3}, {"form", "from", 1}, {"ca", "abc", 3}, {"Zürich", "Zurich", 1},
	} {
		if got := nearest.Distance(test.a, test.b); got != test.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
		if got := nearest.Distance(test.b, test.a); got != test.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", test.b, test.a, got, test.want)
		}
	}
	if got := nearest.Distance(strings.Repeat("a", 1<<20), strings.Repeat("b", 1<<20)); got != 64 {
		t.Errorf("long names: got %d, want 64: only the beginnings are compared", got)
	}
}
