package grammar

// prune removes the ways from which no text can be completed, so that a matcher never runs into a dead
// end, and reports whether the start is left.
func (g *Grammar) prune() bool {
	good := make([]bool, len(g.code))
	for changed := true; changed; {
		changed = false
		for pc := range g.code {
			if good[pc] {
				continue
			}
			in := g.code[pc]
			ok := false
			switch in.op {
			case opEnd, opReturn:
				ok = true
			case opSet:
				ok = good[in.y] && g.classes[in.x] != class{}
			case opJump:
				ok = good[in.x]
			case opSplit:
				ok = good[in.x] || good[in.y]
			case opCall:
				ok = good[in.x] && good[in.y]
			case opToken, opLess, opAtLeast, opCount:
				ok = good[in.y]
			}
			good[pc] = ok
			changed = changed || ok
		}
	}
	for pc, ok := range good {
		if !ok {
			g.code[pc] = instruction{op: opFail}
		}
	}
	return good[g.start]
}

// finish sets the start and checks the whole program.
func (g *Grammar) finish(start uint32) (*Grammar, error) {
	g.start = start
	if err := g.check(); err != nil {
		return nil, err
	}
	if !g.prune() {
		return nil, &SchemaError{"", "no value satisfies it"}
	}
	return g, nil
}
