package grammar

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrTooAmbiguous is returned when a text has more readings at once than a matcher follows.
var ErrTooAmbiguous = errors.New("grammar: more than 4096 readings at once; make the alternatives easier to tell apart")

const maxThreads = 4096

// Matcher follows one sequence through a grammar. It is not safe for concurrent use; Fork gives an
// independent copy. In steady state Accept and Mask allocate nothing.
type Matcher struct {
	grammar    *Grammar
	values     *values
	vocabulary *Vocabulary
	encode     func(dst []Token, text string) []Token
	threads    []thread // the live readings
	next       []thread
	cells      []cell
	sets       []uint64
	extras     []extra
	text       []byte // what was accepted, special tokens not
	seen       []thread
	ended      []thread // readings behind a value that has just ended
	walk       walker
	mask       []uint64
	limit      int // see Limit
	done       bool
	over       bool
	past       []thread // readings before each accepted token, one after the other
	marks      []step   // one an accepted token
}

// step is where a token began.
type step struct {
	past, text int
	stack      stack
}

// NewMatcher starts at the beginning of g. encode gives the canonical tokens of ordinary text and is used
// for forced tokens and for closing; nil means that nothing is forced. vocabulary may be nil if only bytes
// are read.
func NewMatcher(g *Grammar, vocabulary *Vocabulary, encode func(dst []Token, text string) []Token) *Matcher {
	m := &Matcher{grammar: g, values: &g.values, vocabulary: vocabulary, encode: encode,
		cells: make([]cell, 1, 256), extras: make([]extra, 1), text: make([]byte, 0, 1024), past: make([]thread, 0, 512), marks: make([]step, 0, 256)}
	if vocabulary != nil {
		m.mask = make([]uint64, vocabulary.words)
	}
	m.threads = m.follow(m.threads, g.start, 0, 0)
	m.done = m.atEnd()
	return m
}

// Fork returns an independent copy at the same place.
func (m *Matcher) Fork() *Matcher {
	f := *m
	f.threads, f.cells, f.sets, f.extras = slices.Clone(m.threads), slices.Clone(m.cells), slices.Clone(m.sets), slices.Clone(m.extras)
	f.text, f.past, f.marks = slices.Clone(m.text), slices.Clone(m.past), slices.Clone(m.marks)
	f.next, f.seen, f.ended, f.walk = nil, nil, nil, walker{}
	f.mask = make([]uint64, len(m.mask))
	return &f
}

// follow adds to dst all readings that wait for something, reachable from an instruction without reading.
func (m *Matcher) follow(dst []thread, pc, in, register uint32) []thread {
	m.seen = m.seen[:0]
	return m.reach(dst, thread{kind: waitCode, state: pc, count: register, cell: in})
}

func (m *Matcher) reach(dst []thread, t thread) []thread {
	for {
		in := m.grammar.code[t.state]
		switch in.op {
		case opSet, opToken, opEnd:
			return m.add(dst, t)
		case opJump:
			t.state = in.x
		case opSplit:
			if slices.Contains(m.seen, t) {
				return dst
			}
			if len(m.seen) >= maxThreads {
				m.over = true
				return dst
			}
			m.seen = append(m.seen, t)
			left := t
			left.state = in.x
			dst = m.reach(dst, left)
			t.state = in.y
		case opCall, opValue, opArguments, opTable:
			return m.enter(dst, t, in)
		case opReturn:
			c := &m.cells[t.cell]
			t = thread{kind: waitCode, state: c.shape, count: c.count, cell: c.parent}
		case opLess:
			if t.count >= in.x {
				return dst
			}
			t.state = in.y
		case opAtLeast:
			if t.count < in.x {
				return dst
			}
			t.state = in.y
		case opCount:
			t.count = min(t.count+1, in.x)
			t.state = in.y
		default:
			return dst
		}
	}
}

// enter begins a subroutine, a value or a table; what is behind it waits on the stack.
func (m *Matcher) enter(dst []thread, t thread, in instruction) []thread {
	at := m.push(cell{kind: cellReturn, shape: in.y, parent: t.cell, count: t.count})
	switch in.op {
	case opCall:
		return m.reach(dst, thread{kind: waitCode, state: in.x, cell: at})
	case opValue:
		return m.add(dst, thread{kind: waitValue, at: in.x, cell: at, count: noLimit})
	case opArguments:
		return m.open(dst, cellObject, in.x, at)
	}
	dst = m.add(dst, thread{kind: waitScalar, at: in.x, cell: at})
	if m.values.scalars[in.x].accept[0] {
		c := m.cells[at]
		dst = m.reach(dst, thread{kind: waitCode, state: c.shape, count: c.count, cell: c.parent})
	}
	return dst
}

// read sets dst to the readings after b, which is not yet in m.text.
func (m *Matcher) read(dst, from []thread, b byte) []thread {
	dst = dst[:0]
	for i := range from {
		dst = m.advance(dst, from[i], b)
	}
	return dst
}

func (m *Matcher) special(dst []thread, id Token) []thread {
	dst = dst[:0]
	for _, t := range m.threads {
		if t.kind != waitCode {
			continue
		}
		if in := m.grammar.code[t.state]; in.op == opToken && in.x == uint32(id) {
			dst = m.follow(dst, in.y, t.cell, t.count)
		}
	}
	return dst
}

// Accept goes on by one token. On an error the matcher has not moved.
func (m *Matcher) Accept(id Token) error {
	v := m.vocabulary
	if id < 0 || int(id) >= v.Len() {
		return fmt.Errorf("grammar: token %d is not in the vocabulary of %d", id, v.Len())
	}
	before := step{len(m.past), len(m.text), m.mark()}
	if s := m.special(m.next, id); len(s) > 0 {
		m.next = s
		return m.commit(before)
	}
	if v.special[id] {
		return fmt.Errorf("grammar: special token %d may not come here", id)
	}
	if n, err := m.readAll(v.pieces[id]); err != nil {
		m.text = m.text[:before.text]
		m.drop(before.stack)
		if n < 0 {
			return err
		}
		return fmt.Errorf("grammar: token %d (%q) may not come here: byte %d", id, v.pieces[id], n)
	}
	return m.commit(before)
}

var errByte = errors.New("grammar: the byte may not come here")

// readAll reads text into m.next; n is the byte that does not fit, or -1 if it is too ambiguous.
func (m *Matcher) readAll(text []byte) (n int, err error) {
	w := &m.walk
	w.grow(1)
	from := m.threads
	for i, b := range text {
		to := m.read(w.levels[i&1], from, b)
		w.levels[i&1] = to
		if m.over {
			m.over = false
			return -1, ErrTooAmbiguous
		}
		if len(to) == 0 {
			return i, errByte
		}
		m.text = append(m.text, b)
		from = to
	}
	m.next = append(m.next[:0], from...)
	return 0, nil
}

// commit makes m.next the readings.
func (m *Matcher) commit(before step) error {
	m.marks = append(m.marks, before)
	m.past = append(m.past, m.threads...)
	m.threads, m.next = m.next, m.threads
	m.done = m.atEnd()
	if m.over {
		m.over = false
		return ErrTooAmbiguous
	}
	return nil
}

// Rewind takes back the last n accepted tokens.
func (m *Matcher) Rewind(n int) error {
	if n < 0 || n > len(m.marks) {
		return fmt.Errorf("grammar: cannot take back %d tokens of %d", n, len(m.marks))
	}
	if n == 0 {
		return nil
	}
	at := len(m.marks) - n
	s, end := m.marks[at], len(m.past)
	if n > 1 {
		end = m.marks[at+1].past
	}
	m.threads = append(m.threads[:0], m.past[s.past:end]...)
	m.past, m.marks, m.text = m.past[:s.past], m.marks[:at], m.text[:s.text]
	m.drop(s.stack)
	m.done = m.atEnd()
	return nil
}

// Complete tells whether the text may end here; it may be able to go on as well.
func (m *Matcher) Complete() bool {
	for _, t := range m.threads {
		if t.kind == waitCode && m.grammar.code[t.state].op == opEnd {
			return true
		}
	}
	return false
}

func (m *Matcher) atEnd() bool {
	for _, t := range m.threads {
		if t.kind != waitCode || m.grammar.code[t.state].op != opEnd {
			return false
		}
	}
	return len(m.threads) > 0
}

// Done tells whether the text is complete and nothing may follow.
func (m *Matcher) Done() bool { return m.done }

// Mask sets the logits of all tokens that may not come next to -Inf. logits may be longer than the
// vocabulary: rows without a token are masked too.
func (m *Matcher) Mask(logits []float32) error {
	if err := m.Allowed(m.mask); err != nil {
		return err
	}
	minus := float32(math.Inf(-1))
	some := false
	for w := 0; w*64 < len(logits); w++ {
		var bits uint64
		if w < len(m.mask) {
			bits = m.mask[w]
		}
		row := logits[w*64 : min(w*64+64, len(logits))]
		switch bits {
		case 0:
			for i := range row {
				row[i] = minus
			}
		case ^uint64(0):
			some = true
		default:
			for i := range row {
				if bits>>i&1 == 0 {
					row[i] = minus
				} else {
					some = true
				}
			}
		}
	}
	if !some {
		return fmt.Errorf("grammar: no token may come next (done %v, %d readings)", m.done, len(m.threads))
	}
	return nil
}

// Match reads text from the beginning of g. If it is not accepted, at is the byte that does not fit, or
// len(text) if the text ends too early.
func Match(g *Grammar, text string) (accepted bool, at int, why string) {
	m := NewMatcher(g, nil, nil)
	n, err := m.readAll([]byte(text))
	switch {
	case n < 0:
		return false, len(m.text), err.Error()
	case err != nil:
		return false, n, fmt.Sprintf("byte %q may not come at %d", text[n], n)
	}
	m.threads = m.next
	if !m.Complete() {
		return false, len(text), "the text ends before the grammar does"
	}
	return true, len(text), ""
}
