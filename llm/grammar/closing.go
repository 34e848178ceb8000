package grammar

import (
	"fmt"
	"math/bits"
)

// maxClosing is the most bytes that Closing writes.
const maxClosing = 1 << 16

// Distance estimates the bytes that are needed to end the text validly from here, special tokens counted as
// one. As no token is shorter than a byte, a budget of more tokens than that is enough.
func (m *Matcher) Distance() int {
	if m.Complete() {
		return 0
	}
	best := uint64(noLimit)
	for _, t := range m.threads {
		best = min(best, m.distance(t))
	}
	return int(best)
}

// Closing appends tokens that end the text validly and soon, for a generation that is cut off: strings and
// brackets are closed and what is required is written with the shortest values there are. The tokens are
// not accepted. If the text may end here there are none.
func (m *Matcher) Closing(dst []Token) ([]Token, error) {
	if m.encode == nil {
		return dst, fmt.Errorf("grammar: closing needs a matcher with an encoder")
	}
	before, base := m.mark(), len(m.text)
	defer func() {
		m.text = m.text[:base]
		m.drop(before)
		m.over = false
	}()
	list := append([]thread(nil), m.threads...)
	from := base
	flush := func() {
		if from < len(m.text) {
			dst = m.encode(dst, string(m.text[from:]))
			from = len(m.text)
		}
	}
	for range maxClosing {
		best, at := uint64(noLimit), -1
		for i, t := range list {
			if d := m.distance(t); d < best {
				best, at = d, i
			}
		}
		if at < 0 {
			break
		}
		t := list[at]
		if t.kind == waitCode {
			switch in := m.grammar.code[t.state]; in.op {
			case opEnd:
				flush()
				return dst, nil
			case opToken:
				flush()
				dst = append(dst, Token(in.x))
				list = m.follow(nil, in.y, t.cell, t.count)
				continue
			}
		}
		next, b, ok := m.towardsEnd(t)
		if !ok {
			break
		}
		m.text = append(m.text, b)
		list = next
	}
	return dst, fmt.Errorf("grammar: the text cannot be closed within %d bytes", maxClosing)
}

// towardsEnd reads the byte after which the end is nearest. Plain characters are preferred to escapes.
func (m *Matcher) towardsEnd(t thread) (next []thread, b byte, ok bool) {
	best := uint64(noLimit)
	for i := range 256 {
		c := byte(i + 0x20) // printable ones first
		before := m.mark()
		after := m.advance(nil, t, c)
		d := uint64(noLimit)
		for _, x := range after {
			d = min(d, m.distance(x))
		}
		if d >= best {
			m.drop(before)
			continue
		}
		best, next, b, ok = d, after, c, true
	}
	return next, b, ok
}

// distance estimates the bytes from a reading to the end.
func (m *Matcher) distance(t thread) uint64 {
	c := &m.cells[t.cell]
	switch t.kind {
	case waitCode:
		return m.codeDistance(t.state) + m.outside(t.cell)
	case waitValue:
		return uint64(m.values.nodes[t.at].cost) + m.behindValue(t.cell)
	case waitString:
		s := &m.values.strings[t.at]
		d := uint64(s.table.distance[t.state])
		if t.count < s.least {
			d = max(d, uint64(s.least-t.count)+uint64(s.table.distance[t.state]&1))
		}
		return d + 1 + m.behindValue(t.cell)
	case waitScalar:
		return uint64(m.values.scalars[t.at].distance[t.state]) + m.behindValue(t.cell)
	case waitWord:
		return uint64(m.wordDistance(c, t.state)) + m.afterMember(t.cell, 1)
	case waitKey:
		return m.keyDistance(t, c)
	case waitColon:
		return uint64(len(m.colonOf(c))) - uint64(t.state) + uint64(m.values.nodes[t.at].cost) + m.afterMember(t.cell, 0)
	case waitNext:
		return uint64(len(m.spellingOf(c).comma)) - uint64(t.state) + m.nextMember(t.cell)
	case waitOpen:
		if m.closable(c) {
			return 1 + m.behindValue(c.parent)
		}
		return m.nextMember(t.cell)
	}
	return m.afterMember(t.cell, 0)
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
		at = c.parent
	}
	return sum
}

func (m *Matcher) codeDistance(pc uint32) uint64 { return uint64(m.grammar.distance[pc]) }

// afterMember is the distance from behind a member of a cell, when so many more than it counts are there.
func (m *Matcher) afterMember(at uint32, more uint32) uint64 {
	c := &m.cells[at]
	switch c.kind {
	case cellReturn:
		return m.outside(at)
	case cellArray:
		return m.itemsMissing(c, more) + 1 + m.behindValue(c.parent)
	}
	sum, missing := m.namesMissing(c)
	o := &m.values.objects[c.shape]
	if have := c.count + missing; have < o.least {
		sum += uint64(o.least-have) * m.cheapestName(c, o)
	}
	return sum + 1 + m.behindValue(c.parent)
}

// itemsMissing bounds the length of the items that have to come, when so many more than the cell counts are there.
func (m *Matcher) itemsMissing(c *cell, more uint32) uint64 {
	a := &m.values.arrays[c.shape]
	count := c.count + more
	need, wanted := uint32(0), uint32(0) // wanted: bit by bit, the contains that lack items
	for k, x := range a.contains {
		if have := matches(c.used, k); have < x.least {
			need += x.least - have
			wanted |= 1 << k
		}
	}
	if count < a.least {
		need = max(need, a.least-count)
	}
	sum := uint64(0)
	for i := range need {
		choices := a.rest.choices
		if int(count+i) < len(a.prefix) {
			choices = a.prefix[count+i].choices
		} else if i > 64 {
			return sum + uint64(need-i)*(m.itemCost(a, choices, wanted)+2)
		}
		sum += m.itemCost(a, choices, wanted) + 2
	}
	return sum
}

// itemCost is the length of an item that may be any of those that are wanted.
func (m *Matcher) itemCost(a *arrayShape, choices []uint32, wanted uint32) (cost uint64) {
	if a.words != nil { // the shorter ones may have come
		for _, w := range a.words.words {
			cost = max(cost, uint64(len(w)))
		}
		return cost
	}
	for k := 0; wanted>>k != 0; k++ {
		if wanted>>k&1 == 0 {
			continue
		}
		best := uint64(costLimit)
		for set, n := range choices {
			if set>>k&1 != 0 && n != noLimit {
				best = min(best, uint64(m.values.nodes[n].cost))
			}
		}
		if best < costLimit {
			cost = max(cost, best)
		}
	}
	return max(cost, m.cheapest(choices))
}

func (m *Matcher) cheapest(choices []uint32) uint64 {
	best := uint64(costLimit)
	for _, n := range choices {
		if n != noLimit {
			best = min(best, uint64(m.values.nodes[n].cost))
		}
	}
	return best
}

// namesMissing is the length of all required members that have not come, and their number.
func (m *Matcher) namesMissing(c *cell) (sum uint64, n uint32) {
	o := &m.values.objects[c.shape]
	for i, w := range o.required {
		if o.words > 1 {
			w &^= m.sets[c.used+uint64(i)]
		} else {
			w &^= c.used
		}
		for bit := 0; w != 0; bit, w = bit+1, w>>1 {
			if w&1 != 0 {
				sum += m.nameCost(o, i*64+bit)
				n++
			}
		}
	}
	return sum, n
}

func (m *Matcher) nameCost(o *objectShape, name int) uint64 {
	return uint64(len(o.names.words[name])) + 6 + uint64(m.values.nodes[o.value[name]].cost)
}

// cheapestName is the length of the shortest member that may come and need not.
func (m *Matcher) cheapestName(c *cell, o *objectShape) uint64 {
	best := uint64(costLimit)
	for i := range o.value {
		if m.candidate(c, o, uint32(i), uint32(i)+1) {
			best = min(best, m.nameCost(o, i))
		}
	}
	if m.othersAllowed(c, o) {
		for s, n := range o.otherValue {
			if n != noLimit {
				best = min(best, uint64(m.values.nodes[n].cost)+uint64(o.others.distance[0])+8+uint64(s&1))
			}
		}
	}
	return best
}

// nextMember is the distance from where a member has to begin, behind the comma that is counted with every other member.
func (m *Matcher) nextMember(at uint32) uint64 {
	c := &m.cells[at]
	comma := uint64(len(m.spellingOf(c).comma))
	if c.kind == cellArray {
		a := &m.values.arrays[c.shape]
		if d := m.itemsMissing(c, 0); d > 0 {
			return d - comma + 1 + m.behindValue(c.parent)
		}
		if a.words != nil {
			return uint64(m.wordDistance(c, 0)) + 1 + m.behindValue(c.parent)
		}
		return m.cheapest(m.choices(c, a)) + 1 + m.behindValue(c.parent)
	}
	after := m.afterMember(at, 0)
	if m.closable(c) {
		after += m.cheapestName(c, &m.values.objects[c.shape])
	}
	return after - comma
}

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

// keyDistance is the distance from inside a name.
func (m *Matcher) keyDistance(t thread, c *cell) uint64 {
	o := &m.values.objects[c.shape]
	after := m.afterMember(t.cell, 0)
	if t.state&otherNames != 0 {
		s := t.state &^ otherNames
		return uint64(o.others.distance[s]) + 4 + m.cheapest(o.otherValue) + after + m.alike(t, c)
	}
	n := &o.names.nodes[t.state]
	best := uint64(costLimit)
	depth := -1
	for w := n.low; w < n.high; w++ {
		if !m.candidate(c, o, w, w+1) {
			continue
		}
		if depth < 0 {
			depth = m.wordDepth(&o.names, t.state)
		}
		d := uint64(len(o.names.words[w])-depth) + 3 + uint64(m.values.nodes[o.value[w]].cost)
		if o.required[w>>6]>>(w&63)&1 != 0 {
			d += after - m.nameCost(o, int(w))
		} else {
			d += after
		}
		best = min(best, d)
	}
	if n.other >= 0 && m.othersAllowed(c, o) {
		best = min(best, uint64(o.others.distance[n.other])+5+m.cheapest(o.otherValue)+after+m.alike(t, c))
	}
	return best
}

// alike adds to the distance of a name that has come before: it has to grow.
func (m *Matcher) alike(t thread, c *cell) uint64 {
	name := m.text[min(int(t.count), len(m.text)):]
	for e := c.extra; e != 0; e = m.extras[e].before {
		if string(m.text[m.extras[e].start:m.extras[e].end]) == string(name) {
			return 1
		}
	}
	return 0
}

// Limit bounds what may be begun: tokens after which the end would be more than n bytes away are masked, unless none
// would be left. With n the tokens that may still be written, less one, what is begun can be ended. 0 is no bound.
func (m *Matcher) Limit(n int) { m.limit = n }

// maxPruned is how many tokens are tried one by one.
const maxPruned = 4096

// prune takes the tokens out of mask that lead too far from the end.
func (m *Matcher) prune(mask []uint64) {
	if m.limit <= 0 || m.Distance()+m.grammar.jump < m.limit {
		return
	}
	w := &m.walk
	w.pruned = append(w.pruned[:0], mask...)
	some, many := false, 0
	for _, set := range mask {
		many += bits.OnesCount64(set)
	}
	for i, set := range w.pruned {
		if many > maxPruned { // inside a string: plain text leaves the end as near as it is
			set &^= m.vocabulary.plain[i]
		}
		if set == 0 {
			some = some || mask[i] != 0
			continue
		}
		for ; set != 0; set &= set - 1 {
			id := Token(i<<6 | bits.TrailingZeros64(set))
			if m.Accept(id) != nil {
				continue
			}
			if m.Distance() > m.limit {
				mask[i] &^= set & -set
			}
			m.unread()
		}
		some = some || mask[i] != 0
	}
	if !some {
		copy(mask, w.pruned)
	}
}

// unread takes back the last token.
func (m *Matcher) unread() {
	if err := m.Rewind(1); err != nil {
		panic(err) // a token was accepted
	}
}

// jumps bounds the distance by which a token may take the end away: it may begin a few values and names at once.
func (g *Grammar) jumps() {
	most := 0
	for _, n := range g.values.nodes {
		most = max(most, int(min(n.cost, costLimit)))
	}
	for _, d := range g.distance {
		if d < costLimit {
			most = max(most, int(d))
		}
	}
	name := 0
	for i := range g.values.objects {
		for _, w := range g.values.objects[i].names.words {
			name = max(name, len(w))
		}
	}
	g.jump = 4*(most+name) + 64
}

// measure finds the fewest bytes from every instruction to the end or to where it returns.
func (g *Grammar) measure() {
	g.distance = make([]uint32, len(g.code))
	for pc := range g.distance {
		g.distance[pc] = costLimit
	}
	for changed := true; changed; {
		changed = false
		for pc, in := range g.code {
			if d := g.measured(in); d < uint64(g.distance[pc]) {
				g.distance[pc], changed = uint32(d), true
			}
		}
	}
}

func (g *Grammar) measured(in instruction) uint64 {
	at := func(pc uint32) uint64 { return uint64(g.distance[pc]) }
	switch in.op {
	case opEnd, opReturn:
		return 0
	case opSet, opToken:
		return 1 + at(in.y)
	case opJump:
		return at(in.x)
	case opSplit:
		return min(at(in.x), at(in.y))
	case opCall:
		return at(in.x) + at(in.y)
	case opValue:
		return uint64(g.values.nodes[in.x].cost) + at(in.y)
	case opTable:
		return uint64(g.values.scalars[in.x].distance[0]) + at(in.y)
	case opArguments:
		return uint64(g.values.objects[in.x].cost) + at(in.y)
	case opFail:
		return costLimit
	}
	return at(in.y)
}
