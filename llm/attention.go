package llm

import (
	"math"

	"github.com/drover-ai/drover/simd"
)

// rowsAtOnce is how many query heads of a group are attended together; larger groups take several rounds.
const rowsAtOnce = 8

// attendTokens is how many tokens share what is read of the KV cache, at most: enough that reading it costs little beside
// computing, few enough that their sums stay in a near cache.
const attendTokens = 32

// attend computes attention of all tokens and heads of a layer. An item is a key and value head of one token; consecutive
// items share the head, and go through its keys and values together.
func (p *pass) attend(layer int) {
	p.step.layer = layer
	items := p.model.config.NKVHeads * p.n
	p.job.run(items, max(min(items/(4*p.job.pool.threads), attendTokens), 1), p.functions[attendStep])
}

func (p *pass) attendItems(begin, end int) {
	for begin < end {
		head, token := begin/p.n, begin%p.n
		tokens := min(end-begin, p.n-token)
		p.attendHead(head, token, token+tokens)
		begin += tokens
	}
}

// attendHead computes, for the tokens [begin, end), the query heads that share a key and value head (grouped-query attention):
// each head's result is the mean of the values of all positions up to the token's, weighted by the softmax of query·key/√headDim.
//
// It goes through the cache block by block, once for all tokens, and keeps a running maximum for each token and head, so that
// it needs no memory for the scores. What a token computes does not depend on the others.
func (p *pass) attendHead(kvHead, begin, end int) {
	c := &p.model.config
	group := c.NHeads / c.NKVHeads
	for token := begin; token < end; token++ {
		clear(p.group(p.attended, token, kvHead))
		clear(p.group(p.sums, token, kvHead))
		most := p.group(p.most, token, kvHead)
		for h := range most {
			most[h] = float32(math.Inf(-1))
		}
	}
	const stopCheck = 1 << 20 // multiply-adds
	unchecked := 0
	for block := 0; block*kvBlockLength < p.first+end; block++ {
		if unchecked += 2 * (end - begin) * group * c.HeadDim * kvBlockLength; unchecked > stopCheck {
			if unchecked = 0; p.job.stopped() {
				return
			}
		}
		// Tokens before the block's first position do not see it.
		for token := max(begin, block*kvBlockLength-p.first); token < end; token++ {
			p.attendBlock(kvHead, token, block, p.scores[(kvHead*p.n+begin)*rowsAtOnce*kvBlockLength:])
		}
	}
	for token := begin; token < end; token++ {
		attended, sums := p.group(p.attended, token, kvHead), p.group(p.sums, token, kvHead)
		for h, sum := range sums {
			inverse := 1 / sum
			head := attended[h*c.HeadDim:][:c.HeadDim]
			for d := range head {
				head[d] *= inverse
			}
		}
	}
}

// group returns the part of a buffer [n, nHeads, …] that belongs to a token's query heads of a key and value head.
func (p *pass) group(buffer []float32, token, kvHead int) []float32 {
	of := p.token(buffer, token)
	width := len(of) / p.model.config.NKVHeads
	return of[kvHead*width:][:width]
}

// attendBlock adds a block of the cache to a token's group of query heads.
func (p *pass) attendBlock(kvHead, token, block int, scores []float32) {
	c := &p.model.config
	scale := float32(1 / math.Sqrt(float64(c.HeadDim)))
	positions := min(kvBlockLength, p.first+token+1-block*kvBlockLength)
	keys, values := p.cache.keys(block, p.step.layer, kvHead), p.cache.values(block, p.step.layer, kvHead)
	next := values // when there is no further block
	if further := block + 1; further*kvBlockLength <= p.first+token {
		next = p.cache.keys(further, p.step.layer, kvHead)
	}
	queries, out := p.group(p.query, token, kvHead), p.group(p.attended, token, kvHead)
	most, sums := p.group(p.most, token, kvHead), p.group(p.sums, token, kvHead)
	for h := 0; h < len(most); h += rowsAtOnce {
		rows := min(rowsAtOnce, len(most)-h)
		from, to := h*c.HeadDim, (h+rows)*c.HeadDim
		scores := scores[:rows*kvBlockLength]
		simd.AttendScores(scores, queries[from:to], keys, values, rows, positions)
		simd.OnlineSoftmax(scores, scale, most[h:h+rows], sums[h:h+rows], out[from:to], positions)
		simd.AttendSum(out[from:to], scores, values, next, rows, positions)
	}
}
