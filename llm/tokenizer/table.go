package tokenizer

import "math/bits"

// table finds the id of a token by its bytes. Merging asks for hundreds of short byte strings a word, most of which are no
// token. Tokens of up to 16 bytes are packed into numbers and found in open-addressed tables, those of two bytes by their
// value; longer ones, which are few, are in a map. The tables are megabytes and every look is a miss of the near caches, so a
// filter that fits into one tells of most strings that they are no token.
type table struct {
	pairs   [1 << 16]Token // of tokens of two bytes
	filter  [1 << (filterBits - 6)]uint64
	short   []shortSlot  // up to 8 bytes
	middle  []middleSlot // 9 to 16 bytes
	long    map[string]Token
	longest int // bytes of the longest token
}

// filterBits is the logarithm of the filter's size in bits, 256 KiB. Llama 3's 128,000 tokens set one of 16.
const filterBits = 21

type shortSlot struct {
	key uint64 // the bytes, first lowest
	id  Token  // noToken: the slot is empty
	len int32
}

type middleSlot struct {
	low, high uint64
	id        Token
	len       int32
}

// noToken is larger than any id, so that it loses every comparison of ranks.
const noToken = Token(1<<31 - 1)

func newTable(pieces [][]byte) *table {
	short, middle := 0, 0
	for _, p := range pieces {
		switch {
		case len(p) > 0 && len(p) <= 8:
			short++
		case len(p) > 8 && len(p) <= 16:
			middle++
		}
	}
	t := &table{short: make([]shortSlot, slotsFor(short)), middle: make([]middleSlot, slotsFor(middle)), long: map[string]Token{}}
	for i := range t.short {
		t.short[i].id = noToken
	}
	for i := range t.middle {
		t.middle[i].id = noToken
	}
	for i := range t.pairs {
		t.pairs[i] = noToken
	}
	return t
}

// slotsFor is the power of two that n tokens fill at most half.
func slotsFor(n int) int { return 1 << bits.Len(uint(2*n)|15) }

// add enters a token, unless its bytes are there already.
func (t *table) add(piece string, id Token) {
	if t.find(piece) != noToken {
		return
	}
	t.longest = max(t.longest, len(piece))
	switch n := len(piece); {
	case n > 16:
		t.long[piece] = id
	case n > 8:
		low, high := pack(piece[:8]), pack(piece[8:])
		h := hash(low, high, n)
		t.set(h)
		at := int(h) & (len(t.middle) - 1)
		for t.middle[at].id != noToken {
			at = (at + 1) & (len(t.middle) - 1)
		}
		t.middle[at] = middleSlot{low, high, id, int32(n)}
	default:
		if n == 2 {
			t.pairs[uint(piece[0])|uint(piece[1])<<8] = id
		}
		key := pack(piece)
		h := hash(key, 0, n)
		t.set(h)
		at := int(h) & (len(t.short) - 1)
		for t.short[at].id != noToken {
			at = (at + 1) & (len(t.short) - 1)
		}
		t.short[at] = shortSlot{key, id, int32(n)}
	}
}

// pair returns the token of two bytes, or noToken.
func (t *table) pair(a, b byte) Token { return t.pairs[uint(a)|uint(b)<<8] }

// find returns the token whose bytes are piece, or noToken.
func (t *table) find(piece string) Token {
	n := len(piece)
	switch {
	case n <= 8:
		key := pack(piece)
		h := hash(key, 0, n)
		if !t.maybe(h) {
			return noToken
		}
		for at := int(h) & (len(t.short) - 1); ; at = (at + 1) & (len(t.short) - 1) {
			if s := &t.short[at]; s.id == noToken || s.key == key && int(s.len) == n {
				return s.id
			}
		}
	case n <= 16:
		low, high := pack(piece[:8]), pack(piece[8:])
		h := hash(low, high, n)
		if !t.maybe(h) {
			return noToken
		}
		for at := int(h) & (len(t.middle) - 1); ; at = (at + 1) & (len(t.middle) - 1) {
			if s := &t.middle[at]; s.id == noToken || s.low == low && s.high == high && int(s.len) == n {
				return s.id
			}
		}
	case n > t.longest:
		return noToken
	}
	if id, ok := t.long[piece]; ok {
		return id
	}
	return noToken
}

// set notes in the filter that a string of this hash is a token.
func (t *table) set(h uint64) {
	h >>= 64 - filterBits
	t.filter[h/64] |= 1 << (h % 64)
}

// maybe reports whether a string of this hash may be a token.
func (t *table) maybe(h uint64) bool {
	h >>= 64 - filterBits
	return t.filter[h/64]>>(h%64)&1 != 0
}

// hash spreads strings over all bits: the upper ones find the place in the filter, the lower ones the slot.
func hash(low, high uint64, n int) uint64 {
	h := (low ^ bits.RotateLeft64(high, 23)*0xd6e8feb86659fd93 ^ uint64(n)<<59) * 0x9e3779b97f4a7c15
	return h ^ h>>32
}

// pack makes a number of up to eight bytes.
func pack(s string) uint64 {
	switch n := len(s); {
	case n == 8:
		return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	case n >= 4: // two numbers of four bytes, which overlap
		return uint64(pack4(s)) | uint64(pack4(s[n-4:]))<<(8*(n-4))
	case n == 0:
		return 0
	default: // the first, the middle and the last byte, of which two or all may be the same
		return uint64(s[0]) | uint64(s[n>>1])<<(8*(n>>1)) | uint64(s[n-1])<<(8*(n-1))
	}
}

func pack4(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}
