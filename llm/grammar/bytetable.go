package grammar

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"unicode/utf8"
)

// table is a deterministic automaton over bytes. State 0 is the start; a next of -1 is no way on. Every
// state leads to an accepting one.
type table struct {
	class    [256]uint8
	columns  uint32
	next     []int32 // [state*columns + class of the byte]
	accept   []bool
	inside   []bool   // in the middle of a character
	label    []uint64 // of accepting states, if the automaton follows several languages
	distance []uint32 // fewest bytes to an accepting state
	loops    bool     // the text of a whole character leads from state 0 back to it, whichever it is
	least    []uint32 // fewest and most characters to an accepting state; nil if lengths do not matter
	most     []uint32

	needs    []uint32 // the different values of least, and by state, which; nil if lengths do not matter
	group    []uint8
	farthest uint32 // the greatest of least
	finite   bool   // some of most are limits

	keyOnce sync.Once
	key     [sha256.Size]byte // see contentKey
	slots   [readyKinds]readySlots
}

func (t *table) step(state int32, b byte) int32 {
	return t.next[uint32(state)*t.columns+uint32(t.class[b])]
}

func (t *table) open(state int32) bool {
	for _, x := range t.next[uint32(state)*t.columns : (uint32(state)+1)*t.columns] {
		if x >= 0 {
			return true
		}
	}
	return false
}

// byteEdge leads from a state over the bytes [lo, hi].
type byteEdge struct {
	lo, hi byte
	to     int32
}

func newTable(edges [][]byteEdge, accept []bool) *table {
	t := &table{accept: accept}
	var border [257]bool
	for _, list := range edges {
		for _, e := range list {
			border[e.lo], border[int(e.hi)+1] = true, true
		}
	}
	for b := 1; b < 256; b++ {
		t.class[b] = t.class[b-1]
		if border[b] {
			t.class[b]++
		}
	}
	t.columns = uint32(t.class[255]) + 1
	t.next = make([]int32, len(edges)*int(t.columns))
	for i := range t.next {
		t.next[i] = -1
	}
	for s, list := range edges {
		row := t.next[s*int(t.columns):]
		for _, e := range list {
			for c := t.class[e.lo]; ; c++ {
				row[c] = e.to
				if c == t.class[e.hi] {
					break
				}
			}
		}
	}
	t.measure(edges)
	return t
}

// measure finds the distances to accepting states.
func (t *table) measure(edges [][]byteEdge) {
	back := make([][]int32, len(edges))
	for s, list := range edges {
		for _, e := range list {
			back[e.to] = append(back[e.to], int32(s))
		}
	}
	t.distance = make([]uint32, len(edges))
	var queue []int32
	for s := range edges {
		t.distance[s] = noLimit
		if t.accept[s] {
			t.distance[s] = 0
			queue = append(queue, int32(s))
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, b := range back[s] {
			if t.distance[b] == noLimit {
				t.distance[b] = t.distance[s] + 1
				queue = append(queue, b)
			}
		}
	}
}

// spelling says how characters, literals and separators are written.
type spelling struct {
	python       bool
	raw          bool // every character as itself
	quote        byte
	comma, colon string
	space        int // most characters of white space at one place; 0 is none but that of comma and colon
}

// spell is how r is written inside a string, or "" if as itself.
func (s *spelling) spell(r rune) string {
	switch {
	case s.raw:
		return ""
	case r == '\\':
		return `\\`
	case r == rune(s.quote):
		return `\` + string(r)
	case r == '\n':
		return `\n`
	case r == '\t':
		return `\t`
	case r == '\r':
		return `\r`
	case r == '\b' && !s.python:
		return `\b`
	case r == '\f' && !s.python:
		return `\f`
	case r < 0x20 && s.python:
		return `\x` + string("01"[r>>4]) + string("0123456789abcdef"[r&15])
	case r < 0x20:
		return `\u00` + string("01"[r>>4]) + string("0123456789abcdef"[r&15])
	}
	return ""
}

// sequence is a way to write characters that all lead to one state.
type sequence struct {
	ranges [][2]byte
	to     int32
}

// tableBuilder spells an automaton over characters in bytes.
type tableBuilder struct {
	edges  [][]byteEdge
	inside []bool
	shared map[string]int32
}

// spelled writes the automaton in bytes. keep tells the accepting labels.
func (c *characters) spelled(s *spelling, keep func(uint64) bool) *table {
	n := len(c.edges)
	b := &tableBuilder{edges: make([][]byteEdge, n), inside: make([]bool, n), shared: map[string]int32{}}
	accept := make([]bool, n)
	label := make([]uint64, n)
	for state, list := range c.edges {
		accept[state], label[state] = keep(c.label[state]), c.label[state]
		var sequences []sequence
		for _, e := range list {
			sequences = appendSpellings(sequences, e, s)
		}
		b.edges[state] = b.fork(sequences)
	}
	for range len(b.edges) - n {
		accept, label = append(accept, false), append(label, 0)
	}
	t := newTable(b.edges, accept)
	t.inside, t.label = b.inside, label
	t.loops = n == 1 && len(c.edges[0]) > 0 && accept[0] && covers(c.edges[0])
	return t
}

func covers(list []edge) bool {
	at := rune(0)
	for _, e := range list {
		if e.lo > at && !(at == 0xd800 && e.lo == 0xe000) {
			return false
		}
		at = e.hi + 1
	}
	return at > maxRune
}

func appendSpellings(out []sequence, e edge, s *spelling) []sequence {
	from := e.lo
	plain := func(hi rune) {
		if from <= hi {
			for _, r := range utf8Ranges(from, hi) {
				out = append(out, sequence{r, e.to})
			}
		}
		from = hi + 1
	}
	for r := e.lo; r <= min(e.hi, '\\'); r++ {
		escaped := s.spell(r)
		if escaped == "" {
			continue
		}
		plain(r - 1)
		from = r + 1
		var ranges [][2]byte
		for _, b := range []byte(escaped) {
			ranges = append(ranges, [2]byte{b, b})
		}
		out = append(out, sequence{ranges, e.to})
	}
	plain(e.hi)
	return out
}

// fork groups sequences by their first byte; what follows is shared between equal tails.
func (b *tableBuilder) fork(list []sequence) []byteEdge {
	slices.SortStableFunc(list, func(x, y sequence) int { return int(x.ranges[0][0]) - int(y.ranges[0][0]) })
	var out []byteEdge
	for i := 0; i < len(list); {
		first := list[i].ranges[0]
		j := i
		var rest []sequence
		for j < len(list) && list[j].ranges[0] == first {
			if len(list[j].ranges) > 1 {
				rest = append(rest, sequence{list[j].ranges[1:], list[j].to})
			}
			j++
		}
		to := list[i].to
		if len(rest) > 0 {
			to = b.state(rest)
		}
		if n := len(out); n > 0 && out[n-1].to == to && int(out[n-1].hi)+1 == int(first[0]) {
			out[n-1].hi = first[1]
		} else {
			out = append(out, byteEdge{first[0], first[1], to})
		}
		i = j
	}
	return out
}

func (b *tableBuilder) state(list []sequence) int32 {
	var key []byte
	for _, s := range list {
		key = append(key, byte(len(s.ranges)))
		for _, r := range s.ranges {
			key = append(key, r[0], r[1])
		}
		key = binary.LittleEndian.AppendUint32(key, uint32(s.to))
	}
	if at, ok := b.shared[string(key)]; ok {
		return at
	}
	at := int32(len(b.edges))
	b.edges = append(b.edges, nil)
	b.inside = append(b.inside, true)
	b.shared[string(key)] = at
	b.edges[at] = b.fork(list)
	return at
}

// wordTable reads one of the words, which are spelled already.
func wordTable(words []string) *table {
	edges := [][]byteEdge{nil}
	accept := []bool{false}
	for _, w := range words {
		at := int32(0)
		for i := 0; i < len(w); i++ {
			to := int32(-1)
			for _, e := range edges[at] {
				if e.lo == w[i] {
					to = e.to
				}
			}
			if to < 0 {
				to = int32(len(edges))
				edges, accept = append(edges, nil), append(accept, false)
				edges[at] = append(edges[at], byteEdge{w[i], w[i], to})
			}
			at = to
		}
		accept[at] = true
	}
	return newTable(edges, accept)
}

// utf8Ranges splits [lo, hi] into sequences of byte ranges; surrogates are left out.
func utf8Ranges(lo, hi rune) [][][2]byte {
	var out [][][2]byte
	var split func(lo, hi rune)
	split = func(lo, hi rune) {
		if lo > hi || lo >= 0xd800 && hi <= 0xdfff {
			return
		}
		for _, edge := range []rune{0x7f, 0x7ff, 0xd7ff, 0xdfff, 0xffff} {
			if lo <= edge && edge < hi {
				split(lo, edge)
				split(edge+1, hi)
				return
			}
		}
		if hi < utf8.RuneSelf {
			out = append(out, [][2]byte{{byte(lo), byte(hi)}})
			return
		}
		for i := 1; i < 4; i++ {
			m := rune(1)<<(6*i) - 1
			if lo&^m == hi&^m {
				continue
			}
			if lo&m != 0 {
				split(lo, lo|m)
				split((lo|m)+1, hi)
				return
			}
			if hi&m != m {
				split(lo, hi&^m-1)
				split(hi&^m, hi)
				return
			}
		}
		a, b := []byte(string(lo)), []byte(string(hi))
		r := make([][2]byte, len(a))
		for i := range a {
			r[i] = [2]byte{a[i], b[i]}
		}
		out = append(out, r)
	}
	split(lo, hi)
	return out
}
