package grammar

import "slices"

// walker holds what a walk over the trie of tokens needs, by depth.
type walker struct {
	levels [][]thread
	stacks []stack
	states []int32
	counts []uint32
	path   []byte
	stayed []uint64 // the ready mask that was added last
	firsts class    // bytes that can come next
	ends   []uint64 // sets of endings and tails
	tails  []uint64
	pruned []uint64 // the mask before prune
}

func (w *walker) grow(depth int) {
	for len(w.levels) < depth+2 {
		w.levels = append(w.levels, make([]thread, 0, 4))
		w.stacks = append(w.stacks, stack{})
		w.states = append(w.states, 0)
		w.counts = append(w.counts, 0)
		w.path = append(w.path, 0)
	}
}

func (w *walker) growSets(v *Vocabulary) {
	for k := range v.endings {
		e := &v.endings[k]
		w.ends = slices.Grow(w.ends, e.words)[:max(len(w.ends), e.words)]
		w.tails = slices.Grow(w.tails, len(e.spans)/64+1)[:max(len(w.tails), len(e.spans)/64+1)]
	}
}

// Allowed sets mask to the tokens that may come next. mask is at least [Vocabulary.Words] long.
func (m *Matcher) Allowed(mask []uint64) error {
	words := m.vocabulary.words
	clear(mask[words:])
	if err := m.allowed(mask[:words]); err != nil {
		return err
	}
	m.prune(mask[:words])
	return nil
}

func (m *Matcher) allowed(mask []uint64) error {
	v, g := m.vocabulary, m.grammar
	m.walk.grow(v.depth + 1)
	m.walk.growSets(v)
	key, cacheable := m.key()
	if cacheable && g.cache.load(key, v, mask) {
		return nil
	}
	visited := m.fill(mask)
	if err := m.finishMask(mask); err != nil {
		return err
	}
	if cacheable && visited > minCachedWalk {
		g.cache.store(key, v, mask)
	}
	return nil
}

// fill sets mask to the ordinary tokens that may come next; it returns how many nodes it visited.
func (m *Matcher) fill(mask []uint64) (visited int) {
	clear(mask)
	m.walk.stayed = nil
	for _, t := range m.threads {
		visited += m.allowedBy(t, mask)
	}
	return visited
}

// allowedBy adds the tokens that one reading allows; it returns how many nodes it visited. Readings go on apart from each
// other, so what all of them allow costs no more than the sum: most are inside strings and names, where only the tokens with
// a quote are walked.
func (m *Matcher) allowedBy(t thread, mask []uint64) int {
	if r, ok := m.inTable(t); ok {
		if visited, ok := m.tableMask(t, r, mask); ok {
			return visited
		}
	}
	return m.search(&m.vocabulary.all, t, mask)
}

// minCachedWalk is how many trie nodes a walk visits before its mask is worth keeping.
const minCachedWalk = 100

// finishMask adds the special tokens.
func (m *Matcher) finishMask(mask []uint64) error {
	for _, t := range m.threads {
		if t.kind != waitCode {
			continue
		}
		if in := m.grammar.code[t.state]; in.op == opToken && int(in.x) < m.vocabulary.Len() {
			setBit(mask, int(in.x))
		}
	}
	if m.over {
		m.over = false
		return ErrTooAmbiguous
	}
	return nil
}

// key names the readings with their whole stacks.
func (m *Matcher) key() (uint64, bool) {
	h := uint64(len(m.threads))
	for _, t := range m.threads {
		h = mix(h, uint64(t.kind)<<32|uint64(t.at))
		c := &m.cells[t.cell]
		if t.kind == waitKey {
			h = mix(h, uint64(t.state))
			if c.extra != 0 {
				return 0, false
			}
		} else {
			h = mix(h, uint64(t.state)<<32|uint64(t.count))
			if c.extra != 0 && (t.kind == waitString || t.kind == waitScalar) {
				return 0, false
			}
		}
		h = mix(h, c.hash)
	}
	return h, true
}

// search walks a whole trie from one reading.
func (m *Matcher) search(t *trie, from thread, mask []uint64) (visited int) {
	w := &m.walk
	w.levels[0] = append(w.levels[0][:0], from)
	w.stacks[0] = m.mark()
	base := len(m.text)
	r, ok := m.single(w.levels[0])
	nodes := func(at, to uint32) int {
		if ok {
			return m.searchTable(t, at, to, 0, r, mask)
		}
		return m.searchNodes(t, at, to, 0, mask)
	}
	if m.beginnings(from, &w.firsts) {
		for i, bits := range w.firsts {
			for ; bits != 0; bits &= bits - 1 {
				if at := t.first[i<<6|trailingZeros(bits)]; at != noLimit {
					visited += nodes(at, t.nodes[at].end)
				}
			}
		}
	} else {
		visited = nodes(0, uint32(len(t.nodes)))
	}
	m.drop(w.stacks[0])
	m.text = m.text[:base]
	return visited
}

// searchNodes walks the nodes [at, to), which are at depth or below; the readings before them are in
// levels[depth], and m.text ends with the path to them.
func (m *Matcher) searchNodes(t *trie, at, to uint32, depth int, mask []uint64) (visited int) {
	w := &m.walk
	base := len(m.text) - depth
	for at < to {
		n := &t.nodes[at]
		d := int(n.depth)
		visited++
		m.text = m.text[:base+d]
		m.drop(w.stacks[d])
		next := m.read(w.levels[d+1], w.levels[d], n.b)
		w.levels[d+1] = next
		if len(next) == 0 {
			at = n.end
			continue
		}
		if n.token >= 0 {
			t.mark(n, mask)
		}
		if at+1 == n.end {
			at++
			continue
		}
		m.text = append(m.text, n.b)
		w.stacks[d+1] = m.mark()
		if r, ok := m.single(next); ok {
			visited += m.searchTable(t, at+1, n.end, d+1, r, mask)
			at = n.end
			continue
		}
		at++
	}
	return visited
}

func (t *trie) mark(n *node8, mask []uint64) {
	setBit(mask, int(n.token))
	for s := n.next; s >= 0; s = t.same[s].next {
		setBit(mask, int(t.same[s].token))
	}
}

// inside is a reading inside a table.
type inside struct {
	table   *table
	thread  thread
	quote   int    // the byte that ends it, or anyStructure or anyByte
	counted bool   // characters are counted,
	most    uint32 // up to most
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
		if s.table.least != nil {
			return inside{}, false
		}
		if c := &m.cells[t.cell]; c.kind == cellArray && s.most != noLimit && m.values.arrays[c.shape].unique {
			return inside{}, false
		}
		return inside{s.table, t, int(s.quote), s.most != noLimit, s.most}, true
	case waitScalar:
		if c := &m.cells[t.cell]; c.kind == cellArray && m.values.arrays[c.shape].unique {
			return inside{}, false
		}
		if m.cells[t.cell].kind == cellReturn {
			return inside{}, false
		}
		end := anyStructure
		if !m.structured(&m.cells[t.cell]) {
			end = anyByte
		}
		return inside{m.values.scalars[t.at], t, end, false, 0}, true
	case waitKey:
		c := &m.cells[t.cell]
		o := &m.values.objects[c.shape]
		if t.state&otherNames == 0 || c.extra != 0 || o.bare {
			return inside{}, false
		}
		t.state &^= otherNames
		return inside{o.others, t, int(o.spelling.quote), false, 0}, true
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
				count := w.counts[d]
				if !tab.inside[state] {
					if count >= r.most {
						at = n.end
						continue
					}
					count++
				}
				w.counts[d+1] = count
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

// inTable tells whether a reading is inside a string or a name, where most tokens go on inside.
func (m *Matcher) inTable(t thread) (inside, bool) {
	if r, ok := m.inName(t); ok {
		return r, true
	}
	r, ok := m.insideTable(t)
	return r, ok && r.quote >= 0
}

// inName is inTable for a name where any number of undeclared ones is allowed: the tokens that stay inside are those of the
// table of undeclared names, whether or not the name is still like a declared one and whichever names have been used. Only
// where a name ends does that matter, and such tokens are walked.
func (m *Matcher) inName(t thread) (inside, bool) {
	if t.kind != waitKey {
		return inside{}, false
	}
	c := &m.cells[t.cell]
	o := &m.values.objects[c.shape]
	if !o.endless || o.bare {
		return inside{}, false
	}
	if t.state&otherNames != 0 {
		t.state &^= otherNames
	} else {
		other := o.names.nodes[t.state].other
		if other < 0 || !m.othersAllowed(c, o) {
			return inside{}, false
		}
		t.state = uint32(other)
	}
	return inside{o.others, t, int(o.spelling.quote), false, 0}, true
}

// tableMask adds what a reading inside a table allows from the ready masks: tokens that stay inside, and those
// with the byte that ends it, which are walked. It does nothing where there is no ready mask.
func (m *Matcher) tableMask(t thread, r inside, mask []uint64) (visited int, ok bool) {
	v, w := m.vocabulary, &m.walk
	k := quoteIndex(byte(r.quote))
	if k < 0 {
		return 0, false
	}
	if !r.counted || r.most-r.thread.count >= uint32(v.longest) {
		ready := r.table.stay(m, r)
		stay := ready.stay
		if len(w.stayed) == 0 || &w.stayed[0] != &stay[0] {
			w.stayed = stay
			for i, bits := range stay {
				mask[i] |= bits
			}
		}
		if value, ok := m.plainEnd(t, r); ok {
			return m.endMask(&v.endings[k], t, value, ready.ends[k], mask), true
		}
		return m.search(&v.quoted[k], t, mask), true
	}
	if r.table.inside[r.thread.state] {
		return 0, false
	}
	// Safe tokens by their number of characters, all others one by one.
	v.addAtMost(r.most-r.thread.count, r.table.stay(m, r).stay, mask)
	return m.search(&v.remainder, t, mask), true
}

// stay is the set of tokens that stay inside t from the state of r, lengths aside. Tables of the same content share it,
// whatever grammar they belong to: nearly every schema has the table of a plain string.
func (t *table) stay(m *Matcher, r inside) *ready {
	v := m.vocabulary
	s := &v.stays
	key := stayKey{t.contentKey(), r.thread.state}
	s.mutex.RLock()
	known := s.masks[key]
	s.mutex.RUnlock()
	if known != nil {
		return known
	}
	known = &ready{stay: make([]uint64, v.words)}
	t.walkInside(&m.walk, &v.all, int32(r.thread.state), known.stay)
	for k, quote := range []byte{'"', '\''} {
		known.ends[k] = v.endings[k].ends(&m.walk, t, int32(r.thread.state), quote)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.masks == nil || len(s.masks) >= maxStayMasks {
		s.masks = map[stayKey]*ready{}
	}
	s.masks[key] = known
	return known
}

// maxStayMasks bounds what a vocabulary keeps: 8 MiB with 128,256 tokens.
const maxStayMasks = 512

// walkInside marks the tokens that can be read inside the table from a state.
func (t *table) walkInside(w *walker, tokens *trie, state int32, mask []uint64) {
	next, columns := t.next, t.columns
	w.states[0] = state
	for at := uint32(0); at < uint32(len(tokens.nodes)); {
		n := &tokens.nodes[at]
		s := next[uint32(w.states[n.depth])*columns+uint32(t.class[n.b])]
		if s < 0 {
			at = n.end
			continue
		}
		w.states[n.depth+1] = s
		if n.token >= 0 {
			tokens.mark(n, mask)
		}
		at++
	}
}
