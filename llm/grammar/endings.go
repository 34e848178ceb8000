package grammar

import (
	"bytes"
	"math/bits"
	"slices"
	"sort"
)

// endings are the tokens that hold a quote and can end a string or a name: text, the quote, and a tail of what comes behind
// it. Whether the text may stand there depends on the automaton of the string alone; whether the tail may, on what is around
// the string. So the few tails are walked once for all texts.
type endings struct {
	ids   []int32  // tokens, those of one tail together
	spans [][2]int // by tail, its part of ids; tail 0 is empty
	tails trie     // of the tails, tail 0 left out
	texts trie     // of these tokens, as indexes into ids
	odd   trie     // the other tokens with a quote: those with an escaped one, and with more than two
	words int      // of a set of ids
}

func newEndings(pieces [][]byte, holding []int32, quote byte) endings {
	var e endings
	var odd []int32
	byTail := map[string][]int32{}
	for _, id := range holding {
		p := pieces[id]
		at := bytes.IndexByte(p, quote)
		if at > 0 && p[at-1] == '\\' || bytes.Count(p, []byte{quote}) > 2 {
			odd = append(odd, id)
			continue
		}
		byTail[string(p[at+1:])] = append(byTail[string(p[at+1:])], id)
	}
	names := make([]string, 0, len(byTail))
	for tail := range byTail {
		if tail != "" {
			names = append(names, tail)
		}
	}
	sort.Strings(names)
	names = append([]string{""}, names...)
	tails := make([][]byte, len(names))
	order := make([]int32, 0, len(names))
	for i, tail := range names {
		tails[i] = []byte(tail)
		e.spans = append(e.spans, [2]int{len(e.ids), len(e.ids) + len(byTail[tail])})
		e.ids = append(e.ids, byTail[tail]...)
		if i > 0 {
			order = append(order, int32(i))
		}
	}
	e.words = (len(e.ids) + 63) / 64
	e.tails = newTrie(tails, order)
	texts := make([][]byte, len(e.ids))
	sorted := make([]int32, len(e.ids))
	for i, id := range e.ids {
		texts[i], sorted[i] = pieces[id], int32(i)
	}
	slices.SortFunc(sorted, func(a, b int32) int { return bytes.Compare(texts[a], texts[b]) })
	e.texts = newTrie(texts, sorted)
	e.odd = newTrie(pieces, odd)
	return e
}

// ends is the set of the endings whose text leads from a state of a table to where the quote may come.
func (e *endings) ends(w *walker, t *table, state int32, quote byte) []uint64 {
	out := make([]uint64, e.words)
	w.states[0] = state
	for at := uint32(0); at < uint32(len(e.texts.nodes)); {
		n := &e.texts.nodes[at]
		from := w.states[n.depth]
		to := t.step(from, n.b)
		if to >= 0 {
			w.states[n.depth+1] = to
			at++
			continue
		}
		if n.b == quote && t.accept[from] && !t.inside[from] {
			e.texts.markAll(at, out)
		}
		at = n.end
	}
	return out
}

// markAll marks the tokens at a node and below.
func (t *trie) markAll(at uint32, mask []uint64) {
	for end := t.nodes[at].end; at < end; at++ {
		if n := &t.nodes[at]; n.token >= 0 {
			t.mark(n, mask)
		}
	}
}

// plainEnd tells whether the readings behind the quote do not depend on how the text before it goes on, declared names
// aside. value is that of an undeclared name.
func (m *Matcher) plainEnd(t thread, r inside) (value uint32, ok bool) {
	if r.table.step(int32(r.thread.state), byte(r.quote)) >= 0 {
		return 0, false // the quote would be part of an escape
	}
	if t.kind == waitString {
		s := &m.values.strings[t.at]
		if c := &m.cells[t.cell]; c.kind == cellArray && m.values.arrays[c.shape].unique {
			return 0, false
		}
		return 0, !s.counted || t.count >= s.least
	}
	o := &m.values.objects[m.cells[t.cell].shape]
	return o.otherSame, o.otherSame != noLimit && o.endless
}

// endMask adds the endings that may come.
func (m *Matcher) endMask(e *endings, t thread, value uint32, ready, mask []uint64) (visited int) {
	w := &m.walk
	before := m.mark()
	base := len(m.text)
	ends, tails := w.ends[:e.words], w.tails[:(len(e.spans)+63)/64]
	clear(ends)
	clear(tails)
	list := w.levels[0][:0]
	if t.kind == waitString {
		list = m.finish(list, t.cell, uint32(base))
	} else {
		list = m.undeclared(list, t, value)
	}
	w.levels[0], w.stacks[0] = list, m.mark()
	if len(list) > 0 {
		tails[0] = 1
		visited = m.searchNodes(&e.tails, 0, uint32(len(e.tails.nodes)), 0, tails)
	}
	m.drop(before)
	m.text = m.text[:base]
	for i, set := range tails {
		for ; set != 0; set &= set - 1 {
			span := e.spans[i<<6|bits.TrailingZeros64(set)]
			for at := span[0]; at < span[1]; at++ {
				setBit(ends, at)
			}
		}
	}
	for i := range ends {
		ends[i] &= ready[i]
	}
	if t.kind == waitKey {
		visited += m.knownEnds(e, t, ends)
	}
	for i, set := range ends {
		for ; set != 0; set &= set - 1 {
			setBit(mask, int(e.ids[i<<6|bits.TrailingZeros64(set)]))
		}
	}
	return visited + m.search(&e.odd, t, mask)
}

// knownEnds corrects the ends of a name where it is a declared one or one that has been used.
func (m *Matcher) knownEnds(e *endings, t thread, ends []uint64) (visited int) {
	c := &m.cells[t.cell]
	o := &m.values.objects[c.shape]
	begun := m.text[t.count:]
	for x := c.extra; x != 0; x = m.extras[x].before {
		used := m.text[m.extras[x].start:m.extras[x].end]
		if len(used) >= len(begun) && string(used[:len(begun)]) == string(begun) {
			if at := e.texts.find(used[len(begun):], o.spelling.quote); at != noLimit {
				e.texts.unmarkAll(at, ends)
			}
		}
	}
	if t.state&otherNames != 0 {
		return 0
	}
	w := &m.walk
	nodes := e.texts.nodes
	base := len(m.text)
	before := m.mark()
	w.states[0] = int32(t.state)
	for at := uint32(0); at < uint32(len(nodes)); {
		n := &nodes[at]
		visited++
		d := int(n.depth)
		state := w.states[d]
		if n.b == o.spelling.quote {
			if word := o.names.nodes[state].word; word >= 0 {
				e.texts.unmarkAll(at, ends)
				m.text = append(m.text[:base], w.path[:d]...)
				x := t
				x.state = uint32(state)
				w.levels[d] = append(w.levels[d][:0], x)
				w.stacks[d] = before
				visited += m.searchNodes(&e.texts, at, n.end, d, ends)
				m.drop(before)
				m.text = m.text[:base]
			}
			at = n.end
			continue
		}
		next := o.names.step(uint32(state), n.b)
		if next < 0 {
			at = n.end
			continue
		}
		w.states[d+1], w.path[d] = next, n.b
		at++
	}
	return visited
}

// find is the node of a text and the quote behind it, or noLimit.
func (t *trie) find(text []byte, quote byte) uint32 {
	at, end := uint32(0), uint32(len(t.nodes))
	for i := 0; i <= len(text); i++ {
		b := quote
		if i < len(text) {
			b = text[i]
		}
		for at < end && t.nodes[at].b != b {
			at = t.nodes[at].end
		}
		if at >= end {
			return noLimit
		}
		if i == len(text) {
			return at
		}
		at, end = at+1, t.nodes[at].end
	}
	return noLimit
}

// unmarkAll takes away the tokens at a node and below.
func (t *trie) unmarkAll(at uint32, mask []uint64) {
	for end := t.nodes[at].end; at < end; at++ {
		n := &t.nodes[at]
		if n.token < 0 {
			continue
		}
		mask[n.token>>6] &^= 1 << (n.token & 63)
		for s := n.next; s >= 0; s = t.same[s].next {
			mask[t.same[s].token>>6] &^= 1 << (t.same[s].token & 63)
		}
	}
}
