package grammar

import "math/bits"

func (m *Matcher) choices(c *cell, a *arrayShape) []uint32 {
	if int(c.count) < len(a.prefix) {
		return a.prefix[c.count].choices
	}
	return a.rest.choices
}

// choosable tells whether the next item of an array may match just the contains in set, so that the array can still end.
func (m *Matcher) choosable(c *cell, a *arrayShape, set int) bool {
	return m.choices(c, a)[set] != noLimit && a.counts.ending(c.count, c.used, set) != noLimit
}

// item reads the first byte of an item.
func (m *Matcher) item(dst []thread, in uint32, b byte) []thread {
	c := m.cells[in]
	a := &m.values.arrays[c.shape]
	if a.words != nil {
		return m.inWord(dst, thread{kind: waitWord, cell: in}, b)
	}
	if a.unique {
		c.last = uint32(len(m.text))
		in = m.push(c)
	}
	choices := m.choices(&c, a)
	if len(a.contains) == 0 {
		return m.begin(dst, &m.values.nodes[choices[0]], in, b)
	}
	for set, node := range choices {
		if !m.choosable(&c, a, set) {
			continue
		}
		next := c
		for k, x := range a.contains {
			have := matches(c.used, k)
			if set>>k&1 == 0 || x.most == noLimit && have >= x.least || have == 1<<matchBits-1 {
				continue
			}
			next.used += 1 << (k * matchBits)
		}
		dst = m.begin(dst, &m.values.nodes[node], m.push(next), b)
	}
	return dst
}

// inWord reads a byte of an item of a unique array of words, of which those not used are left.
func (m *Matcher) inWord(dst []thread, t thread, b byte) []thread {
	c := &m.cells[t.cell]
	a := &m.values.arrays[c.shape]
	n := &a.words.nodes[t.state]
	if next := a.words.step(t.state, b); next >= 0 {
		x := &a.words.nodes[next]
		if m.unused(c, x.low, x.high) {
			t.state = uint32(next)
			dst = m.add(dst, t)
		}
	}
	if n.word >= 0 && m.unused(c, uint32(n.word), uint32(n.word)+1) {
		d := *c
		d.count++
		m.use(&d, setWords(len(a.words.words)), uint32(n.word))
		dst = m.advance(dst, thread{kind: waitAfter, cell: m.push(d)}, b)
	}
	return dst
}

// unused tells whether one of the words [low, high) of a unique array has not come.
func (m *Matcher) unused(c *cell, low, high uint32) bool {
	if words := setWords(len(m.values.arrays[c.shape].words.words)); words > 1 {
		return anyOutside(nil, m.sets[c.used:c.used+uint64(words)], low, high)
	}
	return low < high && ^c.used&(^uint64(0)<<low)&(^uint64(0)>>(64-high)) != 0
}

// use adds a bit to the set of c, which has so many words.
func (m *Matcher) use(c *cell, words int, bit uint32) {
	if words <= 1 {
		c.used |= 1 << bit
		return
	}
	at := uint64(len(m.sets))
	m.sets = append(m.sets, m.sets[c.used:c.used+uint64(words)]...)
	m.sets[at+uint64(bit>>6)] |= 1 << (bit & 63)
	c.used = at
}

// anyOutside tells whether a bit of [low, high) is in set, or set is nil, and not in used.
func anyOutside(set, used []uint64, low, high uint32) bool {
	if low >= high {
		return false
	}
	first, last := low>>6, (high-1)>>6
	for i := first; i <= last; i++ {
		w := ^used[i]
		if set != nil {
			w &= set[i]
		}
		if i == first {
			w &= ^uint64(0) << (low & 63)
		}
		if i == last {
			w &= ^uint64(0) >> (63 - (high-1)&63)
		}
		if w != 0 {
			return true
		}
	}
	return false
}

// candidate tells whether one of the names [low, high) may come next.
func (m *Matcher) candidate(c *cell, o *objectShape, low, high uint32) bool {
	if low >= high || c.count >= o.most {
		return false
	}
	if o.ordered {
		return m.candidateInOrder(c, o, low, high)
	}
	free := o.live
	if !m.slack(c, o) {
		free = o.required
	}
	if o.words == 1 {
		w := free[0] &^ c.used & (^uint64(0) << low)
		return w&(^uint64(0)>>(64-high)) != 0
	}
	return anyOutside(free, m.sets[c.used:], low, high)
}

// slack tells whether there is room for a name that is not required.
func (m *Matcher) slack(c *cell, o *objectShape) bool {
	return o.most == noLimit || c.count+m.missing(c, o) < o.most
}

// missing is how many required names have not come.
func (m *Matcher) missing(c *cell, o *objectShape) (n uint32) {
	if o.words <= 1 {
		if o.words == 0 {
			return 0
		}
		return uint32(bits.OnesCount64(o.required[0] &^ c.used))
	}
	used := m.sets[c.used:]
	for i, w := range o.required {
		n += uint32(bits.OnesCount64(w &^ used[i]))
	}
	return n
}

// candidateInOrder goes through the names from c.last in the order, up to the next that is required.
func (m *Matcher) candidateInOrder(c *cell, o *objectShape, low, high uint32) bool {
	slack := m.slack(c, o)
	for r := c.last; int(r) < len(o.byRank); r++ {
		name := o.byRank[r]
		required := o.required[name>>6]>>(name&63)&1 != 0
		if name >= low && name < high && o.value[name] != noLimit && (slack || required) {
			return true
		}
		if required {
			return false
		}
	}
	return false
}

// othersAllowed tells whether a name that is not declared may come next.
func (m *Matcher) othersAllowed(c *cell, o *objectShape) bool {
	if o.others == nil || c.count >= o.most || !m.slack(c, o) {
		return false
	}
	return !o.ordered || m.missing(c, o) == 0
}

// inKey reads a byte of a name.
func (m *Matcher) inKey(dst []thread, t thread, b byte) []thread {
	c := &m.cells[t.cell]
	o := &m.values.objects[c.shape]
	end := o.spelling.quote
	if o.bare {
		end = '='
	}
	if t.state&otherNames != 0 {
		state := int32(t.state &^ otherNames)
		if b == end && !o.others.inside[state] {
			return m.otherName(dst, t, o, state)
		}
		if next := o.others.step(state, b); next >= 0 && m.growable(c, o, t, next, b) {
			t.state = uint32(next) | otherNames
			dst = m.add(dst, t)
		}
		return dst
	}
	n := &o.names.nodes[t.state]
	if b == end && n.word >= 0 {
		if m.candidate(c, o, uint32(n.word), uint32(n.word)+1) {
			dst = m.declaredName(dst, t, o, uint32(n.word))
		}
		return dst
	}
	others := n.other >= 0 && m.othersAllowed(c, o)
	if b == end && n.other >= 0 && (o.others == nil || !o.others.inside[n.other]) {
		if others {
			dst = m.otherName(dst, t, o, n.other)
		}
		return dst
	}
	if next := o.names.step(t.state, b); next >= 0 {
		x := &o.names.nodes[next]
		if m.candidate(c, o, x.low, x.high) || others && x.other >= 0 && m.escapable(c, o, t, x, b) {
			t.state = uint32(next)
			dst = m.add(dst, t)
		}
		return dst
	}
	if others {
		if next := o.others.step(n.other, b); next >= 0 && m.growable(c, o, t, next, b) {
			t.state = uint32(next) | otherNames
			dst = m.add(dst, t)
		}
	}
	return dst
}

// escapable tells whether a name that is not declared, and new, can begin like the declared ones at x.
func (m *Matcher) escapable(c *cell, o *objectShape, t thread, x *trieNode, b byte) bool {
	return o.otherCount[x.other] == noLimit || m.usedLike(c, t, b)+x.overlap < o.otherCount[x.other]
}

// declaredName goes on behind the name, which is used up.
func (m *Matcher) declaredName(dst []thread, t thread, o *objectShape, name uint32) []thread {
	c := m.cells[t.cell]
	m.use(&c, o.words, name)
	if o.ordered {
		c.last = o.rank[name] + 1
	}
	c.count = m.counted(c.count, o)
	next := thread{kind: waitColon, at: o.value[name], cell: m.push(c)}
	if o.bare {
		next.kind = waitValue // the "=" has ended the name
	}
	return m.add(dst, next)
}

func (m *Matcher) counted(count uint32, o *objectShape) uint32 {
	if count++; o.most == noLimit {
		count = min(count, o.least)
	}
	return count
}

// otherName goes on behind a name that is not declared, if it is a new one.
func (m *Matcher) otherName(dst []thread, t thread, o *objectShape, state int32) []thread {
	value := o.otherValue[state]
	if value == noLimit {
		return dst
	}
	c := m.cells[t.cell]
	end := uint32(len(m.text))
	name := m.text[t.count:end]
	for e := c.extra; e != 0; e = m.extras[e].before {
		if string(m.text[m.extras[e].start:m.extras[e].end]) == string(name) {
			return dst
		}
	}
	return m.undeclared(dst, t, value)
}

// undeclared goes on behind a new name that is not declared.
func (m *Matcher) undeclared(dst []thread, t thread, value uint32) []thread {
	c := m.cells[t.cell]
	o := &m.values.objects[c.shape]
	m.extras = append(m.extras, extra{t.count, uint32(len(m.text)), c.extra})
	c.extra = uint32(len(m.extras) - 1)
	c.count = m.counted(c.count, o)
	if o.ordered {
		c.last = uint32(len(o.byRank))
	}
	return m.add(dst, thread{kind: waitColon, at: value, cell: m.push(c)})
}

// growable tells whether a name that has come to a state can still become a new one: there are more names
// from there on than have been used.
func (m *Matcher) growable(c *cell, o *objectShape, t thread, state int32, b byte) bool {
	return o.otherCount[state] == noLimit || m.usedLike(c, t, b) < o.otherCount[state]
}

// usedLike counts the undeclared names so far that begin like the one of t with b behind it.
func (m *Matcher) usedLike(c *cell, t thread, b byte) (used uint32) {
	n := len(m.text) - int(t.count)
	for e := c.extra; e != 0; e = m.extras[e].before {
		before := m.text[m.extras[e].start:m.extras[e].end]
		if len(before) > n && before[n] == b && string(before[:n]) == string(m.text[t.count:]) {
			used++
		}
	}
	return used
}
