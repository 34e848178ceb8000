package prompts

import (
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"
)

// literalReader reads Python literals, and calls with literals as arguments, front to back. It evaluates
// nothing: names, operators, attributes, f-strings and comprehensions are errors.
type literalReader struct {
	text string
	pos  int
	open []byte // the closing brackets that are still to come
}

// pythonCall is a call as it was written.
type pythonCall struct {
	name       string
	positional []value
	keywords   []member
}

// maxHexDigits bounds integers in other bases than ten, whose conversion is not linear.
const maxHexDigits = 64

func (r *literalReader) fail(format string, args ...any) error {
	return &syntaxError{offset: r.pos, problem: fmt.Sprintf(format, args...)}
}

func (r *literalReader) cut(where, quote string) error {
	json := jsonReader{text: r.text, open: r.open}
	return json.cut(where, quote)
}

func (r *literalReader) found() string { return describe(r.text, r.pos) }

func (r *literalReader) skipSpace() {
	for r.pos < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.pos]) >= 0 {
		r.pos++
	}
}

// peek skips white space and returns the next byte, 0 at the end.
func (r *literalReader) peek() byte {
	r.skipSpace()
	if r.pos >= len(r.text) {
		return 0
	}
	return r.text[r.pos]
}

// enter notes an opened bracket, leave forgets it.
func (r *literalReader) enter(closing byte) error {
	if len(r.open) >= maxReplyDepth {
		return r.fail("nested deeper than %d levels", maxReplyDepth)
	}
	r.open = append(r.open, closing)
	r.pos++
	return nil
}

func (r *literalReader) leave() {
	r.open = r.open[:len(r.open)-1]
	r.pos++
}

// items reads what stands in brackets, comma after comma, with one at the end if need be; item reads one.
func (r *literalReader) items(closing byte, what string, item func() error) error {
	if err := r.enter(closing); err != nil {
		return err
	}
	for {
		switch r.peek() {
		case 0:
			return r.cut("inside "+what, "")
		case closing:
			r.leave()
			return nil
		}
		if err := item(); err != nil {
			return err
		}
		switch r.peek() {
		case ',':
			r.pos++
		case closing:
		case 0:
			return r.cut("inside "+what, "")
		default:
			return r.fail("%s where a comma or %q should be", r.found(), closing)
		}
	}
}

// name reads a name of letters, digits, _, and inside of it also . and -.
func (r *literalReader) name() string {
	end := r.pos + nameLength(r.text[r.pos:])
	name := r.text[r.pos:end]
	r.pos = end
	return name
}

// nameLength returns the length of the name at the beginning of text, 0 when there is none.
func nameLength(text string) int {
	end := 0
	for end < len(text) && (isNameByte(text[end]) || end > 0 && (text[end] == '.' || text[end] == '-')) {
		end++
	}
	return end
}

// callList reads [f(…), g(…)].
func (r *literalReader) callList() (calls []pythonCall, err error) {
	err = r.items(']', "a list of calls", func() error {
		if !isNameByte(r.peek()) {
			return r.fail("%s where a function's name should be", r.found())
		}
		call, err := r.call()
		calls = append(calls, call)
		return err
	})
	return calls, err
}

// call reads f(…).
func (r *literalReader) call() (pythonCall, error) {
	call := pythonCall{name: r.name()}
	if c := r.peek(); c == 0 {
		return call, r.cut("after "+call.name, "")
	} else if c != '(' {
		return call, r.fail("%s where ( should be, after %s", r.found(), shorten(call.name, 60))
	}
	var index map[string]int
	err := r.items(')', "the arguments of "+shorten(call.name, 60), func() error {
		keywordAt := r.pos
		name, err := r.keyword()
		if err != nil {
			return err
		}
		if name != "" {
			v, err := r.value()
			keywords := value{object: call.keywords}
			if keywords.find(name, &index) >= 0 {
				r.pos = keywordAt
				return r.fail("the argument %s comes twice", shorten(name, 60))
			}
			call.keywords = append(call.keywords, member{name, v})
			return err
		}
		if len(call.keywords) > 0 {
			return r.fail("an argument without a name follows one with a name")
		}
		v, err := r.value()
		call.positional = append(call.positional, v)
		return err
	})
	return call, err
}

// keyword reads "name =" and returns the name, or reads nothing and returns "". A text that ends where it
// could still become a keyword is cut off.
func (r *literalReader) keyword() (string, error) {
	end := r.pos
	for end < len(r.text) && isNameByte(r.text[end]) {
		end++
	}
	if end == r.pos {
		return "", nil
	}
	rest := strings.TrimLeft(r.text[end:], " \t")
	if rest == "" || rest == "=" {
		return "", r.cut("inside an argument", "")
	}
	if rest[0] != '=' || rest[1] == '=' {
		return "", nil
	}
	name := r.text[r.pos:end]
	r.pos = len(r.text) - len(rest) + 1
	return name, nil
}

// value reads one literal.
func (r *literalReader) value() (value, error) {
	switch c := r.peek(); {
	case c == 0:
		return value{}, r.cut("before a value", "")
	case c == '[':
		v := value{kind: kindArray}
		err := r.items(']', "a list", func() error {
			item, err := r.value()
			v.list = append(v.list, item)
			return err
		})
		return v, err
	case c == '(':
		return r.tuple()
	case c == '{':
		return r.dict()
	case c == '"' || c == '\'' || r.stringPrefix() > 0:
		text, err := r.strings()
		return stringValue(text), err
	case c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.':
		return r.number()
	default:
		return r.constant()
	}
}

// tuple reads (), (a,), (a, b) as an array and (a) as what is inside.
func (r *literalReader) tuple() (value, error) {
	v := value{kind: kindArray}
	comma := false
	err := r.items(')', "a tuple", func() error {
		item, err := r.value()
		v.list = append(v.list, item)
		comma = r.peek() == ','
		return err
	})
	if err == nil && len(v.list) == 1 && !comma {
		return v.list[0], nil
	}
	return v, err
}

// dict reads {"a": 1}, and {a=1} as Meta's own formatter writes it.
func (r *literalReader) dict() (value, error) {
	v := value{kind: kindObject}
	var index map[string]int
	err := r.items('}', "a dictionary", func() error {
		keyAt := r.pos
		key, err := r.keyword()
		if err != nil {
			return err
		}
		if key == "" {
			k, err := r.value()
			if err != nil {
				return err
			}
			switch k.kind {
			case kindString:
				key = k.text
			case kindNumber:
				key = string(k.compact())
			default:
				return r.fail("a dictionary's key is %s; it must be a string", k.kind)
			}
			if c := r.peek(); c == 0 {
				return r.cut("inside a dictionary", "")
			} else if c != ':' {
				return r.fail("%s where a colon should be", r.found())
			}
			r.pos++
		}
		item, err := r.value()
		if err != nil {
			return err
		}
		if v.find(key, &index) >= 0 {
			r.pos = keyAt
			return r.fail("the key %q comes twice", shorten(key, 60))
		}
		v.object = append(v.object, member{key, item})
		return nil
	})
	return v, err
}

// constant reads True, False and None, and JSON's spelling of them.
func (r *literalReader) constant() (value, error) {
	end := r.pos + nameLength(r.text[r.pos:])
	word := r.text[r.pos:end]
	kind, ok := map[string]valueKind{
		"True": kindTrue, "true": kindTrue, "False": kindFalse, "false": kindFalse,
		"None": kindNull, "null": kindNull,
	}[word]
	switch {
	case ok && end < len(r.text):
		r.pos = end
		return value{kind: kind}, nil
	case end >= len(r.text):
		return value{}, r.cut("inside a value", "")
	case word != "":
		return value{}, r.fail("%s is no literal; put text in quotes", shorten(word, 60))
	default:
		return value{}, r.fail("%s where a value should be", r.found())
	}
}

// number reads a Python number and returns it in JSON's grammar.
func (r *literalReader) number() (value, error) {
	start, sign := r.pos, ""
	for r.pos < len(r.text) && (r.text[r.pos] == '-' || r.text[r.pos] == '+') && r.pos-start < 2 {
		if r.text[r.pos] == '-' {
			sign = "-"
		}
		r.pos++
	}
	from := r.pos
	for r.pos < len(r.text) {
		c := r.text[r.pos]
		exponentSign := (c == '-' || c == '+') && r.pos > from && r.text[r.pos-1]|0x20 == 'e' && !strings.HasPrefix(r.text[from:], "0x")
		if !isNameByte(c) && c != '.' && !exponentSign {
			break
		}
		r.pos++
	}
	if r.pos >= len(r.text) {
		return value{}, r.cut("inside a number", "")
	}
	literal, ok := jsonNumber(r.text[from:r.pos])
	if !ok || r.pos-start > 1 && from-start > 1 {
		word := r.text[start:r.pos]
		r.pos = start
		return value{}, r.fail("%s is no number that can be used", shorten(word, 60))
	}
	return value{kind: kindNumber, text: sign + literal}, nil
}

// jsonNumber returns an unsigned Python number in JSON's grammar.
func jsonNumber(python string) (string, bool) {
	if strings.Contains(python, "__") || strings.HasPrefix(python, "_") || strings.HasSuffix(python, "_") {
		return "", false
	}
	digits := strings.ReplaceAll(strings.ToLower(python), "_", "")
	if len(digits) > 1 && digits[0] == '0' && strings.ContainsRune("xob", rune(digits[1])) {
		n, ok := new(big.Int).SetString(digits[:min(len(digits), maxHexDigits+1)], 0)
		if !ok || len(digits) > maxHexDigits {
			return "", false
		}
		return n.String(), true
	}
	mantissa, exponent, hasExponent := strings.Cut(digits, "e")
	whole, fraction, hasPoint := strings.Cut(mantissa, ".")
	if whole == "" && fraction == "" {
		return "", false
	}
	if whole == "" {
		whole = "0"
	}
	literal := whole
	if hasPoint {
		if fraction == "" {
			fraction = "0"
		}
		literal += "." + fraction
	}
	if hasExponent {
		literal += "e" + exponent
	}
	check := jsonReader{text: literal, maxDepth: 1}
	if _, err := check.number(); err != nil || check.pos != len(literal) {
		return "", false
	}
	return literal, true
}

// stringPrefix returns the length of the prefix of a string literal at pos, 0 when there is none.
func (r *literalReader) stringPrefix() int {
	rest := r.text[r.pos:]
	if len(rest) > 1 && strings.IndexByte("rRuU", rest[0]) >= 0 && (rest[1] == '"' || rest[1] == '\'') {
		return 1
	}
	return 0
}

// strings reads one string literal or several one after another, which Python joins.
func (r *literalReader) strings() (string, error) {
	var all []byte
	for {
		prefix := r.stringPrefix()
		raw := prefix > 0 && r.text[r.pos]|0x20 == 'r'
		r.pos += prefix
		var err error
		if all, err = r.string(all, raw); err != nil {
			return string(all), err
		}
		c := r.peek()
		if r.pos+1 == len(r.text) && strings.IndexByte("rRuU", c) >= 0 {
			return string(all), r.cut("inside a value", "")
		}
		if c != '"' && c != '\'' && (c == 0 || r.stringPrefix() == 0) {
			return strings.ToValidUTF8(string(all), "\uFFFD"), nil
		}
	}
}

// string reads one string literal behind its prefix and appends its content.
func (r *literalReader) string(dst []byte, raw bool) ([]byte, error) {
	quote := r.text[r.pos : r.pos+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(r.text[r.pos:], triple) {
		quote = triple
	}
	r.pos += len(quote)
	for r.pos < len(r.text) {
		switch c := r.text[r.pos]; {
		case c == quote[0] && strings.HasPrefix(r.text[r.pos:], quote):
			r.pos += len(quote)
			return dst, nil
		case c == '\\' && raw && r.pos+1 < len(r.text):
			dst = append(dst, c, r.text[r.pos+1])
			r.pos += 2
		case c == '\\' && !raw:
			var err error
			if dst, err = r.escape(dst, quote); err != nil {
				return dst, err
			}
		default:
			dst = append(dst, c)
			r.pos++
		}
	}
	return dst, r.cut("inside a string", quote)
}

// escape reads a Python escape sequence and appends what it stands for. Unknown ones keep their backslash.
func (r *literalReader) escape(dst []byte, quote string) ([]byte, error) {
	rest := r.text[r.pos+1:]
	if rest == "" {
		return dst, r.cut("inside a string", quote)
	}
	if i := strings.IndexByte("abfnrtv\\'\"", rest[0]); i >= 0 {
		r.pos += 2
		return append(dst, "\a\b\f\n\r\t\v\\'\""[i]), nil
	}
	switch rest[0] {
	case '\n':
		r.pos += 2
		return dst, nil
	case 'u':
		// JSON's reader joins surrogate pairs, which models write in Python, too.
		json := jsonReader{text: r.text, pos: r.pos, open: r.open}
		dst, err := json.escape(dst, quote[0])
		r.pos = json.pos
		return dst, err
	case 'x', 'U':
		digits := map[byte]int{'x': 2, 'U': 8}[rest[0]]
		if len(rest) < 1+digits {
			return dst, r.cut("inside a string", quote)
		}
		code, ok := new(big.Int).SetString(rest[1:1+digits], 16)
		if !ok || code.Sign() < 0 || !code.IsInt64() || code.Int64() > utf8.MaxRune {
			return dst, r.fail("\\%s is no escape sequence", shorten(rest[:1+digits], 20))
		}
		r.pos += 2 + digits
		return utf8.AppendRune(dst, rune(code.Int64())), nil
	case '0', '1', '2', '3', '4', '5', '6', '7':
		code, digits := rune(0), 0
		for digits < 3 && digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '7' {
			code = code<<3 | rune(rest[digits]-'0')
			digits++
		}
		r.pos += 1 + digits
		return utf8.AppendRune(dst, code), nil
	}
	r.pos++
	return append(dst, '\\'), nil
}
