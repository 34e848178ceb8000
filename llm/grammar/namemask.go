package grammar

// Where there are only so many undeclared names, one that has begun like those that are used, or like a declared one, may have
// to become one of them. Elsewhere what stays inside the table of undeclared names may come, as where there is no end of them.

// correctNames makes mask, which has what stays inside the table of undeclared names, right for names like known ones.
func (m *Matcher) correctNames(t thread, mask []uint64) (visited int) {
	c := &m.cells[t.cell]
	o := &m.values.objects[c.shape]
	tokens := &m.vocabulary.all
	begun := len(m.text) - int(t.count)
	for x := c.extra; x != 0; x = m.extras[x].before {
		used := m.text[m.extras[x].start:m.extras[x].end]
		if len(used) > begun && string(used[:begun]) == string(m.text[t.count:]) {
			visited += m.correctAlong(t, tokens.first[used[begun]], used[begun:], nil, mask)
		}
	}
	if t.state&otherNames == 0 {
		n := &o.names.nodes[t.state]
		for _, e := range o.names.edges[n.first : n.first+n.count] {
			visited += m.correctAlong(t, tokens.first[e.b], nil, &o.names, mask)
		}
	}
	return visited
}

// correctAlong reads the nodes from at on that are on the way of a word or, without one, of the names of a trie.
func (m *Matcher) correctAlong(t thread, at uint32, word []byte, names *wordTrie, mask []uint64) (visited int) {
	if at == noLimit {
		return 0
	}
	w := &m.walk
	tokens := &m.vocabulary.all
	before, base := m.mark(), len(m.text)
	w.levels[0], w.stacks[0], w.states[0] = append(w.levels[0][:0], t), before, int32(t.state)
	for end := tokens.nodes[at].end; at < end; {
		n := &tokens.nodes[at]
		d := int(n.depth)
		if names == nil {
			if d >= len(word) || word[d] != n.b {
				at = n.end
				continue
			}
		} else if w.states[d+1] = names.step(uint32(w.states[d]), n.b); w.states[d+1] < 0 {
			at = n.end
			continue
		}
		visited++
		next := m.readNode(n, base)
		if len(next) == 0 {
			tokens.unmarkAll(at, mask)
			at = n.end
			continue
		}
		if n.token >= 0 {
			tokens.mark(n, mask)
		}
		m.text = append(m.text, n.b)
		w.stacks[d+1] = m.mark()
		at++
	}
	m.drop(before)
	m.text = m.text[:base]
	return visited
}
