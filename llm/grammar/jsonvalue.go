package grammar

// character reads one character of a JSON string in our spelling: raw UTF-8, the short escapes, and \u00XX
// for control characters that have no short one.
func (c *compiler) character(next uint32) uint32 {
	g := c.g
	var short, low class
	for _, b := range []byte(`"\nrtbf`) {
		short.add(b, b)
	}
	low.add('0', '7')
	low.add('b', 'b')
	low.add('e', 'f')
	hex := class{}
	hex.add('0', '9')
	hex.add('a', 'f')
	controls := g.either(g.bytes('0', '0', g.set(low, next)), g.bytes('1', '1', g.set(hex, next)))
	escape := g.bytes('\\', '\\', g.either(g.set(short, next), g.literal("u00", controls)))
	return g.either(escape, g.runes(0x80, 0x10ffff, next))
}

// text reads the rest of a string with at least least and at most most characters, then the closing quote.
func (c *compiler) text(least, most uint32, next uint32) uint32 {
	g := c.g
	end := g.bytes('"', '"', next)
	if least == 0 && most == noLimit {
		loop := g.emit(opJump, 0, 0)
		b := len(g.bodies)
		g.bodies = append(g.bodies, body{limit: noLimit})
		var plain class
		plain.add(0x20, 0x7f)
		plain.remove('"', '\\')
		low := g.set(plain, loop)
		head := g.either(low, c.character(loop), end)
		g.bodies[b].low, g.bodies[b].high = low, uint32(len(g.code))
		g.code[loop].x = head
		return head
	}
	loop := g.emit(opJump, 0, 0)
	saturate := most
	if most == noLimit {
		saturate = least
	}
	count := g.emit(opCount, saturate, loop)
	var plain class
	plain.add(0x20, 0x7f)
	plain.remove('"', '\\')
	low := g.set(plain, count)
	more := g.either(low, c.character(count))
	if most != noLimit {
		more = g.emit(opLess, most, more)
	}
	if least == 0 && most != noLimit {
		g.bodies = append(g.bodies, body{low: low, high: uint32(len(g.code)), limit: most})
	}
	head := g.either(more, g.emit(opAtLeast, least, end))
	g.code[loop].x = head
	return head
}

func (c *class) remove(bytes ...byte) {
	for _, b := range bytes {
		c[b>>6] &^= 1 << (b & 63)
	}
}

// digits reads least to most digits.
func (g *Grammar) digits(least, most int, next uint32) uint32 {
	at := next
	for i := most; i > 0; i-- {
		at = g.bytes('0', '9', at)
		if i > least {
			at = g.either(at, next)
		}
	}
	return at
}

func (c *compiler) number(fraction bool, next uint32) uint32 {
	g := c.g
	end := next
	if fraction {
		end = g.either(g.bytes('.', '.', g.digits(1, 12, next)), next)
	}
	size := g.either(g.bytes('0', '0', end), g.bytes('1', '9', g.digits(0, 18, end)))
	return g.either(g.bytes('-', '-', size), size)
}
