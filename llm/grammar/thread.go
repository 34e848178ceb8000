package grammar

// threadKind says what a reading waits for.
type threadKind uint32

const (
	waitCode   threadKind = iota // the instruction at state; count is the register
	waitValue                    // the first byte of a value of node at; count is the white space so far
	waitString                   // inside string shape at, in state of its table, after count characters
	waitScalar                   // inside scalar table at, in state
	waitWord                     // inside an item of a unique array of words: state in its trie
	waitOpen                     // just inside an array or object; count is the white space so far
	waitAfter                    // behind a member; count is the white space so far
	waitNext                     // behind state bytes of a comma; count is the white space so far
	waitKey                      // inside a name that began at byte count of the text: state in the trie or behind otherNames in others
	waitColon                    // behind a name and state bytes of a colon, before a value of node at; count is the white space so far
)

// otherNames marks states of an object's others table.
const otherNames = 1 << 31

// thread is one reading of the text so far: where it is, and in which cell of the stack.
type thread struct {
	kind             threadKind
	at, state, count uint32
	cell             uint32
}

type cellKind uint32

const (
	cellReturn cellKind = iota // to the instruction at shape, with count as its register
	cellArray
	cellObject
)

// cell is an array, an object or a call that is not finished. Cells do not change: what goes on inside one
// makes a new one with the same parent. Cell 0 is the empty stack.
type cell struct {
	kind   cellKind
	shape  uint32
	parent uint32
	count  uint32 // members so far, as far as it matters
	used   uint64 // names so far, or where their set begins; of arrays: matches of each contains, 20 bits each
	last   uint32 // ordered objects: least rank of the next name; unique arrays: where the item began
	extra  uint32 // last of the undeclared names or unique items so far, 0 if there are none
	hash   uint64 // of all of it and of the cells below
}

// extra is a part of the text that may not come again in its array or object.
type extra struct{ start, end, before uint32 }

func mix(h, x uint64) uint64 {
	h = (h ^ x) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// push adds a cell.
func (m *Matcher) push(c cell) uint32 {
	h := mix(m.cells[c.parent].hash, uint64(c.kind)<<32|uint64(c.shape))
	h = mix(h, uint64(c.count))
	set := c.used
	if words := m.setSize(&c); words > 1 {
		set = 0
		for _, w := range m.sets[c.used : c.used+uint64(words)] {
			h = mix(h, w)
		}
	}
	if c.kind == cellObject {
		h = mix(h, uint64(c.last))
	}
	h = mix(h, set)
	for e := c.extra; e != 0; e = m.extras[e].before {
		h = mix(h, textHash(m.text[m.extras[e].start:m.extras[e].end]))
	}
	c.hash = h
	m.cells = append(m.cells, c)
	return uint32(len(m.cells) - 1)
}

// setSize is how many words the set of a cell has; up to one they are in the cell.
func (m *Matcher) setSize(c *cell) int {
	switch c.kind {
	case cellObject:
		return m.values.objects[c.shape].words
	case cellArray:
		if t := m.values.arrays[c.shape].words; t != nil {
			return setWords(len(t.words))
		}
	}
	return 0
}

func textHash(text []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range text {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// stack is how much of the matcher's memory is in use; what was added later can be dropped again.
type stack struct{ cells, sets, extras int }

func (m *Matcher) mark() stack { return stack{len(m.cells), len(m.sets), len(m.extras)} }

func (m *Matcher) drop(s stack) {
	m.cells, m.sets, m.extras = m.cells[:s.cells], m.sets[:s.sets], m.extras[:s.extras]
}

// add appends t unless the same reading is there.
func (m *Matcher) add(dst []thread, t thread) []thread {
	for i := range dst {
		o := &dst[i]
		if o.kind == t.kind && o.at == t.at && o.state == t.state && o.count == t.count && (o.cell == t.cell || m.cells[o.cell].hash == m.cells[t.cell].hash) {
			return dst
		}
	}
	if len(dst) >= maxThreads {
		m.over = true
		return dst
	}
	return append(dst, t)
}

// advance appends the readings that follow t when b is read. b is not yet part of m.text.
func (m *Matcher) advance(dst []thread, t thread, b byte) []thread {
	switch t.kind {
	case waitCode:
		in := m.grammar.code[t.state]
		if in.op == opSet && m.grammar.classes[in.x].has(b) {
			dst = m.follow(dst, in.y, t.cell, t.count)
		}
		return dst
	case waitString:
		return m.inString(dst, t, b)
	case waitScalar:
		return m.inScalar(dst, t, b)
	case waitKey:
		return m.inKey(dst, t, b)
	case waitWord:
		return m.inWord(dst, t, b)
	case waitValue:
		n := &m.values.nodes[t.at]
		if isSpace(b) && int(t.count) < n.space {
			t.count++
			return m.add(dst, t)
		}
		return m.begin(dst, n, t.cell, b)
	}
	return m.between(dst, t, b)
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

// begin reads the first byte of a value in cell.
func (m *Matcher) begin(dst []thread, n *valueNode, in uint32, b byte) []thread {
	switch b {
	case '"', '\'':
		for _, at := range n.strings {
			if m.values.strings[at].quote == b {
				dst = m.add(dst, thread{kind: waitString, at: at, cell: in})
			}
		}
	case '{':
		for _, at := range n.objects {
			dst = m.open(dst, cellObject, at, in)
		}
	case '[':
		for _, at := range n.arrays {
			dst = m.open(dst, cellArray, at, in)
		}
	default:
		for _, at := range n.scalars {
			if next := m.values.scalars[at].step(0, b); next >= 0 {
				dst = m.scalar(dst, thread{kind: waitScalar, at: at, state: uint32(next), cell: in}, b)
			}
		}
	}
	return dst
}

func (m *Matcher) open(dst []thread, kind cellKind, at, parent uint32) []thread {
	c := cell{kind: kind, shape: at, parent: parent}
	if words := m.setSize(&c); words > 1 {
		c.used = uint64(len(m.sets))
		for range words {
			m.sets = append(m.sets, 0)
		}
	}
	return m.behind(dst, waitOpen, m.push(c))
}

// behind adds a reading that waits in a cell. Arguments of a call may end without a byte of their own.
func (m *Matcher) behind(dst []thread, kind threadKind, at uint32) []thread {
	dst = m.add(dst, thread{kind: kind, cell: at})
	if c := &m.cells[at]; c.kind == cellObject && m.values.objects[c.shape].bare && m.closable(c) {
		dst = m.finish(dst, c.parent, 0)
	}
	return dst
}

// scalar adds a reading that is inside a scalar after b, and, where nothing else ends the value, behind it.
func (m *Matcher) scalar(dst []thread, t thread, b byte) []thread {
	s := m.values.scalars[t.at]
	open := s.open(int32(t.state))
	if !s.accept[t.state] {
		return m.add(dst, t)
	}
	c := &m.cells[t.cell]
	if c.kind == cellArray && m.values.arrays[c.shape].unique && !open {
		// Nothing can make this item longer, so it has to differ now.
		m.text = append(m.text, b)
		again := m.again(c, uint32(len(m.text)))
		m.text = m.text[:len(m.text)-1]
		if !again {
			dst = m.add(dst, t)
		}
		return dst
	}
	if open || c.kind != cellReturn {
		dst = m.add(dst, t)
	}
	if c.kind == cellReturn {
		dst = m.finish(dst, t.cell, 0)
	}
	return dst
}

func (m *Matcher) inScalar(dst []thread, t thread, b byte) []thread {
	s := m.values.scalars[t.at]
	if next := s.step(int32(t.state), b); next >= 0 {
		t.state = uint32(next)
		return m.scalar(dst, t, b)
	}
	if !s.accept[t.state] || m.cells[t.cell].kind == cellReturn {
		return dst
	}
	return m.through(dst, t.cell, b)
}

// through finishes a value in a cell with the byte behind it.
func (m *Matcher) through(dst []thread, at uint32, b byte) []thread {
	m.ended = m.finish(m.ended[:0], at, uint32(len(m.text)))
	for _, t := range m.ended {
		dst = m.advance(dst, t, b)
	}
	return dst
}

func (m *Matcher) inString(dst []thread, t thread, b byte) []thread {
	s := &m.values.strings[t.at]
	next := s.table.step(int32(t.state), b)
	inside := s.table.inside[t.state]
	if next < 0 {
		if b == s.quote && !inside && s.table.accept[t.state] && t.count >= s.least {
			dst = m.finish(dst, t.cell, uint32(len(m.text)))
		}
		return dst
	}
	if s.counted {
		if !inside {
			if t.count >= s.most {
				return dst
			}
			if t.count++; s.most == noLimit {
				t.count = min(t.count, s.least)
			}
		}
		if s.table.least != nil {
			least, most := s.table.least[next], s.table.most[next]
			if s.most != noLimit && t.count+least > s.most || most != noLimit && t.count+most < s.least {
				return dst
			}
		}
	}
	t.state = uint32(next)
	if c := &m.cells[t.cell]; c.kind == cellArray && t.count >= s.most && !s.table.inside[next] && m.values.arrays[c.shape].unique {
		m.text = append(m.text, b)
		again := m.again(c, uint32(len(m.text)))
		m.text = m.text[:len(m.text)-1]
		if again {
			return dst // it cannot be made longer, so it has to differ now
		}
	}
	return m.add(dst, t)
}

// finish goes on behind a value in a cell. end is where the value's text ends.
func (m *Matcher) finish(dst []thread, at uint32, end uint32) []thread {
	c := m.cells[at]
	switch c.kind {
	case cellReturn:
		return m.follow(dst, c.shape, c.parent, c.count)
	case cellObject:
		return m.behind(dst, waitAfter, at)
	}
	a := &m.values.arrays[c.shape]
	if a.unique && a.words == nil {
		if m.again(&c, end) {
			return dst
		}
		m.extras = append(m.extras, extra{c.last, end, c.extra})
		c.extra = uint32(len(m.extras) - 1)
	}
	if c.count++; a.most == noLimit {
		c.count = min(c.count, max(a.least, uint32(len(a.prefix))))
	}
	return m.add(dst, thread{kind: waitAfter, cell: m.push(c)})
}

// again tells whether the text from c.last to end was an item before.
func (m *Matcher) again(c *cell, end uint32) bool {
	item := m.text[c.last:end]
	number := item[0] == '-' || item[0] >= '0' && item[0] <= '9'
	for e := c.extra; e != 0; e = m.extras[e].before {
		before := m.text[m.extras[e].start:m.extras[e].end]
		if string(before) == string(item) {
			return true
		}
		if number && (before[0] == '-' || before[0] >= '0' && before[0] <= '9') {
			x, err1 := parseNumber(string(item))
			y, err2 := parseNumber(string(before))
			if err1 == nil && err2 == nil && x.Cmp(y) == 0 {
				return true
			}
		}
	}
	return false
}

// between reads a byte between members: brackets, separators and white space.
func (m *Matcher) between(dst []thread, t thread, b byte) []thread {
	c := &m.cells[t.cell]
	s := m.spellingOf(c)
	if isSpace(b) && int(t.count) < s.space {
		t.count++
		return m.add(dst, t)
	}
	switch t.kind {
	case waitOpen, waitAfter:
		if b == s.comma[0] && t.kind == waitAfter {
			if m.more(c) {
				dst = m.add(dst, thread{kind: waitNext, state: 1, cell: t.cell})
			}
			return dst
		}
		if c.kind == cellArray && b == ']' || c.kind == cellObject && b == '}' && !m.values.objects[c.shape].bare {
			if m.closable(c) {
				dst = m.finish(dst, c.parent, uint32(len(m.text)))
			}
			return dst
		}
		if t.kind == waitOpen && m.more(c) {
			return m.member(dst, t.cell, b)
		}
	case waitNext:
		if int(t.state) < len(s.comma) {
			if b == s.comma[t.state] {
				t.state++
				dst = m.add(dst, t)
			}
			return dst
		}
		return m.member(dst, t.cell, b)
	case waitColon:
		if colon := m.colonOf(c); b == colon[t.state] {
			if t.state++; int(t.state) == len(colon) {
				return m.add(dst, thread{kind: waitValue, at: t.at, cell: t.cell})
			}
			t.count = 0
			dst = m.add(dst, t)
		}
	}
	return dst
}

func (m *Matcher) spellingOf(c *cell) *spelling {
	if c.kind == cellArray {
		return m.values.arrays[c.shape].spelling
	}
	return m.values.objects[c.shape].spelling
}

func (m *Matcher) colonOf(c *cell) string {
	if o := &m.values.objects[c.shape]; !o.bare {
		return o.spelling.colon
	}
	return "="
}

// member reads the first byte of an item or a name.
func (m *Matcher) member(dst []thread, in uint32, b byte) []thread {
	c := &m.cells[in]
	if c.kind == cellArray {
		return m.item(dst, in, b)
	}
	o := &m.values.objects[c.shape]
	if o.bare {
		return m.inKey(dst, thread{kind: waitKey, count: uint32(len(m.text)), cell: in}, b)
	}
	if b == o.spelling.quote {
		dst = m.add(dst, thread{kind: waitKey, count: uint32(len(m.text)) + 1, cell: in})
	}
	return dst
}

// closable tells whether an array or object may end here.
func (m *Matcher) closable(c *cell) bool {
	if c.kind == cellArray {
		a := &m.values.arrays[c.shape]
		for k := range a.contains {
			if matches(c.used, k) < a.contains[k].least {
				return false
			}
		}
		return c.count >= a.least
	}
	o := &m.values.objects[c.shape]
	if c.count < o.least {
		return false
	}
	if o.words <= 1 {
		return o.words == 0 || o.required[0]&^c.used == 0
	}
	used := m.sets[c.used:]
	for i, w := range o.required {
		if w&^used[i] != 0 {
			return false
		}
	}
	return true
}

// more tells whether another member may come.
func (m *Matcher) more(c *cell) bool {
	if c.kind == cellObject {
		o := &m.values.objects[c.shape]
		return c.count < o.most && (m.othersAllowed(c, o) || m.candidate(c, o, 0, uint32(len(o.value))))
	}
	a := &m.values.arrays[c.shape]
	if c.count >= a.most {
		return false
	}
	if len(a.contains) == 0 {
		return true
	}
	for set := range m.choices(c, a) {
		if m.choosable(c, a, set) {
			return true
		}
	}
	return false
}
