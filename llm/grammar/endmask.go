package grammar

import (
	"math/bits"
	"slices"
)

// plainEnd tells whether the readings behind the quote do not depend on how the text before it goes on, declared names
// aside. value is that of an undeclared name.
func (m *Matcher) plainEnd(t thread, r inside) (value uint32, ok bool) {
	if r.table.inside[r.thread.state] {
		return 0, false // the quote may be part of an escape
	}
	c := &m.cells[t.cell]
	if t.kind == waitString {
		return 0, c.kind != cellArray || !m.values.arrays[c.shape].unique
	}
	o := &m.values.objects[c.shape]
	return o.otherSame, o.otherSame != noLimit
}

// endMask adds the endings that may come: those that the automaton allows and that have from least to most characters before
// the quote.
func (m *Matcher) endMask(t thread, value uint32, r *ready, quote int, least, most uint32, mask []uint64) (visited int) {
	e := &m.vocabulary.endings[quote]
	ends := m.walk.ends[:e.words]
	clear(ends)
	tails, visited := m.tailsOf(e, t, value)
	for i, set := range tails {
		for ; set != 0; set &= set - 1 {
			span := e.spans[i<<6|bits.TrailingZeros64(set)]
			setRange(ends, span[0], span[1])
		}
	}
	for i, set := range r.ends[quote] {
		ends[i] &= set
	}
	e.restrict(ends, least, most)
	if t.kind == waitKey {
		visited += m.knownEnds(e, t, ends)
		visited += m.search(&e.odd, t, mask)
	}
	if tails[0]&1 != 0 && len(m.threads) == 1 {
		// Most of the endings have nothing behind the quote, and nearly all of those that are ready may come.
		r.closes[quote].addTo(mask)
		e.correct(ends, r.ends[quote], mask)
	}
	for i, set := range ends {
		for ; set != 0; set &= set - 1 {
			setBit(mask, int(e.ids[i<<6|bits.TrailingZeros64(set)]))
		}
	}
	return visited
}

// knownTails are the tails that may come behind a string or a name, as long as what is around it is the same.
type knownTails struct {
	key   uint64
	tails []uint64
}

// tailsOf is the set of tails that may come behind the quote. While a string goes on, it stays as it was found first.
func (m *Matcher) tailsOf(e *endings, t thread, value uint32) (tails []uint64, visited int) {
	w := &m.walk
	key := mix(mix(uint64(t.kind)<<32|uint64(value), m.cells[t.cell].hash), uint64(len(e.ids)))
	for i := range w.known {
		if k := &w.known[i]; k.key == key && len(k.tails) > 0 {
			return k.tails, 0
		}
	}
	k := &w.known[w.oldest]
	w.oldest = (w.oldest + 1) % len(w.known)
	words := (len(e.spans) + 63) / 64
	k.key, k.tails = key, slices.Grow(k.tails[:0], words)[:words]
	clear(k.tails)
	before, base := m.mark(), len(m.text)
	list := w.levels[0][:0]
	if t.kind == waitString {
		list = m.finish(list, t.cell, uint32(base))
	} else {
		list = m.undeclared(list, t, value)
	}
	w.levels[0], w.stacks[0] = list, m.mark()
	if len(list) > 0 {
		k.tails[0] = 1
		visited = m.searchFrom(&e.tails, k.tails)
	}
	if m.over {
		k.key = 0 // the error comes again next time
	}
	m.drop(before)
	m.text = m.text[:base]
	if t.kind == waitKey {
		for _, i := range e.late { // the other name may be the one that ends here
			k.tails[i>>6] &^= 1 << (i & 63)
		}
	}
	return k.tails, visited
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
	n := &o.names.nodes[t.state]
	if n.word >= 0 {
		visited += m.declaredEnds(e, t, o, e.texts.first[o.spelling.quote], ends)
	}
	for _, edge := range o.names.edges[n.first : n.first+n.count] {
		if edge.b != o.spelling.quote {
			visited += m.declaredEnds(e, t, o, e.texts.first[edge.b], ends)
		}
	}
	return visited
}

// declaredEnds corrects the ends at a node and below it where the name is a declared one.
func (m *Matcher) declaredEnds(e *endings, t thread, o *objectShape, at uint32, ends []uint64) (visited int) {
	if at == noLimit {
		return 0
	}
	w := &m.walk
	nodes := e.texts.nodes
	base := len(m.text)
	before := m.mark()
	w.states[0] = int32(t.state)
	for end := nodes[at].end; at < end; {
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
