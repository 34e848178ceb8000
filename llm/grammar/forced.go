package grammar

// maxForced is the most bytes that are forced at once.
const maxForced = 4096

// Forced appends the tokens that must come next, in the encoder's spelling, without accepting them. The last ones are left out
// while there is a longer token that begins with them and may come: the model may mean that one.
func (m *Matcher) Forced(dst []Token) []Token {
	if m.encode == nil || m.done {
		return dst
	}
	if id, ok := m.onlySpecial(); ok {
		return append(dst, id)
	}
	before, base := m.mark(), len(m.text)
	behind, complete := m.readForced()
	if text := m.text[base:]; len(text) > 0 {
		start, at, settled := len(dst), len(text), len(text)
		dst = m.encode(dst, string(text))
		if !complete {
			settled = m.settled(text, behind)
		}
		for ; !complete && len(dst) > start; dst = dst[:len(dst)-1] {
			end := at
			if at -= len(m.vocabulary.pieces[dst[len(dst)-1]]); end <= settled && !m.continues(text[at:], behind) {
				break
			}
		}
	}
	m.text = m.text[:base]
	m.drop(before)
	m.over = false
	return dst
}

// readForced reads the longest text that must come next, and returns the readings behind it. It is complete if no text may
// follow it.
func (m *Matcher) readForced() (behind []thread, complete bool) {
	m.walk.grow(m.vocabulary.depth + 1)
	from := m.threads
	for n := 0; n < maxForced; n++ {
		b, ok := m.only(from)
		if !ok {
			return from, m.textEnds(from)
		}
		to := m.read(m.walk.levels[n&1], from, b)
		m.walk.levels[n&1] = to
		m.text = append(m.text, b)
		from = to
	}
	return from, false
}

// settled returns how much of a text that was read is spelled with the same tokens whatever follows: where a word may go on, a
// token that begins inside of it may reach beyond its end, and what would have been one token is then spelled with others.
func (m *Matcher) settled(text []byte, behind []thread) int {
	word := len(text)
	for word > 0 && (text[word-1] >= 0x80 || 'a' <= text[word-1]|0x20 && text[word-1]|0x20 <= 'z') {
		word--
	}
	for at := word; at < len(text); at++ {
		if m.continues(text[at:], behind) {
			return at
		}
	}
	return len(text)
}

// continues tells whether a token begins with the last text that was read and goes on as one of the readings behind it may.
func (m *Matcher) continues(last []byte, behind []thread) bool {
	t, depth := &m.vocabulary.all, len(last)
	node, ok := t.path(last)
	if !ok || depth > m.vocabulary.depth {
		return false
	}
	w, base := &m.walk, len(m.text)
	before := m.mark()
	w.continued = append(w.continued[:0], behind...) // levels are written over
	w.levels[depth] = append(w.levels[depth][:0], w.continued...)
	w.stacks[depth] = before
	longer := m.someToken(t, node+1, t.nodes[node].end, base-depth)
	m.text = m.text[:base]
	m.drop(before)
	return longer
}

// someToken tells whether one of the nodes [at, to) is a token that may be read. The text up to base and the path to the nodes
// are in m.text, the readings before them in the levels.
func (m *Matcher) someToken(t *trie, at, to uint32, base int) bool {
	w := &m.walk
	for at < to {
		n := &t.nodes[at]
		d := int(n.depth)
		next := m.readNode(n, base)
		switch {
		case len(next) == 0:
			at = n.end
			continue
		case n.token >= 0:
			return true
		}
		m.text = append(m.text, n.b)
		w.stacks[d+1] = m.mark()
		at++
	}
	return false
}

// path returns the node at the end of a path.
func (t *trie) path(bytes []byte) (node uint32, ok bool) {
	at := t.first[bytes[0]]
	for d, b := range bytes {
		if d > 0 {
			to := t.nodes[at].end
			for at++; at < to && t.nodes[at].b != b; at = t.nodes[at].end {
			}
			if at >= to {
				return 0, false
			}
		}
		if at == noLimit {
			return 0, false
		}
	}
	return at, true
}

// textEnds tells whether only the end or special tokens may follow.
func (m *Matcher) textEnds(list []thread) bool {
	for _, t := range list {
		if t.kind != waitCode || m.grammar.code[t.state].op == opSet {
			return false
		}
	}
	return len(list) > 0
}

// onlySpecial returns the special token that must come, if all readings wait for the same one.
func (m *Matcher) onlySpecial() (id Token, ok bool) {
	for i, t := range m.threads {
		if t.kind != waitCode {
			return 0, false
		}
		in := m.grammar.code[t.state]
		if in.op != opToken || i > 0 && Token(in.x) != id {
			return 0, false
		}
		id, ok = Token(in.x), true
	}
	return id, ok
}

// only returns the single byte that may come, if there is just one and nothing else may happen.
func (m *Matcher) only(list []thread) (b byte, ok bool) {
	var may class
	for _, t := range list {
		if !m.firsts(&may, t) {
			return 0, false
		}
	}
	// may is a superset: the candidates are tried.
	before := m.mark()
	found := 0
	for i := 0; i < 256; i++ {
		if !may.has(byte(i)) {
			continue
		}
		var buffer [4]thread
		live := false
		for _, t := range list {
			if len(m.advance(buffer[:0], t, byte(i))) > 0 {
				live = true
				break
			}
		}
		m.drop(before)
		if live {
			if found++; found > 1 {
				return 0, false
			}
			b = byte(i)
		}
	}
	return b, found == 1
}

// firsts adds the bytes that may follow in a reading, or some more. It returns false where there are surely
// several, or where the text may end.
func (m *Matcher) firsts(may *class, t thread) bool {
	c := &m.cells[t.cell]
	switch t.kind {
	case waitCode:
		in := m.grammar.code[t.state]
		if in.op != opSet {
			return false
		}
		for i, w := range m.grammar.classes[in.x] {
			may[i] |= w
		}
		return true
	case waitString:
		s := &m.values.strings[t.at]
		may.add(s.quote, s.quote)
		return s.table.firsts(may, t.state)
	case waitScalar:
		s := m.values.scalars[t.at]
		return !s.accept[t.state] && s.firsts(may, t.state)
	case waitWord:
		a := &m.values.arrays[c.shape]
		n := &a.words.nodes[t.state]
		for _, e := range a.words.edges[n.first : n.first+n.count] {
			may.add(e.b, e.b)
		}
		return n.word < 0
	case waitKey:
		o := &m.values.objects[c.shape]
		if t.state&otherNames != 0 || m.othersAllowed(c, o) {
			return false
		}
		o.nameFirsts(t.state, may)
		return true
	case waitValue:
		return m.firstsOfValue(may, &m.values.nodes[t.at], t.count)
	}
	return m.firstsBetween(may, t, c)
}

func (t *table) firsts(may *class, state uint32) bool {
	row := t.next[state*t.columns : (state+1)*t.columns]
	n := 0
	for b := 0; b < 256; b++ {
		if row[t.class[b]] >= 0 {
			may.add(byte(b), byte(b))
			if n++; n > 8 {
				return false
			}
		}
	}
	return true
}

func (m *Matcher) firstsOfValue(may *class, n *valueNode, space uint32) bool {
	if int(space) < n.space {
		return false
	}
	for _, at := range n.strings {
		q := m.values.strings[at].quote
		may.add(q, q)
	}
	if len(n.objects) > 0 {
		may.add('{', '{')
	}
	if len(n.arrays) > 0 {
		may.add('[', '[')
	}
	for _, at := range n.scalars {
		if !m.values.scalars[at].firsts(may, 0) {
			return false
		}
	}
	return true
}

func (m *Matcher) firstsBetween(may *class, t thread, c *cell) bool {
	s := m.spellingOf(c)
	if int(t.count) < s.space {
		return false
	}
	member := func() bool {
		if c.kind == cellObject {
			if o := &m.values.objects[c.shape]; o.bare {
				return m.firsts(may, thread{kind: waitKey, cell: t.cell})
			}
			may.add(s.quote, s.quote)
			return true
		}
		a := &m.values.arrays[c.shape]
		if a.words != nil {
			return m.firsts(may, thread{kind: waitWord, cell: t.cell})
		}
		for _, node := range m.choices(c, a) {
			if node != noLimit && !m.firstsOfValue(may, &m.values.nodes[node], noLimit) {
				return false
			}
		}
		return true
	}
	closing := byte('}')
	if c.kind == cellArray {
		closing = ']'
	}
	switch t.kind {
	case waitColon:
		b := m.colonOf(c)[t.state]
		may.add(b, b)
		return true
	case waitNext:
		if int(t.state) < len(s.comma) {
			may.add(s.comma[t.state], s.comma[t.state])
			return true
		}
		return member()
	case waitAfter:
		may.add(s.comma[0], s.comma[0])
		may.add(closing, closing)
		return true
	}
	may.add(closing, closing)
	return !m.more(c) || member()
}
