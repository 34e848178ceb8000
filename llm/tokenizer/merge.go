package tokenizer

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
	if len(piece) <= middlePiece {
		var parts [middlePiece + 1]part
		var queue [2 * middlePiece]uint64
		return t.mergeLong(dst, piece, parts[:], queue[:0])
	}
	return t.mergeLong(dst, piece, make([]part, len(piece)+1), make([]uint64, 0, 2*len(piece)))
}

const (
	shortPiece  = 20  // up to where looking at all pairs again is faster than keeping them in a heap
	middlePiece = 256 // up to where the heap is on the stack
)

// mergeShort merges the adjacent pair of the lowest rank, the leftmost of several, until none is left.
func (t *Tokenizer) mergeShort(dst []Token, piece string) []Token {
	// Part i begins at starts[i] and has the token ids[i]; ranks[i] is that of part i joined with part i+1.
	var starts [shortPiece + 1]int
	var ids, ranks [shortPiece]Token
	n := len(piece)
	for i := range n {
		starts[i], ids[i], ranks[i] = i, t.bytes[piece[i]], noToken
		if i+2 <= n {
			ranks[i] = t.ranks.pair(piece[i], piece[i+1])
		}
	}
	starts[n] = n
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
		ids[best] = ranks[best]
		copy(starts[best+1:n], starts[best+2:n+1])
		copy(ids[best+1:n-1], ids[best+2:n])
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
	return append(dst, ids[:n]...)
}

// part is a part of a piece, which begins at its index: a list in order.
type part struct {
	before, after int32 // where the neighbors begin
	id            Token
	rank          Token // of this part joined with the next one
}

// mergeLong does the same with a heap: n log n steps, so that a megabyte of one letter is no trap. parts has an element for
// each byte and one for the end.
func (t *Tokenizer) mergeLong(dst []Token, piece string, parts []part, heap []uint64) []Token {
	n := len(piece)
	for i := range n {
		parts[i] = part{int32(i - 1), int32(i + 1), t.bytes[piece[i]], noToken}
		if i+2 <= n {
			if rank := t.ranks.pair(piece[i], piece[i+1]); rank != noToken {
				parts[i].rank = rank
				heap = append(heap, merge(rank, i))
			}
		}
	}
	for i := len(heap)/2 - 1; i >= 0; i-- {
		siftDown(heap, i)
	}
	for len(heap) > 0 {
		rank, left := Token(heap[0]>>32), int(uint32(heap[0]))
		last := len(heap) - 1
		heap[0] = heap[last]
		heap = heap[:last]
		siftDown(heap, 0)
		p := &parts[left]
		if p.rank != rank { // one of the two has been merged since
			continue
		}
		middle := int(p.after)
		end := int(parts[middle].after)
		parts[middle].rank = noToken
		p.after, p.id, p.rank = int32(end), rank, noToken
		if end < n {
			parts[end].before = int32(left)
			if p.rank = t.ranks.find(piece[left:parts[end].after]); p.rank != noToken {
				heap = push(heap, merge(p.rank, left))
			}
		}
		if before := int(p.before); before >= 0 {
			b := &parts[before]
			if b.rank = t.ranks.find(piece[before:end]); b.rank != noToken {
				heap = push(heap, merge(b.rank, before))
			}
		}
	}
	for i := 0; i < n; i = int(parts[i].after) {
		dst = append(dst, parts[i].id)
	}
	return dst
}

// merge is an entry of the heap: the lowest rank first, of equal ones the leftmost.
func merge(rank Token, left int) uint64 { return uint64(rank)<<32 | uint64(left) }

func push(heap []uint64, entry uint64) []uint64 {
	heap = append(heap, entry)
	i := len(heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if heap[parent] <= entry {
			break
		}
		heap[i] = heap[parent]
		i = parent
	}
	heap[i] = entry
	return heap
}

func siftDown(heap []uint64, i int) {
	if i >= len(heap) {
		return
	}
	entry := heap[i]
	for {
		child := 2*i + 1
		if child >= len(heap) {
			break
		}
		if right := child + 1; right < len(heap) && heap[right] < heap[child] {
			child = right
		}
		if entry <= heap[child] {
			break
		}
		heap[i] = heap[child]
		i = child
	}
	heap[i] = entry
}
