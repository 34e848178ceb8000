package grammar

import (
	"slices"
	"sort"
)

// values holds what a grammar knows about JSON: one valueNode for every set of schemas that a value may
// have to satisfy, and the shapes of its strings, scalars, arrays and objects.
type values struct {
	nodes   []valueNode
	strings []stringShape
	scalars []*table // numbers, true, false, null and enumerated ones
	arrays  []arrayShape
	objects []objectShape
}

// valueNode lists the ways in which a value may be written.
type valueNode struct {
	strings, scalars, arrays, objects []uint32
	space                             int    // most white space before it
	cost                              uint32 // fewest bytes
	first                             class  // bytes that can come first, white space included
	scalarFirst                       class  // those of scalars
}

// stringShape is a string between quotes.
type stringShape struct {
	table       *table
	quote       byte
	least, most uint32 // characters
	counted     bool   // the number of characters matters
	lengths     stringLengths
}

// arrayShape is an array. Counts are kept in the stack cell, not in the code.
type arrayShape struct {
	spelling    *spelling
	prefix      []itemShape
	rest        itemShape
	least, most uint32
	contains    []containsShape
	counts      *itemCounts // if there are contains
	words       *wordTrie   // the finitely many items of a unique array
	unique      bool
	distinct    []uint32 // unique arrays: cost of an item that differs from none, one, two … others
}

// itemShape is what may stand at a place: item, or, bit by bit of the index, what also matches contains.
type itemShape struct {
	choices []uint32 // value nodes, by the set of contains that they match; noLimit if there is none
}

type containsShape struct{ least, most uint32 }

// objectShape is an object. Names are sorted by their spelling.
type objectShape struct {
	spelling    *spelling
	names       wordTrie
	value       []uint32 // by name: value node, noLimit if the name is not allowed
	live        []uint64 // names that are allowed
	required    []uint64
	rank        []uint32 // by name: place in the order, if ordered
	byRank      []uint32
	ordered     bool
	bare        bool      // arguments of a call: no braces, names without quotes
	others      *table    // further names; nil if there are none
	otherCount  []uint32  // by state of others: how many names there are from it on; noLimit if very many
	otherValue  []uint32  // by state of others: value node, noLimit if no name ends here
	otherSame   uint32    // the value of all further names, noLimit if it is not the same for all
	otherCosts  nameCosts // of the cheapest members with further names, as many as there may have to be
	otherCost   []uint32  // by state of others: fewest bytes to the end of the member
	endCost     []uint32  // by state of others: the same if the name ends there, noLimit if none does
	trieCost    []uint32  // by node of names: fewest bytes to the end of a member whose name is a further one
	memberCost  []uint32  // by name: bytes of the member, its comma included
	byCost      []uint32  // names that are allowed, the cheapest first
	endless     bool      // whatever a name has begun with, it can become any number of names that are not declared
	least, most uint32
	cost        uint32 // fewest bytes
	words       int    // words of a set of names
}

// wordTrie is a byte trie over sorted words; the words below a node are consecutive.
type wordTrie struct {
	nodes []trieNode
	edges []trieEdge
	words []string
}

type trieNode struct {
	first, count uint32 // edges
	low, high    uint32 // words below
	word         int32  // the word that ends here, or -1
	other        int32  // state of the others table after the same bytes, or -1
	overlap      uint32 // words below that others would accept
}

type trieEdge struct {
	b  byte
	to uint32
}

// newWordTrie builds a trie of sorted, distinct words. other, if there is one, follows the same bytes.
func newWordTrie(words []string, other *table) wordTrie {
	t := wordTrie{words: words}
	type span struct {
		low, high, depth int
		other            int32
	}
	spans := []span{{0, len(words), 0, 0}}
	t.nodes = append(t.nodes, trieNode{})
	for at := 0; at < len(spans); at++ {
		s := spans[at]
		n := trieNode{first: uint32(len(t.edges)), low: uint32(s.low), high: uint32(s.high), word: -1, other: -1}
		if other != nil {
			n.other = s.other
		}
		i := s.low
		if i < s.high && len(words[i]) == s.depth {
			n.word = int32(i)
			i++
		}
		for i < s.high {
			b := words[i][s.depth]
			j := i + sort.Search(s.high-i, func(k int) bool { return words[i+k][s.depth] > b })
			t.edges = append(t.edges, trieEdge{b, uint32(len(spans))})
			below := int32(-1)
			if n.other >= 0 {
				below = other.step(n.other, b)
			}
			spans = append(spans, span{i, j, s.depth + 1, below})
			t.nodes = append(t.nodes, trieNode{})
			i = j
		}
		n.count = uint32(len(t.edges)) - n.first
		t.nodes[at] = n
	}
	return t
}

// step follows b, or returns -1.
func (t *wordTrie) step(state uint32, b byte) int32 {
	n := &t.nodes[state]
	edges := t.edges[n.first : n.first+n.count]
	if len(edges) > 8 {
		i := sort.Search(len(edges), func(i int) bool { return edges[i].b >= b })
		if i < len(edges) && edges[i].b == b {
			return int32(edges[i].to)
		}
		return -1
	}
	for _, e := range edges {
		if e.b == b {
			return int32(e.to)
		}
	}
	return -1
}

// bits of sets of names.
func setWords(n int) int { return (n + 63) / 64 }

// sortedIndex sorts words and tells where each came from.
func sortedIndex(words []string) (sorted []string, from []int) {
	from = make([]int, len(words))
	for i := range from {
		from[i] = i
	}
	slices.SortFunc(from, func(a, b int) int {
		switch {
		case words[a] < words[b]:
			return -1
		case words[a] > words[b]:
			return 1
		}
		return 0
	})
	for _, i := range from {
		sorted = append(sorted, words[i])
	}
	return sorted, from
}
