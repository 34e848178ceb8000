package grammar

import (
	"encoding/json"
	"slices"
)

// expand finds the ways to satisfy the schemas of n.
func (c *compiler) expand(n *node) error {
	if n.state != 0 {
		return nil
	}
	n.state = 1
	x := &expansion{compiler: c, node: n}
	err := x.all(c.everything(), slices.Clone(n.literals), nil)
	n.state = 2
	return err
}

type expansion struct {
	*compiler
	node *node
}

// all goes on with the pending schemas, whose list is its own; visited are those that q has satisfied without reading
// anything.
func (x *expansion) all(q conj, pending, visited []literal) error {
	visited = slices.Clip(visited)
	for len(pending) > 0 {
		l := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if l == literalTrue || slices.Contains(visited, l) {
			continue
		}
		if l == literalFalse {
			return nil
		}
		if x.steps++; x.steps > maxSchemaSteps {
			return x.refuse(x.schemas[l].pointer, "the schema combines in more than %d ways", maxSchemaSteps)
		}
		visited = append(visited, l)
		more, branches, err := x.schema(&q, l)
		if err != nil {
			return err
		}
		if q.least > q.most {
			q.kinds &^= kindString
		}
		if q.kinds == 0 {
			return nil
		}
		pending = append(pending, more...)
		if len(branches) == 0 {
			continue
		}
		// The first choice is made here; the others wait as sets of schemas that are to hold with it.
		choice := branches[0]
		for _, option := range choice {
			rest := make([]literal, 0, len(pending)+len(option)+len(branches)+len(pending)/2)
			rest = append(append(rest, pending...), option...)
			for _, other := range branches[1:] {
				l, err := x.choose(other, l)
				if err != nil {
					return err
				}
				rest = append(rest, l)
			}
			if err := x.all(q.fork(), rest, visited); err != nil {
				return err
			}
		}
		return nil
	}
	return x.finish(q)
}

// choose makes a schema of a choice that is to be made later.
func (c *compiler) choose(choice [][]literal, l literal) (literal, error) {
	var list []value
	for _, option := range choice {
		var all []value
		for _, o := range option {
			all = append(all, c.valueOf(o))
		}
		list = append(list, &object{members: []member{{"allOf", all}}})
	}
	s := c.schemas[l]
	return c.literal(&object{members: []member{{"anyOf", list}}}, s.pointer, s.scope)
}

// finish adds q to the ways of the node, unless it is plainly empty or there already.
func (x *expansion) finish(q conj) error {
	if q.kinds&kindObject != 0 {
		if q.fewest > q.greatest || uint64(len(q.required)) > uint64(q.greatest) && uint64(distinct(q.required)) > uint64(q.greatest) {
			q.kinds &^= kindObject
		} else {
			for _, name := range q.required {
				dead, err := x.deadProperty(&q, name)
				if err != nil {
					return err
				}
				if dead {
					q.kinds &^= kindObject
					break
				}
			}
		}
	}
	if q.shortest > q.longest {
		q.kinds &^= kindArray
	}
	if q.kinds == 0 {
		return nil
	}
	if len(x.node.branches) >= maxBranches {
		return x.refuse(x.node.pointer, "it can be satisfied in more than %d ways", maxBranches)
	}
	x.node.branches = append(x.node.branches, q)
	return nil
}

// distinct is how many different names a list has: several schemas may require one.
func distinct(names []string) int {
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		seen[n] = true
	}
	return len(seen)
}

// property gives the schemas for the value of name.
func (c *compiler) property(q *conj, name string) ([]literal, error) {
	var out []literal
	for _, row := range q.objects {
		found := false
		if l, ok := row.properties[name]; ok {
			out, found = append(out, l), true
		}
		for _, p := range row.patterns {
			if c.langs.matches(p.names, name) {
				out, found = append(out, p.value), true
			}
		}
		if !found && row.additional >= 0 {
			out = append(out, row.additional)
		}
	}
	for _, l := range q.names {
		names, err := c.stringsOf(l)
		if err != nil {
			return nil, err
		}
		if !c.langs.matches(names, name) {
			return []literal{literalFalse}, nil
		}
	}
	return out, nil
}

func (c *compiler) deadProperty(q *conj, name string) (bool, error) {
	list, err := c.property(q, name)
	if err != nil || len(list) == 0 {
		return false, err
	}
	n, err := c.node(list)
	if err != nil {
		return false, err
	}
	return c.plainlyEmpty(n)
}

// plainlyEmpty tells whether no value satisfies n, as far as that is seen without following a cycle.
func (c *compiler) plainlyEmpty(i int32) (bool, error) {
	n := c.nodes[i]
	if n.empty >= 2 {
		return n.empty == 2, nil
	}
	if n.empty == 1 || n.state == 1 {
		return false, nil
	}
	n.empty = 1
	if err := c.expand(n); err != nil {
		n.empty = 0
		return false, err
	}
	n.empty = 2
	for k := range n.branches {
		q := &n.branches[k]
		if !q.restricted && q.kinds&(kindArray|kindObject|kindNull) != 0 {
			n.empty = 3
			break
		}
		some, err := c.scalarExists(q)
		if err != nil {
			return false, err
		}
		if some {
			n.empty = 3
			break
		}
	}
	return n.empty == 2, nil
}

// scalarExists tells whether a number, string or boolean satisfies q.
func (c *compiler) scalarExists(q *conj) (bool, error) {
	if q.restricted {
		return len(c.scalars(q)) > 0, nil
	}
	if q.kinds&kindBoolean != 0 && q.booleans != 0 {
		return true, nil
	}
	if q.kinds&kindNumber != 0 {
		at, err := c.numberAt(q)
		if err != nil || at != noLimit {
			return err == nil, err
		}
	}
	if q.kinds&kindString != 0 {
		if q.text == c.langs.all {
			return true, nil
		}
		t, err := c.stringTable(q.text, q.least, q.most, q.pointer)
		return t != nil, err
	}
	return false, nil
}

// scalars lists the values of a restricted q that satisfy all of it.
func (c *compiler) scalars(q *conj) []value {
	var out []value
	for _, v := range q.words {
		if c.scalarFits(q, v) {
			out = append(out, v)
		}
	}
	return out
}

func (c *compiler) scalarFits(q *conj, v value) bool {
	switch v := v.(type) {
	case nil:
		return q.kinds&kindNull != 0
	case bool:
		bit := uint8(1)
		if v {
			bit = 2
		}
		return q.kinds&kindBoolean != 0 && q.booleans&bit != 0
	case string:
		n := uint32(len([]rune(v)))
		return q.kinds&kindString != 0 && n >= q.least && n <= q.most && c.langs.matches(q.text, v)
	case json.Number:
		r, err := parseNumber(v.String())
		if err != nil || q.kinds&kindNumber == 0 {
			return false
		}
		for _, a := range q.atoms {
			if !a.holds(r) {
				return false
			}
		}
		return true
	}
	return false
}
