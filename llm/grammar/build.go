package grammar

import (
	"errors"
	"math/bits"
	"slices"
	"sort"
	"strings"
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
		return 0, c.refuse(c.nodes[root].pointer, "no value satisfies it")
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
				n.scalarCost = min(n.scalarCost, 2+max(t.table.distance[0], t.least))
			}
		}
	}
	if len(texts) > 0 && !c.freeStrings(n) {
		t, err := c.stringTable(c.langs.oneOf(texts), 0, noLimit, n.pointer)
		if err != nil {
			return err
		}
		n.strings = append(n.strings, t)
		n.scalarCost = min(n.scalarCost, 2+t.table.distance[0])
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
	v.strings = append(v.strings, stringShape{table: table, quote: quote, least: t.least, most: t.most,
		counted: t.least > 0 || t.most != noLimit})
	return uint32(len(v.strings) - 1)
}

// nodeAt is the valueNode of a node, noLimit if it has no values.
func (c *compiler) nodeAt(i int32) uint32 {
	if n := c.nodes[i]; n.cost != noLimit {
		return n.at
	}
	return noLimit
}

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
	for _, x := range q.contains {
		a.contains = append(a.contains, containsShape{x.least, x.most})
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

const maxUniqueWords = 4096

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
	words := slices.Clone(n.words)
	finite := true
	for _, t := range n.strings {
		list, ok := t.words(maxUniqueWords)
		if !ok {
			finite = false
			if t.table.most != nil && t.most != noLimit || !t.table.loops && !t.table.endless() || t.most < 4 {
				return c.refuse(q.uniqueAt, "uniqueItems of these strings is not enforced: one could be left without another")
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
				return c.refuse(q.uniqueAt, "uniqueItems of these numbers is not enforced: one could be left without another")
			}
			finite = false
			continue
		}
		words = append(words, list...)
	}
	a.unique = true
	if !finite {
		if len(words) > 0 {
			return c.refuse(q.uniqueAt, "uniqueItems of a few values beside many is not enforced")
		}
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
	return nil
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
	o.others = t
	o.otherValue = make([]uint32, len(t.accept))
	for s := range o.otherValue {
		o.otherValue[s] = noLimit
		if t.accept[s] {
			o.otherValue[s] = c.nodeAt(p.classes[t.label[s]])
		}
	}
	o.otherSame = sameValue(t.accept, o.otherValue)
	o.otherCount = t.texts()
	c.bytes += 4 * len(t.next)
	return nil
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

// manyTexts is so many that they are not used up.
const manyTexts = 1 << 20

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
