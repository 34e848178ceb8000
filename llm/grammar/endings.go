package grammar

import (
	"bytes"
	"math/bits"
	"slices"
	"sort"
	"unicode/utf8"
)

// endings are the tokens that can end a string or a name: text, a quote that is not escaped, and a tail of what comes behind
// it. Whether the text may stand there depends on the automaton of the string alone; whether the tail may, on what is around
// the string. So the few tails are walked once for all texts.
type endings struct {
	ids    []int32    // tokens, those of one tail together
	spans  [][2]int   // by tail, its part of ids; tail 0 is empty
	tails  trie       // of the tails, tail 0 left out
	texts  trie       // of these tokens, as indexes into ids
	atMost [][]uint64 // by n, those whose text has at most n characters
	late   []int      // tails in which, behind a name, another name can end
	odd    trie       // the tokens with these tails
	words  int        // of a set of ids
}

func newEndings(pieces [][]byte, holding []int32, quote byte) endings {
	var e endings
	byTail := map[string][]int32{}
	text := map[int32][]byte{}
	for _, id := range holding {
		p := pieces[id]
		if at := unescaped(p, quote); at >= 0 {
			byTail[string(p[at+1:])] = append(byTail[string(p[at+1:])], id)
			text[id] = p[:at]
		}
	}
	names := make([]string, 0, len(byTail))
	for tail := range byTail {
		if tail != "" {
			names = append(names, tail)
		}
	}
	sort.Strings(names)
	names = append([]string{""}, names...)
	tails := make([][]byte, len(names))
	order := make([]int32, 0, len(names))
	var late []int32
	for i, tail := range names {
		tails[i] = []byte(tail)
		e.spans = append(e.spans, [2]int{len(e.ids), len(e.ids) + len(byTail[tail])})
		e.ids = append(e.ids, byTail[tail]...)
		if i > 0 {
			order = append(order, int32(i))
		}
		if bytes.Count(tails[i], []byte{quote}) > 1 && (tail[0] == ':' || isSpace(tail[0])) {
			e.late = append(e.late, i)
			late = append(late, byTail[tail]...)
		}
	}
	slices.SortFunc(late, func(a, b int32) int { return bytes.Compare(pieces[a], pieces[b]) })
	e.odd = newTrie(pieces, late)
	e.words = (len(e.ids) + 63) / 64
	e.tails = newTrie(tails, order)
	texts := make([][]byte, len(e.ids))
	sorted := make([]int32, len(e.ids))
	for i, id := range e.ids {
		texts[i], sorted[i] = pieces[id], int32(i)
	}
	slices.SortFunc(sorted, func(a, b int32) int { return bytes.Compare(texts[a], texts[b]) })
	e.texts = newTrie(texts, sorted)
	for i, id := range e.ids {
		n := characterCount(text[id])
		for len(e.atMost) <= n {
			set := make([]uint64, e.words)
			if len(e.atMost) > 0 {
				copy(set, e.atMost[len(e.atMost)-1])
			}
			e.atMost = append(e.atMost, set)
		}
		for _, set := range e.atMost[n:] {
			setBit(set, i)
		}
	}
	return e
}

// unescaped is the place of the first quote in text with no backslash before it that is not escaped itself, or -1.
func unescaped(text []byte, quote byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case quote:
			return i
		case '\\':
			i++
		}
	}
	return -1
}

// characterCount is how many characters text spells, if it is the inside of a string.
func characterCount(text []byte) (n int) {
	for ; len(text) > 0; n++ {
		size := 1
		switch {
		case len(text) > 1 && text[0] == '\\' && text[1] == 'u':
			size = 6
		case len(text) > 1 && text[0] == '\\' && text[1] == 'x':
			size = 4
		case text[0] == '\\':
			size = 2
		case text[0] >= utf8.RuneSelf:
			_, size = utf8.DecodeRune(text)
		}
		text = text[min(size, len(text)):]
	}
	return n
}

// ends is the set of the endings whose text leads from a state of a table to where the quote may come.
func (e *endings) ends(w *walker, t *table, state int32, quote byte) []uint64 {
	out := make([]uint64, e.words)
	w.states[0] = state
	for at := uint32(0); at < uint32(len(e.texts.nodes)); {
		n := &e.texts.nodes[at]
		from := w.states[n.depth]
		to := t.step(from, n.b)
		if to >= 0 {
			w.states[n.depth+1] = to
			at++
			continue
		}
		if n.b == quote && t.accept[from] && !t.inside[from] {
			e.texts.markAll(at, n.end, out)
		}
		at = n.end
	}
	return out
}

// markAll marks the tokens at the nodes [at, end).
func (t *trie) markAll(at, end uint32, mask []uint64) {
	for ; at < end; at++ {
		if n := &t.nodes[at]; n.token >= 0 {
			t.mark(n, mask)
		}
	}
}

// find is the node of a text and the quote behind it, or noLimit.
func (t *trie) find(text []byte, quote byte) uint32 {
	at, end := uint32(0), uint32(len(t.nodes))
	for i := 0; i <= len(text); i++ {
		b := quote
		if i < len(text) {
			b = text[i]
		}
		if i == 0 {
			at = t.first[b]
		}
		for at < end && t.nodes[at].b != b {
			at = t.nodes[at].end
		}
		if at >= end {
			return noLimit
		}
		if i == len(text) {
			return at
		}
		at, end = at+1, t.nodes[at].end
	}
	return noLimit
}

// unmarkAll takes away the tokens at a node and below.
func (t *trie) unmarkAll(at uint32, mask []uint64) {
	for end := t.nodes[at].end; at < end; at++ {
		n := &t.nodes[at]
		if n.token < 0 {
			continue
		}
		mask[n.token>>6] &^= 1 << (n.token & 63)
		for s := n.next; s >= 0; s = t.same[s].next {
			mask[t.same[s].token>>6] &^= 1 << (t.same[s].token & 63)
		}
	}
}

// restrict leaves those of ends that have from least to most characters before the quote.
func (e *endings) restrict(ends []uint64, least, most uint32) {
	if len(e.atMost) == 0 {
		return
	}
	if most < uint32(len(e.atMost)) {
		for i, set := range e.atMost[most] {
			ends[i] &= set
		}
	}
	if least > 0 {
		for i, set := range e.atMost[min(int(least), len(e.atMost))-1] {
			ends[i] &^= set
		}
	}
}

// correct makes mask, which has the ready ones of the endings with nothing behind the quote, have those in ends instead. It
// takes them out of ends.
func (e *endings) correct(ends, ready, mask []uint64) {
	for i, last := 0, e.spans[0][1]; i<<6 < last; i++ {
		within := ^uint64(0)
		if last < (i+1)<<6 {
			within = 1<<(last&63) - 1
		}
		for wrong := (ends[i] ^ ready[i]) & within; wrong != 0; wrong &= wrong - 1 {
			id := e.ids[i<<6|bits.TrailingZeros64(wrong)]
			mask[id>>6] ^= 1 << (id & 63)
		}
		ends[i] &^= within
	}
}

// setRange adds [from, to) to a set.
func setRange(set []uint64, from, to int) {
	for from < to {
		end := min(to, from|63+1)
		set[from>>6] |= ^uint64(0) >> (64 - (end - from)) << (from & 63)
		from = end
	}
}
