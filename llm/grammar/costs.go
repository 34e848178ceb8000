package grammar

import (
	"maps"
	"slices"
)

// The cost of a node is the fewest bytes that one of its values has, or a few more where that is not worth finding out. It
// bounds what ending a text costs, and what has no cost has no value: a grammar never begins it.

// costs finds the cost of every node; one that keeps noLimit has no value.
func (c *compiler) costs(order []int32) {
	for changed := true; changed; {
		changed = false
		for i := len(order) - 1; i >= 0; i-- {
			n := c.nodes[order[i]]
			if cost := c.cost(n); cost < n.cost {
				n.cost, changed = cost, true
			}
		}
	}
}

func (c *compiler) cost(n *node) uint32 {
	best := n.scalarCost
	for _, p := range n.shapes {
		best = min(best, c.objectCost(p))
	}
	for _, p := range n.lists {
		best = min(best, c.arrayCost(p))
	}
	return best
}

// costLimit is a cost that nobody pays.
const costLimit = 1 << 30

// memberCost is what a member of an object costs, a comma included, when its name has so many bytes.
func (s *spelling) memberCost(name, value uint32, bare bool) uint64 {
	if bare {
		return uint64(name) + uint64(len("=")+len(s.comma)) + uint64(value)
	}
	return uint64(name) + uint64(2+len(s.colon)+len(s.comma)) + uint64(value)
}

func (c *compiler) objectCost(p *objectPlan) uint32 {
	sum, required := uint64(0), uint32(0)
	var optional []uint32
	for i, name := range p.names {
		cost := c.nodes[p.values[i]].cost
		if cost == noLimit {
			if p.required[name] {
				return noLimit
			}
			continue
		}
		each := c.spelling.memberCost(p.lengths[i], cost, c.bare)
		if p.required[name] {
			sum += each
			required++
		} else if p.q.fewest > 0 {
			optional = append(optional, uint32(min(each, costLimit)))
		}
	}
	if required < p.q.fewest {
		need := p.q.fewest - required
		slices.Sort(optional)
		for _, each := range optional[:min(len(optional), int(need))] {
			sum += uint64(each)
			need--
		}
		if need > 0 {
			others := c.otherCosts(p, need)
			if others.number() < need {
				return noLimit
			}
			sum += others.sum(0, need)
		}
	}
	if sum > 0 { // there is none before the first
		sum -= uint64(len(c.spelling.comma))
	}
	return uint32(min(2+sum, costLimit))
}

// maxOtherCosts bounds the steps that are taken to find the cheapest names.
const maxOtherCosts = 1 << 20

// nameCosts says what the members cost whose names are not declared, from the cheapest on: runs of the same cost.
type nameCosts []struct {
	end  uint32 // the number of names up to here
	cost uint32
}

func (n *nameCosts) add(many, cost uint32) {
	if many > 0 {
		*n = append(*n, struct{ end, cost uint32 }{n.number() + many, cost})
	}
}

// number is how many names there are, as far as they have been counted.
func (n nameCosts) number() uint32 {
	if len(n) == 0 {
		return 0
	}
	return n[len(n)-1].end
}

// run is what the name at a place costs, and up to where others cost the same.
func (n nameCosts) run(at uint32) (cost, end uint32) {
	for _, r := range n {
		if at < r.end {
			return r.cost, r.end
		}
	}
	return costLimit, noLimit
}

// sum is what so many names cost from a place on.
func (n nameCosts) sum(at, many uint32) (sum uint64) {
	for many > 0 {
		cost, end := n.run(at)
		take := min(many, end-at)
		sum += uint64(take) * uint64(cost)
		at, many = at+take, many-take
	}
	return min(sum, costLimit)
}

// otherCosts are what the n cheapest members cost whose names are not declared, or all of them if they are fewer.
func (c *compiler) otherCosts(p *objectPlan, n uint32) (out nameCosts) {
	if p.others == nil || n == 0 {
		return nil
	}
	others := p.others
	value := make([]uint32, len(others.label)) // of a name that ends in the state
	for s, label := range others.label {
		value[s] = noLimit
		if i, ok := p.classes[label]; ok {
			value[s] = c.nodes[i].cost
		}
	}
	declared := map[uint32]uint32{}
	for i, name := range p.names {
		if s := others.read(name); s >= 0 && value[s] != noLimit {
			declared[p.lengths[i]+value[s]]++
		}
	}
	take := func(total, many uint32) {
		each := uint32(min(c.spelling.memberCost(0, total, false), costLimit))
		out.add(min(max(many, declared[total])-declared[total], n-out.number()), each)
	}
	live := func(label uint64) bool {
		i, ok := p.classes[label]
		return ok && c.nodes[i].cost != noLimit
	}
	if list, few := others.trim(live).finite(live, int(min(n, maxProperties))+len(p.names)); few {
		many := map[uint32]uint32{}
		for _, name := range list {
			many[uint32(len(quoteWith(name.text, c.spelling))-2)+c.nodes[p.classes[name.label]].cost]++
		}
		for _, total := range slices.Sorted(maps.Keys(many)) {
			take(total, many[total])
		}
		return out
	}
	c.countOthers(others, value, func(total, many uint32) bool {
		take(total, many)
		return out.number() < n
	})
	out.add(n-out.number(), costLimit) // the rest is very long
	return out
}

// countOthers hands over how many names there are by what they cost, from the cheapest on: those of every state are counted by
// the value, and then with a character before, and another. value is what a name costs that ends in a state.
func (c *compiler) countOthers(others *characters, value []uint32, take func(total, many uint32) (more bool)) {
	const longest = 6 // bytes of a character
	var rows [longest + 1][]uint32
	for i := range rows {
		rows[i] = make([]uint32, len(value))
	}
	edges := 0
	sizes := make([][][longest + 1]uint64, len(value))
	for s, list := range others.edges {
		for _, e := range list {
			sizes[s] = append(sizes[s], c.spelling.sizes(e))
		}
		edges += len(list) + 1
	}
	for total := range uint32(maxOtherCosts / edges) {
		row := rows[total%(longest+1)]
		for s := range row {
			sum := uint64(0)
			if value[s] == total {
				sum++
			}
			for i, e := range others.edges[s] {
				for size, many := range sizes[s][i] {
					if many > 0 && uint32(size) <= total {
						sum += many * uint64(rows[(total-uint32(size))%(longest+1)][e.to])
					}
				}
			}
			row[s] = uint32(min(sum, manyTexts))
		}
		if row[0] > 0 && !take(total, row[0]) {
			return
		}
	}
}

// sizes counts the characters of an edge by how many bytes they are written with.
func (s *spelling) sizes(e edge) (out [7]uint64) {
	for r := e.lo; r <= min(e.hi, 0x7f); r++ {
		out[max(len(s.spell(r)), 1)]++
	}
	for size, r := range [][2]rune{2: {0x80, 0x7ff}, 3: {0x800, 0xffff}, 4: {0x10000, maxRune}} {
		if lo, hi := max(e.lo, r[0]), min(e.hi, r[1]); size > 1 && lo <= hi {
			out[size] += uint64(hi - lo + 1)
		}
	}
	return out
}

// read follows a text from the start to its state, or to -1.
func (c *characters) read(text string) int32 {
	s := int32(0)
	for _, r := range text {
		i := slices.IndexFunc(c.edges[s], func(e edge) bool { return e.lo <= r && r <= e.hi })
		if i < 0 {
			return -1
		}
		s = c.edges[s][i].to
	}
	return s
}

func (c *compiler) arrayCost(p *arrayPlan) uint32 {
	if len(p.q.contains) > 0 {
		counts, _ := c.itemCounts(p)
		cost := counts.ending(0, 0, -1)
		if cost == noLimit {
			return noLimit
		}
		return 2 + cost
	}
	sum, comma := uint64(0), uint64(len(c.spelling.comma))
	for i := range p.q.shortest {
		at := p.rest[0]
		if int(i) < len(p.prefix) {
			at = p.prefix[i][0]
		}
		cost := c.nodes[at].cost
		if cost == noLimit {
			return noLimit
		}
		if int(i) >= len(p.prefix) {
			if p.q.unique {
				cost = max(cost, c.dearest(c.nodes[at], p.q.shortest))
			}
			sum += uint64(p.q.shortest-i) * (uint64(cost) + comma)
			break
		}
		sum += uint64(cost) + comma
	}
	if sum > 0 {
		sum -= comma
	}
	return uint32(min(2+sum, costLimit))
}

// dearest bounds what each of so many items costs that have to differ.
func (c *compiler) dearest(n *node, many uint32) uint32 {
	if list, finite, err := c.itemWords(n); err == nil && finite {
		longest := 0
		for _, w := range list {
			longest = max(longest, len(w))
		}
		return uint32(longest)
	}
	costs := c.distinctCosts(n, min(many, maxUniqueWords))
	return min(costs[len(costs)-1]+(many-uint32(len(costs)))*maxCharacter, costLimit)
}

// itemCounts is the table of an array with contains, as far as the costs of its items are known; ok is false if it would be
// too large.
func (c *compiler) itemCounts(p *arrayPlan) (t *itemCounts, ok bool) {
	costs := func(choices []int32) (out []uint32) {
		for _, i := range choices {
			out = append(out, c.nodes[i].cost)
		}
		return out
	}
	var prefix [][]uint32
	for _, choices := range p.prefix {
		prefix = append(prefix, costs(choices))
	}
	var contains []containsShape
	for _, x := range p.q.contains {
		contains = append(contains, containsShape{x.least, x.most})
	}
	return newItemCounts(prefix, costs(p.rest), p.q.shortest, p.q.longest, contains, len(c.spelling.comma))
}
