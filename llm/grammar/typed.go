package grammar

import (
	"encoding/json"
	"strconv"
)

// typed compiles the keywords that each speak of one type.
func (c *compiler) typed(o *object, pointer string) (uint32, error) {
	types, err := c.types(o, pointer)
	if err != nil {
		return 0, err
	}
	var out []uint32
	for _, t := range typeNames {
		if !types[t] {
			continue
		}
		at := c.g.emit(opReturn, 0, 0)
		switch t {
		case "null":
			at = c.g.literal("null", at)
		case "boolean":
			at = c.g.words([]string{"true", "false"}, at)
		case "number", "integer":
			at, err = c.numeric(o, pointer, t == "integer", at)
		case "string":
			at, err = c.stringSchema(o, pointer, at)
		case "array":
			at, err = c.array(o, pointer, at)
		case "object":
			at, err = c.object(o, pointer, at)
		}
		if err != nil {
			return 0, err
		}
		out = append(out, at)
	}
	return c.g.either(out...), nil
}

// bounds reads a pair of counts; a missing upper one is noLimit.
func (c *compiler) bounds(o *object, lower, upper, pointer string) (least, most uint32, err error) {
	most = noLimit
	for i, key := range []string{lower, upper} {
		v, ok := o.get(key)
		if !ok {
			continue
		}
		n, _ := v.(json.Number)
		f, err := strconv.ParseFloat(n.String(), 64)
		if err != nil || f < 0 || f != float64(uint32(f)) || f > 1<<31 {
			return 0, 0, c.refuse(pointer+"/"+key, "%v is not a whole number from 0 to 2147483648", v)
		}
		if i == 0 {
			least = uint32(f)
		} else {
			most = uint32(f)
		}
	}
	if least > most {
		return 0, 0, c.refuse(pointer+"/"+lower, "%d is above %s %d: no value fits", least, upper, most)
	}
	return least, most, nil
}

// any returns the entry of a subroutine for any JSON value.
func (c *compiler) any() uint32 {
	if !c.hasAny {
		c.hasAny = true
		c.anyValue = c.g.emit(opJump, 0, 0)
		closed := c.closed
		c.closed = false
		at, _ := c.typed(&object{}, "")
		c.closed = closed
		c.g.code[c.anyValue].x = at
	}
	return c.anyValue
}

func (c *compiler) array(o *object, pointer string, end uint32) (uint32, error) {
	g := c.g
	least, most, err := c.bounds(o, "minItems", "maxItems", pointer)
	if err != nil {
		return 0, err
	}
	item := uint32(0)
	if v, ok := o.get("items"); !ok {
		item = c.any()
	} else if item, err = c.schema(v, pointer+"/items"); err != nil {
		return 0, err
	}
	closing := g.emit(opAtLeast, least, g.bytes(']', ']', end))
	after := g.emit(opJump, 0, 0)
	saturate := most
	if most == noLimit {
		saturate = least
	}
	one := g.emit(opCall, item, g.emit(opCount, saturate, after))
	more := g.literal(c.comma, one)
	if most != noLimit {
		more = g.emit(opLess, most, more)
	}
	g.code[after].x = g.either(closing, more)
	return g.bytes('[', '[', g.either(closing, g.emit(opLess, most, one))), nil
}

type property struct {
	name     string
	schema   uint32
	required bool
}

func (c *compiler) object(o *object, pointer string, end uint32) (uint32, error) {
	g := c.g
	extra, open := uint32(0), !c.closed
	if v, ok := o.get("additionalProperties"); ok {
		at, err := c.schema(v, pointer+"/additionalProperties")
		if err != nil {
			return 0, err
		}
		extra, open = at, v != false
	} else if _, declared := o.get("properties"); open || !declared && !c.closed {
		extra, open = c.any(), true
	}
	list, err := c.properties(o, pointer, open, extra)
	if err != nil {
		return 0, err
	}
	closing := g.bytes('}', '}', end)
	more, fresh := closing, closing
	if open {
		names := make([]string, len(list))
		for i, p := range list {
			names[i] = p.name
		}
		again := g.emit(opJump, 0, 0)
		key := g.bytes('"', '"', c.except(names, g.literal(c.colon, g.emit(opCall, extra, again))))
		more = g.either(closing, g.literal(c.comma, key))
		g.code[again].x = more
		fresh = g.either(closing, key)
	}
	for i := len(list) - 1; i >= 0; i-- {
		p := list[i]
		one := g.literal(quote(p.name)+c.colon, g.emit(opCall, p.schema, more))
		following := g.literal(c.comma, one)
		if p.required {
			fresh, more = one, following
		} else {
			fresh, more = g.either(one, fresh), g.either(following, more)
		}
	}
	return g.bytes('{', '{', fresh), nil
}

func (c *compiler) properties(o *object, pointer string, open bool, extra uint32) ([]property, error) {
	required := map[string]bool{}
	var order []string
	if v, ok := o.get("required"); ok {
		names, ok := v.([]value)
		if !ok {
			return nil, c.refuse(pointer+"/required", "required is a list of names")
		}
		for _, n := range names {
			s, ok := n.(string)
			if !ok {
				return nil, c.refuse(pointer+"/required", "%v is not a name", n)
			}
			if !required[s] {
				required[s] = true
				order = append(order, s)
			}
		}
	}
	var list []property
	declared := map[string]bool{}
	if v, ok := o.get("properties"); ok {
		properties, ok := v.(*object)
		if !ok {
			return nil, c.refuse(pointer+"/properties", "properties is an object")
		}
		if len(properties.members) > 2000 {
			return nil, c.refuse(pointer+"/properties", "%d properties, at most 2000 are enforced", len(properties.members))
		}
		for _, m := range properties.members {
			at, err := c.schema(m.value, pointer+"/properties/"+escape(m.key))
			if err != nil {
				return nil, err
			}
			declared[m.key] = true
			list = append(list, property{m.key, at, required[m.key]})
		}
	}
	for _, name := range order {
		if declared[name] {
			continue
		}
		at := extra
		if !open {
			at = c.g.emit(opFail, 0, 0)
			if _, stated := o.get("additionalProperties"); !stated {
				at = c.any()
			}
		}
		list = append(list, property{name, at, true})
	}
	return list, nil
}
