package grammar

// inside is a reading inside a table.
type inside struct {
	table   *table
	thread  thread
	quote   int      // the byte that ends it, or anyStructure or anyByte
	counted bool     // characters are counted,
	least   uint32   // and the string has from least
	most    uint32   // to most
	scarce  []uint32 // by state, how many texts there are from it on, noLimit if very many; nil if that does not matter
}

// What ends a scalar, if the table does not know the byte.
const (
	anyStructure = -1
	anyByte      = -2
)

// single tells whether there is one reading, inside a table in which bytes are plainly followed.
func (m *Matcher) single(list []thread) (inside, bool) {
	if len(list) != 1 {
		return inside{}, false
	}
	return m.insideTable(list[0])
}

func (m *Matcher) insideTable(t thread) (inside, bool) {
	switch t.kind {
	case waitString:
		s := &m.values.strings[t.at]
		if c := &m.cells[t.cell]; c.kind == cellArray && s.most != noLimit && m.values.arrays[c.shape].unique {
			return inside{}, false
		}
		return inside{table: s.table, thread: t, quote: int(s.quote), counted: s.most != noLimit || s.counted && s.table.least != nil, least: s.least, most: s.most}, true
	case waitScalar:
		c := &m.cells[t.cell]
		if c.kind == cellArray && m.values.arrays[c.shape].unique || c.kind == cellReturn {
			return inside{}, false
		}
		end := anyStructure
		if !m.structured(c) {
			end = anyByte
		}
		return inside{table: m.values.scalars[t.at], thread: t, quote: end}, true
	case waitKey:
		c := &m.cells[t.cell]
		o := &m.values.objects[c.shape]
		if t.state&otherNames == 0 || o.bare {
			return inside{}, false
		}
		t.state &^= otherNames
		r := inside{table: o.others, thread: t, quote: int(o.spelling.quote)}
		if c.extra != 0 {
			r.scarce = o.otherCount
		}
		return r, true
	}
	return inside{}, false
}

// searchTable is searchNodes for one reading inside a table: fast until a byte leaves the table.
func (m *Matcher) searchTable(t *trie, at, to uint32, depth int, r inside, mask []uint64) (visited int) {
	w := &m.walk
	tab := r.table
	base := len(m.text) - depth
	w.states[depth], w.counts[depth] = int32(r.thread.state), r.thread.count
	next, columns := tab.next, tab.columns
	for at < to {
		n := &t.nodes[at]
		d := int(n.depth)
		visited++
		state := w.states[d]
		s := next[uint32(state)*columns+uint32(tab.class[n.b])]
		if s >= 0 {
			if r.counted {
				count, ok := r.count(w.counts[d], state, s)
				if !ok {
					at = n.end
					continue
				}
				w.counts[d+1] = count
			}
			if r.scarce != nil && r.scarce[s] != noLimit {
				visited += m.leaveTable(t, n, at, base, depth, r, mask)
				at = n.end
				continue
			}
			w.states[d+1], w.path[d] = s, n.b
			if n.token >= 0 {
				t.mark(n, mask)
			}
			at++
			continue
		}
		if tab.accept[state] && (int(n.b) == r.quote || r.quote == anyStructure && isStructure(n.b) || r.quote == anyByte) {
			visited += m.leaveTable(t, n, at, base, depth, r, mask)
		}
		at = n.end
	}
	m.text = m.text[:base+depth]
	return visited
}

// count is how many characters there are once a byte has led from one state to another; ok is false if these are too many,
// or if no more can follow than would still be too few.
func (r *inside) count(count uint32, from, to int32) (n uint32, ok bool) {
	t := r.table
	if !t.inside[from] {
		if count >= r.most {
			return 0, false
		}
		if count++; r.most == noLimit {
			count = min(count, r.least)
		}
	}
	if t.least != nil {
		if r.most != noLimit && count+t.least[to] > r.most || t.most[to] != noLimit && count+t.most[to] < r.least {
			return 0, false
		}
	}
	return count, true
}

// leaveTable walks a node whose byte ends the table.
func (m *Matcher) leaveTable(t *trie, n *node8, at uint32, base, depth int, r inside, mask []uint64) int {
	w := &m.walk
	d := int(n.depth)
	m.text = append(m.text[:base+depth], w.path[depth:d]...)
	x := r.thread
	x.state = uint32(w.states[d])
	if x.kind == waitKey {
		x.state |= otherNames
	}
	if x.kind == waitString {
		s := &m.values.strings[x.at]
		switch {
		case r.counted:
			x.count = w.counts[d]
		case s.counted:
			x.count = min(x.count+uint32(m.characters(r, depth, d)), s.least)
		}
	}
	w.stacks[d] = w.stacks[depth]
	w.levels[d] = append(w.levels[d][:0], x)
	m.drop(w.stacks[d])
	// The nodes above may have used these places; they are set again before they are read.
	return m.searchNodes(t, at, n.end, d, mask)
}

// characters counts the characters that begin on the path from depth to d.
func (m *Matcher) characters(r inside, depth, d int) (n int) {
	for i := depth; i < d; i++ {
		if !r.table.inside[m.walk.states[i]] {
			n++
		}
	}
	return n
}
