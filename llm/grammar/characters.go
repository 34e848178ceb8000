package grammar

import (
	"fmt"
	"slices"
)

// edge leads from a state of a character automaton over the characters [lo, hi].
type edge struct {
	lo, hi rune
	to     int32
}

// characters is a deterministic automaton over characters that follows several languages at once: label
// says, bit by bit, which of them the text so far is in. State 0 is the start.
type characters struct {
	edges [][]edge
	label []uint64
}

const (
	maxCharacterStates = 6000
	maxLanguageSteps   = 400_000
)

// automaton follows the languages side by side. keep tells which labels are worth reaching; states from
// which none can be reached are left out.
func (p *languages) automaton(follow []language, keep func(label uint64) bool) (*characters, error) {
	var out characters
	index := map[string]int32{}
	var tuples [][]language
	add := func(t []language) int32 {
		key := make([]byte, 0, 4*len(t))
		for _, x := range t {
			key = append(key, byte(x), byte(x>>8), byte(x>>16), byte(x>>24))
		}
		if i, ok := index[string(key)]; ok {
			return i
		}
		i := int32(len(tuples))
		index[string(key)] = i
		tuples = append(tuples, t)
		label := uint64(0)
		for k, x := range t {
			if p.nodes[x].nullable {
				label |= 1 << k
			}
		}
		out.label = append(out.label, label)
		out.edges = append(out.edges, nil)
		return i
	}
	add(follow)
	p.steps = 0
	for at := 0; at < len(tuples); at++ {
		if len(tuples) > maxCharacterStates || p.steps > maxLanguageSteps || len(p.nodes) > 20*maxCharacterStates {
			return nil, fmt.Errorf("its automaton has more than %d states", maxCharacterStates)
		}
		var sets [][]runeRange
		for _, x := range tuples[at] {
			sets = p.firsts(x, sets)
		}
		out.edges[at] = p.successors(tuples[at], sets, keep(0), add)
	}
	return out.trim(keep), nil
}

// successors takes one derivative per group of characters that no set tells apart.
func (p *languages) successors(t []language, sets [][]runeRange, sink bool, add func([]language) int32) []edge {
	type border struct {
		at    rune
		set   int
		enter bool
	}
	slices.SortFunc(sets, compareSets)
	sets = slices.CompactFunc(sets, func(a, b []runeRange) bool { return slices.Equal(a, b) })
	var borders []border
	for i, s := range sets {
		for _, r := range s {
			borders = append(borders, border{r.lo, i, true}, border{r.hi + 1, i, false})
		}
	}
	slices.SortFunc(borders, func(a, b border) int { return int(a.at) - int(b.at) })
	signature := make([]byte, (len(sets)+7)/8)
	known := map[string]int32{}
	var out []edge
	at := rune(0)
	emit := func(hi rune) {
		if at > hi {
			return
		}
		to, ok := known[string(signature)]
		if !ok {
			next := make([]language, len(t))
			dead := !sink
			for i, x := range t {
				next[i] = p.after(x, at)
				dead = dead && next[i] == p.none
			}
			to = -1
			if !dead {
				to = add(next)
			}
			known[string(signature)] = to
		}
		if n := len(out); n > 0 && out[n-1].to == to && out[n-1].hi == at-1 {
			out[n-1].hi = hi
		} else if to >= 0 {
			out = append(out, edge{at, hi, to})
		}
		at = hi + 1
	}
	for _, b := range borders {
		emit(b.at - 1)
		if b.enter {
			signature[b.set/8] |= 1 << (b.set % 8)
		} else {
			signature[b.set/8] &^= 1 << (b.set % 8)
		}
	}
	emit(maxRune)
	return withoutSurrogates(out)
}

// withoutSurrogates leaves out what no text can have: a state to which only surrogates lead cannot be reached.
func withoutSurrogates(list []edge) []edge {
	const first, last = 0xd800, 0xdfff
	out := make([]edge, 0, len(list)+1)
	for _, e := range list {
		if e.hi < first || e.lo > last {
			out = append(out, e)
			continue
		}
		if e.lo < first {
			out = append(out, edge{e.lo, first - 1, e.to})
		}
		if e.hi > last {
			out = append(out, edge{last + 1, e.hi, e.to})
		}
	}
	return out
}

// trim leaves out the states from which no label that keep wants can be reached. The start stays.
func (c *characters) trim(keep func(uint64) bool) *characters {
	n, nearest := len(c.edges), c.nearest(keep)
	good := func(s int32) bool { return nearest[s] != noLimit }
	name := make([]int32, n)
	var out characters
	for s := range n {
		name[s] = -1
		if s == 0 || good(int32(s)) {
			name[s] = int32(len(out.edges))
			out.edges = append(out.edges, nil)
			out.label = append(out.label, c.label[s])
		}
	}
	for s := range n {
		if name[s] < 0 {
			continue
		}
		var list []edge
		for _, e := range c.edges[s] {
			if good(e.to) {
				list = append(list, edge{e.lo, e.hi, name[e.to]})
			}
		}
		out.edges[name[s]] = list
	}
	return &out
}

// nearest gives, for every state, the least number of characters to a wanted label.
func (c *characters) nearest(keep func(uint64) bool) []uint32 {
	n := len(c.edges)
	back := make([][]int32, n)
	for s, list := range c.edges {
		for _, e := range list {
			back[e.to] = append(back[e.to], int32(s))
		}
	}
	least := make([]uint32, n)
	var queue []int32
	for s := range n {
		if least[s] = noLimit; keep(c.label[s]) {
			least[s] = 0
			queue = append(queue, int32(s))
		}
	}
	for i := 0; i < len(queue); i++ {
		s := queue[i]
		for _, b := range back[s] {
			if least[b] == noLimit {
				least[b] = least[s] + 1
				queue = append(queue, b)
			}
		}
	}
	return least
}

// lengths gives, for every state, the least number of characters to a wanted label, and tells whether all
// numbers from there on to the most (unlimited if most is noLimit) can be had as well.
func (c *characters) lengths(keep func(uint64) bool) (least, most []uint32, contiguous bool) {
	n := len(c.edges)
	words := (2*n + 64) / 64
	if n > 600 {
		return nil, nil, false
	}
	reach := make([][]uint64, n) // reach[s] bit k: a wanted label is k characters away
	for s := range reach {
		reach[s] = make([]uint64, words)
	}
	layer := make([]bool, n)
	for s := range n {
		layer[s] = keep(c.label[s])
	}
	limit := 64 * words
	for k := range limit {
		next := make([]bool, n)
		for s := range n {
			if layer[s] {
				reach[s][k/64] |= 1 << (k % 64)
			}
			for _, e := range c.edges[s] {
				if layer[e.to] {
					next[s] = true
					break
				}
			}
		}
		layer = next
	}
	least, most = make([]uint32, n), make([]uint32, n)
	for s := range n {
		first, last, count := -1, -1, 0
		for k := range limit {
			if reach[s][k/64]>>(k%64)&1 != 0 {
				if first < 0 {
					first = k
				}
				last = k
				count++
			}
		}
		if first < 0 || count != last-first+1 {
			if s == 0 && first < 0 {
				return nil, nil, false
			}
			return nil, nil, false
		}
		least[s], most[s] = uint32(first), uint32(last)
		if last == limit-1 {
			most[s] = noLimit
		}
	}
	return least, most, true
}

func compareSets(a, b []runeRange) int {
	return slices.CompareFunc(a, b, func(x, y runeRange) int {
		if x.lo != y.lo {
			return int(x.lo) - int(y.lo)
		}
		return int(x.hi) - int(y.hi)
	})
}
