package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	maxArgumentDepth = 64  // objects and arrays inside each other
	maxNumberLength  = 400 // characters of a number, and the largest power of ten in it
	maxPlainDigits   = 20  // of a whole number rewritten without a power of ten; enough for every Go integer
)

// Problem is one thing wrong with the arguments of a call.
type Problem struct {
	// Pointer is the place in the arguments, a JSON pointer (RFC 6901): "/to", "/items/0/name". It is empty for the
	// arguments as a whole.
	Pointer string
	// Text says what is wrong there and what would be right.
	Text string
}

// ArgumentsError lists all that is wrong with the arguments of a call. Its text is fit to go back to the model.
type ArgumentsError struct {
	Problems []Problem
}

// Error implements error.
func (e *ArgumentsError) Error() string {
	const shown = 6
	var b strings.Builder
	for i, p := range e.Problems {
		if i == shown {
			fmt.Fprintf(&b, "; and %d more", len(e.Problems)-shown)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		if p.Pointer != "" {
			b.WriteString(p.Pointer + ": ")
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

func problemAt(pointer, format string, arguments ...any) *ArgumentsError {
	return &ArgumentsError{[]Problem{{pointer, fmt.Sprintf(format, arguments...)}}}
}

// parseArguments reads the arguments of a call: one JSON object. No arguments at all and null are an empty object.
// Numbers stay as written (json.Number). What JSON leaves open is refused: a name twice in one object (readers differ
// on which value counts), nesting and numbers so large that checking them would take long.
func parseArguments(arguments json.RawMessage) (map[string]any, error) {
	text := bytes.TrimSpace(arguments)
	if len(text) == 0 || string(text) == "null" {
		return map[string]any{}, nil
	}
	if !json.Valid(text) {
		return nil, problemAt("", "not valid JSON: %v", syntaxError(text))
	}
	if text[0] != '{' {
		return nil, problemAt("", "got %s, want an object like {\"name\": value}", article(jsonType(text[0])))
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := parseValue(decoder, nil)
	if err != nil {
		return nil, err
	}
	return value.(map[string]any), nil
}

// syntaxError says where text stops being JSON.
func syntaxError(text []byte) error {
	var value any
	err := json.Unmarshal(text, &value)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%w, at byte %d of %d", err, syntax.Offset, len(text))
	}
	return err
}

// parseValue reads the next value; path leads to it.
func parseValue(decoder *json.Decoder, path []string) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, problemAt(pointerTo(path), "not valid JSON: %v", err)
	}
	if len(path) > maxArgumentDepth {
		return nil, problemAt(pointerTo(path[:4]), "objects and arrays nested more than %d deep", maxArgumentDepth)
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return parseObject(decoder, path)
		}
		return parseArray(decoder, path)
	case json.Number:
		if err := checkNumber(string(token)); err != nil {
			return nil, problemAt(pointerTo(path), "%v", err)
		}
		return token, nil
	default:
		return token, nil
	}
}

func parseObject(decoder *json.Decoder, path []string) (any, error) {
	object := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, problemAt(pointerTo(path), "not valid JSON: %v", err)
		}
		name := token.(string)
		if _, twice := object[name]; twice {
			return nil, problemAt(pointerTo(path), "%q is given twice", name)
		}
		if object[name], err = parseValue(decoder, append(path, name)); err != nil {
			return nil, err
		}
	}
	if _, err := decoder.Token(); err != nil && !errors.Is(err, io.EOF) {
		return nil, problemAt(pointerTo(path), "not valid JSON: %v", err)
	}
	return object, nil
}

func parseArray(decoder *json.Decoder, path []string) (any, error) {
	array := []any{}
	for decoder.More() {
		value, err := parseValue(decoder, append(path, strconv.Itoa(len(array))))
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	if _, err := decoder.Token(); err != nil && !errors.Is(err, io.EOF) {
		return nil, problemAt(pointerTo(path), "not valid JSON: %v", err)
	}
	return array, nil
}

// checkNumber refuses numbers that take exact arithmetic long: 1e999999999 has a billion digits.
func checkNumber(literal string) error {
	if len(literal) > maxNumberLength {
		return fmt.Errorf("a number of %d characters, want at most %d", len(literal), maxNumberLength)
	}
	if i := strings.IndexAny(literal, "eE"); i >= 0 {
		if exponent, err := strconv.Atoi(literal[i+1:]); err != nil || exponent > maxNumberLength || exponent < -maxNumberLength {
			return fmt.Errorf("number %s: want a power of ten between -%d and %d", literal, maxNumberLength, maxNumberLength)
		}
	}
	return nil
}

// plainInteger rewrites a whole number that is written with a fraction or a power of ten (5.0, 2e3), which JSON Schema
// counts as an integer and encoding/json does not, as plain digits. ok is false if literal is not such a number.
func plainInteger(literal string) (plain string, ok bool) {
	mantissa, power, _ := strings.Cut(strings.ToLower(literal), "e")
	if mantissa == literal && !strings.Contains(literal, ".") {
		return "", false
	}
	sign := ""
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	}
	exponent := 0
	if power != "" {
		exponent, _ = strconv.Atoi(power) // checkNumber has seen it
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, point := whole+fraction, len(whole)+exponent
	if trimmed := strings.TrimRight(digits, "0"); len(trimmed) > point {
		return "", false
	}
	if strings.Trim(digits, "0") == "" {
		return "0", true
	}
	if point > maxPlainDigits {
		return "", false
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	return sign + strings.TrimLeft(digits[:point], "0"), true
}

// pointerTo writes path as a JSON pointer.
func pointerTo(path []string) string {
	var b strings.Builder
	for _, name := range path {
		b.WriteByte('/')
		b.WriteString(pointerEscaper.Replace(name))
	}
	return b.String()
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// jsonType names the type of a JSON value by its first byte.
func jsonType(first byte) string {
	switch first {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}

// article puts "a" or "an" before the name of a JSON type; null has neither.
func article(name string) string {
	switch name {
	case "null":
		return name
	case "object", "array", "integer":
		return "an " + name
	default:
		return "a " + name
	}
}
