package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// validator checks the arguments of one tool against its schema. It is immutable.
type validator struct {
	tree     map[string]any // the schema as data
	compiled *jsonschema.Schema
	strict   bool
}

// schemaURL is the name under which a tool's schema is known while it is compiled. Nothing is fetched from there.
const schemaURL = "mem://tool/parameters.json"

// noLoader refuses to fetch schemas: a tool's schema must stand alone.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("a tool's schema may only refer to itself, not to %s", url)
}

// newValidator compiles parameters, a JSON Schema of an object; empty means any object.
//
// A strict validator, for schemas made from Go types, also refuses arguments that the schema does not name, checks
// formats, and is lenient where no doubt is possible: null for an optional argument counts as leaving it out, and a
// whole number may be written as 5.0.
func newValidator(parameters json.RawMessage, strict bool) (*validator, error) {
	if len(bytes.TrimSpace(parameters)) == 0 {
		parameters = json.RawMessage(`{"type":"object"}`)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(parameters))
	if err != nil {
		return nil, fmt.Errorf("parameters are not valid JSON: %w", err)
	}
	tree, ok := document.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("parameters are %s, want a JSON Schema object", article(typeName(document)))
	}
	if declared, ok := tree["type"]; ok && declared != "object" {
		return nil, fmt.Errorf("parameters have type %v, want \"object\"", declared)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if strict {
		closeObjects(tree)
		compiler.AssertFormat()
	}
	if err := compiler.AddResource(schemaURL, tree); err != nil {
		return nil, fmt.Errorf("parameters: %w", err)
	}
	compiled, err := compiler.Compile(schemaURL)
	if err != nil {
		return nil, fmt.Errorf("parameters: %s", strings.ReplaceAll(err.Error(), schemaURL, ""))
	}
	return &validator{tree, compiled, strict}, nil
}

// closeObjects adds "additionalProperties": false to every object in schema that lists its properties and says nothing
// of others, so that a misspelled argument is an error. Models are not shown this.
func closeObjects(schema map[string]any) {
	if properties, ok := schema["properties"].(map[string]any); ok {
		_, additional := schema["additionalProperties"]
		_, patterns := schema["patternProperties"]
		if !additional && !patterns {
			schema["additionalProperties"] = false
		}
		for _, property := range properties {
			closeSchema(property)
		}
	}
	for _, keyword := range []string{"items", "additionalProperties"} {
		closeSchema(schema[keyword])
	}
	for _, keyword := range []string{"oneOf", "anyOf"} {
		if alternatives, ok := schema[keyword].([]any); ok {
			for _, alternative := range alternatives {
				closeSchema(alternative)
			}
		}
	}
	if patterns, ok := schema["patternProperties"].(map[string]any); ok {
		for _, pattern := range patterns {
			closeSchema(pattern)
		}
	}
}

func closeSchema(schema any) {
	if schema, ok := schema.(map[string]any); ok {
		closeObjects(schema)
	}
}

// check returns arguments as JSON to decode, or an [*ArgumentsError]. Arguments that a strict validator accepted
// leniently come back rewritten; otherwise they come back as they are ({} for none).
func (v *validator) check(arguments json.RawMessage) (json.RawMessage, error) {
	object, err := parseArguments(arguments)
	if err != nil {
		return nil, err
	}
	rewritten := false
	if v.strict {
		rewritten = relax(object, v.tree)
	}
	if err := v.compiled.Validate(object); err != nil {
		return nil, v.explain(err, object)
	}
	if rewritten || len(bytes.TrimSpace(arguments)) == 0 || bytes.Equal(bytes.TrimSpace(arguments), []byte("null")) {
		return json.Marshal(object)
	}
	return arguments, nil
}

// relax removes nulls from optional properties that may not be null and writes whole numbers plainly, in place.
// It reports whether anything changed.
func relax(value any, schema map[string]any) (changed bool) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			property := memberSchema(schema, name)
			if member == nil && property != nil && !isRequired(schema, name) && !acceptsNull(property) {
				delete(value, name)
				changed = true
				continue
			}
			if plain, ok := asPlainInteger(member); ok {
				value[name], changed = plain, true
				continue
			}
			changed = relax(member, property) || changed
		}
	case []any:
		for i, item := range value {
			if plain, ok := asPlainInteger(item); ok {
				value[i], changed = plain, true
				continue
			}
			items, _ := schema["items"].(map[string]any)
			changed = relax(item, items) || changed
		}
	}
	return changed
}

func asPlainInteger(value any) (json.Number, bool) {
	if number, ok := value.(json.Number); ok {
		plain, ok := plainInteger(string(number))
		return json.Number(plain), ok
	}
	return "", false
}

// memberSchema is the schema of a member of an object, nil if schema does not tell in a simple way.
func memberSchema(schema map[string]any, name string) map[string]any {
	if properties, ok := schema["properties"].(map[string]any); ok {
		if property, ok := properties[name].(map[string]any); ok {
			return property
		}
	}
	additional, _ := schema["additionalProperties"].(map[string]any)
	return additional
}

func isRequired(schema map[string]any, name string) bool {
	required, _ := schema["required"].([]any)
	return slices.Contains(required, any(name))
}

// acceptsNull reports whether null may be a value of schema: it does not say "type", or says so.
func acceptsNull(schema map[string]any) bool {
	switch declared := schema["type"].(type) {
	case string:
		return declared == "null"
	case []any:
		return slices.Contains(declared, any("null"))
	default:
		return true
	}
}

// explain turns the validator's tree of errors into a list of problems, one or more for each place, in order of place.
func (v *validator) explain(err error, object map[string]any) error {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return problemAt("", "%v", err)
	}
	var problems []Problem
	type mismatch struct {
		got  string
		want []string // several where schemas are alternatives
	}
	mismatches := map[string]mismatch{} // by place
	for _, leaf := range leaves(invalid, nil) {
		pointer := pointerTo(leaf.InstanceLocation)
		switch k := leaf.ErrorKind.(type) {
		case *kind.Required:
			for _, name := range k.Missing {
				problems = append(problems, Problem{pointer + "/" + pointerEscaper.Replace(name), "missing"})
			}
		case *kind.AdditionalProperties:
			known := v.known(leaf.InstanceLocation)
			for _, name := range k.Properties {
				problems = append(problems, Problem{pointer + "/" + pointerEscaper.Replace(name), "unknown argument" + known})
			}
		case *kind.Type:
			m := mismatches[pointer]
			m.got = described(valueAt(object, leaf.InstanceLocation))
			for _, name := range k.Want {
				m.want = append(m.want, article(name))
			}
			mismatches[pointer] = m
		case *kind.Enum, *kind.Const:
			got := described(valueAt(object, leaf.InstanceLocation))
			problems = append(problems, Problem{pointer, fmt.Sprintf("got %s, %s", got, leaf.ErrorKind.LocalizedString(english))})
		default:
			problems = append(problems, Problem{pointer, leaf.ErrorKind.LocalizedString(english)})
		}
	}
	for pointer, m := range mismatches {
		problems = append(problems, Problem{pointer, fmt.Sprintf("got %s, want %s", m.got, strings.Join(m.want, " or "))})
	}
	slices.SortFunc(problems, func(a, b Problem) int {
		if c := strings.Compare(a.Pointer, b.Pointer); c != 0 {
			return c
		}
		return strings.Compare(a.Text, b.Text)
	})
	return &ArgumentsError{slices.Compact(problems)}
}

var english = message.NewPrinter(language.English)

// leaves collects the errors that have no further causes.
func leaves(err *jsonschema.ValidationError, found []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(err.Causes) == 0 {
		return append(found, err)
	}
	for _, cause := range err.Causes {
		found = leaves(cause, found)
	}
	return found
}

// known lists the arguments that the object at path may have.
func (v *validator) known(path []string) string {
	schema := v.tree
	for _, name := range path {
		if next := memberSchema(schema, name); next != nil {
			schema = next
		} else {
			schema, _ = schema["items"].(map[string]any)
		}
	}
	properties, ok := schema["properties"].(map[string]any)
	switch {
	case !ok:
		return ""
	case len(properties) == 0:
		return ", none is expected"
	}
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return ", known: " + strings.Join(names, ", ")
}

// valueAt follows path into the arguments.
func valueAt(value any, path []string) any {
	for _, name := range path {
		switch container := value.(type) {
		case map[string]any:
			value = container[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(container) {
				return nil
			}
			value = container[i]
		default:
			return nil
		}
	}
	return value
}

// described names a value's type and, if it is short, the value.
func described(value any) string {
	name := typeName(value)
	switch value.(type) {
	case nil, map[string]any, []any:
		return article(name)
	}
	text, err := json.Marshal(value)
	if err != nil || len(text) > 40 {
		return article(name)
	}
	return fmt.Sprintf("the %s %s", name, text)
}

func typeName(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	default:
		return "number"
	}
}
