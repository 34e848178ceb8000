package grammar

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
)

// Digits that a number may have before and after the point; without a limit a model can write them for ever.
const (
	maxIntegerDigits  = 19
	maxFractionDigits = 12
	maxNumberStates   = 20_000
)

type numberRule uint8

const (
	numberAtLeast numberRule = iota
	numberAbove
	numberAtMost
	numberBelow
	numberNot
	numberMultiple
	numberNotMultiple
	numberWhole
	numberBroken // not whole
)

// numberAtom is one condition on a number.
type numberAtom struct {
	rule  numberRule
	value *big.Rat
}

func (a numberAtom) key() string {
	if a.value == nil {
		return string('a' + rune(a.rule))
	}
	return string('a'+rune(a.rule)) + a.value.RatString()
}

// holds tells whether x satisfies a.
func (a numberAtom) holds(x *big.Rat) bool {
	switch a.rule {
	case numberWhole:
		return x.IsInt()
	case numberBroken:
		return !x.IsInt()
	case numberMultiple, numberNotMultiple:
		return new(big.Rat).Quo(x, a.value).IsInt() == (a.rule == numberMultiple)
	}
	c := x.Cmp(a.value)
	switch a.rule {
	case numberAtLeast:
		return c >= 0
	case numberAbove:
		return c > 0
	case numberAtMost:
		return c <= 0
	case numberBelow:
		return c < 0
	}
	return c != 0
}

// parseNumber reads a number of JSON exactly; exponents are limited so that it stays small.
func parseNumber(s string) (*big.Rat, error) {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if len(strings.TrimLeft(s[i+1:], "+-0")) > 3 {
			return nil, fmt.Errorf("the exponent of %s is too large", s)
		}
	}
	if len(s) > 1000 {
		return nil, fmt.Errorf("a number of %d characters is too long", len(s))
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, fmt.Errorf("%s is not a number", s)
	}
	return r, nil
}

// decimal gives the digits of |r| before and after the point; ok is false if they do not end.
func decimal(r *big.Rat) (whole, fraction string, ok bool) {
	d := new(big.Int).Set(r.Denom())
	places := 0
	for _, p := range []int64{2, 5} {
		n := 0
		for {
			q, m := new(big.Int).QuoRem(d, big.NewInt(p), new(big.Int))
			if m.Sign() != 0 {
				break
			}
			d = q
			n++
		}
		places = max(places, n)
	}
	if d.Cmp(big.NewInt(1)) != 0 {
		return "", "", false
	}
	whole, fraction, _ = strings.Cut(strings.TrimPrefix(r.FloatString(places), "-"), ".")
	return whole, strings.TrimRight(fraction, "0"), true
}

// spellNumber writes r as grammars write it, without exponent; ok is false if that needs too many digits.
func spellNumber(r *big.Rat) (text string, ok bool) {
	whole, fraction, ok := decimal(r)
	if !ok || len(whole) > 400 || len(fraction) > 400 {
		return "", false
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if r.Sign() < 0 {
		whole = "-" + whole
	}
	return whole, true
}

// comparison follows how the digits so far stand to those of a bound's absolute value.
type comparison struct {
	atom            numberAtom
	whole, fraction string
}

type modulus struct {
	atom   numberAtom
	m      int64 // the number times 10^places must be a multiple of m
	places int
}

type numberState struct {
	phase             uint8
	negative, nonzero bool
	broken            bool // a digit after the point is not zero
	integers, places  int
	compared          string // one byte per comparison: 0 less, 1 equal, 2 greater
	rest              string // eight bytes per modulus
}

const (
	numberStart uint8 = iota
	numberMinus
	numberZero
	numberDigits
	numberPoint
	numberFraction
	numberExponent
	numberExponentSign
	numberExponentDigit
	numberEnd
)

type numberBuilder struct {
	comparisons []comparison
	moduli      []modulus
	whole       bool // only whole numbers
	needBroken  bool
	integers    int
	places      int
	exponent    bool
}

// numberTable reads the numbers for which all atoms hold, or returns nil if there are none.
func numberTable(atoms []numberAtom) (*table, error) {
	b := &numberBuilder{integers: maxIntegerDigits, places: maxFractionDigits, exponent: len(atoms) == 0}
	for _, a := range atoms {
		if err := b.add(a); err != nil {
			return nil, err
		}
	}
	index := map[numberState]int32{}
	var states []numberState
	visit := func(s numberState) int32 {
		i, ok := index[s]
		if !ok {
			i = int32(len(states))
			index[s] = i
			states = append(states, s)
		}
		return i
	}
	visit(numberState{compared: strings.Repeat("\x01", len(b.comparisons)), rest: string(make([]byte, 8*len(b.moduli)))})
	var edges [][]byteEdge
	var accept []bool
	for at := 0; at < len(states); at++ {
		if len(states) > maxNumberStates {
			return nil, fmt.Errorf("its automaton has more than %d states", maxNumberStates)
		}
		s := states[at]
		var list []byteEdge
		for _, c := range []byte("+-.0123456789Ee") {
			if next, ok := b.step(s, c); ok {
				list = append(list, byteEdge{c, c, visit(next)})
			}
		}
		edges = append(edges, list)
		accept = append(accept, b.accepts(s))
	}
	edges, accept = trimEdges(edges, accept)
	if edges == nil {
		return nil, nil
	}
	return newTable(edges, accept), nil
}

func (b *numberBuilder) add(a numberAtom) error {
	switch a.rule {
	case numberWhole:
		b.whole = true
		return nil
	case numberBroken:
		b.needBroken = true
		return nil
	case numberMultiple, numberNotMultiple:
		_, fraction, ok := decimal(a.value)
		if !ok || a.value.Sign() <= 0 {
			return fmt.Errorf("%s is not a decimal above zero", a.value.RatString())
		}
		scaled := new(big.Rat).Mul(a.value, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(fraction))), nil)))
		if !scaled.Num().IsInt64() || scaled.Num().Int64() > maxNumberStates {
			return fmt.Errorf("multiples of more than %d, counted in its last place, are not enforced", maxNumberStates)
		}
		b.moduli = append(b.moduli, modulus{a, scaled.Num().Int64(), len(fraction)})
		b.places = max(b.places, len(fraction))
		return nil
	}
	whole, fraction, ok := decimal(a.value)
	if !ok || len(whole) > 310 || len(fraction) > 310 {
		return fmt.Errorf("%s has too many digits", a.value.RatString())
	}
	if len(fraction) > 0 {
		b.places = max(b.places, len(fraction)+1)
	}
	lower := a.rule == numberAtLeast || a.rule == numberAbove
	if lower == (a.value.Sign() > 0) && len(whole) >= b.integers {
		b.integers = len(whole) + 1
	}
	b.comparisons = append(b.comparisons, comparison{a, whole, fraction})
	return nil
}

func (b *numberBuilder) step(s numberState, c byte) (numberState, bool) {
	digit := c >= '0' && c <= '9'
	switch s.phase {
	case numberStart, numberMinus:
		if c == '-' && s.phase == numberStart {
			s.negative, s.phase = true, numberMinus
			return s, true
		}
		if !digit {
			return s, false
		}
		if s.phase = numberDigits; c == '0' {
			s.phase = numberZero
		}
		return b.digit(s, c), true
	case numberZero, numberDigits:
		switch {
		case digit && s.phase == numberDigits && s.integers < b.integers:
			return b.digit(s, c), true
		case c == '.' && !b.whole:
			s.compared = b.settle(s)
			s.phase, s.integers = numberPoint, 0
			return s, true
		}
	case numberPoint, numberFraction:
		if digit && s.places < b.places {
			s.phase = numberFraction
			return b.fractionDigit(s, c), true
		}
	case numberExponent, numberExponentSign:
		if (c == '+' || c == '-') && s.phase == numberExponent {
			s.phase = numberExponentSign
			return s, true
		}
		if digit {
			s.phase = numberExponentDigit
			return s, true
		}
	case numberExponentDigit:
		if digit {
			s.phase = numberEnd
			return s, true
		}
	}
	if b.exponent && (c == 'e' || c == 'E') && s.nonzero && (s.phase == numberDigits || s.phase == numberFraction || s.phase == numberZero) {
		return numberState{phase: numberExponent, nonzero: true, broken: s.broken}, true
	}
	return s, false
}

func (b *numberBuilder) digit(s numberState, c byte) numberState {
	compared := []byte(s.compared)
	for i, x := range b.comparisons {
		if compared[i] == 1 && s.integers < len(x.whole) {
			compared[i] = order(c, x.whole[s.integers])
		}
	}
	s.compared = string(compared)
	s.integers++
	s.nonzero = s.nonzero || c != '0'
	s.rest = b.reduce(s, c)
	return s
}

func order(a, b byte) byte {
	switch {
	case a < b:
		return 0
	case a > b:
		return 2
	}
	return 1
}

// settle compares the whole parts, whose digits are all there.
func (b *numberBuilder) settle(s numberState) string {
	compared := []byte(s.compared)
	for i, x := range b.comparisons {
		if s.integers < len(x.whole) {
			compared[i] = 0
		} else if s.integers > len(x.whole) {
			compared[i] = 2
		}
	}
	return string(compared)
}

func (b *numberBuilder) fractionDigit(s numberState, c byte) numberState {
	compared := []byte(s.compared)
	for i, x := range b.comparisons {
		if compared[i] == 1 {
			want := byte('0')
			if s.places < len(x.fraction) {
				want = x.fraction[s.places]
			}
			compared[i] = order(c, want)
		}
	}
	s.compared = string(compared)
	s.nonzero = s.nonzero || c != '0'
	s.broken = s.broken || c != '0'
	s.rest = b.reduce(s, c)
	s.places++
	return s
}

// reduce takes the digits so far modulo each modulus; -1 stands for a digit beyond its places.
func (b *numberBuilder) reduce(s numberState, c byte) string {
	rest := []byte(s.rest)
	for i, x := range b.moduli {
		r := int64(binary.LittleEndian.Uint64(rest[8*i:]))
		switch {
		case s.phase == numberFraction && s.places >= x.places:
			if c != '0' {
				r = -1
			}
		case r >= 0:
			r = (r*10 + int64(c-'0')) % x.m
		}
		binary.LittleEndian.PutUint64(rest[8*i:], uint64(r))
	}
	return string(rest)
}

func (b *numberBuilder) accepts(s numberState) bool {
	switch s.phase {
	case numberZero, numberDigits:
		s.compared = b.settle(s)
	case numberFraction:
	case numberExponentDigit, numberEnd:
		return true
	default:
		return false
	}
	if s.negative && !s.nonzero || b.needBroken && !s.broken {
		return false
	}
	for i, x := range b.moduli {
		r := int64(binary.LittleEndian.Uint64([]byte(s.rest)[8*i:]))
		for p := s.places; p < x.places && r >= 0; p++ {
			r = r * 10 % x.m
		}
		if (r == 0) != (x.atom.rule == numberMultiple) {
			return false
		}
	}
	for i, x := range b.comparisons {
		c := int(s.compared[i]) - 1
		if c == 0 && s.places < len(x.fraction) {
			c = -1
		}
		if negative := x.atom.value.Sign() < 0; negative != s.negative {
			if c = 1; s.negative {
				c = -1
			}
		} else if negative {
			c = -c
		}
		ok := false
		switch x.atom.rule {
		case numberAtLeast:
			ok = c >= 0
		case numberAbove:
			ok = c > 0
		case numberAtMost:
			ok = c <= 0
		case numberBelow:
			ok = c < 0
		default:
			ok = c != 0
		}
		if !ok {
			return false
		}
	}
	return true
}

// trimEdges leaves out the states that lead to no accepting one; nil if the start is among them.
func trimEdges(edges [][]byteEdge, accept []bool) ([][]byteEdge, []bool) {
	back := make([][]int32, len(edges))
	for s, list := range edges {
		for _, e := range list {
			back[e.to] = append(back[e.to], int32(s))
		}
	}
	good := make([]bool, len(edges))
	var queue []int32
	for s := range edges {
		if accept[s] {
			good[s] = true
			queue = append(queue, int32(s))
		}
	}
	for len(queue) > 0 {
		s := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, p := range back[s] {
			if !good[p] {
				good[p] = true
				queue = append(queue, p)
			}
		}
	}
	if !good[0] {
		return nil, nil
	}
	name := make([]int32, len(edges))
	n := int32(0)
	for s := range edges {
		if name[s] = -1; good[s] {
			name[s] = n
			n++
		}
	}
	var out [][]byteEdge
	var ends []bool
	for s := range edges {
		if !good[s] {
			continue
		}
		var list []byteEdge
		for _, e := range edges[s] {
			if good[e.to] {
				list = append(list, byteEdge{e.lo, e.hi, name[e.to]})
			}
		}
		out, ends = append(out, list), append(ends, accept[s])
	}
	return out, ends
}
