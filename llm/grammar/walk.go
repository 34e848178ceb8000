package grammar

import (
	"iter"
	"math/bits"
	"slices"
)

// walker holds what a walk over the trie of tokens needs, by depth.
type walker struct {
	levels  [][]thread
	stacks  []stack
	states  []int32
	counts  []uint32
	path    []byte
	filters []filter   // bytes that can come next
	groups  [][]uint64 // sets of tokens that are being found
	blank   bool       // nothing has been written to the mask
	stayed  *ready     // whose tokens were added last
	ends    []uint64   // a set of endings
	known   [4]knownTails
	oldest  int      // of known
	pruned  []uint64 // the mask before prune
	stay    stayWalk
	spare   []uint64 // a mask that is put together apart

	continued []thread // readings behind forced text
}

// threadsPerLevel is how many readings a level has room for to begin with.
const threadsPerLevel = 4

func (w *walker) grow(depth int) {
	old, n := len(w.levels), depth+2
	if old >= n {
		return
	}
	room := make([]thread, (n-old)*threadsPerLevel)
	w.levels = slices.Grow(w.levels, n-old)
	for at := 0; at < len(room); at += threadsPerLevel {
		w.levels = append(w.levels, room[at:at:at+threadsPerLevel])
	}
	w.stacks = slices.Grow(w.stacks, n-old)[:n]
	w.states = slices.Grow(w.states, n-old)[:n]
	w.counts = slices.Grow(w.counts, n-old)[:n]
	w.path = slices.Grow(w.path, n-old)[:n]
	w.filters = slices.Grow(w.filters, n-old)[:n]
}

func (w *walker) growGroups(n, words int) {
	for len(w.groups) < n {
		w.groups = append(w.groups, nil)
	}
	for i := range n {
		w.groups[i] = slices.Grow(w.groups[i][:0], words)[:words]
		clear(w.groups[i])
	}
}

// grown is s with n elements, whatever they are.
func grown[E any](s []E, n int) []E { return slices.Grow(s[:0], n)[:n] }

func (w *walker) growSets(v *Vocabulary) {
	for k := range v.endings {
		e := &v.endings[k]
		w.ends = slices.Grow(w.ends, e.words)[:max(len(w.ends), e.words)]
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
	m.walk.stayed, m.walk.blank = nil, true
	for _, t := range m.threads {
		visited += m.allowedBy(t, mask)
	}
	m.walk.begin(mask)
	return visited
}

// begin clears the mask before the first bits are written.
func (w *walker) begin(mask []uint64) {
	if w.blank {
		clear(mask)
		w.blank = false
	}
}

// allowedBy adds the tokens that one reading allows; it returns how many nodes it visited. Readings go on apart from each
// other, so what all of them allow costs no more than the sum. In most places most tokens are known from tables, and only the
// few that leave what is being read are walked.
func (m *Matcher) allowedBy(t thread, mask []uint64) int {
	if r, ok := m.inTable(t); ok {
		if visited, ok := m.tableMask(t, r, mask); ok {
			return visited
		}
	}
	m.walk.begin(mask)
	if visited, ok := m.valueMask(t, mask); ok {
		return visited
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
	before, base := m.mark(), len(m.text)
	w.levels[0], w.stacks[0] = append(w.levels[0][:0], from), before
	r, ok := m.insideTable(from)
	switch {
	case !ok:
		visited = m.searchFrom(t, mask)
	case r.quote == anyStructure:
		firsts := structure
		r.table.leaving(from.state, &firsts)
		for at := range t.starting(&firsts) {
			visited += m.searchTable(t, at, t.nodes[at].end, 0, r, mask)
		}
	default:
		visited = m.searchTable(t, 0, uint32(len(t.nodes)), 0, r, mask)
	}
	m.drop(before)
	m.text = m.text[:base]
	return visited
}

// searchFrom walks a whole trie from the readings in levels[0].
func (m *Matcher) searchFrom(t *trie, mask []uint64) int {
	list := m.walk.levels[0]
	var firsts class
	if len(list) != 1 || !m.beginnings(list[0], &firsts) {
		return m.searchNodes(t, 0, uint32(len(t.nodes)), 0, mask)
	}
	return m.searchFirsts(t, &firsts, mask)
}

// searchFirsts walks what begins with some bytes from the readings in levels[0].
func (m *Matcher) searchFirsts(t *trie, firsts *class, mask []uint64) (visited int) {
	for at := range t.starting(firsts) {
		visited += m.searchNodes(t, at, t.nodes[at].end, 0, mask)
	}
	return visited
}

// starting goes through the nodes at depth 0 with one of the bytes.
func (t *trie) starting(firsts *class) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i, set := range firsts {
			for ; set != 0; set &= set - 1 {
				if at := t.first[i<<6|bits.TrailingZeros64(set)]; at != noLimit && !yield(at) {
					return
				}
			}
		}
	}
}

// filter are the bytes that can come next, if they are known.
type filter struct {
	bytes class
	on    bool
}

// filteredNodes is how many nodes there have to be for finding out which bytes can come.
const filteredNodes = 16

// readNode reads the byte of a node on, from the readings at its parent. The text up to base and the path to the parent are in
// m.text.
func (m *Matcher) readNode(n *node8, base int) []thread {
	w, d := &m.walk, int(n.depth)
	m.text = m.text[:base+d]
	m.drop(w.stacks[d])
	w.levels[d+1] = m.read(w.levels[d+1], w.levels[d], n.b)
	return w.levels[d+1]
}

// searchNodes walks the nodes [at, to), which are at depth or below; the readings before them are in
// levels[depth], and m.text ends with the path to them.
func (m *Matcher) searchNodes(t *trie, at, to uint32, depth int, mask []uint64) (visited int) {
	w := &m.walk
	base := len(m.text) - depth
	w.filters[depth].on = false
	for at < to {
		n := &t.nodes[at]
		d := int(n.depth)
		if f := &w.filters[d]; f.on && !f.bytes.has(n.b) {
			at = n.end
			continue
		}
		visited++
		next := m.readNode(n, base)
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
		f := &w.filters[d+1]
		f.on = len(next) == 1 && n.end-at > filteredNodes && m.beginnings(next[0], &f.bytes)
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
