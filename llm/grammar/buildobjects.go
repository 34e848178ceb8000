package grammar

import (
	"math/bits"
	"slices"
	"sort"
	"strings"
)

func (c *compiler) objectShape(p *objectPlan) (uint32, error) {
	q := p.q
	o := objectShape{otherSame: noLimit, spelling: c.spelling, cost: c.objectCost(p), least: q.fewest, most: q.greatest, ordered: c.options.Ordered}
	names, values := slices.Clone(p.names), slices.Clone(p.values)
	if o.bare = c.bare; !o.bare {
		if err := c.otherNames(p, &o, &names, &values); err != nil {
			return 0, err
		}
	}
	spelled := make([]string, len(names))
	for i, name := range names {
		s := quoteWith(name, c.spelling)
		if spelled[i] = s[1 : len(s)-1]; o.bare && !isIdentifier(name) {
			return 0, c.refuse(q.pointer, "argument %q cannot be written as a name of Python", name)
		}
		c.bytes += 32 * len(s)
	}
	if c.bytes > maxMaterialized*16 {
		return 0, c.refuse(q.pointer, "the names of its properties need too much memory")
	}
	sorted, from := sortedIndex(spelled)
	o.words = setWords(len(sorted))
	o.live, o.required = make([]uint64, o.words), make([]uint64, o.words)
	o.value, o.rank = make([]uint32, len(sorted)), make([]uint32, len(sorted))
	for i, k := range from {
		o.rank[i] = uint32(k)
		if o.value[i] = c.nodeAt(values[k]); o.value[i] != noLimit {
			o.live[i>>6] |= 1 << (i & 63)
		}
		if k < len(p.names) && p.required[names[k]] {
			o.required[i>>6] |= 1 << (i & 63)
		}
	}
	o.names = newWordTrie(sorted, o.others)
	o.overlaps()
	o.measureNames(func(node uint32) uint32 { return c.g.values.nodes[node].cost })
	o.byRank = make([]uint32, len(sorted))
	for i, r := range o.rank {
		o.byRank[r] = uint32(i)
	}
	required := uint32(0)
	for _, w := range o.required {
		required += uint32(bits.OnesCount64(w))
	}
	// In a fixed order, leaving a name out could leave too few.
	o.ordered = o.ordered && o.least <= required
	v := &c.g.values
	v.objects = append(v.objects, o)
	return uint32(len(v.objects) - 1), nil
}

// arguments compiles the arguments of a call; each index is one way of giving them.
func (c *compiler) arguments(schema []byte) ([]uint32, error) {
	c.options.Closed = true
	at, err := c.top(schema)
	if err != nil {
		return nil, err
	}
	if _, err := c.build(at); err != nil {
		return nil, err
	}
	c.bare = true
	var out []uint32
	for _, p := range c.nodes[at].shapes {
		if c.objectCost(p) == noLimit {
			continue
		}
		o, err := c.objectShape(p)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	if len(out) == 0 {
		return nil, c.refuse("", "no object satisfies it, and the arguments of a call are one")
	}
	return out, nil
}

// isIdentifier tells whether name can be that of an argument.
func isIdentifier(name string) bool {
	for i := 0; i < len(name); i++ {
		b := name[i]
		if b != '_' && (b|0x20 < 'a' || b|0x20 > 'z') && (i == 0 || b < '0' || b > '9') {
			return false
		}
	}
	return name != "" && !pythonWords[name]
}

// pythonWords cannot name an argument.
var pythonWords = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`False None True and as assert async await break class continue def del elif else except
		finally for from global if import in is lambda nonlocal not or pass raise return try while with yield`) {
		out[w] = true
	}
	return out
}()

const maxFiniteNames = 512

// otherNames prepares the names that are not declared. A few of them are treated as declared.
func (c *compiler) otherNames(p *objectPlan, o *objectShape, names *[]string, values *[]int32) error {
	if p.others == nil {
		return nil
	}
	live := func(label uint64) bool {
		n, ok := p.classes[label]
		return ok && c.nodes[n].cost != noLimit
	}
	if p.others == anyCharacters && live(0) {
		c.setOthers(o, c.spelling.plainTable(), func(int) uint64 { return 0 }, p)
		return nil
	}
	chars := p.others.trim(live)
	if len(chars.edges[0]) == 0 && !live(chars.label[0]) {
		return nil
	}
	if list, ok := chars.finite(live, maxFiniteNames); ok {
		for _, w := range list {
			if slices.Contains(p.names, w.text) {
				continue
			}
			*names, *values = append(*names, w.text), append(*values, p.classes[w.label])
		}
		return nil
	}
	t := chars.spelled(c.spelling, live)
	c.bytes += 4 * len(t.next)
	c.setOthers(o, t, func(s int) uint64 { return t.label[s] }, p)
	return nil
}

// setOthers says what may follow the names that t reads.
func (c *compiler) setOthers(o *objectShape, t *table, label func(state int) uint64, p *objectPlan) {
	o.others = t
	o.otherValue = make([]uint32, len(t.accept))
	for s := range o.otherValue {
		o.otherValue[s] = noLimit
		if t.accept[s] {
			o.otherValue[s] = c.nodeAt(p.classes[label(s)])
		}
	}
	o.otherSame = sameValue(t.accept, o.otherValue)
	o.otherCount = t.texts()
	o.otherCosts = c.otherCosts(p, p.q.fewest)
}

// sameValue is the value of all accepting states that have one, noLimit if they differ or one has none.
func sameValue(accept []bool, value []uint32) uint32 {
	same := noLimit
	for s, ok := range accept {
		if !ok {
			continue
		}
		if value[s] == noLimit || same != noLimit && value[s] != same {
			return noLimit
		}
		same = value[s]
	}
	return same
}

// overlaps counts, below every node, the declared names that would also be among the others.
func (o *objectShape) overlaps() {
	if o.others == nil {
		return
	}
	nodes := o.names.nodes
	o.endless = !slices.ContainsFunc(o.otherCount, func(n uint32) bool { return n != noLimit })
	for i := len(nodes) - 1; i >= 0; i-- {
		n := &nodes[i]
		o.endless = o.endless && n.other >= 0
		if n.word >= 0 && n.other >= 0 && o.others.accept[n.other] {
			n.overlap++
		}
		for _, e := range o.names.edges[n.first : n.first+n.count] {
			n.overlap += nodes[e.to].overlap
		}
	}
}

// texts counts, by state, the texts from there to accepting states; noLimit stands for very many.
func (t *table) texts() []uint32 {
	n := len(t.accept)
	count := make([]uint32, n)
	state := make([]uint8, n)
	var visit func(s int32) uint32
	visit = func(s int32) uint32 {
		switch state[s] {
		case 1:
			return noLimit // a cycle
		case 2:
			return count[s]
		}
		state[s] = 1
		sum := uint64(0)
		if t.accept[s] {
			sum++
		}
		for b := 0; b < 256; b++ {
			if next := t.step(s, byte(b)); next >= 0 {
				sum += uint64(visit(next))
			}
		}
		state[s] = 2
		if count[s] = uint32(min(sum, uint64(noLimit))); sum > manyTexts {
			count[s] = noLimit
		}
		return count[s]
	}
	for s := range n {
		visit(int32(s))
	}
	return count
}

type labeled struct {
	text  string
	label uint64
}

// finite lists the texts with a wanted label if they are at most limit.
func (c *characters) finite(keep func(uint64) bool, limit int) ([]labeled, bool) {
	var out []labeled
	onPath := make([]bool, len(c.edges))
	ok := true
	var walk func(s int32, text []rune)
	walk = func(s int32, text []rune) {
		if onPath[s] || len(out) > limit {
			ok = false
			return
		}
		onPath[s] = true
		if keep(c.label[s]) {
			out = append(out, labeled{string(text), c.label[s]})
		}
		for _, e := range c.edges[s] {
			if int(e.hi-e.lo) > limit {
				ok = false
			}
			for r := e.lo; r <= e.hi && ok; r++ {
				walk(e.to, append(text, r))
			}
		}
		onPath[s] = false
	}
	walk(0, nil)
	sort.Slice(out, func(a, b int) bool { return out[a].text < out[b].text })
	return out, ok && len(out) <= limit
}
