package grammar

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
)

// CompileRegexp compiles a regular expression over the whole text, in Go's syntax without look-around,
// word borders and flags. Anchors may stand at both ends.
func CompileRegexp(expression string) (*Grammar, error) {
	g := newGrammar()
	r := &regex{g: g, runes: g.runes}
	at, err := r.compile(expression, false, g.emit(opEnd, 0, 0))
	if err != nil {
		return nil, fmt.Errorf("grammar: %w", err)
	}
	if _, err := g.finish(at); err != nil {
		return nil, fmt.Errorf("grammar: expression %q matches nothing", expression)
	}
	return g, nil
}

// regex writes expressions as code over characters, spelled by runes.
type regex struct {
	g     *Grammar
	runes func(lo, hi rune, next uint32) uint32
	size  int
}

// different lists escapes that Go and ECMA-262 read differently, and what neither side of ours can do.
var different = []string{`\A`, `\z`, `\Q`, `\a`, `\C`, `\S`, `\b`, `\B`, `(?i`, `(?s`, `(?m`, `(?U`, `(?=`, `(?!`, `(?<`, `(?P`, `\p`, `\P`, `[[:`, `\x{`, `\s`}

// compile reads expression up to next. A search allows any text before and after, as JSON Schema's pattern does.
func (r *regex) compile(expression string, search bool, next uint32) (uint32, error) {
	for _, s := range different {
		if search && strings.Contains(expression, s) && s != `\s` || search && s == `\s` && strings.Contains(expression, s) && strings.Contains(expression, "[^") {
			return 0, fmt.Errorf("expression %q: %q is not enforced", expression, s)
		}
	}
	if strings.Contains(expression, "\\\\") && search && strings.Contains(expression, "$") && strings.Contains(expression, "\\$\\") {
		return 0, fmt.Errorf("expression %q is not enforced", expression)
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return 0, fmt.Errorf("expression %q: %w", expression, err)
	}
	parsed = parsed.Simplify()
	return r.anchored(parsed, search, next)
}

// anchored strips the anchors at both ends of every alternative.
func (r *regex) anchored(e *syntax.Regexp, search bool, next uint32) (uint32, error) {
	for e.Op == syntax.OpCapture {
		e = e.Sub[0]
	}
	if e.Op == syntax.OpAlternate {
		var out []uint32
		for _, s := range e.Sub {
			at, err := r.anchored(s, search, next)
			if err != nil {
				return 0, err
			}
			out = append(out, at)
		}
		return r.g.either(out...), nil
	}
	parts := []*syntax.Regexp{e}
	if e.Op == syntax.OpConcat {
		parts = e.Sub
	}
	openStart, openEnd := search, search
	for len(parts) > 0 && parts[0].Op == syntax.OpBeginText {
		parts, openStart = parts[1:], false
	}
	for len(parts) > 0 && parts[len(parts)-1].Op == syntax.OpEndText {
		parts, openEnd = parts[:len(parts)-1], false
	}
	if openEnd {
		next = r.everything(next)
	}
	for _, p := range slices.Backward(parts) {
		var err error
		if next, err = r.expression(p, next); err != nil {
			return 0, err
		}
	}
	if openStart {
		next = r.everything(next)
	}
	return next, nil
}

func (r *regex) everything(next uint32) uint32 {
	loop := r.g.emit(opJump, 0, 0)
	r.g.code[loop].x = r.g.either(r.runes(0, 0x10ffff, loop), next)
	return loop
}

const maxExpression = 20_000

func (r *regex) expression(e *syntax.Regexp, next uint32) (uint32, error) {
	g := r.g
	if r.size++; r.size > maxExpression {
		return 0, fmt.Errorf("expression has more than %d parts", maxExpression)
	}
	switch e.Op {
	case syntax.OpNoMatch:
		return g.emit(opFail, 0, 0), nil
	case syntax.OpEmptyMatch:
		return next, nil
	case syntax.OpLiteral:
		if e.Flags&syntax.FoldCase != 0 {
			return 0, fmt.Errorf("case folding is not enforced")
		}
		for _, c := range slices.Backward(e.Rune) {
			next = r.runes(c, c, next)
		}
		return next, nil
	case syntax.OpCharClass:
		var out []uint32
		for i := 0; i+1 < len(e.Rune); i += 2 {
			out = append(out, r.runes(e.Rune[i], e.Rune[i+1], next))
		}
		return g.either(out...), nil
	case syntax.OpAnyCharNotNL:
		return g.either(r.runes(0, 9, next), r.runes(11, 12, next), r.runes(14, 0x2027, next), r.runes(0x202a, 0x10ffff, next)), nil
	case syntax.OpAnyChar:
		return r.runes(0, 0x10ffff, next), nil
	case syntax.OpCapture:
		return r.expression(e.Sub[0], next)
	case syntax.OpConcat:
		var err error
		for _, s := range slices.Backward(e.Sub) {
			if next, err = r.expression(s, next); err != nil {
				return 0, err
			}
		}
		return next, nil
	case syntax.OpAlternate:
		var out []uint32
		for _, s := range e.Sub {
			at, err := r.expression(s, next)
			if err != nil {
				return 0, err
			}
			out = append(out, at)
		}
		return g.either(out...), nil
	case syntax.OpQuest:
		at, err := r.expression(e.Sub[0], next)
		return g.either(at, next), err
	case syntax.OpStar, syntax.OpPlus:
		if nullable(e.Sub[0]) {
			return 0, fmt.Errorf("a repetition of what may be empty is not enforced: %s", e)
		}
		loop := g.emit(opJump, 0, 0)
		at, err := r.expression(e.Sub[0], loop)
		g.code[loop].x = g.either(at, next)
		if e.Op == syntax.OpPlus {
			return at, err
		}
		return loop, err
	}
	return 0, fmt.Errorf("%s is enforced only at the ends of an expression", e)
}

func nullable(e *syntax.Regexp) bool {
	switch e.Op {
	case syntax.OpEmptyMatch, syntax.OpStar, syntax.OpQuest:
		return true
	case syntax.OpCapture, syntax.OpPlus:
		return nullable(e.Sub[0])
	case syntax.OpConcat:
		return !slices.ContainsFunc(e.Sub, func(s *syntax.Regexp) bool { return !nullable(s) })
	case syntax.OpAlternate:
		return slices.ContainsFunc(e.Sub, nullable)
	}
	return false
}

// spelled reads a decoded character of [lo, hi] in the spelling of a JSON string.
func (c *compiler) spelled(lo, hi rune, next uint32) uint32 {
	g := c.g
	var out []uint32
	var plain class
	for r := lo; r <= min(hi, 0x7f); r++ {
		if stringSafeByte(byte(r)) {
			plain.add(byte(r), byte(r))
		} else {
			s := quote(string(r))
			out = append(out, g.literal(s[1:len(s)-1], next))
		}
	}
	if plain != (class{}) {
		out = append(out, g.set(plain, next))
	}
	if hi >= 0x80 {
		out = append(out, g.runes(max(lo, 0x80), hi, next))
	}
	return g.either(out...)
}

const (
	dateExpression = `(\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))|(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)`
	timeExpression = `([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)`
	byteExpression = `(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`
)

// formats that are enforced; each expression is a subset of what the RFC allows.
var formats = map[string]string{
	"date": dateExpression, "time": timeExpression, "date-time": dateExpression + "T" + timeExpression,
	"uuid":  `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`,
	"ipv4":  byteExpression + `(\.` + byteExpression + `){3}`,
	"email": "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*",
	"uri":   `[A-Za-z][A-Za-z0-9+.-]*:(//[A-Za-z0-9._~-]+(:\d{1,5})?)?(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*(\?([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?(#([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?`,
}

// refusedFormats are defined by the specification and not enforced; any other name is an annotation.
var refusedFormats = []string{"hostname", "idn-hostname", "idn-email", "ipv6", "uri-reference", "iri", "iri-reference", "uri-template", "json-pointer", "relative-json-pointer", "regex", "duration"}

// text of a string schema: lengths, or a pattern, or a format.
func (c *compiler) stringSchema(o *object, pointer string, next uint32) (uint32, error) {
	least, most, err := c.bounds(o, "minLength", "maxLength", pointer)
	if err != nil {
		return 0, err
	}
	expression, keyword := "", ""
	if v, ok := o.get("format"); ok {
		name, _ := v.(string)
		if slices.Contains(refusedFormats, name) {
			return 0, c.refuse(pointer+"/format", "format %q is not enforced", name)
		}
		if f := formats[name]; f != "" {
			expression, keyword = f, "format"
		}
	}
	if v, ok := o.get("pattern"); ok {
		s, isString := v.(string)
		if !isString || keyword != "" {
			return 0, c.refuse(pointer+"/pattern", "pattern %v beside format, or not a string, is not enforced", v)
		}
		expression, keyword = s, "pattern"
	}
	if keyword == "" {
		return c.g.bytes('"', '"', c.text(least, most, next)), nil
	}
	if least > 0 || most != noLimit {
		return 0, c.refuse(pointer+"/"+keyword, "%s beside a length is not enforced", keyword)
	}
	r := &regex{g: c.g, runes: c.spelled}
	at, err := r.compile(expression, keyword == "pattern", c.g.bytes('"', '"', next))
	if err != nil {
		return 0, c.refuse(pointer+"/"+keyword, "%v", err)
	}
	return c.g.bytes('"', '"', at), nil
}
