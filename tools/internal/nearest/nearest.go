// Package nearest finds the known names that someone may have meant, for error messages.
package nearest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxRunes bounds the work for one comparison; a longer name is compared by its beginning.
const maxRunes = 64

// Names returns up to n of the candidates that look like word, most alike first: equal without regard to case, one
// containing the other, or few typing errors apart (at most a third of the letters). The result is empty if none does.
// Candidates that are equally near keep their order.
func Names(word string, candidates []string, n int) []string {
	ranked := rank(word, candidates)
	near := make([]string, 0, n)
	for _, r := range ranked {
		if len(near) == n || r.distance > allowed(word) {
			break
		}
		if !slices.Contains(near, r.name) {
			near = append(near, r.name)
		}
	}
	return near
}

// Sort returns all candidates, those that look most like word first.
func Sort(word string, candidates []string) []string {
	ranked := rank(word, candidates)
	names := make([]string, len(ranked))
	for i, r := range ranked {
		names[i] = r.name
	}
	return names
}

type ranked struct {
	name     string
	distance int
}

func rank(word string, candidates []string) []ranked {
	lower := strings.ToLower(word)
	all := make([]ranked, len(candidates))
	for i, c := range candidates {
		all[i] = ranked{c, distance(lower, strings.ToLower(c))}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return a.distance - b.distance })
	return all
}

// allowed is the largest distance at which two names still look alike.
func allowed(word string) int { return max(1, utf8.RuneCountInString(word)/3) }

// distance is the number of typing errors between a and b, 0 if they are equal. That one contains the other (from
// three letters on) counts as a single error.
func distance(a, b string) int {
	if a == b {
		return 0
	}
	if shorter := min(len(a), len(b)); shorter >= 3 && (strings.Contains(a, b) || strings.Contains(b, a)) {
		return 1
	}
	return Distance(a, b)
}

// Distance is the optimal string alignment distance: the least number of insertions, deletions, substitutions and
// swaps of two neighbors, no part edited twice, that turns a into b. Of both, only the first 64 runes count.
// Time and memory are proportional to the product of the lengths.
func Distance(a, b string) int {
	x, y := firstRunes(a), firstRunes(b)
	before := make([]int, len(y)+1) // the row for x[:i-2]
	last := make([]int, len(y)+1)   // the row for x[:i-1]
	row := make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			substitution := last[j-1]
			if x[i-1] != y[j-1] {
				substitution++
			}
			row[j] = min(substitution, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

func firstRunes(s string) []rune {
	runes := make([]rune, 0, min(len(s), maxRunes))
	for _, r := range s {
		if len(runes) == maxRunes {
			break
		}
		runes = append(runes, r)
	}
	return runes
}
