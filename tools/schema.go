package tools

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
)

// SchemaOf returns the JSON Schema of the struct type t, as [New] makes it: one tree without references, properties in
// the order of the fields, required unless a field is a pointer or marked omitempty or omitzero. The error names the
// type and the field that JSON Schema, or encoding/json, cannot express.
func SchemaOf(t reflect.Type) (schema json.RawMessage, err error) {
	if t.Kind() != reflect.Struct || hasOwnJSON(t) {
		return nil, fmt.Errorf("argument type %v: want a struct with one field for each argument", t)
	}
	if err := checkType(t, t.String(), nil); err != nil {
		return nil, err
	}
	// The checks above are for errors with a place in them. Methods of the argument types that take part in making
	// the schema can still panic.
	defer func() {
		if value := recover(); value != nil {
			schema, err = nil, fmt.Errorf("argument type %v: making its schema panicked: %v", t, value)
		}
	}()
	reflector := jsonschema.Reflector{
		Anonymous: true, DoNotReference: true, ExpandedStruct: true, AllowAdditionalProperties: true,
		Mapper: textSchema,
	}
	reflected := reflector.ReflectFromType(t)
	reflected.Version = ""
	makePointersOptional(t, reflected)
	return compactJSON(reflected)
}

var (
	schemaMaker     = reflect.TypeFor[interface{ JSONSchema() *jsonschema.Schema }]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType        = reflect.TypeFor[time.Time]()
	durationType    = reflect.TypeFor[time.Duration]()
	numberType      = reflect.TypeFor[json.Number]()
	rawMessageType  = reflect.TypeFor[json.RawMessage]()
)

// textSchema gives the schema of types whose JSON form is not that of their kind: exact numbers and everything that
// reads itself from text.
func textSchema(t reflect.Type) *jsonschema.Schema {
	switch {
	case t.Implements(schemaMaker):
		return nil // asked itself
	case t == numberType:
		return &jsonschema.Schema{Type: "number"}
	case t == timeType:
		return nil // a string in the format date-time
	case reflect.PointerTo(t).Implements(textUnmarshaler) && !reflect.PointerTo(t).Implements(jsonUnmarshaler):
		return &jsonschema.Schema{Type: "string"}
	}
	return nil
}

// hasOwnJSON reports whether t reads itself from JSON, so that its fields say nothing about its schema.
func hasOwnJSON(t reflect.Type) bool {
	pointer := reflect.PointerTo(t)
	return pointer.Implements(jsonUnmarshaler) || pointer.Implements(textUnmarshaler) || pointer.Implements(schemaMaker)
}

// checkType returns an error if t has no schema, or if the schema would not say what encoding/json reads. place is
// the way from the argument type to t, outer the types on that way.
func checkType(t reflect.Type, place string, outer []reflect.Type) error {
	pointer := reflect.PointerTo(t)
	switch {
	case t.Implements(schemaMaker), t == timeType, t == numberType, t == rawMessageType:
		return nil
	case pointer.Implements(schemaMaker):
		return fmt.Errorf("%s: %v declares JSONSchema on its pointer, where it is not found; declare it on the value", place, t)
	case t == durationType:
		return fmt.Errorf("%s: a time.Duration is a count of nanoseconds in JSON; use a number of seconds, or a string", place)
	case pointer.Implements(jsonUnmarshaler):
		return fmt.Errorf("%s: %v reads its own JSON; give it a method JSONSchema() *jsonschema.Schema that says what that looks like", place, t)
	case pointer.Implements(textUnmarshaler):
		return nil
	case t.PkgPath() == "net/url" && t.Name() == "URL":
		return fmt.Errorf("%s: a url.URL cannot be read from JSON; use a string", place)
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Interface,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		if t.Kind() == reflect.Interface && t.NumMethod() > 0 {
			return fmt.Errorf("%s: the interface %v cannot be read from JSON; use a concrete type", place, t)
		}
		return nil
	case reflect.Pointer:
		return checkType(t.Elem(), place, outer)
	case reflect.Slice, reflect.Array:
		return checkType(t.Elem(), place+"[]", outer)
	case reflect.Map:
		if t.Key().Kind() != reflect.String || hasOwnJSON(t.Key()) {
			return fmt.Errorf("%s: a map with keys of type %v has no schema; use strings as keys", place, t.Key())
		}
		return checkType(t.Elem(), place+"[]", outer)
	case reflect.Struct:
		if slices.Contains(outer, t) {
			return fmt.Errorf("%s: %v contains itself; a schema without references cannot say that", place, t)
		}
		return checkFields(t, place, append(outer, t), map[string]string{})
	default:
		return fmt.Errorf("%s: a %v has no JSON form", place, t.Kind())
	}
}

// checkFields checks the fields of the struct t and of the structs embedded in it. seen has the places of the names
// found so far.
func checkFields(t reflect.Type, place string, outer []reflect.Type, seen map[string]string) error {
	for i := range t.NumField() {
		field := t.Field(i)
		at := place + "." + field.Name
		tag := field.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-", !field.IsExported() && !field.Anonymous:
			continue
		case name == "-":
			return fmt.Errorf("%s: an argument cannot be named \"-\"", at)
		case hasOption(options, "inline"):
			return fmt.Errorf("%s: encoding/json does not know the option \"inline\"; embed the struct instead", at)
		}
		if field.Tag.Get("jsonschema") == "-" {
			continue
		}
		if embedded, ok := embeddedStruct(field); ok && name == "" {
			if slices.Contains(outer, embedded) {
				return fmt.Errorf("%s: %v contains itself; a schema without references cannot say that", at, embedded)
			}
			if !field.IsExported() && field.Type.Kind() == reflect.Pointer {
				return fmt.Errorf("%s: encoding/json cannot set a pointer to the unexported type %v; embed the value", at, embedded)
			}
			if err := checkFields(embedded, at, append(outer, embedded), seen); err != nil {
				return err
			}
			continue
		}
		if !field.IsExported() {
			continue // an embedded type that is no struct
		}
		if name == "" {
			name = field.Name
		}
		if first, twice := seen[name]; twice {
			return fmt.Errorf("%s: the argument %q is also %s; name one of them differently", at, name, first)
		}
		seen[name] = at
		if err := checkTag(field, at); err != nil {
			return err
		}
		if err := checkType(field.Type, at, outer); err != nil {
			return err
		}
	}
	return nil
}

// embeddedStruct returns the struct type that field embeds.
func embeddedStruct(field reflect.StructField) (reflect.Type, bool) {
	t := field.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t, field.Anonymous && t.Kind() == reflect.Struct && !hasOwnJSON(t)
}

func hasOption(options, option string) bool {
	return slices.Contains(strings.Split(options, ","), option)
}

// makePointersOptional takes the pointers among t's fields off the required list of its schema, here and further in.
func makePointersOptional(t reflect.Type, schema *jsonschema.Schema) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if schema == nil || hasOwnJSON(t) {
		return
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		makePointersOptional(t.Elem(), schema.Items)
	case reflect.Map:
		makePointersOptional(t.Elem(), schema.AdditionalProperties)
	case reflect.Struct:
		if schema.Properties == nil {
			return
		}
		for i := range t.NumField() {
			field := t.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if embedded, ok := embeddedStruct(field); ok && name == "" {
				makePointersOptional(embedded, schema)
				continue
			}
			if name == "" {
				name = field.Name
			}
			property, ok := schema.Properties.Get(name)
			if !ok {
				continue
			}
			if field.Type.Kind() == reflect.Pointer && !hasOption(field.Tag.Get("jsonschema"), "required") {
				schema.Required = slices.DeleteFunc(schema.Required, func(required string) bool { return required == name })
			}
			if len(property.OneOf) == 2 && property.Type == "" { // nullable: the type or null
				property = property.OneOf[0]
			}
			makePointersOptional(field.Type, property)
		}
	}
}
