package grammar

// operation is one instruction of the byte machine. A thread waits at set, token or end; all others
// are followed without reading a byte.
type operation uint8

const (
	opSet     operation = iota // read one byte of class x, go on at y
	opToken                    // read special token x, go on at y
	opEnd                      // the text may end here
	opJump                     // go to x
	opSplit                    // go to x and to y
	opCall                     // push (y, register), register = 0, go to x
	opReturn                   // pop
	opLess                     // go on at y if the register is below x
	opAtLeast                  // go on at y if the register is at least x
	opCount                    // add one to the register, at most x, go on at y
	opFail                     // no way on
)

type instruction struct {
	op   operation
	x, y uint32
}

type class [4]uint64

func (c *class) add(lo, hi byte) {
	for i := int(lo); i <= int(hi); i++ {
		c[i>>6] |= 1 << (i & 63)
	}
}
func (c *class) has(b byte) bool { return c[b>>6]>>(b&63)&1 != 0 }

// body marks the instructions [low, high) of one loop over string characters.
type body struct {
	low, high uint32
	limit     uint32 // most code points; noLimit if unbounded
}

const noLimit = ^uint32(0)

// Grammar is a compiled grammar. It is immutable and may be shared by any number of matchers.
type Grammar struct {
	code    []instruction
	classes []class
	bodies  []body
	start   uint32
	index   map[class]uint32
	rules   map[*Rule]uint32
	cache   *maskCache
}

func newGrammar() *Grammar {
	return &Grammar{index: map[class]uint32{}, rules: map[*Rule]uint32{}, cache: newMaskCache()}
}

func (g *Grammar) emit(op operation, x, y uint32) uint32 {
	g.code = append(g.code, instruction{op, x, y})
	return uint32(len(g.code) - 1)
}

func (g *Grammar) set(c class, next uint32) uint32 {
	i, ok := g.index[c]
	if !ok {
		i = uint32(len(g.classes))
		g.classes = append(g.classes, c)
		g.index[c] = i
	}
	return g.emit(opSet, i, next)
}

func (g *Grammar) bytes(lo, hi byte, next uint32) uint32 {
	var c class
	c.add(lo, hi)
	return g.set(c, next)
}

// literal reads exactly s. Code is written backwards: every builder takes where to go on afterwards.
func (g *Grammar) literal(s string, next uint32) uint32 {
	for i := len(s) - 1; i >= 0; i-- {
		next = g.bytes(s[i], s[i], next)
	}
	return next
}

// either splits over the targets, in order.
func (g *Grammar) either(targets ...uint32) uint32 {
	if len(targets) == 0 {
		return g.emit(opFail, 0, 0)
	}
	at := targets[len(targets)-1]
	for i := len(targets) - 2; i >= 0; i-- {
		at = g.emit(opSplit, targets[i], at)
	}
	return at
}

// runes reads one code point of [lo, hi] as UTF-8; surrogates are left out.
func (g *Grammar) runes(lo, hi rune, next uint32) uint32 {
	var out []uint32
	for _, r := range utf8Ranges(lo, hi) {
		at := next
		for i := len(r) - 1; i >= 0; i-- {
			at = g.bytes(r[i][0], r[i][1], at)
		}
		out = append(out, at)
	}
	return g.either(out...)
}

// utf8Ranges splits [lo, hi] into sequences of byte ranges.
func utf8Ranges(lo, hi rune) [][][2]byte {
	var out [][][2]byte
	var split func(lo, hi rune)
	split = func(lo, hi rune) {
		if lo > hi {
			return
		}
		for _, edge := range []rune{0x7f, 0x7ff, 0xd7ff, 0xdfff, 0xffff} {
			if lo <= edge && edge < hi {
				split(lo, edge)
				split(edge+1, hi)
				return
			}
		}
		if lo >= 0xd800 && hi <= 0xdfff {
			return
		}
		if hi < 0x80 {
			out = append(out, [][2]byte{{byte(lo), byte(hi)}})
			return
		}
		for i := 1; i < 4; i++ {
			m := rune(1)<<(6*i) - 1
			if lo&^m != hi&^m {
				if lo&m != 0 {
					split(lo, lo|m)
					split((lo|m)+1, hi)
					return
				}
				if hi&m != m {
					split(lo, hi&^m-1)
					split(hi&^m, hi)
					return
				}
			}
		}
		a, b := []byte(string(lo)), []byte(string(hi))
		r := make([][2]byte, len(a))
		for i := range a {
			r[i] = [2]byte{a[i], b[i]}
		}
		out = append(out, r)
	}
	split(lo, hi)
	return out
}
