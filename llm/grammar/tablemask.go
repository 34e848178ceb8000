package grammar

// inTable tells whether a reading is inside a string or a name, where most tokens go on inside.
func (m *Matcher) inTable(t thread) (inside, bool) {
	if r, ok := m.inName(t); ok {
		return r, true
	}
	r, ok := m.insideTable(t)
	return r, ok && r.quote >= 0 && r.scarce == nil
}

// inName is inTable for a name where undeclared ones are allowed: the tokens that stay inside are those of the table of
// undeclared names, whether or not the name is still like a declared one and whichever names have been used. Only where a name
// ends does that matter, and such tokens are walked; and where there are only so many, see correctNames.
func (m *Matcher) inName(t thread) (inside, bool) {
	if t.kind != waitKey {
		return inside{}, false
	}
	c := &m.cells[t.cell]
	o := &m.values.objects[c.shape]
	if o.others == nil || o.bare {
		return inside{}, false
	}
	if t.state&otherNames != 0 {
		t.state &^= otherNames
	} else {
		other := o.names.nodes[t.state].other
		if other < 0 || !m.othersAllowed(c, o) {
			return inside{}, false
		}
		t.state = uint32(other)
	}
	return inside{table: o.others, thread: t, quote: int(o.spelling.quote)}, true
}

// tableMask adds what a reading inside a string or a name allows from what is ready: tokens that stay inside, and those that
// end it. It does nothing where that is not known.
func (m *Matcher) tableMask(t thread, r inside, mask []uint64) (visited int, ok bool) {
	v, w := m.vocabulary, &m.walk
	k := quoteIndex(byte(r.quote))
	if k < 0 || r.counted && r.table.inside[r.thread.state] {
		return 0, false
	}
	known := v.ready(w, r.table, int32(r.thread.state), readyText)
	least, most := uint32(0), noLimit
	if t.kind == waitString {
		if s := &m.values.strings[t.at]; s.counted {
			least = s.least - min(s.least, t.count)
		}
	}
	switch {
	case t.kind == waitKey && !m.values.objects[m.cells[t.cell].shape].endless:
		w.begin(mask)
		w.spare = grown(w.spare, len(mask))
		clear(w.spare)
		for i := range known.groups {
			known.groups[i].tokens.addTo(w.spare)
		}
		visited = m.correctNames(t, w.spare)
		for i, set := range w.spare {
			mask[i] |= set
		}
	case r.counted:
		w.begin(mask)
		if r.most != noLimit {
			most = r.most - t.count
		}
		if !m.addCounted(known, r, most, mask) {
			return 0, false
		}
	case w.blank && len(known.groups) == 1 && known.groups[0].tokens.all():
		copy(mask, known.groups[0].tokens.words)
		w.blank, w.stayed = false, known
	case w.stayed != known:
		w.begin(mask)
		for i := range known.groups {
			known.groups[i].tokens.addTo(mask)
		}
		w.stayed = known
	}
	if value, ok := m.plainEnd(t, r); ok {
		return visited + m.endMask(t, value, known, k, least, most, mask), true
	}
	return visited + m.search(&v.quoted[k], t, mask), true
}

// addCounted adds what of a ready state stays inside and leads to an end within room more characters; ok is false if that
// is not known from the sets.
func (m *Matcher) addCounted(r *ready, in inside, room uint32, mask []uint64) (ok bool) {
	v := m.vocabulary
	if in.table.finite && in.thread.count < in.least {
		return false // a token may lead to where too few characters can follow
	}
	if r.mixed {
		if len(r.groups) == 0 || room < uint32(v.longest)+in.table.farthest {
			return len(r.groups) == 0
		}
		r.groups[0].tokens.addTo(mask)
		return true
	}
	odd := false
	for i := range r.groups {
		g := &r.groups[i]
		if g.need > room {
			continue
		}
		if room-g.need >= uint32(v.longest) {
			g.tokens.addTo(mask)
			continue
		}
		odd = true
		v.addAtMost(room-g.need, &g.tokens, mask)
	}
	if odd {
		for _, t := range r.oddTokens(v, in.table, int32(in.thread.state)) {
			if t.characters <= room {
				setBit(mask, int(t.token))
			}
		}
	}
	return true
}

// addAtMost adds the safe tokens of at most n code points that are in among.
func (v *Vocabulary) addAtMost(n uint32, among *tokenSet, mask []uint64) {
	among.addBoth(v.counted[min(n, countedSlices)], mask)
	if n <= countedSlices {
		return
	}
	for _, t := range v.long {
		if t.count <= n && among.has(t.token) {
			setBit(mask, int(t.token))
		}
	}
}
