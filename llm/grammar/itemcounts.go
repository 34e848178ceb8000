package grammar

// itemCounts says what it costs to end an array with contains, from every index and number of matches so far. What cannot be
// ended, because too few items are left to match or too many will have to, costs noLimit and is never begun.
//
// Items from some index on are alike, and so are the indices as long as there is room for all matches that may still be
// needed. They share a row of the table, so that a long array needs no more of them than a short one.
type itemCounts struct {
	least, most uint32 // items
	shared      uint32 // the row of all indices that are alike
	needs       uint32 // items that may have to come for the sake of contains
	contains    []containsShape
	size        []uint32 // numbers of matches that are told apart, of each contains
	cells       uint32   // of a row
	cost        []uint32 // bytes of the items to come, commas included
}

const maxItemCounts = 1 << 16

// newItemCounts makes the table from what items cost by the set of contains that they match, first and later on. ok is false
// if it would be too large.
func newItemCounts(prefix [][]uint32, rest []uint32, least, most uint32, contains []containsShape, comma int) (t *itemCounts, ok bool) {
	t = &itemCounts{least: least, most: most, contains: contains, cells: 1, shared: max(least, uint32(len(prefix)))}
	needs, cells := uint64(0), uint64(1)
	for _, x := range contains {
		n := uint64(x.least)
		if x.most != noLimit {
			n = uint64(x.most)
		}
		needs += uint64(x.least)
		if cells *= n + 1; cells > maxItemCounts {
			return nil, false
		}
		t.size = append(t.size, uint32(n+1))
	}
	t.needs, t.cells = uint32(needs), uint32(cells)
	rows := uint64(t.shared) + 1
	if most != noLimit {
		rows += needs
		if uint64(most) <= uint64(t.shared)+needs {
			t.shared, rows = noLimit, uint64(most)+1
		}
	}
	if rows*cells > maxItemCounts {
		return nil, false
	}
	t.cost = make([]uint32, rows*cells)
	for row := uint32(rows); row > 0; {
		row--
		costs := rest
		if int(row) < len(prefix) {
			costs = prefix[row]
		}
		t.fill(row, uint32(rows), costs, uint32(comma))
	}
	return t, true
}

// fill computes a row from those of later items.
func (t *itemCounts) fill(row, rows uint32, costs []uint32, comma uint32) {
	last := row+1 == rows && t.most != noLimit
	next := row + 1
	if row == t.shared {
		next, last = row, false
	}
	for at := t.cells; at > 0; {
		at--
		best := noLimit
		if t.enough(row, at) {
			best = 0
		}
		for set, cost := range costs {
			if last || cost == noLimit || best == 0 {
				continue
			}
			to, ok := t.with(at, set)
			if !ok || next == row && to == at { // an item that nothing is done with
				continue
			}
			if x := t.cost[next*t.cells+to]; x != noLimit {
				best = min(best, min(x+cost+comma, costLimit))
			}
		}
		t.cost[row*t.cells+at] = best
	}
}

// enough tells whether the array may end in a row.
func (t *itemCounts) enough(row, at uint32) bool {
	if row < t.least {
		return false
	}
	for k, x := range t.contains {
		if at%t.size[k] < x.least {
			return false
		}
		at /= t.size[k]
	}
	return true
}

// with is the cell after an item that matches the contains in set.
func (t *itemCounts) with(at uint32, set int) (to uint32, ok bool) {
	step := uint32(1)
	for k, x := range t.contains {
		if set>>k&1 != 0 {
			if have := at / step % t.size[k]; have+1 < t.size[k] {
				at += step
			} else if x.most != noLimit {
				return 0, false
			}
		}
		step *= t.size[k]
	}
	return at, true
}

// row is that of the item at an index.
func (t *itemCounts) row(index uint32) uint32 {
	switch {
	case t.shared == noLimit || index <= t.shared:
		return index
	case t.most == noLimit || t.most-index >= t.needs:
		return t.shared
	}
	return t.shared + t.needs - (t.most - index)
}

// ending is the cost from an index on, when so many items have matched each contains as used says and the next matches those
// in set; without a next, set is -1.
func (t *itemCounts) ending(index uint32, used uint64, set int) uint32 {
	at, step := uint32(0), uint32(1)
	for k := range t.contains {
		at += min(matches(used, k), t.size[k]-1) * step
		step *= t.size[k]
	}
	if set >= 0 {
		to, ok := t.with(at, set)
		if !ok || index >= t.most {
			return noLimit
		}
		at, index = to, index+1
	}
	return t.cost[t.row(index)*t.cells+at]
}

// matches is how many items matched the k-th contains.
func matches(used uint64, k int) uint32 { return uint32(used>>(k*matchBits)) & (1<<matchBits - 1) }

const matchBits = 20
