package llm

import (
	"context"
	"math"

	"github.com/drover-ai/drover/simd"
)

// batchLength is how many tokens one forward pass takes at most: enough that weights are read from memory once for many
// tokens, few enough that the buffers stay small.
const batchLength = 128

// wanted says which logits a forward pass computes. The LM head is a fifth of the work of Llama 3.2 1B.
type wanted int

const (
	noLogits wanted = iota
	lastLogits
	allLogits
)

// forward runs n tokens, which follow those in the session, through the network and leaves their keys and values in the
// session's cache. It is the only forward pass: decoding is n = 1. The steps are those of Llama (Touvron et al. 2023;
// meta-llama/llama-models, models/llama3/model.py).
func (m *Model) forward(ctx context.Context, s *Session, tokens []Token, want wanted, visit func(int, []float32) error) error {
	p := m.passes.Get().(*pass)
	defer m.passes.Put(p)
	p.job.enter(ctx.Done())
	defer p.job.leave()
	p.begin(s, tokens)

	for i, token := range tokens {
		m.embedding.Row(p.x[i*m.config.Dim:][:m.config.Dim], int(token))
	}
	for i := range m.layers {
		l := &m.layers[i]
		p.normalize(l.attentionNorm, l.query, l.key, l.value)
		p.multiply(product{p.query, l.query}, product{p.key, l.key}, product{p.value, l.value})
		p.rotateAndStore(i)
		p.attend(i)
		p.take(p.attended, l.output)
		p.multiply(product{p.h, l.output})
		simd.Add(p.x, p.h)

		p.normalize(l.ffnNorm, l.gate, l.up, l.gate)
		p.multiply(product{p.gate, l.gate}, product{p.up, l.up})
		simd.SwiGLU(p.gate, p.gate, p.up)
		p.take(p.gate, l.down)
		p.multiply(product{p.h, l.down})
		simd.Add(p.x, p.h)
		if p.job.stopped() {
			return p.whyStopped(ctx)
		}
	}
	return p.logits(ctx, s, want, visit)
}

// pass is the working memory of a forward pass over n tokens. It is reused, so that a pass allocates nothing.
type pass struct {
	model *Model
	job   *job

	n     int // tokens
	first int // position of the first
	cache *kvCache

	x, h            []float32 // [n, Dim] residual stream; input of a layer or what it adds
	query, attended []float32 // [n, NHeads, HeadDim]
	key, value      []float32 // [n, NKVHeads, HeadDim]
	gate, up        []float32 // [n, HiddenDim]
	cos, sin        []float32 // [n, HeadDim/2]
	activations     simd.Activations
	products        []product
	layer           int
	multiplyRows    func(begin, end int)
	attendHeads     func(begin, end int)
	rowsEnd         []int // products[i] ends before this panel, counted over all products
}

// product is a matrix to multiply the activations by, and where the result goes: [n, matrix.Rows()].
type product struct {
	out    []float32
	matrix *simd.Matrix
}

func newPass(m *Model) *pass {
	p := &pass{model: m, job: newJob(m.pool, &m.closed)}
	p.multiplyRows, p.attendHeads = p.multiplyPanels, p.attendItems
	return p
}

// resize returns a slice of n elements in s's memory if it is large enough.
func resize(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// begin prepares for tokens at the end of a session.
func (p *pass) begin(s *Session, tokens []Token) {
	c, n := &p.model.config, len(tokens)
	p.n, p.first, p.cache = n, len(s.tokens), &s.cache
	p.cache.reserve(p.first, p.first+n)
	p.x, p.h = resize(p.x, n*c.Dim), resize(p.h, n*c.Dim)
	p.query, p.attended = resize(p.query, n*c.NHeads*c.HeadDim), resize(p.attended, n*c.NHeads*c.HeadDim)
	p.key, p.value = resize(p.key, n*c.NKVHeads*c.HeadDim), resize(p.value, n*c.NKVHeads*c.HeadDim)
	p.gate, p.up = resize(p.gate, n*c.HiddenDim), resize(p.up, n*c.HiddenDim)
	p.cos, p.sin = resize(p.cos, n*c.HeadDim/2), resize(p.sin, n*c.HeadDim/2)
	ropeAngles(p.cos, p.sin, p.model.rope, p.first, n)
}

// normalize makes the normalized residual stream the activations of up to three matrices.
func (p *pass) normalize(weight []float32, a, b, c *simd.Matrix) {
	simd.RMSNorm(p.h, p.x, weight, p.model.config.RMSNormEps)
	p.activations.Resize(p.n, p.model.config.Dim, a.Format(), b.Format(), c.Format())
	p.activations.SetRange(p.h, 0, p.n)
}

// take makes x the activations of a matrix.
func (p *pass) take(x []float32, m *simd.Matrix) {
	p.activations.Resize(p.n, m.Cols(), m.Format())
	p.activations.SetRange(x, 0, p.n)
}

// multiply multiplies the activations by several matrices. The rows of all of them are shared out to the threads together,
// so that there is one wait for them, not one a matrix.
func (p *pass) multiply(products ...product) {
	p.products = append(p.products[:0], products...)
	p.rowsEnd = p.rowsEnd[:0]
	panels, bytes := 0, 0
	for _, product := range products {
		panels += (product.matrix.Rows() + simd.RowAlign - 1) / simd.RowAlign
		bytes += product.matrix.Bytes()
		p.rowsEnd = append(p.rowsEnd, panels)
	}
	// A chunk is large enough to be worth taking, and small enough that the last one to be taken makes nobody wait long.
	const chunkBytes = 64 << 10
	chunk := max(1, min(panels/(4*p.job.pool.threads), panels*chunkBytes*8/max(bytes, 1)))
	p.job.run(panels, chunk, p.multiplyRows)
}

// multiplyPanels computes the panels of 16 rows [begin, end), counted over all products.
func (p *pass) multiplyPanels(begin, end int) {
	start := 0
	for i, product := range p.products {
		stop := p.rowsEnd[i]
		if from, to := max(begin, start), min(end, stop); from < to {
			rows := product.matrix.Rows()
			simd.MatMul(product.out, product.matrix, &p.activations,
				(from-start)*simd.RowAlign, min((to-start)*simd.RowAlign, rows))
		}
		start = stop
	}
}

// rotateAndStore applies RoPE to queries and keys, and puts keys and values into the cache.
func (p *pass) rotateAndStore(layer int) {
	c := &p.model.config
	half, heads, kvHeads := c.HeadDim/2, c.NHeads*c.HeadDim, c.NKVHeads*c.HeadDim
	for i := range p.n {
		cos, sin := p.cos[i*half:][:half], p.sin[i*half:][:half]
		simd.RoPE(p.query[i*heads:][:heads], cos, sin)
		simd.RoPE(p.key[i*kvHeads:][:kvHeads], cos, sin)
		block, at := (p.first+i)/kvBlockLength, (p.first+i)%kvBlockLength*c.HeadDim
		for h := range c.NKVHeads {
			from := i*kvHeads + h*c.HeadDim
			simd.EncodeFloat16(p.cache.keys(block, layer, h)[at:][:c.HeadDim], p.key[from:][:c.HeadDim])
			simd.EncodeFloat16(p.cache.values(block, layer, h)[at:][:c.HeadDim], p.value[from:][:c.HeadDim])
		}
	}
}

// attend computes attention for all tokens and heads of a layer. Consecutive items share their keys and values.
func (p *pass) attend(layer int) {
	p.layer = layer
	p.job.run(p.model.config.NKVHeads*p.n, max(1, p.n/4), p.attendHeads)
}

// attendItems computes the query heads of item = kvHead·n + token for the items [begin, end).
func (p *pass) attendItems(begin, end int) {
	c := &p.model.config
	group := c.NHeads / c.NKVHeads
	for item := begin; item < end; item++ {
		if p.job.stopped() {
			return
		}
		kvHead, token := item/p.n, item%p.n
		for h := kvHead * group; h < (kvHead+1)*group; h++ {
			at := (token*c.NHeads + h) * c.HeadDim
			p.attendHead(p.attended[at:][:c.HeadDim], p.query[at:][:c.HeadDim], kvHead, p.first+token+1)
		}
	}
}

// attendHead sets out to the mean of the values of positions [0, length), weighted by the softmax of their keys' products
// with the query. It goes block by block and keeps a running maximum, so that it needs no memory for the scores (Milakov
// and Gimelshein, Online normalizer calculation for softmax, 2018).
func (p *pass) attendHead(out, query []float32, kvHead, length int) {
	var scores [kvBlockLength]float32
	scale := float32(1 / math.Sqrt(float64(len(query))))
	most, sum := float32(math.Inf(-1)), float32(0)
	clear(out)
	for block := 0; block*kvBlockLength < length; block++ {
		weights := scores[:min(kvBlockLength, length-block*kvBlockLength)]
		simd.AttendScores(weights, query, p.cache.keys(block, p.layer, kvHead))
		sum *= simd.OnlineSoftmax(weights, scale, &most, out)
		for _, w := range weights {
			sum += w
		}
		simd.AttendSum(out, weights, p.cache.values(block, p.layer, kvHead))
	}
	inverse := 1 / sum
	for d := range out {
		out[d] *= inverse
	}
}

// logits computes what was asked for of the LM head.
func (p *pass) logits(ctx context.Context, s *Session, want wanted, visit func(int, []float32) error) error {
	if want == noLogits {
		return nil
	}
	dim, n := p.model.config.Dim, p.n
	from := n - 1
	if want == allLogits {
		from = 0
	}
	p.n = 1
	for i := from; i < n; i++ {
		simd.RMSNorm(p.h[:dim], p.x[i*dim:][:dim], p.model.norm, p.model.config.RMSNormEps)
		p.take(p.h[:dim], p.model.lmHead)
		p.multiply(product{s.logits, p.model.lmHead})
		if p.job.stopped() {
			return p.whyStopped(ctx)
		}
		if want == allLogits {
			if err := visit(p.first+i, s.logits); err != nil {
				return err
			}
		}
	}
	return nil
}

// whyStopped is the error of a pass that was given up.
func (p *pass) whyStopped(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return ErrClosed
}
