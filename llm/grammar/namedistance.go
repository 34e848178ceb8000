package grammar

import (
	"bytes"
	"math/bits"
	"slices"
)

// noName stands for no declared name.
const noName = -1

// namesMissing is the length of all members that have to come, commas before them included: those that are required, and the
// cheapest others where there have to be more. A declared name, or one more that is not declared, counts as being there.
func (m *Matcher) namesMissing(c *cell, declared int, others uint32) (sum uint64) {
	o := &m.values.objects[c.shape]
	count, missing := c.count+others, uint32(0)
	if declared != noName {
		count++
	}
	for i, w := range o.required {
		w &^= m.namesUsed(c, o, i)
		if declared>>6 == i {
			w &^= 1 << (declared & 63)
		}
		missing += uint32(bits.OnesCount64(w))
		for ; w != 0; w &= w - 1 {
			sum += uint64(o.memberCost[i<<6|bits.TrailingZeros64(w)])
		}
	}
	if count+missing >= o.least {
		return sum
	}
	return sum + m.cheapestNames(c, o, o.least-count-missing, declared, others)
}

// namesUsed is the i-th word of the set of declared names that have come.
func (m *Matcher) namesUsed(c *cell, o *objectShape, i int) uint64 {
	if o.words > 1 {
		return m.sets[c.used+uint64(i)]
	}
	return c.used
}

// cheapestNames is the length of so many members that need not come, the cheapest ones.
func (m *Matcher) cheapestNames(c *cell, o *objectShape, need uint32, declared int, others uint32) (sum uint64) {
	for e := c.extra; e != 0; e = m.extras[e].before {
		others++
	}
	for at := 0; need > 0; {
		for at < len(o.byCost) && m.comes(c, o, o.byCost[at], declared) {
			at++
		}
		cost, end := o.otherCosts.run(others) // the cheaper ones may be there
		if at < len(o.byCost) && o.memberCost[o.byCost[at]] <= cost {
			sum += uint64(o.memberCost[o.byCost[at]])
			at++
			need--
			continue
		}
		take := min(need, end-others)
		sum += uint64(take) * uint64(cost)
		others, need = others+take, need-take
	}
	return min(sum, costLimit)
}

// comes tells whether a name is there, or has to come.
func (m *Matcher) comes(c *cell, o *objectShape, name uint32, declared int) bool {
	i, bit := int(name>>6), uint64(1)<<(name&63)
	return int(name) == declared || (m.namesUsed(c, o, i)|o.required[i])&bit != 0
}

// cheapestName is the length of the shortest member that may come next, its comma included.
func (m *Matcher) cheapestName(c *cell, o *objectShape) uint64 {
	best := uint64(costLimit)
	for i, cost := range o.memberCost {
		if m.candidate(c, o, uint32(i), uint32(i)+1) {
			best = min(best, uint64(cost))
		}
	}
	if m.othersAllowed(c, o) {
		best = min(best, 1+m.otherDistance(c, o, 0, nil)+uint64(len(o.spelling.comma)))
	}
	return best
}

// keyDistance is the distance from inside a name.
func (m *Matcher) keyDistance(t thread, c *cell) uint64 {
	o := &m.values.objects[c.shape]
	begin := m.text[min(int(t.count), len(m.text)):]
	closing := m.closing(c) + m.behindValue(c.parent)
	best := uint64(costLimit)
	if t.state&otherNames != 0 || m.othersAllowed(c, o) {
		best = m.otherDistance(c, o, t.state, begin) + closing + m.namesMissing(c, noName, 1)
	}
	if t.state&otherNames != 0 {
		return best
	}
	n := &o.names.nodes[t.state]
	missing := m.namesMissing(c, noName, 0)
	for w := n.low; w < n.high; w++ {
		if !m.candidate(c, o, w, w+1) {
			continue
		}
		rest := uint64(o.memberCost[w]) - uint64(len(o.spelling.comma)) - uint64(len(begin))
		if !o.bare {
			rest-- // the quote before it
		}
		after := missing
		if o.required[w>>6]>>(w&63)&1 != 0 {
			after -= uint64(o.memberCost[w])
		} else if missing > 0 && c.count < o.least { // it may be one of those that there have to be
			after = m.namesMissing(c, int(w), 0)
		}
		best = min(best, rest+closing+after)
	}
	return best
}

// otherDistance is the length of the rest of a member whose name is not declared and has not come, from a state of the names
// and what they have begun with.
func (m *Matcher) otherDistance(c *cell, o *objectShape, state uint32, begin []byte) uint64 {
	var taken class // the bytes that names go on with which have come
	used, ended := false, false
	for e := c.extra; e != 0; e = m.extras[e].before {
		if name := m.text[m.extras[e].start:m.extras[e].end]; bytes.HasPrefix(name, begin) {
			if used = true; len(name) == len(begin) {
				ended = true
			} else {
				taken.add(name[len(begin)], name[len(begin)])
			}
		}
	}
	if !used {
		return uint64(o.otherRest(state))
	}
	best := uint64(costLimit)
	if end := o.otherEnd(state); end != noLimit && !ended {
		best = uint64(end)
	}
	for b := range 256 {
		if next, ok := o.otherStep(state, byte(b)); ok && !taken.has(byte(b)) {
			best = min(best, 1+uint64(o.otherRest(next)))
		}
	}
	// Only where there is nothing shorter beside them are the ways followed that names have gone.
	for e := c.extra; e != 0; e = m.extras[e].before {
		name := m.text[m.extras[e].start:m.extras[e].end]
		if len(name) <= len(begin) || !bytes.HasPrefix(name, begin) || !taken.has(name[len(begin)]) {
			continue
		}
		b := name[len(begin)]
		taken[b>>6] &^= 1 << (b & 63) // several names may go on with it
		if next, ok := o.otherStep(state, b); ok && 1+uint64(o.otherRest(next)) < best {
			best = min(best, 1+m.otherDistance(c, o, next, name[:len(begin)+1]))
		}
	}
	return best
}

// otherRest is the fewest bytes from a state of the names to the end of a member whose name is not declared.
func (o *objectShape) otherRest(state uint32) uint32 {
	if state&otherNames != 0 {
		return o.otherCost[state&^otherNames]
	}
	return o.trieCost[state]
}

// otherEnd is the length of a member's rest if its name ends in a state and is not declared, noLimit if none does.
func (o *objectShape) otherEnd(state uint32) uint32 {
	at := int32(state &^ otherNames)
	if state&otherNames == 0 {
		n := &o.names.nodes[state]
		if at = n.other; at < 0 || n.word >= 0 {
			return noLimit
		}
	}
	return o.endCost[at]
}

// otherStep follows a byte of a name that is not declared, though it may begin like one that is.
func (o *objectShape) otherStep(state uint32, b byte) (next uint32, ok bool) {
	at := int32(state &^ otherNames)
	if state&otherNames == 0 {
		if in := o.names.step(state, b); in >= 0 {
			return uint32(in), o.names.nodes[in].other >= 0
		}
		if at = o.names.nodes[state].other; at < 0 {
			return 0, false
		}
	}
	to := o.others.step(at, b)
	return uint32(to) | otherNames, to >= 0
}

// measureNames computes the costs that distances are made of.
func (o *objectShape) measureNames(cost func(node uint32) uint32) {
	o.memberCost = make([]uint32, len(o.value))
	for i, node := range o.value {
		if o.memberCost[i] = costLimit; node != noLimit {
			o.memberCost[i] = uint32(min(o.spelling.memberCost(uint32(len(o.names.words[i])), cost(node), o.bare), costLimit))
			o.byCost = append(o.byCost, uint32(i))
		}
	}
	slices.SortStableFunc(o.byCost, func(a, b uint32) int { return int(o.memberCost[a]) - int(o.memberCost[b]) })
	if o.others == nil {
		return
	}
	o.endCost = make([]uint32, len(o.otherValue))
	for s, node := range o.otherValue {
		if o.endCost[s] = noLimit; node != noLimit {
			o.endCost[s] = uint32(min(uint64(1+len(o.spelling.colon))+uint64(cost(node)), costLimit))
		}
	}
	o.otherCost = o.others.nearest(o.endCost)
	var size [256]int // bytes of each class
	for b := range 256 {
		size[o.others.class[b]]++
	}
	o.trieCost = make([]uint32, len(o.names.nodes))
	for i := len(o.trieCost) - 1; i >= 0; i-- { // nodes are behind the ones that lead to them
		o.trieCost[i] = o.nodeCost(uint32(i), size)
	}
}

// nodeCost is the least length of the rest of a member whose name is not declared and has come to a node of the declared ones.
func (o *objectShape) nodeCost(i uint32, size [256]int) uint32 {
	best, n := min(o.otherEnd(i), costLimit), &o.names.nodes[i]
	if n.other < 0 {
		return best
	}
	for _, e := range o.names.edges[n.first : n.first+n.count] {
		if o.names.nodes[e.to].other >= 0 {
			best = min(best, 1+o.trieCost[e.to])
		}
		size[o.others.class[e.b]]--
	}
	for k, next := range o.others.next[uint32(n.other)*o.others.columns:][:o.others.columns] {
		if next >= 0 && size[k] > 0 { // a byte that no declared name goes on with
			best = min(best, 1+o.otherCost[next])
		}
	}
	return best
}

// nearest is, by state, the fewest bytes to a state where something else is to come, whose length is end, and that.
func (t *table) nearest(end []uint32) []uint32 {
	out := slices.Clone(end)
	var queue []uint32 // states by what they come to, from the least on
	for s, d := range end {
		if d != noLimit {
			queue = append(queue, uint32(s))
		}
	}
	slices.SortFunc(queue, func(a, b uint32) int { return int(end[a]) - int(end[b]) })
	back := make([][]uint32, len(end))
	for s := range end {
		row := slices.Clone(t.next[uint32(s)*t.columns : (uint32(s)+1)*t.columns])
		slices.Sort(row)
		for _, next := range slices.Compact(row) {
			if next >= 0 {
				back[next] = append(back[next], uint32(s))
			}
		}
	}
	var found []uint32 // states that lead to those of the queue, in the same order
	for len(queue)+len(found) > 0 {
		from := &queue
		if len(queue) == 0 || len(found) > 0 && out[found[0]] < out[queue[0]] {
			from = &found
		}
		s := (*from)[0]
		*from = (*from)[1:]
		for _, b := range back[s] {
			if out[s]+1 < out[b] {
				out[b] = out[s] + 1
				found = append(found, b)
			}
		}
	}
	for s, d := range out {
		out[s] = min(d, costLimit)
	}
	return out
}
