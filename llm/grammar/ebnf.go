package grammar

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// CompileEBNF compiles a small grammar of rules. The first rule is the whole text:
//
//	list   ::= "[" ( item ( "," item )* )? "]"   # a comment
//	item   ::= number | list | /[a-z]{2,8}/
//	number ::= [0-9]+
//
// A rule is a name, ::= and alternatives, separated by |, of parts one after the other. A part is "text" or
// 'text' (escapes \n \t \r \\ \" \'), a class [a-z], an expression /…/ (see [Regexp]; \/ is a slash), the
// name of a rule, or alternatives in parentheses. ?, *, + or {m,n} behind a part repeat it. Rules may refer
// to each other and to themselves, but not before they have read anything.
func CompileEBNF(source string) (*Grammar, error) {
	part, err := EBNF(source)
	if err != nil {
		return nil, err
	}
	return Compile(part)
}

// EBNF reads a grammar of rules as a part: see [CompileEBNF].
func EBNF(source string) (Part, error) {
	r := &ebnfReader{text: source, rules: map[string]*Rule{}}
	r.space()
	first := ""
	for r.at < len(r.text) {
		name := r.name()
		if name == "" || !r.skip("::=") {
			return Part{}, r.fail("a rule begins with a name and ::=")
		}
		if first == "" {
			first = name
		}
		rule := r.rule(name)
		if rule.set {
			return Part{}, r.fail("rule %q is there twice", name)
		}
		part, err := r.either(0)
		if err != nil {
			return Part{}, err
		}
		rule.Define(part.part())
	}
	if first == "" {
		return Part{}, fmt.Errorf("grammar: there is no rule")
	}
	return r.rules[first].Part(), nil
}

type ebnfReader struct {
	text  string
	at    int
	rules map[string]*Rule
}

// ebnfPart is regular, an expression, or else any part.
type ebnfPart struct {
	expression string
	any        Part
	regular    bool
}

func (p ebnfPart) part() Part {
	if p.regular {
		return Regexp(p.expression)
	}
	return p.any
}

func (r *ebnfReader) fail(format string, arguments ...any) error {
	line := 1 + strings.Count(r.text[:r.at], "\n")
	return fmt.Errorf("grammar: line %d: %s", line, fmt.Sprintf(format, arguments...))
}

func (r *ebnfReader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		case '#':
			end := strings.IndexByte(r.text[r.at:], '\n')
			if end < 0 {
				end = len(r.text) - r.at
			}
			r.at += end
		default:
			return
		}
	}
}

func (r *ebnfReader) skip(s string) bool {
	if strings.HasPrefix(r.text[r.at:], s) {
		r.at += len(s)
		r.space()
		return true
	}
	return false
}

func (r *ebnfReader) name() string {
	from := r.at
	for r.at < len(r.text) {
		c := r.text[r.at]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (r.at == from || c != '-' && (c < '0' || c > '9')) {
			break
		}
		r.at++
	}
	name := r.text[from:r.at]
	r.space()
	return name
}

func (r *ebnfReader) rule(name string) *Rule {
	if r.rules[name] == nil {
		r.rules[name] = NewRule(name)
	}
	return r.rules[name]
}

func (r *ebnfReader) either(depth int) (ebnfPart, error) {
	if depth > maxPatternDepth {
		return ebnfPart{}, r.fail("parentheses are nested deeper than %d", maxPatternDepth)
	}
	var parts []ebnfPart
	for {
		p, err := r.sequence(depth)
		if err != nil {
			return p, err
		}
		parts = append(parts, p)
		if !r.skip("|") {
			break
		}
	}
	return combine(parts, "|", OneOf), nil
}

// combine joins regular parts to one expression, so that they are one automaton.
func combine(parts []ebnfPart, between string, join func(...Part) Part) ebnfPart {
	if len(parts) == 1 {
		return parts[0]
	}
	regular := true
	var expressions []string
	var all []Part
	for _, p := range parts {
		regular = regular && p.regular
		expressions = append(expressions, "(?:"+p.expression+")")
		all = append(all, p.part())
	}
	if regular {
		return ebnfPart{expression: strings.Join(expressions, between), regular: true}
	}
	return ebnfPart{any: join(all...)}
}

func (r *ebnfReader) sequence(depth int) (ebnfPart, error) {
	var parts []ebnfPart
	for r.at < len(r.text) && r.text[r.at] != '|' && r.text[r.at] != ')' {
		// A name with ::= behind it begins the next rule.
		from := r.at
		if r.name() != "" && strings.HasPrefix(r.text[r.at:], "::=") {
			r.at = from
			break
		}
		r.at = from
		p, err := r.term(depth)
		if err != nil {
			return p, err
		}
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return ebnfPart{regular: true}, nil
	}
	return combine(parts, "", Sequence), nil
}

func (r *ebnfReader) term(depth int) (ebnfPart, error) {
	p, err := r.atom(depth)
	if err != nil {
		return p, err
	}
	for r.at < len(r.text) {
		least, most := 0, Unbounded
		from := r.at
		switch r.text[r.at] {
		case '?':
			most = 1
		case '*':
		case '+':
			least = 1
		case '{':
			low, high, n, ok, err := counts(r.text[r.at:])
			if err != nil || !ok {
				return p, r.fail("a repetition is {m}, {m,} or {m,n}")
			}
			least, most = int(low), int(high)
			r.at += n - 1
		default:
			return p, nil
		}
		r.at++
		suffix := r.text[from:r.at]
		r.space()
		if p.regular {
			p.expression = "(?:" + p.expression + ")" + suffix
		} else if most == 1 && least == 0 {
			p.any = Optional(p.any)
		} else {
			p.any = Repeat(p.any, least, most)
		}
	}
	return p, nil
}

func (r *ebnfReader) atom(depth int) (ebnfPart, error) {
	switch c := r.text[r.at]; c {
	case '"', '\'':
		return r.quoted(c)
	case '[', '/':
		end := c
		if c == '[' {
			end = ']'
		}
		i := r.at + 1
		for i < len(r.text) && r.text[i] != end && r.text[i] != '\n' {
			if r.text[i] == '\\' {
				i++
			}
			i++
		}
		if i >= len(r.text) || r.text[i] != end {
			return ebnfPart{}, r.fail("%c is not closed on its line", c)
		}
		expression := r.text[r.at : i+1]
		if c == '/' {
			expression = expression[1 : len(expression)-1]
		}
		if _, err := parsePattern(expression); err != nil {
			return ebnfPart{}, r.fail("%v", err)
		}
		r.at = i + 1
		r.space()
		return ebnfPart{expression: expression, regular: true}, nil
	case '(':
		r.at++
		r.space()
		p, err := r.either(depth + 1)
		if err == nil && !r.skip(")") {
			err = r.fail("a parenthesis is not closed")
		}
		return p, err
	}
	name := r.name()
	if name == "" {
		c, _ := utf8.DecodeRuneInString(r.text[r.at:])
		return ebnfPart{}, r.fail("%q is neither text, a class, an expression nor the name of a rule", c)
	}
	return ebnfPart{any: r.rule(name).Part()}, nil
}

func (r *ebnfReader) quoted(quote byte) (ebnfPart, error) {
	var out strings.Builder
	for i := r.at + 1; i < len(r.text); i++ {
		c := r.text[i]
		switch c {
		case quote:
			r.at = i + 1
			r.space()
			return ebnfPart{expression: escapePattern(out.String()), regular: true}, nil
		case '\n':
			return ebnfPart{}, r.fail("a text is not closed on its line")
		case '\\':
			if i++; i < len(r.text) {
				e := strings.IndexByte(`ntr\"'`, r.text[i])
				if e < 0 {
					return ebnfPart{}, r.fail(`escape \%c is not known`, r.text[i])
				}
				out.WriteByte("\n\t\r\\\"'"[e])
			}
		default:
			out.WriteByte(c)
		}
	}
	return ebnfPart{}, r.fail("a text is not closed")
}

// escapePattern writes text as an expression that matches just it.
func escapePattern(text string) string {
	var out strings.Builder
	for _, r := range text {
		if strings.ContainsRune(`\^$.*+?()[]{}|/`, r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}
