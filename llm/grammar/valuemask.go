package grammar

// valueMask adds what a reading allows where a value begins or a scalar goes on. What stays inside a string or a scalar is
// ready; the few tokens that leave it, and those that begin otherwise, are walked. It does nothing where that is not known.
func (m *Matcher) valueMask(t thread, mask []uint64) (visited int, ok bool) {
	if t.kind == waitScalar {
		r, ok := m.insideTable(t)
		if !ok || r.quote != anyStructure {
			return 0, false
		}
		return m.readyMask(t, r.table, readyScalar, mask), true
	}
	at, ok := m.valueAt(t)
	var rest class
	if !ok || !m.beginnings(t, &rest) {
		return 0, false
	}
	n := &m.values.nodes[at]
	if m.readyStrings(n) {
		for _, at := range n.strings {
			s := &m.values.strings[at]
			rest[s.quote>>6] &^= 1 << (s.quote & 63)
			visited += m.readyMask(thread{kind: waitString, at: at, cell: t.cell}, s.table, readyDouble+readyKind(quoteIndex(s.quote)), mask)
		}
	}
	if m.structured(&m.cells[t.cell]) {
		rest.remove(&n.scalarFirst)
		for _, at := range n.scalars {
			visited += m.readyMask(thread{kind: waitScalar, at: at, cell: t.cell}, m.values.scalars[at], readyScalar, mask)
		}
	}
	w := &m.walk
	before, base := m.mark(), len(m.text)
	w.levels[0], w.stacks[0] = append(w.levels[0][:0], t), before
	visited += m.searchFirsts(&m.vocabulary.all, &rest, mask)
	m.drop(before)
	m.text = m.text[:base]
	return visited, true
}

// valueAt is the node of the one value that may begin, in the cell of the reading.
func (m *Matcher) valueAt(t thread) (node uint32, ok bool) {
	c := &m.cells[t.cell]
	switch t.kind {
	case waitValue:
		return t.at, true
	case waitOpen, waitNext:
		if c.kind != cellArray || t.kind == waitOpen && !m.more(c) {
			return 0, false
		}
		a := &m.values.arrays[c.shape]
		if t.kind == waitNext && int(t.state) < len(a.spelling.comma) || a.unique || a.words != nil || len(a.contains) > 0 {
			return 0, false
		}
		return m.choices(c, a)[0], true
	}
	return 0, false
}

// readyStrings tells whether no token that begins a string can have too many characters.
func (m *Matcher) readyStrings(n *valueNode) bool {
	for _, at := range n.strings {
		if s := &m.values.strings[at]; s.counted && (s.table.least != nil || s.most < uint32(m.vocabulary.longest)) {
			return false
		}
	}
	return true
}

// readyMask adds the tokens that stay inside a table from the state of t, and walks those that leave it.
func (m *Matcher) readyMask(t thread, tab *table, kind readyKind, mask []uint64) (visited int) {
	v, w := m.vocabulary, &m.walk
	known := v.ready(w, tab, int32(t.state), kind)
	for i := range known.groups {
		known.groups[i].tokens.addTo(mask)
	}
	before, base := m.mark(), len(m.text)
	for i := range known.exits {
		x := &known.exits[i]
		n := &v.all.nodes[x.at]
		d := int(n.depth)
		t.state = uint32(x.state)
		if t.kind == waitString {
			if s := &m.values.strings[t.at]; s.counted {
				if t.count = x.characters; s.most == noLimit {
					t.count = min(t.count, s.least)
				}
			}
		}
		m.text = append(m.text, v.pieces[x.token][:d]...)
		w.levels[d], w.stacks[d] = append(w.levels[d][:0], t), before
		visited += m.searchNodes(&v.all, x.at, n.end, d, mask)
		m.drop(before)
		m.text = m.text[:base]
	}
	return visited
}
