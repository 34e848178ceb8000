package grammar

import (
	"errors"
	"fmt"
	"math"
)

// ErrTooAmbiguous is returned when a text has more readings at once than a matcher follows.
var ErrTooAmbiguous = errors.New("grammar: more than 4096 readings at once; make the alternatives easier to tell apart")

const maxThreads = 4096

type thread struct{ pc, stack, register uint32 }

// cell is one pushed return; cell 0 is the empty stack. hash covers the whole chain.
type cell struct {
	pc, register, parent uint32
	hash                 uint64
}

type split struct{ thread }

// Matcher follows one sequence through a grammar. It is not safe for concurrent use; Fork gives an
// independent copy. In steady state Accept and Mask allocate nothing.
type Matcher struct {
	grammar    *Grammar
	vocabulary *Vocabulary
	encode     func(dst []Token, text string) []Token
	threads    []thread // the live readings
	next       []thread
	cells      []cell
	seen       []split
	levels     [][]thread // one set of readings a byte of the mask walk
	mask       []uint64
	done       bool
	over       bool
	past       []thread // readings before each accepted token, one after the other
	marks      []int    // where each begins in past
}

// NewMatcher starts at the beginning of g. encode gives the canonical tokens of ordinary text and is used
// for forced tokens only; nil means that nothing is forced. vocabulary may be nil if only Match is used.
func NewMatcher(g *Grammar, vocabulary *Vocabulary, encode func(dst []Token, text string) []Token) *Matcher {
	m := &Matcher{grammar: g, vocabulary: vocabulary, encode: encode, cells: make([]cell, 1, 64)}
	if vocabulary != nil {
		m.mask = make([]uint64, vocabulary.words)
	}
	m.threads = m.follow(m.threads, thread{pc: g.start})
	return m
}

// Fork returns an independent copy at the same place.
func (m *Matcher) Fork() *Matcher {
	f := *m
	f.threads = append([]thread(nil), m.threads...)
	f.cells = append([]cell(nil), m.cells...)
	f.past, f.marks = append([]thread(nil), m.past...), append([]int(nil), m.marks...)
	f.next, f.seen, f.levels = nil, nil, nil
	f.mask = make([]uint64, len(m.mask))
	return &f
}

func (m *Matcher) push(pc, register, parent uint32) uint32 {
	for i := len(m.cells) - 1; i > 0 && i > len(m.cells)-33; i-- {
		if c := &m.cells[i]; c.pc == pc && c.register == register && c.parent == parent {
			return uint32(i)
		}
	}
	h := m.cells[parent].hash
	for _, x := range [2]uint32{pc, register} {
		h = mix(h, uint64(x))
	}
	m.cells = append(m.cells, cell{pc, register, parent, h})
	return uint32(len(m.cells) - 1)
}

func mix(h, x uint64) uint64 {
	h = (h ^ x) + 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// follow adds to dst all waiting threads reachable from t without reading.
func (m *Matcher) follow(dst []thread, t thread) []thread {
	m.seen = m.seen[:0]
	return m.reach(dst, t)
}

func (m *Matcher) reach(dst []thread, t thread) []thread {
	for {
		in := m.grammar.code[t.pc]
		switch in.op {
		case opSet, opToken, opEnd:
			for _, o := range dst {
				if o == t {
					return dst
				}
			}
			if len(dst) >= maxThreads {
				m.over = true
				return dst
			}
			return append(dst, t)
		case opJump:
			t.pc = in.x
		case opSplit:
			for _, s := range m.seen {
				if s.thread == t {
					return dst
				}
			}
			if len(m.seen) >= maxThreads {
				m.over = true
				return dst
			}
			m.seen = append(m.seen, split{t})
			dst = m.reach(dst, thread{in.x, t.stack, t.register})
			t.pc = in.y
		case opCall:
			t = thread{in.x, m.push(in.y, t.register, t.stack), 0}
		case opReturn:
			c := m.cells[t.stack]
			t = thread{c.pc, c.parent, c.register}
		case opLess:
			if t.register >= in.x {
				return dst
			}
			t.pc = in.y
		case opAtLeast:
			if t.register < in.x {
				return dst
			}
			t.pc = in.y
		case opCount:
			t.register = min(t.register+1, in.x)
			t.pc = in.y
		default:
			return dst
		}
	}
}

func (m *Matcher) step(dst, from []thread, b byte) []thread {
	g := m.grammar
	dst = dst[:0]
	for _, t := range from {
		if in := g.code[t.pc]; in.op == opSet && g.classes[in.x].has(b) {
			dst = m.follow(dst, thread{in.y, t.stack, t.register})
		}
	}
	return dst
}

func (m *Matcher) special(dst []thread, id Token) []thread {
	dst = dst[:0]
	for _, t := range m.threads {
		if in := m.grammar.code[t.pc]; in.op == opToken && in.x == uint32(id) {
			dst = m.follow(dst, thread{in.y, t.stack, t.register})
		}
	}
	return dst
}

// Allowed sets mask to the tokens that may come next. mask is [Vocabulary.Words] long.
func (m *Matcher) Allowed(mask []uint64) error {
	v, g := m.vocabulary, m.grammar
	clear(mask)
	key := uint64(len(m.threads))
	for _, t := range m.threads {
		key = mix(mix(key, uint64(t.pc)<<32|uint64(t.register)), m.cells[t.stack].hash)
	}
	if g.cache.load(key, v, mask) {
		return nil
	}
	walked := &v.all
	if limit, ok := m.inBody(); ok && (limit == noLimit || limit >= uint32(v.longest)) {
		copy(mask, v.safe)
		walked = &v.remainder
	} else if ok && limit <= countedSlices && m.onlyBody() {
		copy(mask, v.counted[limit])
		walked = &v.remainder
	}
	visited := m.walk(walked, mask)
	for _, t := range m.threads {
		if in := g.code[t.pc]; in.op == opToken && int(in.x) < v.Len() {
			setBit(mask, int(in.x))
		}
	}
	if m.over {
		return ErrTooAmbiguous
	}
	if visited > 500 {
		g.cache.store(key, v, mask)
	}
	return nil
}

// inBody tells whether a reading is between two characters of a string without further conditions,
// and how many characters it has left.
func (m *Matcher) inBody() (left uint32, ok bool) {
	for _, t := range m.threads {
		for _, b := range m.grammar.bodies {
			if t.pc == b.low {
				if b.limit == noLimit {
					return noLimit, true
				}
				left, ok = max(left, b.limit-t.register), true
			}
		}
	}
	return left, ok
}

// onlyBody tells whether all readings belong to one string body.
func (m *Matcher) onlyBody() bool {
	for _, b := range m.grammar.bodies {
		inside := true
		for _, t := range m.threads {
			inside = inside && t.pc >= b.low && t.pc < b.high && t.stack == m.threads[0].stack && t.register == m.threads[0].register
		}
		if inside {
			return true
		}
	}
	return false
}

func (m *Matcher) walk(t *trie, mask []uint64) (visited int) {
	keep := len(m.cells)
	if len(m.levels) == 0 {
		m.levels = make([][]thread, 1, 130)
	}
	m.levels[0] = append(m.levels[0][:0], m.threads...)
	for i := 0; i < len(t.nodes); visited++ {
		n := &t.nodes[i]
		d := int(n.depth)
		if d+1 >= len(m.levels) {
			m.levels = append(m.levels, nil)
		}
		m.levels[d+1] = m.step(m.levels[d+1], m.levels[d], n.b)
		if len(m.levels[d+1]) == 0 {
			i = int(n.end)
			continue
		}
		if n.token >= 0 {
			setBit(mask, int(n.token))
			for s := n.next; s >= 0; s = t.same[s].next {
				setBit(mask, int(t.same[s].token))
			}
		}
		i++
		// Cells of the walk are needed only on the path; at the root they can all go.
		if i < len(t.nodes) && t.nodes[i].depth == 0 {
			m.cells = m.cells[:keep]
		}
	}
	m.cells = m.cells[:keep]
	return visited
}

// Mask sets the logits of all tokens that may not come next to -Inf. logits may be longer than the
// vocabulary: rows without a token are masked too.
func (m *Matcher) Mask(logits []float32) error {
	if err := m.Allowed(m.mask); err != nil {
		return err
	}
	minus := float32(math.Inf(-1))
	any := false
	for i := range logits {
		if i < len(m.vocabulary.pieces) && hasBit(m.mask, i) {
			any = true
		} else {
			logits[i] = minus
		}
	}
	if !any {
		return fmt.Errorf("grammar: no token may come next (done %v, %d readings)", m.done, len(m.threads))
	}
	return nil
}

// Accept goes on by one token. On an error the matcher has not moved.
func (m *Matcher) Accept(id Token) error {
	v := m.vocabulary
	if id < 0 || int(id) >= v.Len() {
		return fmt.Errorf("grammar: token %d is not in the vocabulary of %d", id, v.Len())
	}
	from, cells := m.threads, len(m.cells)
	var spare []thread
	if s := m.special(m.next, id); len(s) > 0 {
		m.remember()
		m.threads, m.next = s, from
		m.done = m.atEnd()
		return nil
	}
	if v.special[id] {
		return fmt.Errorf("grammar: special token %d may not come here", id)
	}
	if len(m.levels) < 2 {
		m.levels = append(m.levels, nil, nil)
	}
	cur := from
	for i, b := range v.pieces[id] {
		spare = m.step(m.levels[i&1], cur, b)
		m.levels[i&1] = spare
		if m.over || len(spare) == 0 {
			m.cells = m.cells[:cells]
			if m.over {
				return ErrTooAmbiguous
			}
			return fmt.Errorf("grammar: token %d (%q) may not come here: byte %d", id, v.pieces[id], i)
		}
		cur = spare
	}
	m.remember()
	m.threads = append(m.threads[:0], cur...)
	m.done = m.atEnd()
	return nil
}

func (m *Matcher) remember() {
	m.marks = append(m.marks, len(m.past))
	m.past = append(m.past, m.threads...)
}

// Rewind takes back the last n accepted tokens.
func (m *Matcher) Rewind(n int) error {
	if n < 0 || n > len(m.marks) {
		return fmt.Errorf("grammar: cannot take back %d tokens of %d", n, len(m.marks))
	}
	if n > 0 {
		mark := m.marks[len(m.marks)-n]
		end := len(m.past)
		if n > 1 {
			end = m.marks[len(m.marks)-n+1]
		}
		m.threads = append(m.threads[:0], m.past[mark:end]...)
		m.past, m.marks = m.past[:mark], m.marks[:len(m.marks)-n]
		m.done = m.atEnd()
	}
	return nil
}

// Complete tells whether the text may end here; it may be able to go on as well.
func (m *Matcher) Complete() bool {
	for _, t := range m.threads {
		if m.grammar.code[t.pc].op == opEnd {
			return true
		}
	}
	return false
}

func (m *Matcher) atEnd() bool {
	for _, t := range m.threads {
		if m.grammar.code[t.pc].op != opEnd {
			return false
		}
	}
	return len(m.threads) > 0
}

// Done tells whether the text is complete and nothing may follow.
func (m *Matcher) Done() bool { return m.done }

// Match reads text from the beginning of g. If it is not accepted, at is the byte that does not fit, or
// len(text) if the text ends too early.
func Match(g *Grammar, text string) (accepted bool, at int, why string) {
	m := NewMatcher(g, nil, nil)
	var spare []thread
	for i := 0; i < len(text); i++ {
		spare = m.step(spare, m.threads, text[i])
		if m.over {
			return false, i, ErrTooAmbiguous.Error()
		}
		if len(spare) == 0 {
			return false, i, fmt.Sprintf("byte %q may not come at %d", text[i], i)
		}
		m.threads, spare = spare, m.threads
	}
	if !m.Complete() {
		return false, len(text), "the text ends before the grammar does"
	}
	return true, len(text), ""
}
