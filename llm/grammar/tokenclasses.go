package grammar

import "unicode/utf8"

// tokenClasses group characters that automata mostly treat alike, so that one look tells whether a token, or all tokens below
// a node of the trie, go round in a state.
type tokenClasses struct {
	with  []tokenSet // by class, the tokens that have it
	own   []uint8    // by node of the trie of all tokens, the class of the character that ends there, or noClass
	below []uint64   // by node, the classes below it
}

const (
	classes     = 64
	classBroken = classes - 1 // of what is no whole character
	noClass     = classes
)

// asciiClasses are groups of bytes; each of the other bytes of ASCII is a class of its own.
var asciiClasses = []string{"abcdef", "ghijklmnopqrstuvwxyz", "ABCDEF", "GHIJKLMNOPQRSTUVWXYZ", "0123456789",
	"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f"}

// otherClasses are ranges of the characters above ASCII. The small ones are those with white space, which expressions often
// tell from other characters.
var otherClasses = [][]runeRange{
	{{0x80, 0xbf}},
	{{0xc0, 0x7ff}},
	{{0x1680, 0x16bf}, {0x1800, 0x183f}, {0x2000, 0x207f}},
	{{0x3000, 0x303f}, {0xfec0, 0xfeff}},
	{{0x800, 0x167f}, {0x16c0, 0x17ff}, {0x1840, 0x1fff}, {0x2080, 0x2fff}, {0x3040, 0xd7ff}, {0xe000, 0xfebf}, {0xff00, 0xffff}},
	{{0x10000, maxRune}},
}

// characterClasses is the class of each byte of ASCII, and by class its characters as sequences of ranges of bytes.
var characterClasses = func() (c struct {
	ascii  [utf8.RuneSelf]uint8
	common uint8 // the class of most letters
	other  uint8 // the first of otherClasses
	ranges [classes][][][2]byte
}) {
	for class, list := range asciiClasses {
		for _, b := range []byte(list) {
			c.ascii[b] = uint8(class) + 1
		}
	}
	n := uint8(len(asciiClasses))
	for b := range c.ascii {
		if c.ascii[b] == 0 {
			n++
			c.ascii[b] = n
		}
		c.ascii[b]--
		c.ranges[c.ascii[b]] = append(c.ranges[c.ascii[b]], [][2]byte{{byte(b), byte(b)}})
	}
	c.common, c.other = c.ascii['z'], n
	for i, list := range otherClasses {
		for _, r := range list {
			c.ranges[int(n)+i] = append(c.ranges[int(n)+i], utf8Ranges(r.lo, r.hi)...)
		}
	}
	return c
}()

// characterClass is the class of a character.
func characterClass(r rune) int {
	if r < utf8.RuneSelf {
		return int(characterClasses.ascii[r])
	}
	for i, list := range otherClasses {
		for _, x := range list {
			if r >= x.lo && r <= x.hi {
				return int(characterClasses.other) + i
			}
		}
	}
	return classBroken
}

// newTokenClasses goes through the trie of all tokens.
func newTokenClasses(t *trie, depth, words int) tokenClasses {
	c := tokenClasses{below: make([]uint64, len(t.nodes)), own: make([]uint8, len(t.nodes)), with: make([]tokenSet, classes)}
	path := make([]byte, depth+1)
	start := make([]int, depth+2)   // by depth, where the character that goes on there began; -1 behind a broken one
	seen := make([]uint64, depth+2) // classes of the path
	parent := make([]int32, depth+2)
	masks := make([][]uint64, len(c.with))
	for i := range masks {
		masks[i] = make([]uint64, words)
	}
	own := make([]uint64, len(t.nodes))
	up := make([]int32, len(t.nodes))
	parent[0] = -1
	for at := range t.nodes {
		n := &t.nodes[at]
		d := int(n.depth)
		path[d] = n.b
		class, from := noClass, start[d]
		switch {
		case from < 0:
			class = classBroken
		case utf8.FullRune(path[from : d+1]):
			if r, size := utf8.DecodeRune(path[from : d+1]); r == utf8.RuneError && size <= 1 {
				class, from = classBroken, -1
			} else {
				class, from = characterClass(r), d+1
			}
		}
		start[d+1], seen[d+1] = from, seen[d]
		if c.own[at] = uint8(class); class != noClass {
			own[at] = 1 << class
			seen[d+1] |= own[at]
		}
		up[at], parent[d+1] = parent[d], int32(at)
		if n.token < 0 {
			continue
		}
		set := seen[d+1]
		if from != d+1 {
			set |= 1 << classBroken
			own[at] |= 1 << classBroken
		}
		for i := range masks {
			if set>>i&1 != 0 {
				t.mark(n, masks[i])
			}
		}
	}
	for at := len(t.nodes) - 1; at >= 0; at-- {
		if p := up[at]; p >= 0 {
			c.below[p] |= c.below[at] | own[at]
		}
	}
	for i, mask := range masks {
		c.with[i] = newTokenSet(mask)
	}
	return c
}
