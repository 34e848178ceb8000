package prompts

import (
	"encoding/json"
	"unicode/utf8"
)

// value is a JSON value whose objects keep the order of their keys and whose numbers keep their spelling.
type value struct {
	kind   valueKind
	text   string   // a string's content, valid UTF-8; a number's literal in JSON's grammar
	list   []value  // an array's elements
	object []member // an object's members
}

type member struct {
	key   string
	value value
}

type valueKind uint8

const (
	kindNull valueKind = iota
	kindFalse
	kindTrue
	kindNumber
	kindString
	kindArray
	kindObject
)

// String names the kind as error texts do.
func (k valueKind) String() string {
	return [...]string{"null", "a boolean", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

func stringValue(text string) value { return value{kind: kindString, text: text} }

func boolValue(b bool) value {
	if b {
		return value{kind: kindTrue}
	}
	return value{kind: kindFalse}
}

// member returns the object's value under key. It is false for other kinds.
func (v value) member(key string) (value, bool) {
	for _, m := range v.object {
		if m.key == key {
			return m.value, true
		}
	}
	return value{}, false
}

// stringMember returns the object's string under key, "" when there is none.
func (v value) stringMember(key string) string {
	if m, ok := v.member(key); ok && m.kind == kindString {
		return m.text
	}
	return ""
}

// compact returns the value as JSON without white space.
func (v value) compact() json.RawMessage { return v.appendCompact(nil) }

func (v value) appendCompact(dst []byte) []byte {
	switch v.kind {
	case kindArray:
		dst = append(dst, '[')
		for i, e := range v.list {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.appendCompact(dst)
		}
		return append(dst, ']')
	case kindObject:
		dst = append(dst, '{')
		for i, m := range v.object {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendJSONString(dst, m.key), ':')
			dst = m.value.appendCompact(dst)
		}
		return append(dst, '}')
	case kindNumber:
		return append(dst, v.text...)
	default:
		return v.appendSimple(dst)
	}
}

// appendSimple appends a string or a constant.
func (v value) appendSimple(dst []byte) []byte {
	switch v.kind {
	case kindString:
		return appendJSONString(dst, v.text)
	case kindTrue:
		return append(dst, "true"...)
	case kindFalse:
		return append(dst, "false"...)
	default:
		return append(dst, "null"...)
	}
}

const hexDigits = "0123456789abcdef"

// appendJSONString appends text as a JSON string, escaped as Python's json.dumps does with
// ensure_ascii=False: quote, backslash and control characters, nothing else. In particular <, >, &, U+007F
// and U+2028 stay as they are. Invalid bytes become U+FFFD.
func appendJSONString(dst []byte, text string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); {
		b := text[i]
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, text[start:i]...)
				dst = append(dst, "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if b >= ' ' && b != '"' && b != '\\' {
			i++
			continue
		}
		dst = append(dst, text[start:i]...)
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
		}
		i++
		start = i
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}
