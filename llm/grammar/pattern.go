package grammar

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// patternKind is the kind of a node of a parsed expression.
type patternKind uint8

const (
	patternSet    patternKind = iota // one character of set
	patternJoin                      // parts one after the other
	patternEither                    // one of the parts
	patternLoop                      // parts[0] low to high times
	patternStart                     // ^
	patternEnd                       // $
	patternAhead                     // parts[0] follows
	patternNot                       // parts[0] does not follow
)

type pattern struct {
	kind      patternKind
	parts     []*pattern
	set       []runeRange
	low, high int32
}

const (
	maxPatternBytes = 16 << 10
	maxPatternDepth = 100
	maxPatternCount = 20_000
)

// parsePattern reads an expression of ECMA-262, as JSON Schema's pattern has it. What a finite automaton
// cannot do (references back, looking behind, word borders) is an error.
func parsePattern(expression string) (*pattern, error) {
	if len(expression) > maxPatternBytes || !utf8.ValidString(expression) {
		return nil, fmt.Errorf("an expression has at most %d bytes of UTF-8", maxPatternBytes)
	}
	r := &patternReader{text: expression}
	p, err := r.either(0)
	if err == nil && r.at < len(r.text) {
		err = fmt.Errorf("%q is not opened", r.text[r.at])
	}
	if err != nil {
		return nil, fmt.Errorf("expression %.200q, byte %d: %w", expression, r.at, err)
	}
	return p, nil
}

type patternReader struct {
	text string
	at   int
}

func (r *patternReader) more() bool { return r.at < len(r.text) }

func (r *patternReader) skip(s string) bool {
	if strings.HasPrefix(r.text[r.at:], s) {
		r.at += len(s)
		return true
	}
	return false
}

func (r *patternReader) char() rune {
	c, n := utf8.DecodeRuneInString(r.text[r.at:])
	r.at += n
	return c
}

func (r *patternReader) either(depth int) (*pattern, error) {
	if depth > maxPatternDepth {
		return nil, fmt.Errorf("groups are nested deeper than %d", maxPatternDepth)
	}
	out := &pattern{kind: patternEither}
	for {
		join := &pattern{kind: patternJoin}
		for r.more() && r.text[r.at] != '|' && r.text[r.at] != ')' {
			p, err := r.term(depth)
			if err != nil {
				return nil, err
			}
			join.parts = append(join.parts, p)
		}
		out.parts = append(out.parts, join)
		if !r.skip("|") {
			break
		}
	}
	if len(out.parts) == 1 {
		return out.parts[0], nil
	}
	return out, nil
}

func (r *patternReader) term(depth int) (*pattern, error) {
	p, err := r.atom(depth)
	if err != nil || !r.more() {
		return p, err
	}
	var low, high int32
	switch {
	case r.skip("*"):
		low, high = 0, -1
	case r.skip("+"):
		low, high = 1, -1
	case r.skip("?"):
		low, high = 0, 1
	case r.text[r.at] == '{':
		l, h, n, ok, err := counts(r.text[r.at:])
		if err != nil {
			return nil, err
		}
		if !ok {
			return p, nil
		}
		low, high = l, h
		r.at += n
	default:
		return p, nil
	}
	if p.kind > patternLoop {
		return nil, fmt.Errorf("an anchor cannot be repeated")
	}
	r.skip("?")
	if r.more() && strings.IndexByte("*+?", r.text[r.at]) >= 0 {
		return nil, fmt.Errorf("nothing to repeat")
	}
	return &pattern{kind: patternLoop, parts: []*pattern{p}, low: low, high: high}, nil
}

// counts reads {n}, {n,} or {n,m}.
func counts(s string) (low, high int32, n int, ok bool, err error) {
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return 0, 0, 0, false, nil
	}
	first, second, comma := strings.Cut(s[1:end], ",")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	if !digits(first) || second != "" && !digits(second) {
		return 0, 0, 0, false, nil
	}
	l, e1 := strconv.Atoi(first)
	h := l
	var e2 error
	if comma {
		if h = -1; second != "" {
			h, e2 = strconv.Atoi(second)
		}
	}
	if e1 != nil || e2 != nil || l > maxPatternCount || h > maxPatternCount {
		return 0, 0, 0, false, fmt.Errorf("at most %d repetitions are counted", maxPatternCount)
	}
	if h >= 0 && h < l {
		return 0, 0, 0, false, fmt.Errorf("repetition %s is out of order", s[:end+1])
	}
	return int32(l), int32(h), end + 1, true, nil
}

var (
	digitSet = []runeRange{{'0', '9'}}
	wordSet  = []runeRange{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	spaceSet = []runeRange{{'\t', '\r'}, {' ', ' '}, {0xa0, 0xa0}, {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}}
	lineEnds = []runeRange{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}
)

func (r *patternReader) atom(depth int) (*pattern, error) {
	if r.text[r.at] == '(' {
		return r.group(depth)
	}
	switch c := r.char(); c {
	case '^':
		return &pattern{kind: patternStart}, nil
	case '$':
		return &pattern{kind: patternEnd}, nil
	case '.':
		return &pattern{set: complement(lineEnds)}, nil
	case '*', '+', '?':
		return nil, fmt.Errorf("nothing to repeat before %q", c)
	case '[':
		set, err := r.class()
		return &pattern{set: set}, err
	case '\\':
		set, err := r.escape(false)
		return &pattern{set: set}, err
	default:
		return &pattern{set: []runeRange{{c, c}}}, nil
	}
}

func (r *patternReader) group(depth int) (*pattern, error) {
	r.at++
	kind := patternJoin
	switch {
	case r.skip("?:"):
	case r.skip("?="):
		kind = patternAhead
	case r.skip("?!"):
		kind = patternNot
	case strings.HasPrefix(r.text[r.at:], "?<") && !strings.HasPrefix(r.text[r.at:], "?<=") && !strings.HasPrefix(r.text[r.at:], "?<!"):
		end := strings.IndexByte(r.text[r.at:], '>')
		if end < 0 {
			return nil, fmt.Errorf("the name of a group is not closed")
		}
		r.at += end + 1
	case r.skip("?"):
		return nil, fmt.Errorf("group (?%.3s is not enforced: no looking behind, no flags", r.text[r.at:])
	}
	p, err := r.either(depth + 1)
	if err != nil {
		return nil, err
	}
	if !r.skip(")") {
		return nil, fmt.Errorf("a group is not closed")
	}
	if kind == patternJoin {
		return p, nil
	}
	return &pattern{kind: kind, parts: []*pattern{p}}, nil
}

func (r *patternReader) class() ([]runeRange, error) {
	negative := r.skip("^")
	var set []runeRange
	for {
		if !r.more() {
			return nil, fmt.Errorf("a class is not closed")
		}
		if r.skip("]") {
			break
		}
		lo, err := r.classAtom()
		if err != nil {
			return nil, err
		}
		single := len(lo) == 1 && lo[0].lo == lo[0].hi
		if !single || !strings.HasPrefix(r.text[r.at:], "-") || strings.HasPrefix(r.text[r.at:], "-]") {
			set = append(set, lo...)
			continue
		}
		r.at++
		if !r.more() {
			return nil, fmt.Errorf("a class is not closed")
		}
		hi, err := r.classAtom()
		if err != nil {
			return nil, err
		}
		if len(hi) != 1 || hi[0].lo != hi[0].hi {
			set = append(append(append(set, lo...), runeRange{'-', '-'}), hi...)
			continue
		}
		if hi[0].lo < lo[0].lo {
			return nil, fmt.Errorf("range %c-%c is out of order", lo[0].lo, hi[0].lo)
		}
		set = append(set, runeRange{lo[0].lo, hi[0].hi})
	}
	if negative {
		return complement(set), nil
	}
	return normalize(set), nil
}

func (r *patternReader) classAtom() ([]runeRange, error) {
	if c := r.char(); c != '\\' {
		return []runeRange{{c, c}}, nil
	}
	return r.escape(true)
}

// escape reads what follows a backslash.
func (r *patternReader) escape(class bool) ([]runeRange, error) {
	if !r.more() {
		return nil, fmt.Errorf("a backslash ends the expression")
	}
	one := func(c rune) ([]runeRange, error) { return []runeRange{{c, c}}, nil }
	switch c := r.char(); c {
	case 'd':
		return digitSet, nil
	case 'D':
		return complement(digitSet), nil
	case 'w':
		return wordSet, nil
	case 'W':
		return complement(wordSet), nil
	case 's':
		return spaceSet, nil
	case 'S':
		return complement(spaceSet), nil
	case 't':
		return one('\t')
	case 'n':
		return one('\n')
	case 'v':
		return one('\v')
	case 'f':
		return one('\f')
	case 'r':
		return one('\r')
	case 'b':
		if class {
			return one('\b')
		}
		return nil, fmt.Errorf(`word border \b is not enforced`)
	case 'c':
		if r.more() {
			if l := r.text[r.at] | 0x20; l >= 'a' && l <= 'z' {
				r.at++
				return one(rune(l) & 31)
			}
		}
		return nil, fmt.Errorf(`\c is followed by a letter`)
	case 'x':
		return r.hex(2)
	case 'u':
		return r.unicodeEscape()
	case 'p', 'P':
		set, err := r.property()
		if err == nil && c == 'P' {
			set = complement(set)
		}
		return set, err
	case '0':
		if !r.more() || r.text[r.at] < '0' || r.text[r.at] > '9' {
			return one(0)
		}
		return nil, fmt.Errorf("an octal escape is not enforced")
	default:
		if c < 0x80 && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return nil, fmt.Errorf(`escape \%c is not enforced`, c)
		}
		return one(c)
	}
}

func (r *patternReader) hex(n int) ([]runeRange, error) {
	if r.at+n > len(r.text) {
		return nil, fmt.Errorf("an escape lacks digits")
	}
	x, err := strconv.ParseUint(r.text[r.at:r.at+n], 16, 32)
	if err != nil {
		return nil, fmt.Errorf("an escape has a digit that is not hexadecimal")
	}
	r.at += n
	return []runeRange{{rune(x), rune(x)}}, nil
}

func (r *patternReader) unicodeEscape() ([]runeRange, error) {
	if !r.skip("{") {
		set, err := r.hex(4)
		if err == nil && set[0].lo >= 0xd800 && set[0].lo < 0xdc00 && r.skip(`\u`) {
			low, err := r.hex(4)
			if err != nil {
				return nil, err
			}
			c := 0x10000 + (set[0].lo-0xd800)<<10 + low[0].lo - 0xdc00
			return []runeRange{{c, c}}, nil
		}
		return set, err
	}
	end := strings.IndexByte(r.text[r.at:], '}')
	if end < 1 || end > 6 {
		return nil, fmt.Errorf(`\u{ is followed by one to six digits and }`)
	}
	set, err := r.hex(end)
	r.at++
	return set, err
}

func (r *patternReader) property() ([]runeRange, error) {
	end := strings.IndexByte(r.text[r.at:], '}')
	if !r.skip("{") || end < 0 {
		return nil, fmt.Errorf(`\p is followed by a property in braces`)
	}
	full := r.text[r.at : r.at+end-1]
	r.at += end
	name := full
	if key, value, ok := strings.Cut(full, "="); ok {
		switch key {
		case "Script", "sc", "Script_Extensions", "scx", "General_Category", "gc":
			name = value
		default:
			name = ""
		}
	}
	long := map[string]string{"Letter": "L", "Lowercase_Letter": "Ll", "Uppercase_Letter": "Lu", "Number": "N", "Decimal_Number": "Nd", "digit": "Nd",
		"Punctuation": "P", "punct": "P", "Symbol": "S", "Separator": "Z", "Space_Separator": "Zs", "Mark": "M", "Other": "C", "Control": "Cc", "Alphabetic": "", "ASCII": ""}
	if s, ok := long[name]; ok && s != "" {
		name = s
	}
	if name == "ASCII" {
		return []runeRange{{0, 0x7f}}, nil
	}
	if name == "Any" {
		return []runeRange{{0, maxRune}}, nil
	}
	table := unicode.Categories[name]
	if table == nil {
		table = unicode.Scripts[name]
	}
	if table == nil {
		return nil, fmt.Errorf(`property \p{%s} is not known`, full)
	}
	var set []runeRange
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			set = append(set, runeRange{lo, hi})
			return
		}
		for c := lo; c <= hi; c += stride {
			set = append(set, runeRange{c, c})
		}
	}
	for _, t := range table.R16 {
		add(rune(t.Lo), rune(t.Hi), rune(t.Stride))
	}
	for _, t := range table.R32 {
		add(rune(t.Lo), rune(t.Hi), rune(t.Stride))
	}
	return normalize(set), nil
}

// asserts tells whether p has an anchor or looks ahead.
func (p *pattern) asserts() bool {
	if p.kind > patternLoop {
		return true
	}
	for _, x := range p.parts {
		if x.asserts() {
			return true
		}
	}
	return false
}

func (p *pattern) hasStart() bool {
	if p.kind == patternStart {
		return true
	}
	for _, x := range p.parts {
		if x.hasStart() {
			return true
		}
	}
	return false
}

// pattern is the language of the texts that expression matches: as a whole, or, in a search, anywhere.
func (p *languages) pattern(expression string, search bool) (language, error) {
	parsed, err := parsePattern(expression)
	if err != nil {
		return 0, err
	}
	rest := p.empty
	if search {
		rest = p.all
	}
	whole, err := p.lower(parsed, rest, true)
	if err != nil {
		return 0, fmt.Errorf("expression %.200q: %w", expression, err)
	}
	if !search {
		return whole, nil
	}
	if !parsed.asserts() {
		return p.join(p.all, whole), nil
	}
	later, err := p.lower(parsed, rest, false)
	if err != nil {
		return 0, fmt.Errorf("expression %.200q: %w", expression, err)
	}
	return p.either(whole, p.join(p.any, p.join(p.all, later))), nil
}

// lower is the language of e and then rest; start tells whether e stands at the beginning of the text.
func (p *languages) lower(e *pattern, rest language, start bool) (language, error) {
	if len(p.nodes) > maxLanguageSteps/4 {
		return 0, fmt.Errorf("it has too many parts")
	}
	switch e.kind {
	case patternSet:
		return p.join(p.set(e.set), rest), nil
	case patternStart:
		if !start {
			return p.none, nil
		}
		return rest, nil
	case patternEnd:
		return p.both(rest, p.empty), nil
	case patternAhead, patternNot:
		x, err := p.lower(e.parts[0], p.all, start)
		if e.kind == patternNot {
			x = p.not(x)
		}
		return p.both(x, rest), err
	case patternEither:
		var parts []language
		for _, x := range e.parts {
			l, err := p.lower(x, rest, start)
			if err != nil {
				return 0, err
			}
			parts = append(parts, l)
		}
		return p.either(parts...), nil
	case patternJoin:
		for i := len(e.parts) - 1; i >= 0; i-- {
			first := start
			for _, before := range e.parts[:i] {
				if !before.consumes() {
					continue
				}
				first = false
				if before.width() == 0 && e.parts[i].hasStart() {
					return 0, fmt.Errorf("^ after what may be empty is not enforced")
				}
			}
			var err error
			if rest, err = p.lower(e.parts[i], rest, first); err != nil {
				return 0, err
			}
		}
		return rest, nil
	}
	if e.parts[0].asserts() {
		if e.low == 0 && e.high == 1 {
			x, err := p.lower(e.parts[0], rest, start)
			return p.either(x, rest), err
		}
		return 0, fmt.Errorf("the repetition of an anchor or of looking ahead is not enforced")
	}
	x, err := p.lower(e.parts[0], p.empty, false)
	if err != nil {
		return 0, err
	}
	return p.join(p.loop(x, e.low, e.high), rest), nil
}

// consumes tells whether p can read a character.
func (p *pattern) consumes() bool {
	if p.kind == patternSet {
		return true
	}
	if p.kind >= patternStart {
		return false
	}
	for _, x := range p.parts {
		if x.consumes() {
			return true
		}
	}
	return false
}

// width is the least number of characters of p.
func (p *pattern) width() int {
	switch p.kind {
	case patternSet:
		return 1
	case patternJoin:
		n := 0
		for _, x := range p.parts {
			n += x.width()
		}
		return n
	case patternEither:
		n := 1 << 30
		for _, x := range p.parts {
			n = min(n, x.width())
		}
		return n
	case patternLoop:
		return int(p.low) * p.parts[0].width()
	}
	return 0
}
