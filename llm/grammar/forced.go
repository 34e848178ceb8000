package grammar

// Forced appends the tokens that must come next, in the encoder's spelling, without accepting them. It
// stops before a token that other tokens begin with, because a longer one might be the canonical one.
func (m *Matcher) Forced(dst []Token) []Token {
	if m.encode == nil || m.done {
		return dst
	}
	if id, ok := m.onlySpecial(); ok {
		return append(dst, id)
	}
	keep := len(m.cells)
	var text []byte
	cur := m.threads
	var buffers [2][]thread
	for len(text) < 4096 {
		b, ok := m.only(cur)
		if !ok {
			break
		}
		i := len(text) & 1
		buffers[i] = m.step(buffers[i], cur, b)
		cur = buffers[i]
		text = append(text, b)
	}
	m.cells = m.cells[:keep]
	if len(text) == 0 {
		return dst
	}
	start := len(dst)
	dst = m.encode(dst, string(text))
	for len(dst) > start && m.vocabulary.extends[dst[len(dst)-1]] {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// onlySpecial returns the special token that must come, if all readings wait for the same one.
func (m *Matcher) onlySpecial() (id Token, ok bool) {
	for i, t := range m.threads {
		in := m.grammar.code[t.pc]
		if in.op != opToken || i > 0 && Token(in.x) != id {
			return 0, false
		}
		id, ok = Token(in.x), true
	}
	return id, ok
}

// only returns the single byte that may come, if there is just one and nothing else may happen.
func (m *Matcher) only(threads []thread) (b byte, ok bool) {
	var union class
	for _, t := range threads {
		in := m.grammar.code[t.pc]
		if in.op != opSet {
			return 0, false
		}
		for i, w := range m.grammar.classes[in.x] {
			union[i] |= w
		}
	}
	found := false
	for i := 0; i < 256; i++ {
		if union.has(byte(i)) {
			if found {
				return 0, false
			}
			b, found = byte(i), true
		}
	}
	return b, found
}
