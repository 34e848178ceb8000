package grammar

// structure are the bytes that can follow a scalar inside an array or an object.
var structure = func() (c class) {
	for _, b := range []byte(",]} \n\t\r") {
		c.add(b, b)
	}
	return c
}()

// structured tells whether a scalar in a cell ends where a byte of structure comes. The arguments of a call and what stands
// by itself may end with any byte.
func (m *Matcher) structured(c *cell) bool {
	return c.kind == cellArray || c.kind == cellObject && !m.values.objects[c.shape].bare
}

func isStructure(b byte) bool { return structure.has(b) }

func (c *class) remove(other *class) {
	for i := range c {
		c[i] &^= other[i]
	}
}

func (c *class) join(other *class) {
	for i := range c {
		c[i] |= other[i]
	}
}

// beginnings sets out to the bytes with which a reading may go on, and perhaps some more. It is false where they
// are not known: then any byte may.
func (m *Matcher) beginnings(t thread, out *class) bool {
	*out = class{}
	switch t.kind {
	case waitCode:
		in := m.grammar.code[t.state]
		if in.op == opSet {
			*out = m.grammar.classes[in.x]
		}
		return true
	case waitValue:
		*out = m.values.nodes[t.at].first
		return true
	case waitScalar:
		if !m.structured(&m.cells[t.cell]) {
			return false
		}
		*out = structure
		m.values.scalars[t.at].leaving(t.state, out)
		return true
	case waitOpen, waitAfter, waitNext, waitColon:
		c := &m.cells[t.cell]
		s := m.spellingOf(c)
		*out = structure
		out.add(s.comma[0], s.comma[0])
		if t.kind == waitNext && int(t.state) < len(s.comma) {
			out.add(s.comma[t.state], s.comma[t.state])
			return true
		}
		if t.kind == waitColon {
			b := m.colonOf(c)[t.state]
			out.add(b, b)
			return true
		}
		return t.kind == waitAfter || m.memberFirsts(c, out)
	case waitKey:
		c := &m.cells[t.cell]
		o := &m.values.objects[c.shape]
		if o.others != nil {
			return false
		}
		o.nameFirsts(t.state, out)
		return true
	}
	return false
}

// memberFirsts adds the first bytes of an item or a name.
func (m *Matcher) memberFirsts(c *cell, out *class) bool {
	if c.kind == cellObject {
		o := &m.values.objects[c.shape]
		if o.bare {
			o.nameFirsts(0, out)
		} else {
			out.add(o.spelling.quote, o.spelling.quote)
		}
		return true
	}
	a := &m.values.arrays[c.shape]
	if a.words != nil {
		return false
	}
	for _, at := range m.choices(c, a) {
		if at != noLimit {
			out.join(&m.values.nodes[at].first)
		}
	}
	return true
}

// nameFirsts adds the bytes that go on or end a declared name.
func (o *objectShape) nameFirsts(state uint32, out *class) {
	n := &o.names.nodes[state]
	for _, e := range o.names.edges[n.first : n.first+n.count] {
		out.add(e.b, e.b)
	}
	end := o.spelling.quote
	if o.bare {
		end = '='
	}
	out.add(end, end)
}

// leaving adds the bytes with a way on from a state.
func (t *table) leaving(state uint32, out *class) {
	row := t.next[state*t.columns : (state+1)*t.columns]
	for b := range 256 {
		if row[t.class[b]] >= 0 {
			out[b>>6] |= 1 << (b & 63)
		}
	}
}

// firstBytes finds the first bytes of every value.
func (v *values) firstBytes(from int) {
	for i := from; i < len(v.nodes); i++ {
		n := &v.nodes[i]
		if n.space > 0 {
			n.first = structure
		}
		for _, at := range n.strings {
			n.first.add(v.strings[at].quote, v.strings[at].quote)
		}
		for _, at := range n.scalars {
			v.scalars[at].leaving(0, &n.scalarFirst)
		}
		n.first.join(&n.scalarFirst)
		if len(n.arrays) > 0 {
			n.first.add('[', '[')
		}
		if len(n.objects) > 0 {
			n.first.add('{', '{')
		}
	}
}
