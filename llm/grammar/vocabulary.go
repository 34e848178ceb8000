package grammar

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// Token is a vocabulary id.
type Token = int32

// countedSlices is the greatest code-point bound with a ready mask of string-safe tokens.
const countedSlices = 32

// node8 is one byte of the flat trie in depth-first order: the nodes [i+1, end) are below node i.
type node8 struct {
	end   uint32
	token int32 // -1: no token ends here
	next  int32 // index into same: further ids with the same bytes, or -1
	depth uint16
	b     byte
}

type sameToken struct{ token, next int32 }

type trie struct {
	nodes []node8
	same  []sameToken
	first [256]uint32 // by its byte, each node at depth 0; noLimit if there is none
}

// Vocabulary holds the tables of one tokenizer: a byte trie of all ordinary tokens, and masks by length of those that are
// safe inside a JSON string. It may be shared by any number of goroutines.
type Vocabulary struct {
	pieces   [][]byte
	special  []bool
	words    int
	all      trie
	counted  [countedSlices + 1][]uint64 // tokens of string-safe characters only, at most i code points
	long     []longToken                 // safe tokens of more code points
	odd      []uint64                    // the other ordinary tokens
	ordinary []uint64                    // all that are not special
	classes  tokenClasses
	longest  int        // the most characters that a token can begin
	depth    int        // bytes of the longest token
	quoted   [2]trie    // tokens that hold a double, a single quote
	endings  [2]endings // the same, by what is behind the quote
	plain    []uint64   // tokens without a byte that begins or ends a value, a name or an escape
	readies  readyStore
}

// longToken is a token and how many code points it has.
type longToken struct {
	token int32
	count uint32
}

// NewVocabulary builds the tables from the raw bytes of every token, by id. Ids for which special is true,
// and empty pieces, never match text. special may be nil. The pieces are kept, not copied.
func NewVocabulary(pieces [][]byte, special func(Token) bool) *Vocabulary {
	v := &Vocabulary{pieces: pieces, special: make([]bool, len(pieces)), words: (len(pieces) + 63) / 64}
	var ids []int32
	v.plain, v.odd, v.ordinary = make([]uint64, v.words), make([]uint64, v.words), make([]uint64, v.words)
	for i := range v.counted {
		v.counted[i] = make([]uint64, v.words)
	}
	for i, p := range pieces {
		v.special[i] = len(p) == 0 || special != nil && special(Token(i))
		if v.special[i] {
			continue
		}
		ids = append(ids, int32(i))
		setBit(v.ordinary, i)
		if !bytes.ContainsAny(p, "\"'\\,:{}[]()=") && len(p) > 1 {
			setBit(v.plain, i)
		}
		v.depth = max(v.depth, len(p))
		if !stringSafe(p) {
			setBit(v.odd, i)
			v.longest = max(v.longest, len(p))
			continue
		}
		n := utf8.RuneCount(p)
		v.longest = max(v.longest, n)
		if n > countedSlices {
			v.long = append(v.long, longToken{int32(i), uint32(n)})
		}
		for k := n; k <= countedSlices; k++ {
			setBit(v.counted[k], i)
		}
	}
	slices.SortStableFunc(ids, func(a, b int32) int { return bytes.Compare(pieces[a], pieces[b]) })
	v.all = newTrie(pieces, ids)
	v.classes = newTokenClasses(&v.all, v.depth, v.words)
	for k, quote := range []byte{'"', '\''} {
		var holding []int32
		for _, id := range ids {
			if bytes.IndexByte(pieces[id], quote) >= 0 {
				holding = append(holding, id)
			}
		}
		v.quoted[k] = newTrie(pieces, holding)
		v.endings[k] = newEndings(pieces, holding, quote)
	}
	return v
}

// quoteIndex is the place of a quote in the tables, or -1.
func quoteIndex(quote byte) int {
	switch quote {
	case '"':
		return 0
	case '\'':
		return 1
	}
	return -1
}

// Len is the number of ids.
func (v *Vocabulary) Len() int { return len(v.pieces) }

// Words is the length of a mask in 64-bit words.
func (v *Vocabulary) Words() int { return v.words }

func setBit(mask []uint64, i int)      { mask[i>>6] |= 1 << (i & 63) }
func hasBit(mask []uint64, i int) bool { return mask[i>>6]>>(i&63)&1 != 0 }
func stringSafeByte(c byte) bool       { return c >= 0x20 && c != '"' && c != '\\' }
func commonPrefix(a, b []byte) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func stringSafe(p []byte) bool {
	for _, c := range p {
		if !stringSafeByte(c) {
			return false
		}
	}
	return utf8.Valid(p)
}

func newTrie(pieces [][]byte, sorted []int32) trie {
	var t trie
	var path []int
	var previous []byte
	for _, id := range sorted {
		p := pieces[id]
		keep := commonPrefix(previous, p)
		for len(path) > keep {
			t.nodes[path[len(path)-1]].end = uint32(len(t.nodes))
			path = path[:len(path)-1]
		}
		for d := keep; d < len(p); d++ {
			path = append(path, len(t.nodes))
			t.nodes = append(t.nodes, node8{token: -1, next: -1, depth: uint16(d), b: p[d]})
		}
		n := &t.nodes[path[len(path)-1]]
		if n.token >= 0 {
			t.same = append(t.same, sameToken{n.token, n.next})
			n.next = int32(len(t.same) - 1)
		}
		n.token = id
		previous = p
	}
	for _, i := range path {
		t.nodes[i].end = uint32(len(t.nodes))
	}
	for b := range t.first {
		t.first[b] = noLimit
	}
	for at := uint32(0); at < uint32(len(t.nodes)); at = t.nodes[at].end {
		t.first[t.nodes[at].b] = at
	}
	return t
}
