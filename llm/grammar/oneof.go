package grammar

import (
	"errors"
	"strconv"
)

// oneOf holds if one branch does and no other. Where two exclude each other nothing else needs saying.
func (k *keywordReader) oneOf(v value) {
	list := k.list("oneOf", v)
	if k.err != nil {
		return
	}
	overlaps := make([][]literal, len(list))
	for i, a := range list {
		for j, b := range list[:i] {
			apart, err := k.disjoint(a, b)
			if err != nil {
				k.err = err
				return
			}
			if !apart {
				overlaps[i] = append(overlaps[i], b)
				overlaps[j] = append(overlaps[j], a)
			}
		}
	}
	var options [][]literal
	for i, a := range list {
		option := []literal{a}
		for _, b := range overlaps[i] {
			n := k.negation(b)
			if k.err != nil {
				var e *SchemaError
				if errors.As(k.err, &e) {
					k.err = k.refuse(k.pointer+"/oneOf/"+strconv.Itoa(i), "it is not apart from another branch, which cannot be excluded: %s at %q", e.Reason, e.Pointer)
				}
				return
			}
			option = append(option, n)
		}
		options = append(options, option)
	}
	k.either(options...)
}

// disjoint tells whether it is certain that no value satisfies both.
func (c *compiler) disjoint(a, b literal) (bool, error) {
	if a == literalFalse || b == literalFalse {
		return true, nil
	}
	if a == literalTrue || b == literalTrue || a == b {
		return false, nil
	}
	x, y := c.outline(a), c.outline(b)
	if x.apart(y) {
		return true, nil
	}
	if x.words != nil && y.words != nil {
		return false, nil
	}
	if x.kinds&y.kinds == kindObject && c.tagged(a, b) {
		return true, nil
	}
	n, err := c.node([]literal{a, b})
	if err != nil {
		return false, err
	}
	steps := c.steps
	apart, err := c.plainlyEmpty(n)
	if err != nil && c.steps < maxSchemaSteps {
		c.steps = steps
		return false, err
	}
	return apart, err
}

// outline is a superset of the kinds and, if they are listed, of the scalar values of a schema.
type outline struct {
	kinds kinds
	words map[string]bool
}

func (a outline) apart(b outline) bool {
	return a.kinds&b.kinds == 0 || a.words != nil && b.words != nil && !intersect(a.words, b.words)
}

// tag is what an object has to have.
type tag struct {
	name    string
	outline outline
}

// tagged tells whether objects of a and of b have to have a property with values that are apart. It spares unions of many
// kinds of objects the time of combining each with each.
func (c *compiler) tagged(a, b literal) bool {
	others := c.tagsOf(b)
	for _, x := range c.tagsOf(a) {
		for _, y := range others {
			if x.name == y.name && x.outline.apart(y.outline) {
				return true
			}
		}
	}
	return false
}

// maxTags is how many required properties of an object are compared.
const maxTags = 8

// tagsOf are the outlines of the first properties that an object of l has to have.
func (c *compiler) tagsOf(l literal) []tag {
	if tags, ok := c.tags[l]; ok {
		return tags
	}
	var out []tag
	if at := c.referred(l, 0); at > literalFalse {
		s := c.schemas[at]
		p, _ := s.o.get("properties")
		r, _ := s.o.get("required")
		properties, _ := p.(*object)
		required, _ := r.([]value)
		for _, v := range required {
			name, ok := v.(string)
			if !ok || properties == nil || len(out) == maxTags {
				continue
			}
			if v, ok := properties.get(name); ok {
				if l, err := c.literal(v, s.pointer+"/properties/"+escape(name), s.scope); err == nil {
					out = append(out, tag{name, c.outline(l)})
				}
			}
		}
	}
	c.tags[l] = out
	return out
}

// referred follows references to a schema without one.
func (c *compiler) referred(l literal, depth int) literal {
	if l <= literalFalse || depth > 8 {
		return literalTrue
	}
	s := c.schemas[l]
	ref, ok := s.o.get("$ref")
	if !ok {
		return l
	}
	text, _ := ref.(string)
	v, err := c.resolve(text, s.scope, false)
	if err != nil {
		return literalTrue
	}
	target, err := c.literal(v, s.pointer, s.scope)
	if err != nil {
		return literalTrue
	}
	return c.referred(target, depth+1)
}

func intersect(a, b map[string]bool) bool {
	for w := range a {
		if b[w] {
			return true
		}
	}
	return false
}

// outline of a schema, made once.
func (c *compiler) outline(l literal) outline {
	o, ok := c.outlines[l]
	if !ok {
		o = c.newOutline(l, 0)
		c.outlines[l] = o
	}
	return o
}

func (c *compiler) newOutline(l literal, depth int) outline {
	if l <= literalFalse || depth > 8 {
		return outline{kinds: kindAll}
	}
	s := c.schemas[l]
	out := outline{kinds: kindAll}
	if ref, ok := s.o.get("$ref"); ok {
		if text, ok := ref.(string); ok {
			if v, err := c.resolve(text, s.scope, false); err == nil {
				if target, err := c.literal(v, s.pointer, s.scope); err == nil {
					out = c.newOutline(target, depth+1)
				}
			}
		}
		if c.draft < 2019 {
			return out // what stands beside a reference says nothing
		}
	}
	if v, ok := s.o.get("type"); ok {
		list, isList := v.([]value)
		if !isList {
			list = []value{v}
		}
		stated := kinds(0)
		for _, t := range list {
			name, _ := t.(string)
			stated |= kindNames[name]
		}
		out.kinds &= stated
	}
	list, ok := s.o.get("enum")
	v, isConst := s.o.get("const")
	if values, isList := list.([]value); ok && isList || isConst {
		if isConst {
			values = []value{v}
		}
		here := map[string]bool{}
		stated := kinds(0)
		for _, v := range values {
			stated |= kindNames[typeOf(v)]
			if t := typeOf(v); t == "array" || t == "object" {
				here = nil
			}
			if here != nil {
				if r, ok := whole(v); ok {
					here["n"+r.RatString()] = true
				} else {
					here[spell(v, ",", ":")] = true
				}
			}
		}
		out.kinds &= stated
		if here != nil {
			out.words = here
		}
	}
	return out
}
