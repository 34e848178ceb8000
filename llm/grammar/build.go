package grammar

import (
	"errors"
	"slices"
)

var errCounted = errors.New("its length, beside a pattern, cannot be counted")

// build compiles a node and all values below it, and returns the index of its valueNode.
func (c *compiler) build(root int32) (uint32, error) {
	order, err := c.reach(root)
	if err != nil {
		return 0, err
	}
	c.costs(order)
	if c.nodes[root].cost == noLimit {
		return 0, c.refuse(c.emptiest(root), "no value satisfies it")
	}
	v := &c.g.values
	first := len(v.nodes)
	for _, i := range order {
		if n := c.nodes[i]; n.cost != noLimit {
			n.at = uint32(len(v.nodes))
			v.nodes = append(v.nodes, valueNode{cost: n.cost, space: c.spelling.space})
		}
	}
	for _, i := range order {
		if n := c.nodes[i]; n.cost != noLimit {
			if err := c.shape(n); err != nil {
				return 0, err
			}
		}
	}
	v.firstBytes(first)
	return c.nodes[root].at, nil
}

// emptiest is where a schema without values says so: at the property that it requires and that has none, or at itself.
func (c *compiler) emptiest(at int32) (pointer string) {
	for _, l := range c.nodes[at].literals {
		if l == literalTrue || l == literalFalse {
			continue
		}
		s := c.schemas[l]
		required, _ := s.o.get("required")
		names, _ := required.([]value)
		properties, _ := s.o.get("properties")
		declared, _ := properties.(*object)
		for _, v := range names {
			name, _ := v.(string)
			if declared == nil {
				break
			}
			if v, ok := declared.get(name); ok {
				pointer := s.pointer + "/properties/" + escape(name)
				if below, ok := c.without(v, pointer, s.scope); ok {
					return below
				}
			}
		}
	}
	return c.nodes[at].pointer
}

// without tells whether a schema has no values, and where it says so.
func (c *compiler) without(v value, pointer string, scope *resource) (at string, ok bool) {
	l, err := c.literal(v, pointer, scope)
	if err != nil {
		return "", false
	}
	if l == literalFalse {
		return pointer, true
	}
	n, err := c.node([]literal{l})
	if err != nil {
		return "", false
	}
	order, err := c.reach(n)
	if err != nil {
		return "", false
	}
	if c.costs(order); c.nodes[n].cost != noLimit {
		return "", false
	}
	return c.emptiest(n), true
}

// reach expands everything that values below root can be, in the order of finding it.
func (c *compiler) reach(root int32) ([]int32, error) {
	order := []int32{root}
	seen := map[int32]bool{root: true}
	visit := func(list ...int32) {
		for _, i := range list {
			if !seen[i] {
				seen[i] = true
				order = append(order, i)
			}
		}
	}
	for at := 0; at < len(order); at++ {
		n := c.nodes[order[at]]
		if err := c.expand(n); err != nil {
			return nil, err
		}
		for k := range n.branches {
			q := &n.branches[k]
			if q.kinds&kindObject != 0 && !q.restricted && q.fewest <= q.greatest {
				p, err := c.planObject(q)
				if err != nil {
					return nil, err
				}
				n.shapes = append(n.shapes, p)
				visit(p.values...)
				labels := make([]uint64, 0, len(p.classes))
				for label := range p.classes {
					labels = append(labels, label)
				}
				slices.Sort(labels)
				for _, label := range labels {
					visit(p.classes[label])
				}
			}
			if q.kinds&kindArray != 0 && !q.restricted && q.shortest <= q.longest {
				p, err := c.planArray(q)
				if err != nil {
					return nil, err
				}
				n.lists = append(n.lists, p)
				for _, choices := range p.prefix {
					visit(choices...)
				}
				visit(p.rest...)
			}
		}
		if err := c.planScalars(n); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// planScalars gathers the strings, numbers and literals of a node.
func (c *compiler) planScalars(n *node) error {
	n.scalarCost = noLimit
	var words []string
	text := map[string]bool{}
	var texts []string
	numbers := map[uint32]bool{}
	add := func(s string) {
		if !text[s] {
			text[s] = true
			words = append(words, s)
			n.scalarCost = min(n.scalarCost, uint32(len(s)))
		}
	}
	for k := range n.branches {
		q := &n.branches[k]
		if q.restricted {
			for _, v := range c.scalars(q) {
				if s, ok := v.(string); ok {
					texts = append(texts, s)
					continue
				}
				if r, ok := whole(v); ok {
					s, ok := spellNumber(r)
					if !ok {
						return c.refuse(n.pointer+"/enum", "%v has too many digits", v)
					}
					add(s)
					continue
				}
				add(c.spelling.literal(v))
			}
			continue
		}
		if q.kinds&kindNull != 0 {
			add(c.spelling.literal(nil))
		}
		if q.kinds&kindBoolean != 0 {
			for bit, b := range []bool{false, true} {
				if q.booleans>>bit&1 != 0 {
					add(c.spelling.literal(b))
				}
			}
		}
		if q.kinds&kindNumber != 0 {
			at, err := c.numberAt(q)
			if err != nil {
				return err
			}
			if at != noLimit && !numbers[at] {
				numbers[at] = true
				n.numbers = append(n.numbers, at)
				n.scalarCost = min(n.scalarCost, c.g.values.scalars[at].distance[0])
			}
		}
		if q.kinds&kindString != 0 {
			t, err := c.stringTable(q.text, q.least, q.most, q.pointer)
			if err != nil {
				return err
			}
			if t != nil && !slices.Contains(n.strings, t) {
				n.strings = append(n.strings, t)
				n.scalarCost = min(n.scalarCost, 2+t.cost())
			}
		}
	}
	if len(texts) > 0 && !c.freeStrings(n) {
		t, err := c.stringTable(c.langs.oneOf(texts), 0, noLimit, n.pointer)
		if err != nil {
			return err
		}
		n.strings = append(n.strings, t)
		n.scalarCost = min(n.scalarCost, 2+t.cost())
	}
	n.words = words
	return nil
}

// freeStrings tells whether any string is allowed anyway.
func (c *compiler) freeStrings(n *node) bool {
	for _, t := range n.strings {
		if t.table.loops && t.least == 0 && t.most == noLimit {
			return true
		}
	}
	return false
}

// shape writes the tables of a node that has values.
func (c *compiler) shape(n *node) error {
	v := &c.g.values
	out := &v.nodes[n.at]
	for _, t := range n.strings {
		out.strings = append(out.strings, c.stringShape(t, t.table, c.spelling.quote))
		if t.double != nil {
			out.strings = append(out.strings, c.stringShape(t, t.double, '"'))
		}
	}
	if len(n.words) > 0 {
		out.scalars = append(out.scalars, uint32(len(v.scalars)))
		v.scalars = append(v.scalars, wordTable(n.words))
	}
	out.scalars = append(out.scalars, n.numbers...)
	for _, p := range n.lists {
		if c.arrayCost(p) == noLimit {
			continue
		}
		at, err := c.arrayShape(p)
		if err != nil {
			return err
		}
		out.arrays = append(out.arrays, at)
	}
	for _, p := range n.shapes {
		if c.objectCost(p) == noLimit {
			continue
		}
		at, err := c.objectShape(p)
		if err != nil {
			return err
		}
		out.objects = append(out.objects, at)
	}
	if c.bytes > maxMaterialized*16 {
		return c.refuse(n.pointer, "the schema needs tables of more than %d MB", maxMaterialized*16>>20)
	}
	return nil
}

func (c *compiler) stringShape(t *stringTable, table *table, quote byte) uint32 {
	v := &c.g.values
	v.strings = append(v.strings, t.shape(table, quote))
	return uint32(len(v.strings) - 1)
}

func (t *stringTable) shape(table *table, quote byte) stringShape {
	return stringShape{table: table, quote: quote, least: t.least, most: t.most,
		counted: t.least > 0 || t.most != noLimit, lengths: newStringLengths(table, t.least, t.most)}
}

// cost is the fewest bytes of the text.
func (t *stringTable) cost() uint32 {
	s := t.shape(t.table, 0)
	return uint32(min(s.ending(0, 0), costLimit))
}

// nodeAt is the valueNode of a node, noLimit if it has no values.
func (c *compiler) nodeAt(i int32) uint32 {
	if n := c.nodes[i]; n.cost != noLimit {
		return n.at
	}
	return noLimit
}

const maxUniqueWords = 4096

// manyTexts is so many that they are not used up.
const manyTexts = 1 << 20
