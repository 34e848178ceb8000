package tokenizer

import "container/heap"

// piece appends the tokens of one piece: its own token if it has one, else what merging its bytes comes to.
func (t *Tokenizer) piece(dst []Token, piece string) []Token {
	if len(piece) == 1 {
		return append(dst, t.bytes[piece[0]])
	}
	if id := t.ranks.find(piece); id != noToken {
		return append(dst, id)
	}
	if len(piece) <= shortPiece {
		return t.mergeShort(dst, piece)
	}
	return t.mergeLong(dst, piece)
}

// shortPiece is up to where looking at all pairs again is faster than keeping them in a heap.
const shortPiece = 160

// mergeShort merges the adjacent pair of the lowest rank, the leftmost of several, until none is left.
func (t *Tokenizer) mergeShort(dst []Token, piece string) []Token {
	// Part i begins at starts[i]; ranks[i] is the rank of part i joined with part i+1.
	var starts [shortPiece + 1]int
	var ranks [shortPiece + 1]Token
	n := len(piece)
	for i := range n + 1 {
		starts[i] = i
	}
	for i := range n {
		ranks[i] = noToken
		if i+2 <= n {
			ranks[i] = t.ranks.pairs[uint(piece[i])|uint(piece[i+1])<<8]
		}
	}
	for n > 1 {
		best := 0
		for i := 1; i < n-1; i++ {
			if ranks[i] < ranks[best] {
				best = i
			}
		}
		if ranks[best] == noToken {
			break
		}
		copy(starts[best+1:n], starts[best+2:n+1])
		copy(ranks[best+1:n-1], ranks[best+2:n])
		n--
		join := func(i int) Token {
			if i+2 > n {
				return noToken
			}
			return t.ranks.find(piece[starts[i]:starts[i+2]])
		}
		ranks[best] = join(best)
		if best > 0 {
			ranks[best-1] = join(best - 1)
		}
	}
	for i := range n {
		part := piece[starts[i]:starts[i+1]]
		if len(part) == 1 {
			dst = append(dst, t.bytes[part[0]])
		} else {
			dst = append(dst, t.ranks.find(part))
		}
	}
	return dst
}

// pair is a possible merge of the part that begins at left with the next one.
type pair struct {
	rank      Token
	left, end int // the bytes that the merge covers; a pair whose parts have changed since is stale
}

type pairs []pair

func (p pairs) Len() int { return len(p) }
func (p pairs) Less(i, j int) bool {
	return p[i].rank < p[j].rank || p[i].rank == p[j].rank && p[i].left < p[j].left
}
func (p pairs) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *pairs) Push(x any)   { *p = append(*p, x.(pair)) }
func (p *pairs) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

// mergeLong does the same with a heap: n log n steps, so that a megabyte of one letter is no trap.
func (t *Tokenizer) mergeLong(dst []Token, piece string) []Token {
	n := len(piece)
	after := make([]int32, n+1) // where the part that begins here ends; 0 inside of parts
	before := make([]int32, n+1)
	queue := make(pairs, 0, n)
	for i := range n {
		after[i], before[i+1] = int32(i+1), int32(i)
		if i+2 <= n {
			if r := t.ranks.pairs[uint(piece[i])|uint(piece[i+1])<<8]; r != noToken {
				queue = append(queue, pair{r, i, i + 2})
			}
		}
	}
	heap.Init(&queue)
	for len(queue) > 0 {
		p := heap.Pop(&queue).(pair)
		middle := int(after[p.left])
		if middle == 0 || middle == p.end || middle >= n || int(after[middle]) != p.end {
			continue
		}
		after[p.left], after[middle] = int32(p.end), 0
		before[p.end] = int32(p.left)
		if p.end < n {
			end := int(after[p.end])
			if r := t.ranks.find(piece[p.left:end]); r != noToken {
				heap.Push(&queue, pair{r, p.left, end})
			}
		}
		if p.left > 0 {
			start := int(before[p.left])
			if r := t.ranks.find(piece[start:p.end]); r != noToken {
				heap.Push(&queue, pair{r, start, p.end})
			}
		}
	}
	for i := 0; i < n; i = int(after[i]) {
		part := piece[i:after[i]]
		if len(part) == 1 {
			dst = append(dst, t.bytes[part[0]])
		} else {
			dst = append(dst, t.ranks.find(part))
		}
	}
	return dst
}
