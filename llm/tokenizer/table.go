package tokenizer

import "math/bits"

// table finds the id of a token by its bytes. Merging asks for hundreds of short byte strings a word, so tokens of up to
// eight bytes are packed into a number and found in an open-addressed table; longer ones, which are few, in a map.
type table struct {
	pairs [1 << 16]Token // of tokens of two bytes
	slots []slot
	shift uint
	long  map[string]Token
}

type slot struct {
	key uint64 // the bytes, first lowest
	id  Token  // noToken: the slot is empty
	len int32
}

// noToken is larger than any id, so that it loses every comparison of ranks.
const noToken = Token(1<<31 - 1)

func newTable(pieces [][]byte) *table {
	n := 0
	for _, p := range pieces {
		if len(p) > 0 && len(p) <= 8 {
			n++
		}
	}
	size := uint(bits.Len(uint(2*n) | 15)) // at most half full
	t := &table{slots: make([]slot, 1<<size), shift: 64 - size, long: map[string]Token{}}
	for i := range t.slots {
		t.slots[i].id = noToken
	}
	for i := range t.pairs {
		t.pairs[i] = noToken
	}
	return t
}

// add enters a token, unless its bytes are there already.
func (t *table) add(piece string, id Token) {
	if len(piece) > 8 {
		if _, ok := t.long[piece]; !ok {
			t.long[piece] = id
		}
		return
	}
	if t.find(piece) != noToken {
		return
	}
	if len(piece) == 2 {
		t.pairs[uint(piece[0])|uint(piece[1])<<8] = id
	}
	key := pack(piece)
	at := t.start(key, len(piece))
	for t.slots[at].id != noToken {
		at = (at + 1) & (len(t.slots) - 1)
	}
	t.slots[at] = slot{key, id, int32(len(piece))}
}

// find returns the token whose bytes are piece, or noToken.
func (t *table) find(piece string) Token {
	if len(piece) > 8 {
		if id, ok := t.long[piece]; ok {
			return id
		}
		return noToken
	}
	key := pack(piece)
	for at := t.start(key, len(piece)); ; at = (at + 1) & (len(t.slots) - 1) {
		s := &t.slots[at]
		if s.id == noToken || s.key == key && int(s.len) == len(piece) {
			return s.id
		}
	}
}

func (t *table) start(key uint64, n int) int {
	return int((key ^ uint64(n)<<59) * 0x9e3779b97f4a7c15 >> t.shift)
}

// pack makes a number of up to eight bytes.
func pack(s string) uint64 {
	if len(s) == 8 {
		return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	}
	var key uint64
	for i := range len(s) {
		key |= uint64(s[i]) << (8 * i)
	}
	return key
}
