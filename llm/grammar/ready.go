package grammar

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"
)

// ready is what is known of a state of a table: what depends on the automaton alone, and not on what is around it or on how
// many characters may come.
type ready struct {
	groups []needGroup // tokens that stay inside
	mixed  bool        // there are too many needs to tell apart: groups[0] holds all tokens
	ends   [2][]uint64 // of strings and names, by quote: endings whose text leads to where the quote may come
	closes [2]tokenSet // the tokens of those that have nothing behind the quote
	exits  []exit      // of scalars and of strings that begin: where a token leaves the table

	oddOnce sync.Once
	odd     []countedToken // the tokens of groups with other than plain characters
}

// needGroup are tokens that lead to states from which at least need more characters must come.
type needGroup struct {
	need   uint32
	tokens tokenSet
}

// maxNeeds is how many needs are told apart.
const maxNeeds = 4

// countedToken is a token with the characters that it begins and those that must follow it.
type countedToken struct {
	token      int32
	characters uint32
}

// exit is a node of the trie of all tokens whose byte ends what the table reads, in a state after so many characters.
type exit struct {
	at         uint32
	state      int32
	characters uint32
	token      int32 // one that is there or below
}

// readyKind is how a table is read.
type readyKind uint8

const (
	readyText   readyKind = iota // a string or a name, whose end is found by the endings
	readyScalar                  // a scalar that a byte of structure ends
	readyDouble                  // a string from the quote before it to the one behind it
	readySingle
	readyKinds
)

// readyKey is a state of a table, by its content.
type readyKey struct {
	table [sha256.Size]byte
	state int32
	kind  readyKind
}

// readyStore keeps what is ready for the states of the tables of all grammars.
type readyStore struct {
	mutex      sync.RWMutex
	generation uint32 // of no other store; it changes when the store is emptied
	known      []*ready
	index      map[readyKey]uint32
	bytes      int
}

// maxReadyBytes bounds what a vocabulary keeps.
const maxReadyBytes = 8 << 20

var generations atomic.Uint32

// readySlots remember, by state, where a store keeps what is ready: the store's generation and the place behind it.
type readySlots struct {
	once  sync.Once
	state []atomic.Uint64
}

func (r *readySlots) at(state int32, states int) *atomic.Uint64 {
	r.once.Do(func() { r.state = make([]atomic.Uint64, states) })
	return &r.state[state]
}

// ready is what is known of a state. Tables of the same content share it, whatever grammar they belong to: nearly every
// schema has the table of a plain string.
func (v *Vocabulary) ready(w *walker, t *table, state int32, kind readyKind) *ready {
	s := &v.readies
	states := len(t.accept)
	if kind >= readyDouble {
		states = 1
	}
	slot := t.slots[kind].at(state, states)
	s.mutex.RLock()
	if at := slot.Load(); at != 0 && uint32(at>>32) == s.generation {
		known := s.known[uint32(at)]
		s.mutex.RUnlock()
		return known
	}
	key := readyKey{t.contentKey(), state, kind}
	at, ok := s.index[key]
	if ok {
		known := s.known[at]
		slot.Store(uint64(s.generation)<<32 | uint64(at))
		s.mutex.RUnlock()
		return known
	}
	s.mutex.RUnlock()
	r := v.newReady(w, t, state, kind)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.index == nil || s.bytes > maxReadyBytes {
		s.generation, s.known, s.index, s.bytes = generations.Add(1), nil, map[readyKey]uint32{}, 0
	}
	at = uint32(len(s.known))
	s.known = append(s.known, r)
	s.index[key] = at
	s.bytes += r.bytes()
	slot.Store(uint64(s.generation)<<32 | uint64(at))
	return r
}

func (r *ready) bytes() int {
	n := 256 + 16*len(r.exits) + 8*(len(r.ends[0])+len(r.ends[1])) + r.closes[0].bytes() + r.closes[1].bytes()
	for i := range r.groups {
		n += r.groups[i].tokens.bytes()
	}
	return n
}

func (v *Vocabulary) newReady(w *walker, t *table, state int32, kind readyKind) *ready {
	r := &ready{}
	if kind != readyText {
		r.groups = []needGroup{{tokens: v.exitsOf(w, t, state, kind, &r.exits)}}
		return r
	}
	needs, group := t.needs, t.group
	if r.mixed = len(needs) > maxNeeds; needs == nil || r.mixed {
		needs, group = []uint32{0}, nil
	}
	w.growGroups(len(needs), v.words)
	t.walkInside(w, v, state, group)
	for i, need := range needs {
		if set := newTokenSet(w.groups[i]); len(set.words) > 0 {
			r.groups = append(r.groups, needGroup{need, set})
		}
	}
	for k, quote := range []byte{'"', '\''} {
		e := &v.endings[k]
		r.ends[k] = e.ends(w, t, state, quote)
		clear(w.groups[0])
		for at := e.spans[0][0]; at < e.spans[0][1]; at++ {
			if hasBit(r.ends[k], at) {
				setBit(w.groups[0], int(e.ids[at]))
			}
		}
		r.closes[k] = newTokenSet(w.groups[0])
	}
	return r
}

// exitsOf walks all tokens from a state; it returns those that stay inside and adds to exits where others leave.
func (v *Vocabulary) exitsOf(w *walker, t *table, state int32, kind readyKind, exits *[]exit) tokenSet {
	w.grow(v.depth + 1)
	w.growGroups(1, v.words)
	inside := w.groups[0]
	nodes := v.all.nodes
	at, to, depth := uint32(0), uint32(len(nodes)), 0
	quote := byte('"')
	if kind != readyScalar {
		if kind == readySingle {
			quote = '\''
		}
		// The token of the quote itself is inside, too.
		if at = v.all.first[quote]; at == noLimit {
			return tokenSet{}
		}
		to, depth = nodes[at].end, 1
		if nodes[at].token >= 0 {
			v.all.mark(&nodes[at], inside)
		}
		at++
	}
	w.states[depth], w.counts[depth] = state, 0
	for at < to {
		n := &nodes[at]
		from, count := w.states[n.depth], w.counts[n.depth]
		if next := t.step(from, n.b); next >= 0 {
			if !t.inCharacter(from) {
				count++
			}
			w.states[n.depth+1], w.counts[n.depth+1] = next, count
			if n.token >= 0 {
				v.all.mark(n, inside)
			}
			at++
			continue
		}
		if t.accept[from] && (kind == readyScalar && isStructure(n.b) || kind != readyScalar && n.b == quote && !t.inCharacter(from)) {
			*exits = append(*exits, exit{at, from, count, v.all.below(at)})
		}
		at = n.end
	}
	return newTokenSet(inside)
}

// below is a token at a node or below it.
func (t *trie) below(at uint32) int32 {
	for t.nodes[at].token < 0 {
		at++
	}
	return t.nodes[at].token
}

// inCharacter tells whether a state is in the middle of a character.
func (t *table) inCharacter(state int32) bool { return t.inside != nil && t.inside[state] }

// oddTokens are the tokens that stay inside and have other than plain characters, or parts of some.
func (r *ready) oddTokens(v *Vocabulary, t *table, state int32) []countedToken {
	r.oddOnce.Do(func() {
		mask := make([]uint64, v.words)
		for i := range r.groups {
			r.groups[i].tokens.addBoth(v.odd, mask)
		}
		for i, set := range mask {
			for ; set != 0; set &= set - 1 {
				id := int32(i<<6 | bits.TrailingZeros64(set))
				x, at := countedToken{token: id}, state
				for _, b := range v.pieces[id] {
					if !t.inCharacter(at) {
						x.characters++
					}
					at = t.step(at, b)
				}
				if t.least != nil {
					x.characters += t.least[at]
				}
				r.odd = append(r.odd, x)
			}
		}
	})
	return r.odd
}

// contentKey tells tables apart by how they follow bytes, where they may end, where characters begin and how many must come: the
// automaton of a pattern is the same with a length beside it, and what is ready for its states is not.
func (t *table) contentKey() [sha256.Size]byte {
	t.keyOnce.Do(func() {
		h := sha256.New()
		h.Write(t.class[:])
		var buffer []byte
		for _, x := range t.next {
			buffer = binary.LittleEndian.AppendUint32(buffer, uint32(x))
		}
		for s, ends := range t.accept {
			flags := byte(0)
			if ends {
				flags |= 1
			}
			if t.inCharacter(int32(s)) {
				flags |= 2
			}
			buffer = append(buffer, flags)
		}
		for _, need := range t.needs {
			buffer = binary.LittleEndian.AppendUint32(buffer, need)
		}
		h.Write(t.group)
		h.Write(binary.LittleEndian.AppendUint32(buffer, t.columns))
		h.Sum(t.key[:0])
	})
	return t.key
}
