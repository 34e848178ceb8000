package grammar

import "fmt"

// finish sets the start and checks the whole program.
func (g *Grammar) finish(start uint32) (*Grammar, error) {
	g.start = start
	if err := g.check(); err != nil {
		return nil, err
	}
	if !g.prune() {
		return nil, fmt.Errorf("grammar: no text satisfies it")
	}
	g.measure()
	g.jumps()
	g.index, g.rules, g.regular = nil, nil, nil
	return g, nil
}

// prune removes the ways from which no text can be completed, so that a matcher never runs into a dead
// end, and reports whether the start is left.
func (g *Grammar) prune() bool {
	good := g.settle(func(in instruction, good []bool) bool {
		switch in.op {
		case opEnd, opReturn:
			return true
		case opSet:
			return good[in.y] && g.classes[in.x] != class{}
		case opJump:
			return good[in.x]
		case opSplit:
			return good[in.x] || good[in.y]
		case opCall:
			return good[in.x] && good[in.y]
		case opFail:
			return false
		}
		return good[in.y]
	})
	for pc, ok := range good {
		if !ok {
			g.code[pc] = instruction{op: opFail}
		}
	}
	return good[g.start]
}

// settle finds the least set of instructions for which holds says yes.
func (g *Grammar) settle(holds func(instruction, []bool) bool) []bool {
	good := make([]bool, len(g.code))
	for changed := true; changed; {
		changed = false
		// Code is mostly written backwards, so going forwards settles most of it at once.
		for pc := range g.code {
			if !good[pc] && holds(g.code[pc], good) {
				good[pc], changed = true, true
			}
		}
	}
	return good
}

// empty tells whether a table or the arguments of a call may be no text at all.
func (g *Grammar) empty(in instruction) bool {
	switch in.op {
	case opTable:
		return g.values.scalars[in.x].accept[0]
	case opArguments:
		o := &g.values.objects[in.x]
		for _, w := range o.required {
			if w != 0 {
				return false
			}
		}
		return o.least == 0
	}
	return false
}

// check refuses rules and repetitions that go round without reading a byte.
func (g *Grammar) check() error {
	returns := g.settle(func(in instruction, good []bool) bool {
		switch in.op {
		case opReturn:
			return true
		case opJump:
			return good[in.x]
		case opSplit:
			return good[in.x] || good[in.y]
		case opCall:
			return good[in.x] && good[in.y]
		case opLess, opAtLeast, opCount:
			return good[in.y]
		case opTable, opArguments:
			return g.empty(in) && good[in.y]
		}
		return false
	})
	type frame struct {
		pc    uint32
		edges [2]uint32
		left  int
	}
	edges := func(pc uint32) (f frame) {
		f.pc = pc
		switch in := g.code[pc]; in.op {
		case opJump:
			f.edges[0], f.left = in.x, 1
		case opSplit:
			f.edges, f.left = [2]uint32{in.x, in.y}, 2
		case opCall:
			f.edges, f.left = [2]uint32{in.x, in.y}, 1
			if returns[in.x] {
				f.left = 2
			}
		case opLess, opAtLeast, opCount:
			f.edges[0], f.left = in.y, 1
		case opTable, opArguments:
			if g.empty(in) {
				f.edges[0], f.left = in.y, 1
			}
		}
		return f
	}
	state := make([]uint8, len(g.code))
	for start := range g.code {
		if state[start] != 0 {
			continue
		}
		stack := []frame{edges(uint32(start))}
		state[start] = 1
		for len(stack) > 0 {
			f := &stack[len(stack)-1]
			if f.left == 0 {
				state[f.pc] = 2
				stack = stack[:len(stack)-1]
				continue
			}
			f.left--
			switch to := f.edges[f.left]; state[to] {
			case 1:
				return fmt.Errorf("grammar: a rule or a repetition goes round without reading anything")
			case 0:
				state[to] = 1
				stack = append(stack, edges(to))
			}
		}
	}
	return nil
}
