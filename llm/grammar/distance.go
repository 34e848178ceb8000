package grammar

// distance is how many bytes a reading is from the end, or a few more. It never grows faster than what is written towards the
// end shrinks it: from every reading there is a byte after which it is smaller.
func (m *Matcher) distance(t thread) uint64 {
	c := &m.cells[t.cell]
	switch t.kind {
	case waitCode:
		return m.codeDistance(t.state) + m.outside(t.cell)
	case waitValue:
		return m.valueCost(t.at) + m.behindValue(t.cell)
	case waitString:
		return m.stringDistance(t, c) + m.behindValue(t.cell)
	case waitScalar:
		return m.scalarDistance(t, c) + m.behindValue(t.cell)
	case waitWord:
		return uint64(m.wordDistance(c, t.state)) + m.afterMember(t.cell, 1)
	case waitKey:
		return m.keyDistance(t, c)
	case waitColon:
		return uint64(len(m.colonOf(c))) - uint64(t.state) + m.valueCost(t.at) + m.afterMember(t.cell, 0)
	case waitNext:
		return uint64(len(m.spellingOf(c).comma)) - uint64(t.state) + m.nextMember(t.cell)
	case waitOpen:
		if m.closable(c) {
			return m.closing(c) + m.behindValue(c.parent)
		}
		return m.nextMember(t.cell)
	}
	return m.afterMember(t.cell, 0)
}

func (m *Matcher) valueCost(node uint32) uint64 {
	if node == noLimit {
		return costLimit
	}
	return uint64(m.values.nodes[node].cost)
}

// closing is the length of the bracket that closes a cell; arguments of a call have none of their own.
func (m *Matcher) closing(c *cell) uint64 {
	if c.kind == cellObject && m.values.objects[c.shape].bare {
		return 0
	}
	return 1
}

// behindValue is the distance from the end of a value in a cell.
func (m *Matcher) behindValue(at uint32) uint64 {
	if m.cells[at].kind == cellArray {
		return m.afterMember(at, 1)
	}
	return m.afterMember(at, 0)
}

// outside is the distance from where the calls on the stack return.
func (m *Matcher) outside(at uint32) (sum uint64) {
	for at != 0 {
		c := &m.cells[at]
		if c.kind != cellReturn {
			return sum + m.afterMember(at, 0)
		}
		sum += m.codeDistance(c.shape)
		if in := m.grammar.code[c.shape]; in.op == opCount { // behind one of several repetitions, of which this one counts
			r := m.grammar.repeats[in.y]
			if have := c.count + 1; have < r.least {
				sum += uint64(r.least-have) * m.codeDistance(r.once)
			}
		}
		at = c.parent
	}
	return sum
}

func (m *Matcher) codeDistance(pc uint32) uint64 { return uint64(m.grammar.distance[pc]) }

// afterMember is the distance from behind a member of a cell, when so many more than it counts are there.
func (m *Matcher) afterMember(at uint32, more uint32) uint64 {
	c := &m.cells[at]
	if c.kind == cellReturn {
		return m.outside(at)
	}
	sum := m.closing(c) + m.behindValue(c.parent)
	if c.kind == cellArray {
		return sum + m.itemsMissing(c, more)
	}
	return sum + m.namesMissing(c, noName, 0)
}

// nextMember is the distance from where a member has to begin.
func (m *Matcher) nextMember(at uint32) uint64 {
	c := &m.cells[at]
	sum := m.closing(c) + m.behindValue(c.parent)
	if c.kind == cellArray {
		return sum + m.nextItem(c)
	}
	names := m.namesMissing(c, noName, 0)
	if names == 0 {
		names = m.cheapestName(c, &m.values.objects[c.shape])
	}
	return sum + names - uint64(len(m.spellingOf(c).comma))
}

// itemsMissing is the length of the items that have to come, commas before them included, when so many more than the cell
// counts are there.
func (m *Matcher) itemsMissing(c *cell, more uint32) uint64 {
	a := &m.values.arrays[c.shape]
	if a.counts != nil { // an item that is being written counts already
		return uint64(a.counts.ending(c.count+more, c.used, -1))
	}
	count, comma, sum := c.count+more, uint64(len(a.spelling.comma)), uint64(0)
	for ; count < a.least && int(count) < len(a.prefix); count++ {
		sum += m.valueCost(a.prefix[count].choices[0]) + comma
	}
	if count >= a.least {
		return sum
	}
	need := a.least - count
	if !a.unique {
		return sum + uint64(need)*(m.valueCost(a.rest.choices[0])+comma)
	}
	for i := range need {
		sum += a.distinctCost(count+i) + comma
	}
	return sum
}

// nextItem is the length of an item that has to come now, and of those that have to come after it.
func (m *Matcher) nextItem(c *cell) uint64 {
	a := &m.values.arrays[c.shape]
	switch {
	case a.counts != nil:
		best := uint64(costLimit)
		for set, node := range m.choices(c, a) {
			if m.choosable(c, a, set) {
				best = min(best, m.valueCost(node)+uint64(a.counts.ending(c.count, c.used, set)))
			}
		}
		return best
	case a.words != nil:
		return uint64(m.wordDistance(c, 0)) + m.itemsMissing(c, 1)
	case a.unique:
		return a.distinctCost(m.usedItems(c)) + m.itemsMissing(c, 1)
	}
	return m.valueCost(m.choices(c, a)[0]) + m.itemsMissing(c, 1)
}

// distinctCost is the cost of an item of a unique array that differs from so many others.
func (a *arrayShape) distinctCost(others uint32) uint64 {
	if n := len(a.distinct); int(others) >= n {
		return uint64(a.distinct[n-1]) + uint64(int(others)-n+1)*maxCharacter
	}
	return uint64(a.distinct[others])
}

// digits is how many a number has.
func digits(n uint32) (out int) {
	for out = 1; n >= 10; n /= 10 {
		out++
	}
	return out
}

// maxCharacter is the most bytes that a character is written with.
const maxCharacter = 6

// wordDistance is the length of the rest of the shortest unused word below a state.
func (m *Matcher) wordDistance(c *cell, state uint32) int {
	a := &m.values.arrays[c.shape]
	n := &a.words.nodes[state]
	depth := m.wordDepth(a.words, state)
	best := costLimit
	for w := n.low; w < n.high; w++ {
		if m.unused(c, w, w+1) {
			best = min(best, len(a.words.words[w])-depth)
		}
	}
	return best
}

// wordDepth is how many bytes lead to a state.
func (m *Matcher) wordDepth(t *wordTrie, state uint32) (depth int) {
	word := t.words[t.nodes[state].low]
	for at := uint32(0); at != state; depth++ {
		at = uint32(t.step(at, word[depth]))
	}
	return depth
}

// stringDistance is the length of the rest of a string, its quote included.
func (m *Matcher) stringDistance(t thread, c *cell) uint64 {
	s := &m.values.strings[t.at]
	if c.kind != cellArray || !m.values.arrays[c.shape].unique || c.extra == 0 {
		return s.ending(t.state, t.count) + 1
	}
	return m.differing(s, t, c, m.text[min(int(c.last), len(m.text)):])
}

// differing is the length of the rest of a string that is none of those that its array has.
func (m *Matcher) differing(s *stringShape, t thread, c *cell, text []byte) uint64 {
	if !m.begunLike(c, text) {
		return s.ending(t.state, t.count) + 1
	}
	// Another text may go on as this one does for long, and end like it: it needs a byte more at the latest.
	return s.ending(t.state, t.count) + 1 + uint64(m.usedItems(c))*maxCharacter
}

// usedItems is how many items a unique array has.
func (m *Matcher) usedItems(c *cell) (n uint32) {
	for e := c.extra; e != 0; e = m.extras[e].before {
		n++
	}
	return n
}

// begunLike tells whether an item or a name of the cell begins with text.
func (m *Matcher) begunLike(c *cell, text []byte) bool {
	for e := c.extra; e != 0; e = m.extras[e].before {
		before := m.text[m.extras[e].start:m.extras[e].end]
		if len(before) >= len(text) && string(before[:len(text)]) == string(text) {
			return true
		}
	}
	return false
}

// scalarDistance is the length of the rest of a number or a literal.
func (m *Matcher) scalarDistance(t thread, c *cell) uint64 {
	d := uint64(m.values.scalars[t.at].distance[t.state])
	if c.kind != cellArray || !m.values.arrays[c.shape].unique || c.extra == 0 {
		return d
	}
	if d == 0 && !m.again(c, uint32(len(m.text))) {
		return 0
	}
	return d + 1 + uint64(digits(m.usedItems(c))) // a digit more, or a few, and it is another number
}
