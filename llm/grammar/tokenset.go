package grammar

import "slices"

// tokenSet is a set of tokens to be added to masks: the words of a mask that are not 0, or all of them where most are not.
type tokenSet struct {
	at    []uint32 // places of words; nil if all are there
	words []uint64
}

// newTokenSet keeps a mask, or what is not 0 of it.
func newTokenSet(mask []uint64) tokenSet {
	n := 0
	for _, w := range mask {
		if w != 0 {
			n++
		}
	}
	if n > len(mask)/2 {
		return tokenSet{words: append([]uint64(nil), mask...)}
	}
	s := tokenSet{at: make([]uint32, 0, n), words: make([]uint64, 0, n)}
	for i, w := range mask {
		if w != 0 {
			s.at, s.words = append(s.at, uint32(i)), append(s.words, w)
		}
	}
	return s
}

func (s *tokenSet) bytes() int { return 4*len(s.at) + 8*len(s.words) }

// all tells whether the set has a place for each word of a mask.
func (s *tokenSet) all() bool { return s.at == nil && len(s.words) > 0 }

// addTo adds the set to a mask.
func (s *tokenSet) addTo(mask []uint64) {
	if s.all() {
		mask = mask[:len(s.words)]
		for i, w := range s.words {
			mask[i] |= w
		}
		return
	}
	for i, at := range s.at {
		mask[at] |= s.words[i]
	}
}

// addBoth adds what is in a as well.
func (s *tokenSet) addBoth(a, mask []uint64) {
	if s.all() {
		a, mask = a[:len(s.words)], mask[:len(s.words)]
		for i, w := range s.words {
			mask[i] |= w & a[i]
		}
		return
	}
	for i, at := range s.at {
		mask[at] |= s.words[i] & a[at]
	}
}

// removeFrom takes the set out of a mask.
func (s *tokenSet) removeFrom(mask []uint64) {
	if s.all() {
		mask = mask[:len(s.words)]
		for i, w := range s.words {
			mask[i] &^= w
		}
		return
	}
	for i, at := range s.at {
		mask[at] &^= s.words[i]
	}
}

func (s *tokenSet) has(id int32) bool {
	if s.all() {
		return hasBit(s.words, int(id))
	}
	i, ok := slices.BinarySearch(s.at, uint32(id>>6))
	return ok && s.words[i]>>(id&63)&1 != 0
}
