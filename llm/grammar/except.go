package grammar

import (
	"slices"
	"unicode/utf8"
)

// except reads the rest of a string, closing quote included, that is none of the words: the complement of
// a trie over characters.
func (c *compiler) except(words []string, next uint32) uint32 {
	free := c.text(0, noLimit, next)
	if len(words) == 0 {
		return free
	}
	closing := c.g.bytes('"', '"', next)
	var build func(words []string) uint32
	build = func(words []string) uint32 {
		var out []uint32
		below := map[rune][]string{}
		var first []rune
		ends := false
		for _, w := range words {
			if w == "" {
				ends = true
				continue
			}
			r, n := utf8.DecodeRuneInString(w)
			if below[r] == nil {
				first = append(first, r)
			}
			below[r] = append(below[r], w[n:])
		}
		slices.Sort(first)
		for _, r := range first {
			spelled := quote(string(r))
			out = append(out, c.g.literal(spelled[1:len(spelled)-1], build(below[r])))
		}
		if !ends {
			out = append(out, closing)
		}
		return c.g.either(append(out, c.characterExcept(first, free))...)
	}
	return build(words)
}

// characterExcept reads one character that is not in sorted.
func (c *compiler) characterExcept(sorted []rune, next uint32) uint32 {
	g := c.g
	var plain class
	plain.add(0x20, 0x7f)
	plain.remove('"', '\\')
	var out []uint32
	from := rune(0x80)
	for _, r := range sorted {
		switch {
		case r >= 0x80:
			out = append(out, g.runes(from, r-1, next))
			from = r + 1
		case r >= 0x20:
			plain.remove(byte(r))
		}
	}
	out = append(out, g.set(plain, next), g.runes(from, 0x10ffff, next))
	for r := rune(0); r <= '\\'; r++ {
		if (r < 0x20 || r == '"' || r == '\\') && !slices.Contains(sorted, r) {
			spelled := quote(string(r))
			out = append(out, g.literal(spelled[1:len(spelled)-1], next))
		}
	}
	return g.either(out...)
}
