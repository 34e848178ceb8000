package chat

// callState is where in a call one stands. It is a value: trying out a token costs a copy.
type callState struct {
	mode  callMode
	next  uint8  // the first parameter that may still come
	list  bool   // inside a list
	depth uint8  // brackets that are open in a value of any kind
	quote bool   // inside a string of a value of any kind
	any   bool   // something was written at this place: an argument, an item, a digit
	pos   int32  // bytes of a literal, or of the words that are alive, that were written
	low   uint8  // inside a character of several bytes: the least that the next byte may be
	high  uint8  // and the most
	more  uint8  // and how many are to come
	alive uint64 // words, or candidates for the next key, that agree so far; bit len(parameters) is the end
	num   numberState
}

type callMode uint8

const (
	modeOpening callMode = iota // the literal before the arguments
	modeChoose                  // the next key, or the end
	modeValue                   // before a value
	modeString                  // inside a string
	modeEscape                  // after a backslash
	modeHex                     // inside \uXXXX; pos digits are there
	modeNumber
	modeWords
	modeAny
	modeAfter // after an item of a list
	modeClose // the brace behind the arguments
	modeEnd
)

// numberState is where in a number one stands.
type numberState uint8

const (
	numberStart    numberState = iota
	numberSign                 // after the minus
	numberZero                 // after a leading zero
	numberDigits               // inside the integer part
	numberPoint                // after the point
	numberFraction             // inside the fraction
	numberExponent             // after the e
	numberExponentSign
	numberExponentDigits
)

// step goes on by one byte, if it may come.
func (c *callShape) step(s callState, b byte) (callState, bool) {
	switch s.mode {
	case modeOpening:
		if b != c.opening[s.pos] {
			return s, false
		}
		if s.pos++; int(s.pos) == len(c.opening) {
			s = c.choose(s, 0, false)
		}
		return s, true
	case modeChoose:
		return c.stepChoose(s, b)
	case modeValue:
		return c.beginValue(s, c.kindHere(s), b)
	case modeString:
		return c.stepString(s, b)
	case modeEscape:
		return stepEscape(s, b)
	case modeHex:
		if !isHex(b) {
			return s, false
		}
		if s.pos++; s.pos == 4 {
			s.mode = modeString
		}
		return s, true
	case modeNumber:
		if next, ok := c.stepNumber(s, b); ok {
			return next, true
		}
		if !s.num.complete() {
			return s, false
		}
		return c.step(c.valueEnds(s), b) // a number ends with what follows it
	case modeWords:
		return c.stepWords(s, b)
	case modeAny:
		return c.stepAny(s, b)
	case modeAfter:
		switch b {
		case ',':
			s.mode, s.any = modeValue, true
			return s, true
		case ']':
			s.list = false
			return c.valueEnds(s), true
		}
		return s, false
	case modeClose:
		s.mode = modeEnd
		return s, b == '}'
	}
	return s, false
}

// choose stands before the next key, from the parameter next on, or the end.
func (c *callShape) choose(s callState, next int, any bool) callState {
	s = callState{mode: modeChoose, next: uint8(next), any: any}
	for i := next; i <= len(c.parameters); i++ {
		s.alive |= 1 << i
		if i < len(c.parameters) && c.parameters[i].required {
			break // this one cannot be passed over
		}
	}
	return s
}

// choice is what candidate i for the next key writes: the key, after a comma unless it is the first, or the closing brace.
// It is given byte by byte, so that nothing has to be put together.
func (c *callShape) choice(s callState, i int) (at func(pos int32) byte, n int32) {
	if i == len(c.parameters) {
		return func(int32) byte { return '}' }, 1
	}
	key := c.parameters[i].key
	if !s.any {
		return func(pos int32) byte { return key[pos] }, int32(len(key))
	}
	return func(pos int32) byte {
		if pos == 0 {
			return ','
		}
		return key[pos-1]
	}, int32(len(key)) + 1
}

func (c *callShape) stepChoose(s callState, b byte) (callState, bool) {
	alive := uint64(0)
	for i := int(s.next); i <= len(c.parameters); i++ {
		if s.alive>>i&1 == 0 {
			continue
		}
		at, n := c.choice(s, i)
		if at(s.pos) != b {
			continue
		}
		if s.pos+1 == n { // no key is the beginning of another: all end with a quote and a colon
			if i == len(c.parameters) {
				s.mode = modeClose
				return s, true
			}
			return callState{mode: modeValue, next: uint8(i)}, true
		}
		alive |= 1 << i
	}
	s.alive = alive
	s.pos++
	return s, alive != 0
}

// kindHere is the kind of the value that comes: of an item inside a list.
func (c *callShape) kindHere(s callState) valueKind {
	p := &c.parameters[s.next]
	if s.list {
		return p.item
	}
	return p.kind
}

func (c *callShape) beginValue(s callState, kind valueKind, b byte) (callState, bool) {
	if s.list && !s.any && b == ']' { // an empty list
		s.list = false
		return c.valueEnds(s), true
	}
	s.pos, s.num, s.depth, s.quote = 0, numberStart, 0, false
	switch kind {
	case kindString:
		s.mode = modeString
		return s, b == '"'
	case kindInteger, kindNumber:
		s.mode = modeNumber
		return c.stepNumber(s, b)
	case kindWords:
		s.mode, s.alive = modeWords, ^uint64(0)>>(maxChoices-len(c.parameters[s.next].words))
		return c.stepWords(s, b)
	case kindList:
		s.mode, s.list, s.any = modeValue, true, false
		return s, b == '['
	}
	s.mode = modeAny
	return c.stepAny(s, b)
}

// valueEnds stands behind a value.
func (c *callShape) valueEnds(s callState) callState {
	if s.list {
		s.mode = modeAfter
		return s
	}
	return c.choose(s, int(s.next)+1, true)
}

func (c *callShape) stepString(s callState, b byte) (callState, bool) {
	switch {
	case s.more > 0 || b >= 0x80:
		return stepUTF8(s, b)
	case b == '"':
		return c.valueEnds(s), true
	case b == '\\':
		s.mode = modeEscape
		return s, true
	}
	return s, b >= ' '
}

// stepUTF8 goes on inside a character of several bytes, or begins one. Only valid UTF-8 may come (RFC 3629, section 4).
func stepUTF8(s callState, b byte) (callState, bool) {
	if s.more > 0 {
		ok := s.low <= b && b <= s.high
		s.low, s.high = 0x80, 0xbf
		s.more--
		return s, ok
	}
	s.low, s.high = 0x80, 0xbf
	switch {
	case 0xc2 <= b && b <= 0xdf:
		s.more = 1
	case 0xe0 <= b && b <= 0xef:
		s.more = 2
	case 0xf0 <= b && b <= 0xf4:
		s.more = 3
	default:
		return s, false
	}
	switch b {
	case 0xe0:
		s.low = 0xa0
	case 0xed:
		s.high = 0x9f
	case 0xf0:
		s.low = 0x90
	case 0xf4:
		s.high = 0x8f
	}
	return s, true
}

func stepEscape(s callState, b byte) (callState, bool) {
	switch b {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.mode = modeString
		return s, true
	case 'u':
		s.mode, s.pos = modeHex, 0
		return s, true
	}
	return s, false
}

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'f'
}

// complete reports whether a number may end here.
func (n numberState) complete() bool {
	return n == numberZero || n == numberDigits || n == numberFraction || n == numberExponentDigits
}

// maxDigits bounds a number, so that a model that repeats itself comes to an end.
const maxDigits = 24

func (c *callShape) stepNumber(s callState, b byte) (callState, bool) {
	digit := '0' <= b && b <= '9'
	whole := c.kindHere(s) == kindInteger
	if s.pos++; s.pos > maxDigits {
		return s, false
	}
	switch s.num {
	case numberStart, numberSign:
		switch {
		case b == '-' && s.num == numberStart:
			s.num = numberSign
		case b == '0':
			s.num = numberZero
		case digit:
			s.num = numberDigits
		default:
			return s, false
		}
		return s, true
	case numberZero, numberDigits:
		switch {
		case digit && s.num == numberDigits:
		case b == '.' && !whole:
			s.num = numberPoint
		case b|0x20 == 'e' && !whole:
			s.num = numberExponent
		default:
			return s, false
		}
		return s, true
	case numberPoint, numberFraction:
		if digit {
			s.num = numberFraction
			return s, true
		}
		if s.num == numberFraction && b|0x20 == 'e' {
			s.num = numberExponent
			return s, true
		}
		return s, false
	case numberExponent:
		if b == '+' || b == '-' {
			s.num = numberExponentSign
			return s, true
		}
	}
	s.num = numberExponentDigits
	return s, digit
}

func (c *callShape) stepWords(s callState, b byte) (callState, bool) {
	alive := uint64(0)
	for i, word := range c.parameters[s.next].words {
		if s.alive>>i&1 == 1 && int(s.pos) < len(word) && word[s.pos] == b {
			if int(s.pos)+1 == len(word) && word[len(word)-1] == '"' || int(s.pos)+1 == len(word) && !c.longer(s, i) {
				return c.valueEnds(s), true
			}
			alive |= 1 << i
		}
	}
	s.pos++
	s.alive = alive
	if alive != 0 {
		return s, true
	}
	// A number in an enum may be the beginning of another one; it then ends with what follows.
	s.pos--
	return s, false
}

// longer reports whether a word that is alive goes on where word i ends. Words that are strings never do.
func (c *callShape) longer(s callState, i int) bool {
	words := c.parameters[s.next].words
	for j, word := range words {
		if j != i && s.alive>>j&1 == 1 && len(word) > len(words[i]) && string(word[:len(words[i])]) == string(words[i]) {
			return true
		}
	}
	return false
}

// maxDepth bounds how deeply values of any kind are nested.
const maxDepth = 32

// stepAny follows a value whose schema says no type: brackets must balance, and commas and colons are left to the model.
// The whole is checked when it is complete.
func (c *callShape) stepAny(s callState, b byte) (callState, bool) {
	switch {
	case s.quote:
		switch {
		case s.pos == 1: // after a backslash
			s.pos = 0
			return s, b == '"' || b == '\\' || b == 'n' || b == 't' || b == '/'
		case s.more > 0 || b >= 0x80:
			return stepUTF8(s, b)
		case b == '\\':
			s.pos = 1
		case b == '"':
			if s.quote = false; s.depth == 0 {
				return c.valueEnds(s), true
			}
		case b < ' ':
			return s, false
		}
		return s, true
	case b == '"':
		s.quote, s.pos = true, 0
		return s, true
	case b == '{' || b == '[':
		s.depth++
		return s, s.depth <= maxDepth
	case b == '}' || b == ']':
		if s.depth == 0 {
			return c.step(c.valueEnds(s), b)
		}
		if s.depth--; s.depth == 0 {
			return c.valueEnds(s), true
		}
		return s, true
	case b == ',' && s.depth == 0:
		return c.step(c.valueEnds(s), b)
	}
	return s, b == ',' || b == ':' && s.depth > 0 || b == '-' || b == '.' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z'
}

// firstBytes says which bytes may come next.
func (c *callShape) firstBytes(s callState) (may [256]bool) {
	for b := range 256 {
		_, may[b] = c.step(s, byte(b))
	}
	return may
}

// only returns the byte that must come next, if there is just one.
func (c *callShape) only(s callState) (b byte, ok bool) {
	switch s.mode { // most states need no look at all bytes
	case modeOpening:
		return c.opening[s.pos], true
	case modeString, modeEscape, modeHex, modeEnd:
		return 0, false
	case modeClose:
		return '}', true
	}
	may := c.firstBytes(s)
	n := 0
	for i, yes := range may {
		if yes {
			b = byte(i)
			n++
		}
	}
	return b, n == 1
}
