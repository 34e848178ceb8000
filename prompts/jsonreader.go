package prompts

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Nesting limits: of what programs hand us, and of what a model writes into a call.
const (
	maxInputDepth = 1000
	maxReplyDepth = 64
)

// jsonReader reads JSON values from text, front to back, each byte once.
//
// It has two uses. Strict, it accepts what encoding/json accepts; a key that comes twice keeps its first place
// and its last value, as in Python. Lenient, for what models write, it also takes single-quoted strings,
// True, False and None, a comma before a closing bracket, line breaks and unknown escapes in strings; a key
// that comes twice is an error then, because it is unclear which value the model meant.
type jsonReader struct {
	text     string
	pos      int
	lenient  bool
	maxDepth int
	open     []byte // the closing brackets that are still to come
}

// syntaxError says where a text is not what it should be. It becomes part of a [ParseError] or of the error
// of another reader.
type syntaxError struct {
	offset  int
	problem string
	missing string // not empty when the text only ended too early: what would have closed it
}

func (e *syntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.offset, e.problem) }

// asSyntaxError is the error of one of this package's readers, all of which are syntax errors.
func asSyntaxError(err error) *syntaxError {
	var syntax *syntaxError
	if errors.As(err, &syntax) {
		return syntax
	}
	return &syntaxError{problem: err.Error()}
}

// readJSON reads text as one strict JSON value with nothing but white space around it.
func readJSON(text string) (value, error) {
	r := jsonReader{text: text, maxDepth: maxInputDepth}
	r.skipSpace()
	v, err := r.value()
	if err != nil {
		return value{}, err
	}
	r.skipSpace()
	if r.pos < len(text) {
		return value{}, r.fail("%s after the end of the JSON value", r.found())
	}
	return v, nil
}

func (r *jsonReader) skipSpace() {
	for r.pos < len(r.text) {
		switch r.text[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

func (r *jsonReader) fail(format string, args ...any) error {
	return &syntaxError{offset: r.pos, problem: fmt.Sprintf(format, args...)}
}

// cut is the error for a text that ends too early; quote is the closing quote of the string it ends in, or "".
func (r *jsonReader) cut(where, quote string) error {
	missing := []byte(quote)
	for i := len(r.open) - 1; i >= 0; i-- {
		missing = append(missing, r.open[i])
	}
	return &syntaxError{offset: len(r.text), problem: "the text ends " + where, missing: string(missing)}
}

// found describes the next character for an error.
func (r *jsonReader) found() string { return describe(r.text, r.pos) }

// describe quotes the character of text at pos.
func describe(text string, pos int) string {
	if pos >= len(text) {
		return "the end of the text"
	}
	c, _ := utf8.DecodeRuneInString(text[pos:])
	return fmt.Sprintf("%q", c)
}

// value reads one value. With an error it returns what was read of it so far.
func (r *jsonReader) value() (value, error) {
	if r.pos >= len(r.text) {
		return value{}, r.cut("before a value", "")
	}
	switch c := r.text[r.pos]; {
	case c == '{':
		return r.object()
	case c == '[':
		return r.array()
	case c == '"' || (c == '\'' && r.lenient):
		text, err := r.string()
		return stringValue(text), err
	case c == '-' || (c >= '0' && c <= '9'):
		return r.number()
	default:
		return r.constant()
	}
}

// enter notes an opened bracket; leave forgets it.
func (r *jsonReader) enter(closing byte) error {
	if len(r.open) >= r.maxDepth {
		return r.fail("nested deeper than %d levels", r.maxDepth)
	}
	r.open = append(r.open, closing)
	r.pos++
	r.skipSpace()
	return nil
}

func (r *jsonReader) leave() {
	r.open = r.open[:len(r.open)-1]
	r.pos++
}

func (r *jsonReader) object() (value, error) {
	v := value{kind: kindObject}
	if err := r.enter('}'); err != nil {
		return v, err
	}
	var index map[string]int // made when the object is too long to search
	for first := true; ; first = false {
		if r.pos >= len(r.text) {
			return v, r.cut("inside an object", "")
		}
		c := r.text[r.pos]
		if c == '}' && (first || r.lenient) {
			r.leave()
			return v, nil
		}
		if c != '"' && (c != '\'' || !r.lenient) {
			return v, r.fail("%s where a quoted key should be", r.found())
		}
		keyAt := r.pos
		key, err := r.string()
		if err != nil {
			return v, err
		}
		r.skipSpace()
		if r.pos >= len(r.text) {
			return v, r.cut(fmt.Sprintf("after the key %q", key), "")
		}
		if r.text[r.pos] != ':' {
			return v, r.fail("%s where a colon should be, after the key %q", r.found(), key)
		}
		r.pos++
		r.skipSpace()
		if r.pos >= len(r.text) {
			return v, r.cut(fmt.Sprintf("before the value of %q", key), "")
		}
		item, err := r.value()
		if err != nil {
			v.object = append(v.object, member{key, item})
			return v, err
		}
		if at := v.find(key, &index); at < 0 {
			v.object = append(v.object, member{key, item})
		} else if r.lenient {
			r.pos = keyAt
			return v, r.fail("the key %q comes twice", key)
		} else {
			v.object[at].value = item
		}
		if done, err := r.separator('}', "object"); err != nil || done {
			return v, err
		}
	}
}

// find returns the place of key in the object, or -1. From 16 members on it uses index, so that objects of
// any size are read in linear time.
func (v *value) find(key string, index *map[string]int) int {
	if len(v.object) < 16 {
		for i := range v.object {
			if v.object[i].key == key {
				return i
			}
		}
		return -1
	}
	if *index == nil {
		*index = make(map[string]int, 2*len(v.object))
	}
	for i := len(*index); i < len(v.object); i++ {
		(*index)[v.object[i].key] = i
	}
	if at, ok := (*index)[key]; ok {
		return at
	}
	return -1
}

func (r *jsonReader) array() (value, error) {
	v := value{kind: kindArray}
	if err := r.enter(']'); err != nil {
		return v, err
	}
	for first := true; ; first = false {
		if r.pos >= len(r.text) {
			return v, r.cut("inside an array", "")
		}
		if r.text[r.pos] == ']' && (first || r.lenient) {
			r.leave()
			return v, nil
		}
		item, err := r.value()
		v.list = append(v.list, item)
		if err != nil {
			return v, err
		}
		if done, err := r.separator(']', "array"); err != nil || done {
			return v, err
		}
	}
}

// separator reads a comma, or the closing bracket and says that the container is done.
func (r *jsonReader) separator(closing byte, container string) (done bool, err error) {
	r.skipSpace()
	if r.pos >= len(r.text) {
		return false, r.cut("inside an "+container, "")
	}
	switch r.text[r.pos] {
	case closing:
		r.leave()
		return true, nil
	case ',':
		r.pos++
		r.skipSpace()
		return false, nil
	default:
		return false, r.fail("%s where a comma or %q should be", r.found(), closing)
	}
}

// number reads a number in JSON's grammar and keeps its spelling.
func (r *jsonReader) number() (value, error) {
	start := r.pos
	digits := func() bool {
		from := r.pos
		for r.pos < len(r.text) && r.text[r.pos] >= '0' && r.text[r.pos] <= '9' {
			r.pos++
		}
		return r.pos > from
	}
	next := func(set string) bool {
		if r.pos < len(r.text) && strings.IndexByte(set, r.text[r.pos]) >= 0 {
			r.pos++
			return true
		}
		return false
	}
	bad := func() (value, error) {
		if r.pos >= len(r.text) {
			return value{}, r.cut("inside a number", "")
		}
		return value{}, r.fail("%s inside a number", r.found())
	}
	next("-")
	if !next("0") && !digits() {
		return bad()
	}
	if next(".") && !digits() {
		return bad()
	}
	if next("eE") {
		next("+-")
		if !digits() {
			return bad()
		}
	}
	return value{kind: kindNumber, text: r.text[start:r.pos]}, nil
}

// constant reads null, true or false, and Python's spelling of them when lenient.
func (r *jsonReader) constant() (value, error) {
	constants := []struct {
		word    string
		kind    valueKind
		lenient bool
	}{
		{"null", kindNull, false}, {"true", kindTrue, false}, {"false", kindFalse, false},
		{"None", kindNull, true}, {"True", kindTrue, true}, {"False", kindFalse, true},
	}
	rest := r.text[r.pos:]
	for _, c := range constants {
		if c.lenient && !r.lenient {
			continue
		}
		if strings.HasPrefix(rest, c.word) {
			r.pos += len(c.word)
			return value{kind: c.kind}, nil
		}
		if strings.HasPrefix(c.word, rest) {
			return value{}, r.cut("inside "+c.word, "")
		}
	}
	return value{}, r.fail("%s where a value should be", r.found())
}

// string reads a quoted string.
func (r *jsonReader) string() (string, error) {
	quote := r.text[r.pos]
	r.pos++
	start := r.pos
	var built []byte // nil until something must be replaced
	for r.pos < len(r.text) {
		switch c := r.text[r.pos]; {
		case c == quote:
			part := r.text[start:r.pos]
			r.pos++
			if built == nil {
				return part, nil
			}
			return string(append(built, part...)), nil
		case c == '\\':
			built = append(built, r.text[start:r.pos]...)
			var err error
			if built, err = r.escape(built, quote); err != nil {
				return "", err
			}
			start = r.pos
		case c < ' ' && !r.lenient:
			return "", r.fail("control character %q inside a string; write it as an escape", c)
		case c >= utf8.RuneSelf:
			ch, size := utf8.DecodeRuneInString(r.text[r.pos:])
			if ch == utf8.RuneError && size == 1 {
				built = append(built, r.text[start:r.pos]...)
				built = append(built, "\uFFFD"...)
				start = r.pos + 1
			}
			r.pos += size
		default:
			r.pos++
		}
	}
	return string(append(built, r.text[start:]...)), r.cut("inside a string", string(quote))
}

// escape reads one escape sequence and appends what it stands for.
func (r *jsonReader) escape(dst []byte, quote byte) ([]byte, error) {
	if r.pos+1 >= len(r.text) {
		return nil, r.cut("inside a string", string(quote))
	}
	c := r.text[r.pos+1]
	if plain := strings.IndexByte(`"\/bfnrt`, c); plain >= 0 {
		r.pos += 2
		return append(dst, "\"\\/\b\f\n\r\t"[plain]), nil
	}
	if c == 'u' {
		first, err := r.hex4(r.pos, quote)
		if err != nil {
			return nil, err
		}
		r.pos += 6
		if utf16.IsSurrogate(first) && strings.HasPrefix(r.text[r.pos:], `\u`) {
			second, err := r.hex4(r.pos, quote)
			if err != nil {
				return nil, err
			}
			if pair := utf16.DecodeRune(first, second); pair != utf8.RuneError {
				r.pos += 6
				return utf8.AppendRune(dst, pair), nil
			}
		}
		return utf8.AppendRune(dst, first), nil // half a surrogate pair becomes U+FFFD
	}
	if !r.lenient {
		return nil, r.fail("unknown escape: a backslash before %s inside a string", describe(r.text, r.pos+1))
	}
	if c == '\'' {
		r.pos += 2
		return append(dst, '\''), nil
	}
	// A model that writes "\d+" means the backslash; Python keeps it, too.
	r.pos++
	return append(dst, '\\'), nil
}

// hex4 returns the code unit of the \uXXXX at pos.
func (r *jsonReader) hex4(pos int, quote byte) (rune, error) {
	var unit rune
	for i := pos + 2; i < pos+6; i++ {
		if i >= len(r.text) {
			return 0, r.cut("inside a string", string(quote))
		}
		digit := strings.IndexByte(hexDigits, r.text[i]|0x20)
		if digit < 0 || (r.text[i] < '0') {
			r.pos = i
			return 0, r.fail("%s inside a \\u escape", r.found())
		}
		unit = unit<<4 | rune(digit)
	}
	return unit, nil
}
