package grammar

import (
	"errors"
	"slices"
)

func (c *compiler) arrayShape(p *arrayPlan) (uint32, error) {
	q := p.q
	a := arrayShape{spelling: c.spelling, least: q.shortest, most: q.longest}
	item := func(choices []int32) (s itemShape, live bool) {
		for _, i := range choices {
			at := c.nodeAt(i)
			live = live || at != noLimit
			s.choices = append(s.choices, at)
		}
		return s, live
	}
	for i, choices := range p.prefix {
		s, live := item(choices)
		if !live {
			a.most = min(a.most, uint32(i))
			break
		}
		a.prefix = append(a.prefix, s)
	}
	rest, live := item(p.rest)
	if a.rest = rest; !live {
		a.most = min(a.most, uint32(len(a.prefix)))
	}
	if len(q.contains) > 0 {
		a.counts, _ = c.itemCounts(p) // it was small enough when p was made
		a.contains = a.counts.contains
	}
	if q.unique && a.most > 1 {
		if err := c.uniqueItems(p, &a); err != nil {
			return 0, err
		}
	}
	v := &c.g.values
	v.arrays = append(v.arrays, a)
	return uint32(len(v.arrays) - 1), nil
}

// uniqueItems prepares an array whose items differ: of finitely many words, or of texts that can always be
// made longer.
func (c *compiler) uniqueItems(p *arrayPlan, a *arrayShape) error {
	q := p.q
	if len(p.prefix) > 0 || len(q.contains) > 0 || c.spelling.python {
		return c.refuse(q.uniqueAt, "uniqueItems beside prefixItems or contains is not enforced")
	}
	n := c.nodes[p.rest[0]]
	if len(n.lists) > 0 || len(n.shapes) > 0 {
		return c.refuse(q.uniqueAt, "uniqueItems of arrays or objects is not enforced")
	}
	words, finite, err := c.itemWords(n)
	if err != nil {
		return c.refuse(q.uniqueAt, "%v", err)
	}
	a.unique = true
	if !finite {
		if len(words) > 0 {
			return c.refuse(q.uniqueAt, "uniqueItems of a few values beside many is not enforced")
		}
		a.distinct = c.distinctCosts(n, min(max(a.least, 1), maxUniqueWords))
		return nil
	}
	slices.Sort(words)
	words = distinctValues(slices.Compact(words))
	if uint64(len(words)) < uint64(a.least) {
		return c.refuse(q.uniqueAt, "only %d values differ, at least %d are asked for", len(words), a.least)
	}
	a.most = min(a.most, uint32(len(words)))
	t := newWordTrie(words, nil)
	a.words = &t
	for _, w := range words {
		a.distinct = append(a.distinct, uint32(len(w)))
	}
	slices.Sort(a.distinct)
	return nil
}

// itemWords are the values of a node that are finitely many; finite tells whether there are no others. What is neither few nor
// endless is an error.
func (c *compiler) itemWords(n *node) (words []string, finite bool, err error) {
	words, finite = slices.Clone(n.words), true
	for _, t := range n.strings {
		list, ok := t.words(maxUniqueWords)
		if !ok {
			finite = false
			if t.table.most != nil && t.most != noLimit || !t.table.loops && !t.table.endless() || t.most < 4 {
				return nil, false, errors.New("uniqueItems of these strings is not enforced: one could be left without another")
			}
			continue
		}
		for _, w := range list {
			words = append(words, string(c.spelling.quote)+w+string(c.spelling.quote))
		}
	}
	for _, at := range n.numbers {
		list, ok := (&stringTable{table: c.g.values.scalars[at], most: noLimit}).words(maxUniqueWords)
		if !ok {
			if !c.boundless(at) {
				return nil, false, errors.New("uniqueItems of these numbers is not enforced: one could be left without another")
			}
			finite = false
			continue
		}
		words = append(words, list...)
	}
	return words, finite, nil
}

// distinctCosts are costs of an item that differs from none, one, two … others, where there are any number.
func (c *compiler) distinctCosts(n *node, most uint32) (out []uint32) {
	const single = 93 // characters of a byte that stand for themselves
	for k := range most {
		best := uint32(costLimit)
		if len(n.numbers) > 0 {
			best = uint32(digits(k)) // those from 0 on
		}
		for _, t := range n.strings {
			more := k * maxCharacter // a character more than all others
			if t.table.loops {
				more = 0
				for left, many := k, uint32(1); left >= many; more++ {
					left -= many
					if many *= single; more > 2 {
						break
					}
				}
			}
			best = min(best, 2+t.cost()+more)
		}
		out = append(out, best)
	}
	return out
}

// boundless tells whether a scalar table is that of all numbers, or of all whole ones.
func (c *compiler) boundless(at uint32) bool {
	whole, _ := numberKey([]numberAtom{{rule: numberWhole}})
	any, ok := c.numbers[""]
	if ok && any == at {
		return true
	}
	all, ok := c.numbers[whole]
	return ok && all == at
}

// distinctValues leaves one spelling of every number.
func distinctValues(words []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, w := range words {
		key := w
		if r, err := parseNumber(w); err == nil {
			key = r.RatString()
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, w)
		}
	}
	return out
}

// words lists the spelled texts of a table if they are at most limit.
func (t *stringTable) words(limit int) ([]string, bool) {
	if t.table.endless() || t.table.loops || t.least > 0 || t.most != noLimit {
		return nil, false
	}
	var out []string
	ok := true
	var walk func(state int32, text []byte)
	walk = func(state int32, text []byte) {
		if len(out) > limit {
			ok = false
			return
		}
		if t.table.accept[state] {
			out = append(out, string(text))
		}
		for b := 0; b < 256 && ok; b++ {
			if next := t.table.step(state, byte(b)); next >= 0 {
				walk(next, append(text, byte(b)))
			}
		}
	}
	walk(0, nil)
	return out, ok && len(out) <= limit
}

// endless tells whether from every state texts of any length can be read.
func (t *table) endless() bool {
	n := len(t.accept)
	// A state is endless if it lies on a cycle or leads to one.
	state := make([]uint8, n)
	endless := make([]bool, n)
	var visit func(s int32) bool
	visit = func(s int32) bool {
		state[s] = 1
		for _, x := range t.next[uint32(s)*t.columns : (uint32(s)+1)*t.columns] {
			if x >= 0 && (state[x] == 1 || state[x] == 0 && visit(x) || endless[x]) {
				endless[s] = true
			}
		}
		state[s] = 2
		return endless[s]
	}
	visit(0)
	for s := range n {
		if state[s] == 2 && !endless[s] {
			return false
		}
	}
	return true
}
