package grammar

import (
	"fmt"
	"math/bits"
)

// maxClosing is the most bytes that Closing writes.
const maxClosing = 1 << 16

// Distance bounds the bytes that [Matcher.Closing] needs to end the text from here, special tokens counted as one. As no token
// is shorter than a byte, a budget of as many tokens is enough.
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
			// Of equal ones the reading behind a value is the better: the one inside of it reads on.
			if d := m.distance(t); d < best || d == best && t.kind == waitCode {
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
		m.text = append(m.text, c)
		d := uint64(noLimit)
		for _, x := range after {
			d = min(d, m.distance(x))
		}
		m.text = m.text[:len(m.text)-1]
		if d >= best {
			m.drop(before)
			continue
		}
		best, next, b, ok = d, after, c, true
	}
	return next, b, ok
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
			d := g.measured(in)
			if r, ok := g.repeats[uint32(pc)]; ok {
				d = uint64(r.least) * uint64(g.distance[r.once])
			}
			if d < uint64(g.distance[pc]) {
				g.distance[pc], changed = uint32(d), true
			}
		}
	}
}

func (g *Grammar) measured(in instruction) uint64 {
	at := func(pc uint32) uint64 { return uint64(g.distance[pc]) }
	switch in.op {
	case opEnd, opReturn, opCount: // how often there has been a repetition is known later, see outside
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
