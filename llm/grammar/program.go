package grammar

// operation is one instruction of the byte machine. A thread waits at set, token or end; all others
// are followed without reading a byte.
type operation uint8

const (
	opSet       operation = iota // read one byte of class x, go on at y
	opToken                      // read special token x, go on at y
	opEnd                        // the text may end here
	opJump                       // go to x
	opSplit                      // go to x and to y
	opCall                       // push (y, register), register = 0, go to x
	opReturn                     // pop
	opLess                       // go on at y if the register is below x
	opAtLeast                    // go on at y if the register is at least x
	opCount                      // add one to the register, at most x, go on at y
	opFail                       // no way on
	opValue                      // read a value of node x, go on at y
	opTable                      // read a text of scalar table x, go on at y
	opArguments                  // read the arguments of object x, go on at y
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

const noLimit = ^uint32(0)

// Grammar is a compiled grammar. It is immutable and may be shared by any number of matchers.
type Grammar struct {
	code     []instruction
	classes  []class
	values   values
	distance []uint32 // by instruction: fewest bytes to the end or to where it returns
	jump     int      // by how many bytes one token may take the end away, see Limit
	start    uint32
	index    map[class]uint32
	rules    map[*Rule]uint32
	cache    *maskCache
	regular  map[string]uint32 // scalar tables of expressions
	repeats  map[uint32]repeat // by where their loop begins
}

// repeat is a part that comes at least so many times.
type repeat struct{ once, least uint32 }

func newGrammar() *Grammar {
	return &Grammar{index: map[class]uint32{}, rules: map[*Rule]uint32{}, regular: map[string]uint32{}, repeats: map[uint32]repeat{}, cache: newMaskCache()}
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
