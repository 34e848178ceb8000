package grammar

import (
	"encoding/json"
	"slices"
	"strconv"
)

// negate makes a schema of all values that do not satisfy l, out of ordinary keywords and our own.
func (c *compiler) negate(l literal) (literal, error) {
	switch l {
	case literalTrue:
		return literalFalse, nil
	case literalFalse:
		return literalTrue, nil
	}
	s := c.schemas[l]
	if s.not != 0 {
		return s.not, nil
	}
	n := &negator{compiler: c, o: s.o, pointer: s.pointer}
	if ref, ok := s.o.get("$ref"); ok && c.draft < 2019 {
		n.keyword("$ref", ref)
	} else {
		for _, m := range s.o.members {
			if keywords[m.key] && n.err == nil {
				n.keyword(m.key, m.value)
			}
		}
	}
	if n.err != nil {
		return 0, n.err
	}
	var v value = false
	if len(n.options) == 1 {
		v = n.options[0]
	} else if len(n.options) > 1 {
		v = &object{members: []member{{"anyOf", n.options}}}
	}
	out, err := c.literal(v, s.pointer, s.scope)
	if err == nil {
		c.schemas[l].not = out
	}
	return out, err
}

// negator gathers the ways in which a value can fail one of the keywords.
type negator struct {
	*compiler
	o       *object
	pointer string
	options []value
	err     error
}

// option adds a way: pairs of keyword and value.
func (n *negator) option(pairs ...any) {
	o := &object{}
	for i := 0; i < len(pairs); i += 2 {
		o.members = append(o.members, member{pairs[i].(string), pairs[i+1]})
	}
	n.options = append(n.options, o)
}

func not(v value) value { return &object{members: []member{{"not", v}}} }

func allOf(list []value) value { return &object{members: []member{{"allOf", list}}} }

func nots(list value) []value {
	l, _ := list.([]value)
	out := make([]value, len(l))
	for i, v := range l {
		out[i] = not(v)
	}
	return out
}

func single(key string, v value) value { return &object{members: []member{{key, v}}} }

func natural(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// shifted is the count v plus by.
func shifted(v value, by int) (json.Number, bool) {
	r, ok := whole(v)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return "", false
	}
	n := int(r.Num().Int64()) + by
	return natural(n), n >= 0
}

func (n *negator) keyword(key string, v value) {
	switch key {
	case "type":
		n.types(v)
	case "enum":
		if list, ok := v.([]value); ok {
			n.option("!enum", list)
		}
	case "const":
		n.option("!enum", []value{v})
	case "!enum":
		n.option("enum", v)
	case "not":
		n.options = append(n.options, v)
	case "allOf":
		n.options = append(n.options, nots(v)...)
	case "anyOf":
		n.options = append(n.options, allOf(nots(v)))
	case "oneOf":
		n.oneOf(v)
	case "if":
		if then, ok := n.o.get("then"); ok {
			n.options = append(n.options, allOf([]value{v, not(then)}))
		}
		if other, ok := n.o.get("else"); ok {
			n.options = append(n.options, allOf([]value{not(v), not(other)}))
		}
	case "then", "else", "minContains", "maxContains", "additionalItems", "!from":
	case "$ref", "$dynamicRef", "$recursiveRef":
		n.options = append(n.options, not(single(key, v)))
		n.reference(key, v)
	case "minimum", "maximum":
		opposite := map[string]string{"minimum": "exclusiveMaximum", "maximum": "exclusiveMinimum"}[key]
		exclusive, _ := n.o.get("exclusive" + map[string]string{"minimum": "Minimum", "maximum": "Maximum"}[key])
		if exclusive == true {
			opposite = map[string]string{"minimum": "maximum", "maximum": "minimum"}[key]
		}
		n.option("type", "number", opposite, v)
	case "exclusiveMinimum", "exclusiveMaximum":
		if _, old := v.(bool); !old {
			n.option("type", "number", map[string]string{"exclusiveMinimum": "maximum", "exclusiveMaximum": "minimum"}[key], v)
		}
	case "multipleOf", "!multipleOf":
		n.option("type", "number", opposed(key), v)
	case "pattern", "!pattern", "format", "!format":
		if key != "format" || n.assertsFormat(v) {
			n.option("type", "string", opposed(key), v)
		}
	case "!broken":
		n.option("type", []value{"null", "boolean", "integer", "string", "array", "object"})
	case "minLength":
		n.below("string", "maxLength", v)
	case "maxLength":
		n.above("string", "minLength", v)
	case "minItems":
		n.below("array", "maxItems", v)
	case "maxItems":
		n.above("array", "minItems", v)
	case "minProperties":
		n.below("object", "maxProperties", v)
	case "maxProperties":
		n.above("object", "minProperties", v)
	default:
		n.container(key, v)
	}
}

func opposed(key string) string {
	if key[0] == '!' {
		return key[1:]
	}
	return "!" + key
}

func (n *negator) below(kind, key string, v value) {
	if less, ok := shifted(v, -1); ok {
		n.option("type", kind, key, less)
	}
}

func (n *negator) above(kind, key string, v value) {
	if more, ok := shifted(v, 1); ok {
		n.option("type", kind, key, more)
	}
}

func (n *negator) types(v value) {
	list, ok := v.([]value)
	if !ok {
		list = []value{v}
	}
	var rest []value
	for _, name := range []string{"null", "boolean", "number", "string", "array", "object"} {
		if !slices.Contains(list, value(name)) {
			if name == "number" && slices.Contains(list, value("integer")) {
				n.option("type", "number", "!broken", true)
				continue
			}
			rest = append(rest, name)
		}
	}
	if len(rest) > 0 {
		n.option("type", rest)
	}
}

// oneOf fails if no branch holds, or two do.
func (n *negator) oneOf(v value) {
	list, _ := v.([]value)
	n.options = append(n.options, allOf(nots(v)))
	for i, a := range list {
		for _, b := range list[:i] {
			n.options = append(n.options, allOf([]value{a, b}))
		}
	}
}

// reference replaces the option that keyword has just added by the negation of what is referred to.
func (n *negator) reference(key string, v value) {
	n.options = n.options[:len(n.options)-1]
	text, _ := v.(string)
	l := n.literals[n.o]
	target, err := n.resolve(text, n.schemas[l].scope, key != "$ref")
	if err != nil {
		n.err = n.refuse(n.pointer+"/"+key, "%v", err)
		return
	}
	n.options = append(n.options, not(target))
}

func (n *negator) container(key string, v value) {
	switch key {
	case "required":
		list, _ := v.([]value)
		for _, name := range list {
			if s, ok := name.(string); ok {
				n.option("type", "object", "properties", single(s, false))
			}
		}
	case "properties":
		if o, ok := v.(*object); ok {
			for _, m := range o.members {
				if l, err := n.literal(m.value, n.pointer+"/properties/"+escape(m.key), n.schemas[n.literals[n.o]].scope); err == nil && l == literalTrue {
					continue
				}
				n.option("type", "object", "required", []value{m.key}, "properties", single(m.key, not(m.value)))
			}
		}
	case "prefixItems", "items":
		n.items(key, v)
	case "contains":
		n.contains(v)
	case "uniqueItems":
		if v == true {
			n.err = n.refuse(n.pointer+"/uniqueItems", "the opposite of uniqueItems is not enforced")
		}
	case "dependentRequired", "dependentSchemas", "dependencies":
		o, _ := v.(*object)
		if o == nil {
			return
		}
		for _, m := range o.members {
			holds := m.value
			if list, ok := m.value.([]value); ok {
				holds = single("required", list)
			}
			n.options = append(n.options, allOf([]value{&object{members: []member{{"type", "object"}, {"required", []value{m.key}}}}, not(holds)}))
		}
	case "additionalProperties", "patternProperties", "propertyNames":
		if l, err := n.literal(v, n.pointer+"/"+key, n.schemas[n.literals[n.o]].scope); err == nil && l == literalTrue && key != "patternProperties" {
			return
		}
		n.err = n.refuse(n.pointer+"/"+key, "the opposite of %s is not enforced", key)
	case "unevaluatedItems", "unevaluatedProperties":
		n.err = n.refuse(n.pointer+"/"+key, "the opposite of %s is not enforced", key)
	}
}

func (n *negator) items(key string, v value) {
	list, isList := v.([]value)
	if !isList {
		from := 0
		if prefix, ok := n.o.get("prefixItems"); ok {
			l, _ := prefix.([]value)
			from = len(l)
		}
		n.option("type", "array", "contains", not(v), "!from", natural(from))
		return
	}
	if _, both := n.o.get("prefixItems"); key == "items" && both {
		return
	}
	for i, e := range list {
		before := make([]value, i, i+1)
		for j := range before {
			before[j] = true
		}
		n.option("type", "array", "minItems", natural(i+1), "prefixItems", append(before, not(e)))
	}
	if rest, ok := n.o.get("additionalItems"); ok && key == "items" {
		n.option("type", "array", "contains", not(rest), "!from", natural(len(list)))
	}
}

// contains fails with too few or too many matches.
func (n *negator) contains(v value) {
	least, most := json.Number("1"), value(nil)
	if w, ok := n.o.get("minContains"); ok {
		least, _ = w.(json.Number)
	}
	most, hasMost := n.o.get("maxContains")
	from, hasFrom := n.o.get("!from")
	if hasFrom && !hasMost && least == "1" {
		prefix := make([]value, 0)
		r, _ := whole(from)
		for range r.Num().Int64() {
			prefix = append(prefix, true)
		}
		if len(prefix) > 0 {
			n.option("type", "array", "prefixItems", prefix, "items", not(v))
		} else {
			n.option("type", "array", "items", not(v))
		}
		return
	}
	if fewer, ok := shifted(least, -1); ok {
		if fewer == "0" {
			n.option("type", "array", "items", not(v))
		} else {
			n.option("type", "array", "contains", v, "minContains", natural(0), "maxContains", fewer)
		}
	}
	if hasMost {
		if more, ok := shifted(most, 1); ok {
			n.option("type", "array", "contains", v, "minContains", more)
		}
	}
}
