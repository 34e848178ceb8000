package grammar

import (
	"encoding/binary"
	"slices"
	"sort"
	"unicode/utf8"
)

// language is a regular language over characters, an index into a [languages] pool. Equal indexes mean
// equal languages; the reverse need not hold.
type language int32

type languageKind uint8

const (
	languageNone  languageKind = iota // no text
	languageEmpty                     // the empty text
	languageSet                       // one character of a set
	languageJoin                      // a, then b
	languageAny                       // one of the parts
	languageAll                       // all of the parts
	languageNot                       // any text but a
	languageLoop                      // a, low to high times; high < 0 is unbounded
	languageWords                     // the rest, from depth on, of the sorted words [low, high)
)

type runeRange struct{ lo, hi rune }

type languageNode struct {
	kind      languageKind
	nullable  bool
	a, b      language
	low, high int32
	depth     int32
	parts     []language
	set       []runeRange
	words     []string
}

// languages builds and takes derivatives of regular languages; every node is there once, so that the
// derivatives of a language are finitely many.
type languages struct {
	nodes []languageNode
	index map[string]language
	lists map[string]int32
	none  language
	empty language
	all   language // any text
	any   language // any character
	steps int
}

const maxRune = 0x10ffff

func newLanguages() *languages {
	p := &languages{index: map[string]language{}, lists: map[string]int32{}}
	p.none = p.intern(languageNode{kind: languageNone})
	p.empty = p.intern(languageNode{kind: languageEmpty, nullable: true})
	p.any = p.set([]runeRange{{0, maxRune}})
	p.all = p.intern(languageNode{kind: languageLoop, a: p.any, low: 0, high: -1, nullable: true})
	return p
}

func (p *languages) intern(n languageNode) language {
	key := make([]byte, 0, 32)
	key = append(key, byte(n.kind))
	for _, x := range [...]int32{int32(n.a), int32(n.b), n.low, n.high, n.depth} {
		key = binary.LittleEndian.AppendUint32(key, uint32(x))
	}
	for _, x := range n.parts {
		key = binary.LittleEndian.AppendUint32(key, uint32(x))
	}
	for _, r := range n.set {
		key = binary.LittleEndian.AppendUint32(key, uint32(r.lo))
		key = binary.LittleEndian.AppendUint32(key, uint32(r.hi))
	}
	if i, ok := p.index[string(key)]; ok {
		return i
	}
	p.nodes = append(p.nodes, n)
	i := language(len(p.nodes) - 1)
	p.index[string(key)] = i
	return i
}

// normalize sorts ranges and joins those that touch; surrogates, which are no characters, are left out.
func normalize(set []runeRange) []runeRange {
	set = slices.Clone(set)
	slices.SortFunc(set, func(a, b runeRange) int { return int(a.lo) - int(b.lo) })
	var out []runeRange
	add := func(lo, hi rune) {
		if lo > hi {
			return
		}
		if n := len(out); n > 0 && lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, hi)
			return
		}
		out = append(out, runeRange{lo, hi})
	}
	for _, r := range set {
		lo, hi := max(r.lo, 0), min(r.hi, maxRune)
		if hi >= 0xd800 && lo <= 0xdfff {
			add(lo, 0xd7ff)
			add(0xe000, hi)
			continue
		}
		add(lo, hi)
	}
	return out
}

func complement(set []runeRange) []runeRange {
	var out []runeRange
	at := rune(0)
	for _, r := range normalize(set) {
		if r.lo > at {
			out = append(out, runeRange{at, r.lo - 1})
		}
		at = r.hi + 1
	}
	return normalize(append(out, runeRange{at, maxRune}))
}

func (p *languages) set(set []runeRange) language {
	if set = normalize(set); len(set) == 0 {
		return p.none
	}
	return p.intern(languageNode{kind: languageSet, set: set})
}

func (p *languages) join(a, b language) language {
	switch {
	case a == p.none || b == p.none:
		return p.none
	case a == p.empty:
		return b
	case b == p.empty:
		return a
	case a == p.all && b == p.all:
		return a
	}
	if n := &p.nodes[a]; n.kind == languageJoin {
		x, y := n.a, n.b
		return p.join(x, p.join(y, b))
	}
	if n := &p.nodes[b]; n.kind == languageJoin && a == p.all && n.a == p.all {
		return b
	}
	return p.intern(languageNode{kind: languageJoin, a: a, b: b, nullable: p.nodes[a].nullable && p.nodes[b].nullable})
}

// flat gathers the parts of nested unions or intersections in order, each once.
func (p *languages) flat(kind languageKind, parts []language) []language {
	var out []language
	for _, x := range parts {
		if n := &p.nodes[x]; n.kind == kind {
			out = append(out, n.parts...)
		} else {
			out = append(out, x)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (p *languages) either(parts ...language) language {
	parts = p.flat(languageAny, parts)
	var out []language
	var sets []runeRange
	nullable, single := false, 0
	for _, x := range parts {
		n := &p.nodes[x]
		switch {
		case x == p.all:
			return x
		case x == p.none:
			continue
		case n.kind == languageSet:
			sets = append(sets, n.set...)
			single++
			continue
		}
		nullable = nullable || n.nullable
		out = append(out, x)
	}
	if single > 0 {
		out = append(out, p.set(sets))
		slices.Sort(out)
	}
	if nullable && len(out) > 1 {
		// The empty text adds nothing beside another part that has it.
		if i, ok := slices.BinarySearch(out, p.empty); ok {
			for _, x := range out {
				if x != p.empty && p.nodes[x].nullable {
					out = slices.Delete(out, i, i+1)
					break
				}
			}
		}
	}
	switch len(out) {
	case 0:
		return p.none
	case 1:
		return out[0]
	}
	return p.intern(languageNode{kind: languageAny, parts: out, nullable: nullable})
}

func (p *languages) both(parts ...language) language {
	parts = p.flat(languageAll, parts)
	var out []language
	nullable := true
	for _, x := range parts {
		if x == p.none {
			return x
		}
		if x == p.all {
			continue
		}
		nullable = nullable && p.nodes[x].nullable
		out = append(out, x)
	}
	switch len(out) {
	case 0:
		return p.all
	case 1:
		return out[0]
	}
	if !nullable && slices.Contains(out, p.empty) {
		return p.none
	}
	return p.intern(languageNode{kind: languageAll, parts: out, nullable: nullable})
}

func (p *languages) not(a language) language {
	switch n := &p.nodes[a]; {
	case a == p.none:
		return p.all
	case a == p.all:
		return p.none
	case n.kind == languageNot:
		return n.a
	}
	return p.intern(languageNode{kind: languageNot, a: a, nullable: !p.nodes[a].nullable})
}

func (p *languages) loop(a language, low, high int32) language {
	switch {
	case high == 0 || a == p.empty:
		return p.empty
	case a == p.none:
		if low == 0 {
			return p.empty
		}
		return p.none
	case low == 1 && high == 1:
		return a
	}
	n := &p.nodes[a]
	if n.kind == languageLoop && n.low == 0 && n.high < 0 {
		return a
	}
	if n.nullable {
		low = 0
	}
	return p.intern(languageNode{kind: languageLoop, a: a, low: low, high: high, nullable: low == 0})
}

// oneOf is the finite language of the words, each valid UTF-8.
func (p *languages) oneOf(words []string) language {
	words = slices.Clone(words)
	sort.Strings(words)
	words = slices.Compact(words)
	var key []byte
	for _, w := range words {
		key = binary.AppendUvarint(key, uint64(len(w)))
		key = append(key, w...)
	}
	id, ok := p.lists[string(key)]
	if !ok {
		id = int32(len(p.lists))
		p.lists[string(key)] = id
	}
	return p.suffixes(words, id, 0, int32(len(words)), 0)
}

// suffixes: words[low:high] share depth bytes; b tells lists apart.
func (p *languages) suffixes(words []string, list, low, high, depth int32) language {
	if low >= high {
		return p.none
	}
	ends := int32(len(words[low])) == depth
	if ends && high == low+1 {
		return p.empty
	}
	return p.intern(languageNode{kind: languageWords, a: language(list), low: low, high: high, depth: depth, words: words, nullable: ends})
}

// firsts adds the sets that tell first characters apart.
func (p *languages) firsts(a language, sets [][]runeRange) [][]runeRange {
	n := &p.nodes[a]
	switch n.kind {
	case languageSet:
		sets = append(sets, n.set)
	case languageJoin:
		sets = p.firsts(n.a, sets)
		if p.nodes[n.a].nullable {
			sets = p.firsts(n.b, sets)
		}
	case languageAny, languageAll:
		for _, x := range n.parts {
			sets = p.firsts(x, sets)
		}
	case languageNot, languageLoop:
		sets = p.firsts(n.a, sets)
	case languageWords:
		for i := n.low; i < n.high; {
			if int32(len(n.words[i])) == n.depth {
				i++
				continue
			}
			r, size := utf8.DecodeRuneInString(n.words[i][n.depth:])
			sets = append(sets, []runeRange{{r, r}})
			prefix := n.words[i][:int(n.depth)+size]
			for i < n.high && len(n.words[i]) >= len(prefix) && n.words[i][:len(prefix)] == prefix {
				i++
			}
		}
	}
	return sets
}

// after is what may follow once r is read.
func (p *languages) after(a language, r rune) language {
	p.steps++
	n := p.nodes[a]
	switch n.kind {
	case languageSet:
		i := sort.Search(len(n.set), func(i int) bool { return n.set[i].hi >= r })
		if i < len(n.set) && n.set[i].lo <= r {
			return p.empty
		}
		return p.none
	case languageJoin:
		out := p.join(p.after(n.a, r), n.b)
		if p.nodes[n.a].nullable {
			out = p.either(out, p.after(n.b, r))
		}
		return out
	case languageAny, languageAll:
		parts := make([]language, len(n.parts))
		for i, x := range n.parts {
			parts[i] = p.after(x, r)
			if n.kind == languageAll && parts[i] == p.none {
				return p.none
			}
		}
		if n.kind == languageAny {
			return p.either(parts...)
		}
		return p.both(parts...)
	case languageNot:
		return p.not(p.after(n.a, r))
	case languageLoop:
		low, high := max(n.low-1, 0), n.high
		if high > 0 {
			high--
		}
		return p.join(p.after(n.a, r), p.loop(n.a, low, high))
	case languageWords:
		var buffer [utf8.UTFMax]byte
		c := string(buffer[:utf8.EncodeRune(buffer[:], r)])
		words := n.words[n.low:n.high]
		rest := func(i int) string { return words[i][n.depth:] }
		lo := sort.Search(len(words), func(i int) bool { return rest(i) >= c })
		hi := lo + sort.Search(len(words)-lo, func(i int) bool { s := rest(lo + i); return len(s) < len(c) || s[:len(c)] != c })
		return p.suffixes(n.words, int32(n.a), n.low+int32(lo), n.low+int32(hi), n.depth+int32(len(c)))
	}
	return p.none
}

// matches tells whether text is in a.
func (p *languages) matches(a language, text string) bool {
	for _, r := range text {
		if a = p.after(a, r); a == p.none {
			return false
		}
	}
	return p.nodes[a].nullable
}
