package grammar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// value is a JSON value with the order of its members kept: nil, bool, json.Number, string, []value or *object.
type value any

type member struct {
	key   string
	value value
}

type object struct{ members []member }

func (o *object) get(key string) (value, bool) {
	for _, m := range o.members {
		if m.key == key {
			return m.value, true
		}
	}
	return nil, false
}

const (
	maxSchemaBytes = 1 << 20
	maxDepth       = 64
)

func readOrdered(data []byte) (value, error) {
	if len(data) > maxSchemaBytes {
		return nil, &SchemaError{Reason: fmt.Sprintf("it has %d bytes, at most %d are read", len(data), maxSchemaBytes)}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the schema at byte %d", d.InputOffset())
	}
	return v, nil
}

func readValue(d *json.Decoder, depth int) (value, error) {
	if depth > maxDepth {
		return nil, &SchemaError{Reason: fmt.Sprintf("it is nested deeper than %d", maxDepth)}
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	delimiter, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if delimiter == '[' {
		list := []value{}
		for d.More() {
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, below(err, strconv.Itoa(len(list)))
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	o := &object{}
	seen := map[string]bool{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := k.(string)
		if seen[key] {
			return nil, &SchemaError{Pointer: "/" + escape(key), Reason: "the key is there twice"}
		}
		seen[key] = true
		v, err := readValue(d, depth+1)
		if err != nil {
			return nil, below(err, escape(key))
		}
		o.members = append(o.members, member{key, v})
	}
	_, err = d.Token()
	return o, err
}

// below puts a step before the pointer of an error.
func below(err error, step string) error {
	var e *SchemaError
	if errors.As(err, &e) {
		e.Pointer = "/" + step + e.Pointer
	}
	return err
}

// spell writes v in the one spelling that grammars use.
func spell(v value, comma, colon string) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		if v {
			return "true"
		}
		return "false"
	case json.Number:
		return v.String()
	case string:
		return quote(v)
	case []value:
		out := "["
		for i, e := range v {
			if i > 0 {
				out += comma
			}
			out += spell(e, comma, colon)
		}
		return out + "]"
	case *object:
		out := "{"
		for i, m := range v.members {
			if i > 0 {
				out += comma
			}
			out += quote(m.key) + colon + spell(m.value, comma, colon)
		}
		return out + "}"
	}
	return ""
}

// quote writes a string of JSON.
func quote(s string) string { return quoteWith(s, &spelling{quote: '"'}) }

func quoteWith(s string, how *spelling) string {
	out := []byte{how.quote}
	for _, r := range s {
		if e := how.spell(r); e != "" {
			out = append(out, e...)
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return string(append(out, how.quote))
}

// literal writes null or a boolean.
func (s *spelling) literal(v value) string {
	names := [3]string{"null", "false", "true"}
	if s.python {
		names = [3]string{"None", "False", "True"}
	}
	switch v {
	case true:
		return names[2]
	case false:
		return names[1]
	}
	return names[0]
}
