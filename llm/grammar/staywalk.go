package grammar

// stayWalk finds the tokens that stay inside a table from a state. Going through all of them takes milliseconds, so it spares
// itself most: where the characters of some classes never lead out of the table, whichever come, the tokens that have no others
// are a union of known sets, and below a node of the trie all are marked at once.
type stayWalk struct {
	table   *table // of which the following is known
	states  []classEdges
	edges   []classEdge
	free    []freeClasses // by state
	closure []int32
	seen    []uint32 // by state, the closure that it was last in
	round   uint32
	pure    []bool // by depth, whether the path to it has free characters only
}

// classEdge leads from a state over some characters of each of the classes.
type classEdge struct {
	to      int32
	classes uint64
}

// classEdges are the edges of a state: a part of stayWalk.edges, and the classes of which some character has no way on.
type classEdges struct {
	from, to int32
	known    bool
	dead     uint64
}

// freeClasses are the classes that never lead out, to states of one group.
type freeClasses struct {
	known   bool
	group   uint8
	classes uint64
}

// use makes room for a table.
func (w *stayWalk) use(v *Vocabulary, t *table, group []uint8) {
	w.pure = grown(w.pure, v.depth+2)
	n := len(t.accept)
	if w.table != t {
		w.table, w.edges = t, w.edges[:0]
		w.states, w.seen = grown(w.states, n), grown(w.seen, n)
		clear(w.states)
		clear(w.seen)
		w.round = 0
	}
	w.free = grown(w.free, n)
	clear(w.free)
}

// edgesOf finds where the classes lead from a state between characters.
func (w *stayWalk) edgesOf(state int32) classEdges {
	e := &w.states[state]
	if e.known {
		return *e
	}
	e.known, e.from = true, int32(len(w.edges))
	for class, list := range characterClasses.ranges {
		if len(list) == 0 {
			e.dead |= 1 << class
		}
		for _, ranges := range list {
			if !w.reach(state, ranges, class, e.from) {
				e.dead |= 1 << class
				break
			}
		}
	}
	e.to = int32(len(w.edges))
	return *e
}

// reach adds the edges of the sequences of bytes in the ranges to those from index first on; it is false if one of them has no
// way on.
func (w *stayWalk) reach(state int32, ranges [][2]byte, class int, first int32) bool {
	t := w.table
	for b := int(ranges[0][0]); b <= int(ranges[0][1]); b++ {
		if b > int(ranges[0][0]) && t.class[b] == t.class[b-1] {
			continue
		}
		next := t.step(state, byte(b))
		switch {
		case next < 0:
			return false
		case len(ranges) > 1:
			if !w.reach(next, ranges[1:], class, first) {
				return false
			}
		case t.inCharacter(next):
			return false // it only begins an escape
		default:
			w.addEdge(next, class, first)
		}
	}
	return true
}

func (w *stayWalk) addEdge(to int32, class int, first int32) {
	for i := range w.edges[first:] {
		if e := &w.edges[int(first)+i]; e.to == to {
			e.classes |= 1 << class
			return
		}
	}
	w.edges = append(w.edges, classEdge{to, 1 << class})
}

// What is looked at for one state: other states, and how often classes are lost.
const (
	maxClosure = 200
	maxLosses  = 12
)

// freeOf finds the classes whose characters, in any order, never lead from a state out of the table or into another group. The
// group is that to which letters lead.
func (w *stayWalk) freeOf(state int32, group []uint8) freeClasses {
	f := &w.free[state]
	if f.known {
		return *f
	}
	f.known = true
	if w.table.inCharacter(state) {
		return *f
	}
	common := uint64(1) << characterClasses.common
	for _, e := range w.edges[w.edgesOf(state).from:w.edgesOf(state).to] {
		if e.classes&common != 0 {
			f.group = groupOf(group, e.to)
		}
	}
	free := ^uint64(0)
	for losses, again := 0, true; again && free != 0; losses++ {
		if again = false; losses > maxLosses {
			return *f
		}
		w.round++
		w.closure = append(w.closure[:0], state)
		w.seen[state] = w.round
		for i := 0; i < len(w.closure) && !again; i++ {
			if i == maxClosure {
				return *f
			}
			from := w.edgesOf(w.closure[i])
			lost := from.dead
			for _, e := range w.edges[from.from:from.to] {
				if groupOf(group, e.to) != f.group {
					lost |= e.classes
				}
			}
			if free&lost != 0 {
				free &^= lost
				again = true
				break
			}
			for _, e := range w.edges[from.from:from.to] {
				if e.classes&free != 0 && w.seen[e.to] != w.round {
					w.seen[e.to] = w.round
					w.closure = append(w.closure, e.to)
				}
			}
		}
	}
	f.classes = free
	return *f
}

func groupOf(group []uint8, state int32) uint8 {
	if group == nil {
		return 0
	}
	return group[state]
}

// addFree adds the tokens that have only characters of some classes.
func (v *Vocabulary) addFree(classes uint64, mask []uint64) {
	copy(mask, v.ordinary)
	for class := range v.classes.with {
		if classes>>class&1 == 0 {
			v.classes.with[class].removeFrom(mask)
		}
	}
}

// minMarked is how many nodes there have to be below one for asking whether all their tokens stay.
const minMarked = 16

// walkInside finds the tokens that can be read inside the table from a state, by the group of the state that they lead to.
func (t *table) walkInside(w *walker, v *Vocabulary, state int32, group []uint8) {
	w.grow(v.depth + 1)
	s := &w.stay
	s.use(v, t, group)
	free := s.freeOf(state, group)
	if s.pure[0] = free.classes != 0; s.pure[0] {
		v.addFree(free.classes, w.groups[free.group])
	}
	next, columns := t.next, t.columns
	tokens, own, below := &v.all, v.classes.own, v.classes.below
	w.states[0] = state
	for at := uint32(0); at < uint32(len(tokens.nodes)); {
		n := &tokens.nodes[at]
		d := int(n.depth)
		to := next[uint32(w.states[d])*columns+uint32(t.class[n.b])]
		if to < 0 {
			at = n.end
			continue
		}
		pure := s.pure[d] && (own[at] == noClass || free.classes>>own[at]&1 != 0)
		w.states[d+1], s.pure[d+1] = to, pure
		if n.token >= 0 {
			tokens.mark(n, w.groups[groupOf(group, to)])
		}
		if pure && below[at]&^free.classes == 0 {
			at = n.end // they are in the set already
			continue
		}
		if n.end-at > minMarked && !t.inCharacter(to) {
			if f := s.freeOf(to, group); below[at]&^f.classes == 0 {
				tokens.markAll(at+1, n.end, w.groups[f.group])
				at = n.end
				continue
			}
		}
		at++
	}
}
