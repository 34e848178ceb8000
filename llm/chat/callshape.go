package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/drover-ai/drover/prompts"
)

// callShape is a tool's call as an automaton over bytes. It is immutable; where one stands is a [callState].
type callShape struct {
	opening    []byte // {"name":"NAME","parameters":{
	parameters []parameter
}

// parameter is one property of the tool's schema.
type parameter struct {
	key      []byte // "KEY":
	required bool
	kind     valueKind
	words    [][]byte  // of kindWords: the values as JSON
	item     valueKind // of kindList
}

// valueKind is the type of a value, as far as writing it goes.
type valueKind uint8

const (
	kindAny     valueKind = iota // any JSON value
	kindString                   // a string
	kindInteger                  // digits, perhaps with a sign
	kindNumber                   // and a fraction and an exponent
	kindWords                    // one of a few words: an enum, true or false
	kindList                     // a list of items of one kind
)

// maxChoices is how many words an enum, and how many parameters a tool may have to be told apart by bits.
const maxChoices = 64

// newCallShape makes the automaton of a tool. Schemas that say more than types and enums are followed as far as that; the
// tool's own check of its arguments does the rest.
func newCallShape(d prompts.ToolDefinition) (*callShape, error) {
	name, err := compactJSON(d.Name)
	if err != nil {
		return nil, err
	}
	s := &callShape{opening: []byte(`{"name":` + string(name) + `,"parameters":{`)}
	if len(d.Parameters) == 0 {
		return s, nil
	}
	var schema struct {
		Properties json.RawMessage `json:"properties"`
		Required   []string        `json:"required"`
	}
	if err := json.Unmarshal(d.Parameters, &schema); err != nil {
		return nil, fmt.Errorf("its schema: %w", err)
	}
	required := map[string]bool{}
	for _, name := range schema.Required {
		required[name] = true
	}
	err = eachMember(schema.Properties, func(key string, value json.RawMessage) error {
		p, err := newParameter(key, value)
		p.required = required[key]
		s.parameters = append(s.parameters, p)
		return err
	})
	if err == nil && len(s.parameters) >= maxChoices {
		err = fmt.Errorf("it has %d parameters, at most %d can be written", len(s.parameters), maxChoices-1)
	}
	return s, err
}

// eachMember calls each for the members of a JSON object, in their order.
func eachMember(object json.RawMessage, each func(key string, value json.RawMessage) error) error {
	if len(object) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(object))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		name, _ := key.(string)
		if err := each(name, value); err != nil {
			return err
		}
	}
	return nil
}

// propertySchema is what a parameter's schema says of its type.
type propertySchema struct {
	Type  json.RawMessage   `json:"type"`
	Enum  []json.RawMessage `json:"enum"`
	Items json.RawMessage   `json:"items"`
}

// kind is the kind of value that the schema's type means; of several types the first that is not null.
func (p *propertySchema) kind() valueKind {
	var name string
	var names []string
	if json.Unmarshal(p.Type, &name) != nil && json.Unmarshal(p.Type, &names) == nil {
		for _, n := range names {
			if name == "" && n != "null" {
				name = n
			}
		}
	}
	switch name {
	case "string":
		return kindString
	case "integer":
		return kindInteger
	case "number":
		return kindNumber
	case "boolean":
		return kindWords
	case "array":
		return kindList
	}
	return kindAny
}

func newParameter(key string, raw json.RawMessage) (parameter, error) {
	quoted, err := compactJSON(key)
	if err != nil {
		return parameter{}, err
	}
	p := parameter{key: append(quoted, ':')}
	var schema propertySchema
	if err := json.Unmarshal(raw, &schema); err != nil {
		return p, fmt.Errorf("parameter %s: %w", key, err)
	}
	p.kind = schema.kind()
	switch {
	case len(schema.Enum) > 0 && len(schema.Enum) <= maxChoices:
		p.kind = kindWords
		for _, value := range schema.Enum {
			var word bytes.Buffer
			if err := json.Compact(&word, value); err != nil {
				return p, fmt.Errorf("parameter %s: enum: %w", key, err)
			}
			p.words = append(p.words, word.Bytes())
		}
	case p.kind == kindWords:
		p.words = [][]byte{[]byte("true"), []byte("false")}
	case p.kind == kindList:
		var items propertySchema
		if json.Unmarshal(schema.Items, &items) == nil {
			p.item = items.kind()
		}
		if p.item == kindWords || p.item == kindList {
			p.item = kindAny
		}
	}
	return p, nil
}

// compactJSON is a string as JSON, with all characters as they are.
func compactJSON(text string) ([]byte, error) {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(out.String(), "\n")), nil
}
