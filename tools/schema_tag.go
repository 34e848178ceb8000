package tools

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Keywords of the jsonschema tag, by the types for which the schema maker reads them. It drops all others without a
// word, so that a comma in a description loses the rest of the sentence; here they are errors.
var (
	keywordsOfAll     = []string{"title", "description", "type", "anchor", "oneof_required", "anyof_required", "oneof_ref", "oneof_type", "anyof_ref", "anyof_type"}
	keywordsOfStrings = []string{"minLength", "maxLength", "pattern", "format", "readOnly", "writeOnly", "default", "example", "enum"}
	keywordsOfNumbers = []string{"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "default", "example", "enum"}
	keywordsOfArrays  = []string{"minItems", "maxItems", "uniqueItems", "default", "format", "pattern"}
	flagsOfAll        = []string{"required", "nullable"}
)

// checkTag returns an error if the jsonschema tag of field has a part that would be dropped or misread.
func checkTag(field reflect.StructField, place string) error {
	tag, ok := field.Tag.Lookup("jsonschema")
	if !ok || tag == "" {
		return nil
	}
	known := slices.Concat(keywordsOfAll, keywordsOf(field.Type))
	for _, part := range splitTag(tag) {
		keyword, value, hasValue := strings.Cut(part, "=")
		switch {
		case !hasValue && slices.Contains(flagsOfAll, part):
		case !hasValue:
			return fmt.Errorf("%s: jsonschema tag: %q is no keyword; write a comma inside a text as `\\\\,`", place, part)
		case !slices.Contains(known, keyword):
			return fmt.Errorf("%s: jsonschema tag: keyword %q does not apply to %v, known: %s", place, keyword, field.Type, strings.Join(known, ", "))
		default:
			if err := checkTagValue(keyword, value, field); err != nil {
				return fmt.Errorf("%s: jsonschema tag: %w", place, err)
			}
		}
	}
	return nil
}

// keywordsOf lists the keywords that apply to values of type t.
func keywordsOf(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == numberType || isNumber(t):
		return keywordsOfNumbers
	case t.Kind() == reflect.String || t == timeType || isBytes(t) || textSchema(t) != nil:
		return keywordsOfStrings
	case t.Kind() == reflect.Bool:
		return []string{"default"}
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		return slices.Concat(keywordsOfArrays, keywordsOf(t.Elem()))
	default:
		return nil
	}
}

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

func isNumber(t reflect.Type) bool {
	kind := t.Kind()
	return reflect.Int <= kind && kind <= reflect.Float64 && kind != reflect.Uintptr && textSchema(t) == nil
}

// checkTagValue checks values that must be numbers or counts.
func checkTagValue(keyword, value string, field reflect.StructField) error {
	element := field.Type
	for element.Kind() == reflect.Pointer || element.Kind() == reflect.Slice || element.Kind() == reflect.Array {
		element = element.Elem()
	}
	switch keyword {
	case "minLength", "maxLength", "minItems", "maxItems":
		if _, err := strconv.ParseUint(value, 10, 64); err != nil {
			return fmt.Errorf("%s=%s: want a count", keyword, value)
		}
	case "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "default", "example", "enum":
		if element == numberType || isNumber(element) {
			if !json.Valid([]byte(value)) || jsonType(value[0]) != "number" {
				return fmt.Errorf("%s=%s: want a number", keyword, value)
			}
		}
	}
	return nil
}

// splitTag splits a tag at its commas; `\,` is a comma inside a part.
func splitTag(tag string) []string {
	var parts []string
	part := ""
	for _, piece := range strings.Split(tag, ",") {
		if before, escaped := strings.CutSuffix(piece, `\`); escaped {
			part += before + ","
			continue
		}
		parts = append(parts, part+piece)
		part = ""
	}
	if part != "" {
		parts = append(parts, part)
	}
	return parts
}
