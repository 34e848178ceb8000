package grammar

import "slices"

// stringLengths says how many bytes a string needs that must have a number of characters.
type stringLengths struct {
	character uint32   // fewest bytes of a character, where all lead back to the start
	states    uint32   // of the table
	rest      []uint32 // [characters to come][state]: fewest bytes to the end
}

// maxStringLengths bounds the table; beyond it every character is taken to be of the longest.
const maxStringLengths = 1 << 16

func newStringLengths(t *table, least, most uint32) (l stringLengths) {
	if least == 0 && most == noLimit {
		return l
	}
	if t.least == nil {
		l.character = costLimit
		for _, next := range t.next[:t.columns] {
			if next >= 0 {
				l.character = min(l.character, 1+t.distance[next])
			}
		}
		return l
	}
	l.states = uint32(len(t.accept))
	longest := least
	for _, n := range t.least {
		if n != noLimit {
			longest = max(longest, n)
		}
	}
	rows := min(longest+1, maxStringLengths/l.states)
	l.rest = slices.Repeat([]uint32{costLimit}, int(rows*l.states))
	for n := range rows {
		l.fill(t, n)
	}
	return l
}

// fill computes the row of n characters from that of one less. A character counts when its first byte is read.
func (l *stringLengths) fill(t *table, n uint32) {
	row := l.rest[n*l.states:][:l.states]
	nearest := func(s int, row []uint32) uint32 {
		best := uint32(costLimit)
		for _, next := range t.next[uint32(s)*t.columns:][:t.columns] {
			if next >= 0 {
				best = min(best, 1+row[next])
			}
		}
		return min(best, costLimit)
	}
	for s := range row {
		switch {
		case t.inside[s]:
		case n > 0:
			row[s] = nearest(s, l.rest[(n-1)*l.states:][:l.states])
		case t.accept[s]:
			row[s] = 0
		}
	}
	for range maxCharacter { // states inside of characters lead to others of them
		for s := range row {
			if t.inside[s] {
				row[s] = nearest(s, row)
			}
		}
	}
}

// ending is the length of the rest of a string, its quote not included, when so many characters are there.
func (s *stringShape) ending(state, count uint32) uint64 {
	d := uint64(s.table.distance[state])
	if !s.counted {
		return d
	}
	missing := max(s.least, count) - count
	if s.table.least == nil {
		return d + uint64(missing)*uint64(s.lengths.character)
	}
	missing = max(missing, s.table.least[state])
	if at := uint64(missing)*uint64(s.lengths.states) + uint64(state); at < uint64(len(s.lengths.rest)) {
		return uint64(s.lengths.rest[at])
	}
	return uint64(missing+1) * maxCharacter
}
