package grammar

import "slices"

// stringTable is how strings of a language with a bounded length are read.
type stringTable struct {
	table       *table
	double      *table // the same between double quotes, in Python
	least, most uint32
}

type stringKey struct {
	text        language
	least, most uint32
}

func wanted(label uint64) bool { return label&1 != 0 }

// stringTable returns nil if there are no such strings.
func (c *compiler) stringTable(text language, least, most uint32, pointer string) (*stringTable, error) {
	if least > most {
		return nil, nil
	}
	// One class repeated from m to n times is that class without limits, and a count.
	if n := &c.langs.nodes[text]; c.oneClass(text) {
		least = max(least, uint32(n.low))
		if n.high >= 0 {
			most = min(most, uint32(n.high))
		}
		if least > most {
			return nil, nil
		}
		text = c.langs.loop(n.a, 0, -1)
	}
	key := stringKey{text, least, most}
	if t, ok := c.tables[key]; ok {
		return t, nil
	}
	t, err := c.newStringTable(text, least, most)
	if err != nil {
		return nil, c.refuse(pointer, "the text: %v", err)
	}
	c.tables[key] = t
	return t, nil
}

// oneClass tells whether a language repeats characters of one class.
func (c *compiler) oneClass(text language) bool {
	n := &c.langs.nodes[text]
	return n.kind == languageLoop && c.langs.nodes[n.a].kind == languageSet
}

func (c *compiler) newStringTable(text language, least, most uint32) (*stringTable, error) {
	plain := stringKey{text, 0, noLimit}
	if t, ok := c.tables[plain]; ok && c.oneClass(text) {
		return &stringTable{t.table, t.double, least, most}, nil
	}
	if text == c.langs.all {
		t := &stringTable{table: c.spelling.plainTable(), least: least, most: most}
		if c.spelling.python {
			t.double = anyDouble()
		}
		return t, nil
	}
	chars, err := c.langs.automaton([]language{text}, wanted)
	if err != nil {
		return nil, err
	}
	if len(chars.edges[0]) == 0 && !wanted(chars.label[0]) {
		return nil, nil
	}
	if c.oneClass(text) && len(chars.edges) == 1 || least == 0 && most == noLimit {
		return c.spelledTable(chars, least, most), nil
	}
	from, to, ok := chars.nearest(wanted), []uint32(nil), least == 0
	if ok {
		// With no lower bound a text can go on as long as its shortest end fits.
		to = slices.Repeat([]uint32{noLimit}, len(from))
	} else {
		from, to, ok = chars.lengths(wanted)
	}
	if ok {
		if from[0] > most || to[0] < least {
			return nil, nil
		}
		t := c.spelledTable(chars, least, most)
		t.table.lengths(from, to)
		if t.double != nil {
			t.double.lengths(from, to)
		}
		return t, nil
	}
	if least > maxPatternCount {
		return nil, errCounted
	}
	return c.newStringTable(c.langs.both(text, c.langs.loop(c.langs.any, int32(least), -1)), 0, most)
}

func (c *compiler) spelledTable(chars *characters, least, most uint32) *stringTable {
	t := &stringTable{table: chars.spelled(c.spelling, wanted), least: least, most: most}
	c.bytes += 4 * len(t.table.next)
	if c.spelling.python {
		double := *c.spelling
		double.quote = '"'
		t.double = chars.spelled(&double, wanted)
	}
	return t
}

// lengths spreads the counts of whole characters to the states inside characters.
func (t *table) lengths(from, to []uint32) {
	n := len(t.accept)
	t.least, t.most = make([]uint32, n), make([]uint32, n)
	copy(t.least, from)
	copy(t.most, to)
	for s := n - 1; s >= len(from); s-- {
		t.least[s] = noLimit
	}
	for changed := true; changed; {
		changed = false
		for s := n - 1; s >= len(from); s-- {
			for _, x := range t.next[uint32(s)*t.columns : (uint32(s)+1)*t.columns] {
				if x < 0 || t.least[x] == noLimit {
					continue
				}
				if t.least[x] < t.least[s] {
					t.least[s], changed = t.least[x], true
				}
				if t.most[x] > t.most[s] {
					t.most[s], changed = t.most[x], true
				}
			}
		}
	}
	t.group = make([]uint8, n)
	for s, need := range t.least {
		at := slices.Index(t.needs, need)
		if at < 0 && len(t.needs) <= maxNeeds {
			at = len(t.needs)
			t.needs = append(t.needs, need)
		}
		t.group[s] = uint8(max(at, 0))
		t.farthest = max(t.farthest, need)
		t.finite = t.finite || t.most[s] != noLimit
	}
}
