package prompts

import (
	"strconv"
	"strings"
)

// coerce returns v with the slips of small models put right that leave no doubt about what was meant, where
// the schema names another type than v has:
//
//   - a string that is a number in JSON's grammar, for an integer or a number: "10" → 10
//   - a float without a fraction, for an integer: 10.0 → 10
//   - "true" and "false" in any case, for a boolean
//   - a number or a boolean, for a string: 42 → "42", spelled as it was
//   - a string that is a JSON array or object, for an array or object
//   - null for a property that is not required and does not allow null: dropped
//
// Properties and array items are coerced by their own schemas. Whatever else does not fit the schema stays as
// it is, for validation to refuse. Schemas that combine others (anyOf, $ref, …) coerce nothing.
func coerce(v, schema value) value {
	types := schemaTypes(schema)
	if len(types) == 0 || fits(v, types) {
		return coerceInside(v, schema)
	}
	for _, t := range types {
		if c, ok := coerceTo(v, t); ok {
			return coerceInside(c, schema)
		}
	}
	return v
}

// schemaTypes returns the types that a schema allows, empty for any.
func schemaTypes(schema value) []string {
	t, _ := schema.member("type")
	switch t.kind {
	case kindString:
		return []string{t.text}
	case kindArray:
		var types []string
		for _, option := range t.list {
			types = append(types, option.text)
		}
		return types
	default:
		return nil
	}
}

// fits reports whether v has one of the types.
func fits(v value, types []string) bool {
	for _, t := range types {
		switch t {
		case "null":
			if v.kind == kindNull {
				return true
			}
		case "boolean":
			if v.kind == kindTrue || v.kind == kindFalse {
				return true
			}
		case "integer":
			if v.kind == kindNumber && !strings.ContainsAny(v.text, ".eE") {
				return true
			}
		case "number":
			if v.kind == kindNumber {
				return true
			}
		case "string":
			if v.kind == kindString {
				return true
			}
		case "array":
			if v.kind == kindArray {
				return true
			}
		default: // "object", and "dict" as some tool lists write
			if v.kind == kindObject {
				return true
			}
		}
	}
	return false
}

// coerceTo converts v to one type, if that is one of the listed conversions.
func coerceTo(v value, t string) (value, bool) {
	switch {
	case t == "integer" && (v.kind == kindString || v.kind == kindNumber):
		if n, err := readJSON(strings.TrimSpace(v.text)); err == nil && n.kind == kindNumber {
			return integer(n)
		}
	case t == "number" && v.kind == kindString:
		if n, err := readJSON(strings.TrimSpace(v.text)); err == nil && n.kind == kindNumber {
			return n, true
		}
	case t == "boolean" && v.kind == kindString:
		switch strings.ToLower(strings.TrimSpace(v.text)) {
		case "true":
			return boolValue(true), true
		case "false":
			return boolValue(false), true
		}
	case t == "string" && (v.kind == kindNumber || v.kind == kindTrue || v.kind == kindFalse):
		return stringValue(string(v.compact())), true
	case (t == "array" || t == "object") && v.kind == kindString:
		r := jsonReader{text: strings.TrimSpace(v.text), lenient: true, maxDepth: maxReplyDepth}
		inner, err := r.value()
		if err == nil && r.pos == len(r.text) && fits(inner, []string{t}) {
			return inner, true
		}
	}
	return value{}, false
}

// integer returns a number without a fraction as an integer literal. Floats are exact up to 2⁵³.
func integer(n value) (value, bool) {
	if !strings.ContainsAny(n.text, ".eE") {
		return n, true
	}
	f, err := strconv.ParseFloat(n.text, 64)
	if err != nil || f != float64(int64(f)) || f > 1<<53 || f < -1<<53 {
		return value{}, false
	}
	return value{kind: kindNumber, text: strconv.FormatInt(int64(f), 10)}, true
}

// coerceInside coerces an object's properties and an array's items.
func coerceInside(v, schema value) value {
	switch v.kind {
	case kindObject:
		properties, ok := schema.member("properties")
		if !ok {
			return v
		}
		required, _ := schema.member("required")
		members := make([]member, 0, len(v.object))
		for _, m := range v.object {
			property, ok := properties.member(m.key)
			if ok && m.value.kind == kindNull && !required.contains(m.key) && refusesNull(property) {
				continue
			}
			if ok {
				m.value = coerce(m.value, property)
			}
			members = append(members, m)
		}
		v.object = members
	case kindArray:
		items, ok := schema.member("items")
		if !ok {
			return v
		}
		list := make([]value, len(v.list))
		for i, e := range v.list {
			list[i] = coerce(e, items)
		}
		v.list = list
	}
	return v
}

// contains reports whether an array holds the string text.
func (v value) contains(text string) bool {
	for _, e := range v.list {
		if e.kind == kindString && e.text == text {
			return true
		}
	}
	return false
}

// refusesNull reports whether a schema names types and null is none of them.
func refusesNull(schema value) bool {
	types := schemaTypes(schema)
	return len(types) > 0 && !fits(value{}, types)
}
