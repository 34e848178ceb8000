package grammar

import (
	"math/rand/v2"
	"testing"
)

// stayPatterns have states that go round in all, in most and in few characters, in those of ASCII alone or in the others
// alone, at once or after some steps, and states that never do.
var stayPatterns = []string{
	`^.*$`, `^[^/]*$`, `^[^/ "\\]+$`, `^.{3,}$`, `^..?$`, `^.{0,40}$`, `^[a-f0-9]*$`, `^[a-z]+$`, `^[A-Za-z0-9_-]+(\.[A-Za-z]+)*$`, `^[a-cx-z]*$`,
	`^[\x00-\x7f]*$`, `^[^\x00-\x7f]*$`, `^[^é]*$`, `^[^日本]*[日本]?$`, `^\p{L}+$`, `^[\u0000-\uffff]*$`, `^https?://[^\s]+$`, `^\S+( \S+){0,5}$`,
	`^(ab|[^a])*$`, `^([a-z]{2})*$`, `^[^\n]*\n[^\n]*$`, `^(a|\\)*$`, `^\d{1,3}(,\d{3})*$`, `^#[^#]*#.*$`, `^(?=.*[A-Z])(?=.*\d).{8,}$`,
}

// TestStayWalkIsPlainWalk compares the tokens that stay inside a table with reading each token.
func TestStayWalkIsPlainWalk(t *testing.T) {
	vocabularies := map[string]*Vocabulary{"awkward": awkwardVocabulary(rand.New(rand.NewPCG(2, 7)))}
	if !testing.Short() {
		t.Run("llama", func(t *testing.T) { vocabularies["llama"] = llamaVocabulary(t) })
	}
	for name, v := range vocabularies {
		for _, pattern := range stayPatterns {
			for _, how := range []*spelling{{quote: '"'}, {quote: '\'', python: true}} {
				c := newCompiler(newGrammar(), Options{})
				c.spelling = how
				text, err := c.searched(pattern)
				if err != nil {
					t.Fatal(err)
				}
				table, err := c.newStringTable(text, 0, noLimit)
				if err != nil {
					t.Fatal(err)
				}
				most := 40
				if name == "llama" {
					most = 4
				}
				checkStays(t, v, table.table, pattern, most)
			}
		}
	}
}

// checkStays compares from the first and from some other states. States with an odd number are a group of their own.
func checkStays(t *testing.T, v *Vocabulary, tab *table, pattern string, most int) {
	t.Helper()
	group := make([]uint8, len(tab.accept))
	for s := range group {
		group[s] = uint8(s & 1)
	}
	var w walker
	for _, group := range [][]uint8{group, nil} {
		checkGroups(t, v, tab, pattern, most, group, &w)
	}
}

func checkGroups(t *testing.T, v *Vocabulary, tab *table, pattern string, most int, group []uint8, w *walker) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, uint64(len(pattern))))
	for i := range min(most, len(tab.accept)) {
		state := int32(i)
		if i > most/2 {
			state = r.Int32N(int32(len(tab.accept)))
		}
		w.growGroups(2, v.words)
		tab.walkInside(w, v, state, group)
		for id := range v.pieces {
			at := state
			for _, b := range v.pieces[id] {
				if at = tab.step(at, b); at < 0 {
					break
				}
			}
			stays := at >= 0 && !v.special[id]
			for g := range 2 {
				if want := stays && int(groupOf(group, at)) == g; hasBit(w.groups[g], id) != want {
					t.Fatalf("%s: state %d of %d, token %q in group %d: %v, want %v", pattern, state, len(tab.accept), v.pieces[id], g, !want, want)
				}
			}
		}
	}
}
