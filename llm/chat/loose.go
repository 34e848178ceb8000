package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/drover-ai/drover/llm/grammar"
)

// WithLooseTools lets calls be written of tools whose schemas cannot be enforced in full, as the tools of strangers' servers may
// have: without it, one such tool ends every message that calls any with a [*grammar.SchemaError]. What cannot be enforced
// is left out of what the call is written under, and of nothing else: the model reads the whole schema, and whoever
// runs the call checks its arguments against it. report, which may be nil, is told the tool and the JSON pointers to what was left
// out, when its grammar is made.
func WithLooseTools(report func(tool string, pointers []string)) Option {
	return func(m *Model) error {
		if report == nil {
			report = func(string, []string) {}
		}
		m.loose = report
		return nil
	}
}

// mostLoosened is how often a schema is made weaker before all of it is given up.
const mostLoosened = 64

// loosen returns the tool with all that cannot be enforced left out of its schema. The error is that of a tool of which no call can
// be written, whatever its schema.
func (m *Model) loosen(d offered) (offered, error) {
	var pointers []string
	for range mostLoosened {
		_, err := m.compileCall(d)
		var refused *grammar.SchemaError
		switch {
		case err == nil:
			if len(pointers) > 0 {
				m.loose(d.Name, pointers)
			}
			return d, nil
		case !errors.As(err, &refused):
			return d, err
		}
		schema, err := objectSchema(d.Parameters)
		if err != nil {
			return d, err
		}
		looser, err := withoutKeyword(schema, segments(refused.Pointer))
		if err != nil || bytes.Equal(looser, schema) {
			break
		}
		d.Parameters, pointers = looser, append(pointers, refused.Pointer)
	}
	d.Parameters = json.RawMessage(`{"type":"object"}`)
	if _, err := m.compileCall(d); err != nil {
		return d, err
	}
	m.loose(d.Name, []string{""})
	return d, nil
}

// compileCall compiles the call of one tool alone.
func (m *Model) compileCall(d offered) (*grammar.Grammar, error) {
	part, err := m.callPart(d)
	if err != nil {
		return nil, err
	}
	g, err := grammar.Compile(part)
	if err != nil {
		return nil, fmt.Errorf("tool %q: %w", d.Name, err)
	}
	return g, nil
}

// segments takes a JSON pointer apart.
func segments(pointer string) []string {
	if pointer == "" {
		return nil
	}
	parts := strings.Split(pointer[1:], "/")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
	}
	return parts
}

// The keywords under which there are schemas: by name, in a list, and one alone.
var (
	namedSchemas  = []string{"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
	listedSchemas = []string{"anyOf", "oneOf", "allOf", "prefixItems", "items"}
	singleSchemas = []string{"items", "additionalItems", "additionalProperties", "unevaluatedProperties", "unevaluatedItems",
		"contains", "propertyNames", "not", "if", "then", "else"}
)

// withoutKeyword is a schema without the keyword that path leads to, or with one that allows everything in the place of the schema that it
// leads to. The order of what stays is kept: models write arguments in it.
func withoutKeyword(schema json.RawMessage, path []string) (json.RawMessage, error) {
	if len(path) == 0 {
		return json.RawMessage(`{}`), nil
	}
	keywords, err := membersOf(schema)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(keywords, func(m member) bool { return m.name == path[0] })
	if at < 0 {
		return nil, fmt.Errorf("there is no %q", path[0])
	}
	keyword, rest := &keywords[at], path[1:]
	value := bytes.TrimSpace(keyword.value)
	switch {
	case len(rest) > 0 && slices.Contains(namedSchemas, keyword.name):
		named, err := membersOf(value)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(named, func(m member) bool { return m.name == rest[0] })
		if at < 0 {
			return nil, fmt.Errorf("there is no %q", rest[0])
		}
		if named[at].value, err = withoutKeyword(named[at].value, rest[1:]); err != nil {
			return nil, err
		}
		keyword.value = object(named)
	case len(rest) > 0 && value[0] == '[' && slices.Contains(listedSchemas, keyword.name):
		var list []json.RawMessage
		if err := json.Unmarshal(value, &list); err != nil {
			return nil, err
		}
		i, err := strconv.Atoi(rest[0])
		if err != nil || i < 0 || i >= len(list) {
			return nil, fmt.Errorf("there is no element %q", rest[0])
		}
		if list[i], err = withoutKeyword(list[i], rest[1:]); err != nil {
			return nil, err
		}
		keyword.value = slices.Concat([]byte("["), bytes.Join(bytesOf(list), []byte(",")), []byte("]"))
	case len(rest) > 0 && value[0] == '{' && slices.Contains(singleSchemas, keyword.name):
		if keyword.value, err = withoutKeyword(value, rest); err != nil {
			return nil, err
		}
	default:
		keywords = slices.Delete(keywords, at, at+1)
	}
	return object(keywords), nil
}

func bytesOf(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, value := range list {
		out[i] = value
	}
	return out
}

// member is a name and a value of an object, in its place.
type member struct {
	name  string
	value json.RawMessage
}

func membersOf(text json.RawMessage) (members []member, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.Join(errors.New("it is no object"), err)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		m := member{name: name.(string)} // it is one, or the decoder had said so
		if err := decoder.Decode(&m.value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}

func object(members []member) json.RawMessage {
	out := []byte("{")
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		name, _ := json.Marshal(m.name) // a string
		out = append(append(append(out, name...), ':'), m.value...)
	}
	return append(out, '}')
}
