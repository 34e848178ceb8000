package llm

import (
	"bytes"
	"unicode/utf8"
)

// textStream turns the bytes of tokens into text that may be shown: valid UTF-8 only, and nothing of a
// stop sequence. Bytes that may be the beginning of either are held back until it is decided.
//
// Its zero value with no stop sequences is ready for use.
type textStream struct {
	stops   [][]byte
	pending []byte // not yet shown
	arena   []byte // shown text; strings that alias it are never overwritten
}

// reset prepares the stream for another generation. The stop sequences must not be empty.
func (t *textStream) reset(stops []string) {
	t.pending = t.pending[:0]
	t.stops = t.stops[:0]
	for _, s := range stops {
		t.stops = append(t.stops, []byte(s))
	}
}

// push adds the bytes of one token. It returns the text that is decided now, and the stop sequence
// that the text has run into, if any: the first to be complete, and of several that end at the same
// byte the longest. Text behind it, in the same token, is dropped.
func (t *textStream) push(piece []byte) (text, stop string) {
	if len(piece) == 0 {
		return "", ""
	}
	before := len(t.pending)
	t.pending = append(t.pending, piece...)
	if begin, stop := t.findStop(before); begin >= 0 {
		text := t.show(begin, true)
		t.pending = t.pending[:0]
		return text, stop
	}
	held := max(t.stopPrefix(), incompleteRune(t.pending))
	return t.show(len(t.pending)-held, false), ""
}

// flush returns what is held back: no stop sequence will follow. A character that was cut off becomes
// U+FFFD.
func (t *textStream) flush() string {
	return t.show(len(t.pending), true)
}

// findStop looks for a stop sequence that ends in pending[from:], and returns where it begins, or −1.
func (t *textStream) findStop(from int) (begin int, stop string) {
	begin, end := -1, len(t.pending)+1
	for _, s := range t.stops {
		first := max(from-len(s)+1, 0)
		at := bytes.Index(t.pending[first:], s)
		if at < 0 {
			continue
		}
		at += first
		if e := at + len(s); e < end || e == end && at < begin {
			begin, end = at, e
		}
	}
	if begin < 0 {
		return -1, ""
	}
	return begin, string(t.pending[begin:end])
}

// stopPrefix returns the length of the longest end of pending that is a proper beginning of a stop
// sequence.
func (t *textStream) stopPrefix() int {
	longest := 0
	for _, s := range t.stops {
		for n := min(len(s)-1, len(t.pending)); n > longest; n-- {
			if bytes.HasSuffix(t.pending, s[:n]) {
				longest = n
				break
			}
		}
	}
	return longest
}

// show moves pending[:n] out as valid UTF-8. A character that is cut off at n stays pending, unless
// last says that nothing will follow it.
func (t *textStream) show(n int, last bool) string {
	if n <= 0 {
		return ""
	}
	if !last {
		n -= incompleteRune(t.pending[:n])
	}
	if need := n * utf8.UTFMax; cap(t.arena)-len(t.arena) < need {
		t.arena = make([]byte, 0, max(need, 4096))
	}
	from := len(t.arena)
	for rest := t.pending[:n]; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest) // an invalid byte gives U+FFFD, size 1
		t.arena = utf8.AppendRune(t.arena, r)
		rest = rest[size:]
	}
	t.pending = t.pending[:copy(t.pending, t.pending[n:])]
	return aliasString(t.arena[from:])
}

// incompleteRune returns how many bytes at the end of b are the beginning of a character that may still
// become valid: 0 to 3.
func incompleteRune(b []byte) int {
	for n := 1; n <= min(len(b), utf8.UTFMax-1); n++ {
		tail := b[len(b)-n:]
		if utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
