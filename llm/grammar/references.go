package grammar

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// resource is a schema with an identifier of its own, which references are relative to.
type resource struct {
	id      *url.URL
	root    value
	anchors map[string]value
	dynamic map[string]value
}

// place is where a schema stands in the document.
type place struct {
	pointer string
	scope   *resource
}

// drafts by a part of their $schema.
var drafts = []struct {
	part string
	year int
}{{"draft-03", 3}, {"draft-04", 4}, {"draft-06", 6}, {"draft-07", 7}, {"2019-09", 2019}, {"2020-12", 2020}}

// locate notes where every object of the document stands, and its identifiers.
func (c *compiler) locate(root value) error {
	c.draft = 2020
	if o, ok := root.(*object); ok {
		if s, ok := o.get("$schema"); ok {
			text, _ := s.(string)
			if text != "" && !strings.Contains(text, "json-schema.org/") {
				return c.refuse("/$schema", "the keywords of the metaschema %q are not known", text)
			}
			for _, d := range drafts {
				if strings.Contains(text, d.part) {
					c.draft, c.stated = d.year, true
				}
			}
		}
	}
	base, _ := url.Parse("schema:///")
	c.root = &resource{id: base, root: root, anchors: map[string]value{}, dynamic: map[string]value{}}
	c.resources = []*resource{c.root}
	return c.walk(root, "", c.root, true)
}

func (c *compiler) walk(v value, pointer string, scope *resource, schema bool) error {
	switch v := v.(type) {
	case []value:
		for i, e := range v {
			if err := c.walk(e, pointer+"/"+strconv.Itoa(i), scope, schema); err != nil {
				return err
			}
		}
	case *object:
		if schema {
			var err error
			if scope, err = c.identify(v, pointer, scope); err != nil {
				return err
			}
		}
		c.places[v] = place{pointer, scope}
		for _, m := range v.members {
			below := schema && (keywords[m.key] || m.key == "$defs" || m.key == "definitions") && m.key != "enum" && m.key != "const"
			// Below properties and the like the keys are names, not keywords.
			names := below && (m.key == "properties" || m.key == "patternProperties" || m.key == "$defs" || m.key == "definitions" || m.key == "dependentSchemas" || m.key == "dependencies")
			if err := c.walkMember(m, pointer+"/"+escape(m.key), scope, below, names); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *compiler) walkMember(m member, pointer string, scope *resource, schema, names bool) error {
	o, ok := m.value.(*object)
	if !names || !ok {
		return c.walk(m.value, pointer, scope, schema)
	}
	c.places[o] = place{pointer, scope}
	for _, p := range o.members {
		if err := c.walk(p.value, pointer+"/"+escape(p.key), scope, true); err != nil {
			return err
		}
	}
	return nil
}

// identify reads $id and the anchors of a schema.
func (c *compiler) identify(o *object, pointer string, scope *resource) (*resource, error) {
	key := "$id"
	if c.draft <= 4 {
		key = "id"
	}
	_, isRef := o.get("$ref")
	if v, ok := o.get(key); ok && !(isRef && c.draft < 2019) {
		if s, ok := v.(string); ok && s != "" {
			if c.draft < 2019 && strings.HasPrefix(s, "#") {
				scope.anchors[s[1:]] = o
			} else if id, err := scope.id.Parse(s); err == nil {
				id.Fragment = ""
				if pointer == "" {
					scope.id = id
				} else {
					scope = &resource{id: id, root: o, anchors: map[string]value{}, dynamic: map[string]value{}}
					c.resources = append(c.resources, scope)
				}
			}
		}
	}
	if v, ok := o.get("$anchor"); ok {
		if s, ok := v.(string); ok {
			scope.anchors[s] = o
		}
	}
	if v, ok := o.get("$dynamicAnchor"); ok {
		if s, ok := v.(string); ok {
			scope.anchors[s], scope.dynamic[s] = o, o
			c.dynamic[s]++
		}
	}
	if v, ok := o.get("$recursiveAnchor"); ok && v == true {
		c.dynamic[""]++
	}
	return scope, nil
}

// resolve finds what a reference refers to. A dynamic one is enforced only if there is nothing to choose.
func (c *compiler) resolve(ref string, scope *resource, dynamic bool) (value, error) {
	u, err := scope.id.Parse(ref)
	if err != nil {
		return nil, fmt.Errorf("reference %q: %w", ref, err)
	}
	fragment := u.Fragment
	u.Fragment, u.RawFragment = "", ""
	var target *resource
	for _, r := range c.resources {
		if r.id.String() == u.String() {
			target = r
			break
		}
	}
	if target == nil {
		return nil, fmt.Errorf("reference %q leads out of this schema", ref)
	}
	if dynamic {
		if c.dynamic[fragment] > 1 || len(c.resources) > 1 {
			return nil, fmt.Errorf("reference %q depends on where it is reached from", ref)
		}
	}
	if fragment != "" && fragment[0] != '/' {
		if v, ok := target.anchors[fragment]; ok {
			return v, nil
		}
		return nil, fmt.Errorf("reference %q: there is no such anchor", ref)
	}
	at := target.root
	for _, part := range strings.Split(fragment, "/")[1:] {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		found := false
		switch v := at.(type) {
		case *object:
			at, found = v.get(part)
		case []value:
			if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(v) {
				at, found = v[i], true
			}
		}
		if !found {
			return nil, fmt.Errorf("reference %q leads nowhere", ref)
		}
	}
	return at, nil
}

// acyclic refuses a schema that refers back to itself for the same value.
func (c *compiler) acyclic(l literal) error {
	if l <= literalFalse || c.checked[l] != 0 {
		return nil
	}
	c.checked[l] = 1
	s := c.schemas[l]
	visit := func(v value, path string) error {
		target, err := c.literal(v, s.pointer+"/"+path, s.scope)
		if err != nil {
			return err
		}
		if c.checked[target] == 1 && target > literalFalse {
			return c.refuse(s.pointer+"/"+path, "a reference leads back to itself without a value between")
		}
		return c.acyclic(target)
	}
	for _, m := range s.o.members {
		var err error
		switch m.key {
		case "$ref":
			text, _ := m.value.(string)
			v, e := c.resolve(text, s.scope, false)
			if e != nil {
				return c.refuse(s.pointer+"/$ref", "%v", e)
			}
			err = visit(v, m.key)
		case "not", "if", "then", "else":
			if c.isSchema(m.value) {
				err = visit(m.value, m.key)
			}
		case "allOf", "anyOf", "oneOf":
			list, _ := m.value.([]value)
			for i, v := range list {
				if err == nil && c.isSchema(v) {
					err = visit(v, m.key+"/"+strconv.Itoa(i))
				}
			}
		}
		if err != nil {
			return err
		}
	}
	c.checked[l] = 2
	return nil
}

func (c *compiler) isSchema(v value) bool {
	switch v.(type) {
	case bool, *object:
		return true
	}
	return false
}

func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}
