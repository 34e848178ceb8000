package grammar

import (
	"slices"
	"strings"
)

// objectPlan is one way of being an object, before it is known which values exist.
type objectPlan struct {
	q        *conj
	names    []string
	values   []int32  // by name: node
	lengths  []uint32 // by name: bytes between its quotes
	required map[string]bool
	others   *characters // further names, labeled with the patterns that they match; nil if there are none
	classes  map[uint64]int32
}

// arrayPlan is one way of being an array. choices of an item are by the set of contains that it matches.
type arrayPlan struct {
	q      *conj
	prefix [][]int32
	rest   []int32
}

const maxContains = 3

// plan finds the values that q's members can have.
func (c *compiler) planObject(q *conj) (*objectPlan, error) {
	p := &objectPlan{q: q, required: map[string]bool{}}
	seen := map[string]bool{}
	add := func(name string) error {
		if seen[name] {
			return nil
		}
		seen[name] = true
		list, err := c.property(q, name)
		if err != nil {
			return err
		}
		n, err := c.node(list)
		p.names, p.values = append(p.names, name), append(p.values, n)
		p.lengths = append(p.lengths, uint32(len(quoteWith(name, c.spelling))-2))
		return err
	}
	declared, open := false, true
	for _, row := range q.objects {
		for _, name := range row.names {
			if err := add(name); err != nil {
				return nil, err
			}
		}
		declared = declared || row.declares
		open = open && row.additional < 0
	}
	for _, name := range q.required {
		p.required[name] = true
		if err := add(name); err != nil {
			return nil, err
		}
	}
	closed := c.options.Closed && declared && open
	return p, c.planOthers(p, closed)
}

// planOthers makes an automaton of the names that are not declared.
func (c *compiler) planOthers(p *objectPlan, closed bool) error {
	q := p.q
	var follow []language
	for _, row := range q.objects {
		for _, r := range row.patterns {
			follow = append(follow, r.names)
		}
	}
	for _, l := range q.names {
		names, err := c.stringsOf(l)
		if err != nil {
			return err
		}
		follow = append(follow, names)
	}
	if len(follow) > 60 {
		return c.refuse(q.pointer, "more than 60 patterns of property names at once are not enforced")
	}
	p.classes = map[uint64]int32{}
	class := func(label uint64) (int32, error) {
		if n, ok := p.classes[label]; ok {
			return n, nil
		}
		var list []literal
		bit, some := 0, false
		for _, row := range q.objects {
			found := false
			for _, r := range row.patterns {
				if label>>bit&1 != 0 {
					list, found = append(list, r.value), true
				}
				bit++
			}
			if !found && row.additional >= 0 {
				list = append(list, row.additional)
			}
			some = some || found
		}
		for range q.names {
			if label>>bit&1 == 0 {
				list = append(list, literalFalse)
			}
			bit++
		}
		if closed && !some {
			list = append(list, literalFalse)
		}
		n, err := c.node(list)
		p.classes[label] = n
		return n, err
	}
	if len(follow) == 0 {
		n, err := class(0)
		if err != nil || slices.Equal(c.nodes[n].literals, []literal{literalFalse}) {
			return err
		}
		p.others = anyCharacters
		return nil
	}
	chars, err := c.langs.automaton(follow, func(uint64) bool { return true })
	if err != nil {
		return c.refuse(c.schemaPointer(q), "the patterns of property names: %v", err)
	}
	live := false
	for _, label := range chars.label {
		n, err := class(label)
		if err != nil {
			return err
		}
		live = live || !slices.Equal(c.nodes[n].literals, []literal{literalFalse})
	}
	if live {
		p.others = chars
	}
	return nil
}

var anyCharacters = &characters{edges: [][]edge{{{0, 0xd7ff, 0}, {0xe000, maxRune, 0}}}, label: []uint64{0}}

func (c *compiler) schemaPointer(q *conj) string { return q.pointer }

func (c *compiler) planArray(q *conj) (*arrayPlan, error) {
	p := &arrayPlan{q: q}
	if len(q.contains) > maxContains {
		return nil, c.refuse(q.pointer, "more than %d contains at once are not enforced", maxContains)
	}
	length := 0
	for _, row := range q.arrays {
		length = max(length, len(row.prefix))
	}
	for _, a := range q.contains {
		length = max(length, a.from)
	}
	if uint64(length) > uint64(q.longest) {
		length = int(q.longest)
	}
	if length > maxPrefix {
		return nil, c.refuse(q.pointer, "more than %d items are told apart", maxPrefix)
	}
	for i := 0; i <= length; i++ {
		var base []literal
		for _, row := range q.arrays {
			if i < len(row.prefix) {
				base = append(base, row.prefix[i])
			} else {
				base = append(base, row.rest)
			}
		}
		choices := make([]int32, 1<<len(q.contains))
		for set := range choices {
			list := slices.Clip(base)
			for k, a := range q.contains {
				matched := set>>k&1 != 0
				switch {
				case matched && i < a.from:
					list = append(list, literalFalse)
				case matched:
					list = append(list, a.value)
				case a.most != noLimit && i >= a.from:
					list = append(list, a.not)
				}
			}
			n, err := c.node(list)
			if err != nil {
				return nil, err
			}
			choices[set] = n
		}
		if i < length {
			p.prefix = append(p.prefix, choices)
		} else {
			p.rest = choices
		}
	}
	if len(q.contains) > 0 {
		if _, ok := c.itemCounts(p); !ok {
			return nil, c.refuse(q.pointer, "the numbers of items and of those that match contains are too large to be enforced at once")
		}
	}
	return p, nil
}

// stringsOf is the language of the strings that satisfy a schema.
func (c *compiler) stringsOf(l literal) (language, error) {
	i, err := c.node([]literal{l})
	if err != nil {
		return 0, err
	}
	n := c.nodes[i]
	if err := c.expand(n); err != nil {
		return 0, err
	}
	var parts []language
	for k := range n.branches {
		q := &n.branches[k]
		if q.kinds&kindString == 0 {
			continue
		}
		if q.restricted {
			var words []string
			for _, v := range c.scalars(q) {
				if s, ok := v.(string); ok {
					words = append(words, s)
				}
			}
			parts = append(parts, c.langs.oneOf(words))
			continue
		}
		high := int32(-1)
		if q.most != noLimit {
			high = int32(q.most)
		}
		parts = append(parts, c.langs.both(q.text, c.langs.loop(c.langs.any, int32(q.least), high)))
	}
	return c.langs.either(parts...), nil
}

// numberKey names a set of conditions.
func numberKey(atoms []numberAtom) (string, []numberAtom) {
	byKey := map[string]numberAtom{}
	var keys []string
	for _, a := range atoms {
		k := a.key()
		if _, ok := byKey[k]; !ok {
			byKey[k] = a
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	var out []numberAtom
	for _, k := range keys {
		out = append(out, byKey[k])
	}
	return strings.Join(keys, " "), out
}

// numberAt is the index of the table of q's numbers, noLimit if there are none.
func (c *compiler) numberAt(q *conj) (uint32, error) {
	key, atoms := numberKey(q.atoms)
	if at, ok := c.numbers[key]; ok {
		return at, nil
	}
	t, err := commonNumberTable(atoms)
	if err != nil {
		return 0, c.refuse(q.pointer, "the number: %v", err)
	}
	at := noLimit
	if t != nil {
		at = uint32(len(c.g.values.scalars))
		c.g.values.scalars = append(c.g.values.scalars, t)
	}
	c.numbers[key] = at
	return at, nil
}
