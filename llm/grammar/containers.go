package grammar

import (
	"errors"
	"strconv"
)

// container adds a keyword of arrays or objects.
func (k *keywordReader) container(key string, v value) {
	q := k.q
	switch key {
	case "minItems":
		q.shortest = max(q.shortest, k.count(key, v))
	case "maxItems":
		q.longest = min(q.longest, k.count(key, v))
	case "prefixItems", "items":
		if _, both := k.o.get("prefixItems"); key == "prefixItems" || !both {
			k.items()
		}
	case "contains":
		k.containsKeyword(v)
	case "uniqueItems":
		if v == true {
			q.unique, q.uniqueAt = true, k.pointer+"/uniqueItems"
		}
	case "minProperties":
		q.fewest = max(q.fewest, k.count(key, v))
	case "maxProperties":
		q.greatest = min(q.greatest, k.count(key, v))
	case "required":
		if _, old := v.(bool); old {
			return // draft 3 wrote it beside a property; later drafts have no such keyword
		}
		q.required = append(q.required, k.names(key, v)...)
	case "properties", "patternProperties", "additionalProperties":
		k.properties(key)
	case "propertyNames":
		q.names = append(q.names, k.sub(v, key))
	case "dependentRequired", "dependentSchemas", "dependencies":
		k.dependent(key, v)
	case "unevaluatedItems", "unevaluatedProperties":
		if v == true || k.object(v) {
			return
		}
		k.unevaluated(key, v)
	}
}

func (k *keywordReader) object(v value) bool { return k.sub(v, "unevaluated") == literalTrue }

func (k *keywordReader) names(key string, v value) []string {
	list, ok := v.([]value)
	if !ok {
		k.fail(key, "%s is a list of names, got %s", key, typeOf(v))
	}
	if len(list) > maxProperties {
		k.fail(key, "%d names, at most %d are enforced", len(list), maxProperties)
		return nil
	}
	var out []string
	for _, e := range list {
		s, ok := e.(string)
		if !ok {
			k.fail(key, "%v is not a name", e)
		}
		out = append(out, s)
	}
	return out
}

// items reads prefixItems and items, and the two of older drafts: a list of items and additionalItems.
func (k *keywordReader) items() {
	if s := &k.schemas[k.self]; s.array != nil {
		k.q.arrays = append(k.q.arrays, s.array)
		return
	}
	row := &arrayRow{rest: literalTrue}
	prefix, hasPrefix := k.o.get("prefixItems")
	items, hasItems := k.o.get("items")
	_, old := items.([]value)
	switch {
	case old && !hasPrefix:
		if len(items.([]value)) > 0 {
			row.prefix = k.list("items", items)
		}
		if rest, ok := k.o.get("additionalItems"); ok {
			row.rest = k.sub(rest, "additionalItems")
		}
	default:
		if hasPrefix {
			row.prefix = k.list("prefixItems", prefix)
		}
		if hasItems {
			row.rest = k.sub(items, "items")
		}
	}
	if len(row.prefix) > maxPrefix {
		k.fail("prefixItems", "%d items, at most %d are enforced one by one", len(row.prefix), maxPrefix)
	}
	k.schemas[k.self].array = row
	k.q.arrays = append(k.q.arrays, row)
}

const maxPrefix = 5000

func (k *keywordReader) containsKeyword(v value) {
	a := &containsAtom{value: k.sub(v, "contains"), not: literalTrue, least: 1, most: noLimit}
	if n, ok := k.o.get("minContains"); ok {
		a.least = k.count("minContains", n)
	}
	if n, ok := k.o.get("maxContains"); ok {
		a.most = k.count("maxContains", n)
	}
	if n, ok := k.o.get("!from"); ok {
		a.from = int(k.count("!from", n))
	}
	switch {
	case a.most != noLimit && a.most < a.least:
		k.q.kinds &^= kindArray
		return
	case a.most == noLimit && a.least == 0 || k.q.kinds&kindArray == 0:
		return
	case a.most != noLimit:
		a.not = k.negation(a.value)
	}
	k.q.contains = append(k.q.contains, a)
}

// properties reads the three keywords that look at each other.
func (k *keywordReader) properties(key string) {
	for _, first := range []string{"properties", "patternProperties", "additionalProperties"} {
		if _, ok := k.o.get(first); ok {
			if first != key {
				return // done when the first of the three was read
			}
			break
		}
	}
	if s := &k.schemas[k.self]; s.object != nil {
		k.q.objects = append(k.q.objects, s.object)
		return
	}
	row := &objectRow{properties: map[string]literal{}, additional: -1}
	if v, ok := k.o.get("properties"); ok {
		o, isObject := v.(*object)
		if !isObject {
			k.fail("properties", "properties is an object, got %s", typeOf(v))
			return
		}
		if len(o.members) > maxProperties {
			k.fail("properties", "%d properties, at most %d are enforced", len(o.members), maxProperties)
			return
		}
		row.declares = true
		for _, m := range o.members {
			row.names = append(row.names, m.key)
			row.properties[m.key] = k.sub(m.value, "properties/"+escape(m.key))
		}
	}
	if v, ok := k.o.get("patternProperties"); ok {
		o, isObject := v.(*object)
		if !isObject {
			k.fail("patternProperties", "patternProperties is an object, got %s", typeOf(v))
			return
		}
		for _, m := range o.members {
			names, err := k.searched(m.key)
			if err != nil {
				k.fail("patternProperties/"+escape(m.key), "%v", err)
				return
			}
			row.patterns = append(row.patterns, patternRow{names, k.sub(m.value, "patternProperties/"+escape(m.key))})
		}
	}
	if v, ok := k.o.get("additionalProperties"); ok {
		row.additional = k.sub(v, "additionalProperties")
	}
	k.schemas[k.self].object = row
	k.q.objects = append(k.q.objects, row)
}

// dependent: either the property is not there, or what depends on it holds.
func (k *keywordReader) dependent(key string, v value) {
	o, ok := v.(*object)
	if !ok {
		k.fail(key, "%s is an object, got %s", key, typeOf(v))
		return
	}
	for _, m := range o.members {
		absent := &object{members: []member{{"properties", &object{members: []member{{m.key, false}}}}}}
		present := &object{members: []member{{"type", "object"}, {"required", []value{m.key}}}}
		option := []literal{k.sub(present, key)}
		if list, ok := m.value.([]value); ok {
			if len(list) == 0 {
				continue
			}
			option = append(option, k.sub(&object{members: []member{{"required", list}}}, key+"/"+escape(m.key)))
		} else if l := k.sub(m.value, key+"/"+escape(m.key)); l != literalTrue {
			option = append(option, l)
		} else {
			continue
		}
		k.either([]literal{k.sub(absent, key)}, option)
	}
}

// unevaluated is enforced where all that evaluates is known without choosing: beside it, and in allOf and
// references.
func (k *keywordReader) unevaluated(key string, v value) {
	u := &evaluated{compiler: k.compiler}
	if err := u.collect(k.self, 0); err != nil {
		k.fail(key, "%v", err)
		return
	}
	if key == "unevaluatedProperties" {
		if u.all {
			return
		}
		row := &objectRow{properties: map[string]literal{}, additional: k.sub(v, key)}
		for _, name := range u.names {
			row.names = append(row.names, name)
			row.properties[name] = literalTrue
		}
		for _, p := range u.patterns {
			row.patterns = append(row.patterns, patternRow{p, literalTrue})
		}
		k.q.objects = append(k.q.objects, row)
		return
	}
	if u.allItems {
		return
	}
	row := &arrayRow{rest: k.sub(v, key)}
	for range u.prefix {
		row.prefix = append(row.prefix, literalTrue)
	}
	k.q.arrays = append(k.q.arrays, row)
}

// evaluated gathers what a schema evaluates whatever the value is.
type evaluated struct {
	*compiler
	names    []string
	patterns []language
	all      bool
	prefix   int
	allItems bool
}

var errEvaluated = errors.New("what a choice or a condition evaluates is not followed")

func (u *evaluated) collect(l literal, depth int) error {
	if l <= literalFalse {
		return nil
	}
	if depth > 50 {
		return errEvaluated
	}
	s := u.schemas[l]
	below := func(v value, path string) error {
		l, err := u.literal(v, s.pointer+"/"+path, s.scope)
		if err != nil {
			return err
		}
		return u.collect(l, depth+1)
	}
	for _, m := range s.o.members {
		switch m.key {
		case "anyOf", "oneOf", "if", "dependentSchemas", "contains", "not":
			if m.key == "not" {
				continue // a schema that fails evaluates nothing
			}
			return errEvaluated
		case "$dynamicRef", "$recursiveRef":
			return errEvaluated
		case "$ref":
			text, _ := m.value.(string)
			v, err := u.resolve(text, s.scope, false)
			if err != nil {
				return err
			}
			if err := below(v, "$ref"); err != nil {
				return err
			}
		case "allOf":
			list, _ := m.value.([]value)
			for i, v := range list {
				if err := below(v, "allOf/"+strconv.Itoa(i)); err != nil {
					return err
				}
			}
		case "properties":
			if o, ok := m.value.(*object); ok {
				for _, p := range o.members {
					u.names = append(u.names, p.key)
				}
			}
		case "patternProperties":
			if o, ok := m.value.(*object); ok {
				for _, p := range o.members {
					names, err := u.searched(p.key)
					if err != nil {
						return err
					}
					u.patterns = append(u.patterns, names)
				}
			}
		case "additionalProperties":
			u.all = true
		case "unevaluatedProperties":
			u.all = u.all || depth > 0
		case "unevaluatedItems":
			u.allItems = u.allItems || depth > 0
		case "items":
			if _, old := m.value.([]value); !old {
				u.allItems = true
			}
		case "prefixItems":
			list, _ := m.value.([]value)
			u.prefix = max(u.prefix, len(list))
		}
	}
	return nil
}
