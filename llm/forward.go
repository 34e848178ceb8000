package llm

import (
	"context"
	"math"
	"sync"

	"github.com/drover-ai/drover/simd"
)

// batchLength is how many tokens one forward pass takes at most: enough that weights are read from memory once for many
// tokens, few enough that the buffers stay small.
const batchLength = 128

// wanted says what a forward pass computes beside keys and values. The LM head is a fifth of the work of Llama 3.2 1B.
type wanted struct {
	logits int  // of so many tokens at the end
	hidden bool // instead of logits, the state of every token, which the LM head would multiply, before it is rounded
}

// lastLogits, allLogits and hiddenStates are what is wanted as a rule.
var (
	lastLogits   = wanted{logits: 1}
	allLogits    = wanted{logits: math.MaxInt}
	hiddenStates = wanted{hidden: true}
)

// before is what is wanted of tokens that n more follow.
func (w wanted) before(n int) wanted { return wanted{max(w.logits-n, 0), w.hidden} }

// logitsAtOnce is how many tokens' logits are computed together: enough for a draft, of which each token would otherwise
// read the LM head anew.
const logitsAtOnce = 16

// forward runs n tokens, which follow those in the session, through the network and leaves their keys and values in the
// session's cache. It is the only forward pass: decoding is n = 1. The steps are those of Llama (Touvron et al. 2023;
// meta-llama/llama-models, models/llama3/model.py); each is a method of pass, which shares it out to the threads.
func (m *Model) forward(ctx context.Context, s *Session, tokens []Token, want wanted, visit func(int, []float32) error) error {
	p := m.passes.get()
	defer m.passes.put(p)
	p.parts = append(p.parts[:0], part{s, tokens})
	p.begin(ctx)
	defer p.end()
	if err := p.layers(ctx); err != nil {
		return err
	}
	if want.hidden {
		return p.visitHidden(func(_, position int, hidden []float32) error { return visit(position, hidden) })
	}
	return p.visitLogits(ctx, s.logits, min(want.logits, len(tokens)), visit)
}

// layers runs the tokens through all layers.
func (p *pass) layers(ctx context.Context) error {
	// x [n, dim] is the residual stream: each token's embedding, to which every step adds.
	i := 0
	for _, part := range p.parts {
		for _, token := range part.tokens {
			p.model.embedding.Row(p.token(p.x, i), int(token))
			i++
		}
	}
	for i, l := range p.model.layers {
		// Attention: each token's query looks at the keys of all tokens so far and takes a mean of their values.
		p.normalize(l.attentionNorm, l.query, l.key, l.value)
		p.multiply(product{p.query, l.query}, product{p.key, l.key}, product{p.value, l.value})
		p.attention(i)
		p.quantize(p.attended, l.output)
		p.multiply(product{p.h, l.output})
		p.addToResidual()

		// Feed-forward: x += down(silu(gate(x)) · up(x)).
		p.normalize(l.ffnNorm, l.gate, l.up)
		p.multiply(product{p.gate, l.gate}, product{p.up, l.up})
		p.swiglu(l.down)
		p.multiply(product{p.h, l.down})
		p.addToResidual()

		if err := p.stopped(ctx); err != nil {
			return err
		}
	}
	return nil
}

// part is tokens of a pass that follow those in a session.
type part struct {
	session *Session
	tokens  []Token
}

// pass is the working memory of a forward pass over n tokens, of one session or of several. It is reused, so that a pass
// allocates nothing.
type pass struct {
	model *Model
	job   *job
	parts []part
	view  // of all tokens; while attention is computed, of one part's

	x, h        []float32 // [n, dim] residual stream; what a step reads or adds
	gate, up    []float32 // [n, hiddenDim]
	rows        []float32 // [logitsAtOnce, vocabSize] logits of several tokens
	activations simd.Activations

	step      step
	functions [stepCount]func(begin, end int)
}

// view is what attention reads and writes: n tokens that follow each other in one session's cache.
type view struct {
	n     int // tokens
	first int // position of the first
	cache *kvCache

	query, attended []float32 // [n, nHeads, headDim]
	key, value      []float32 // [n, nKVHeads, headDim]
	cos, sin        []float32 // [n, headDim/2]
	rotated         []uint16  // [n, nKVHeads, headDim] the keys in float16
	scores          []float32 // [nKVHeads, n, rowsAtOnce, kvBlockLength]
	most, sums      []float32 // [n, nHeads] of the softmax so far
}

// of returns the view of n tokens from one on, which belong to a session.
func (v view) of(begin, n int, s *Session) view {
	rows := func(buffer []float32) []float32 { return tokensOf(buffer, v.n, begin, n) }
	return view{
		n: n, first: len(s.tokens), cache: &s.cache,
		query: rows(v.query), attended: rows(v.attended), key: rows(v.key), value: rows(v.value),
		cos: rows(v.cos), sin: rows(v.sin), rotated: tokensOf(v.rotated, v.n, begin, n),
		scores: rows(v.scores), most: rows(v.most), sums: rows(v.sums),
	}
}

// step is what the functions that threads run read, besides the buffers: the arguments of the step at hand.
type step struct {
	layer    int
	weight   []float32 // [dim] of a norm
	source   []float32 // activations to be quantized
	products []product
	ends     []int // products[i] ends before this panel, counted over all products
}

// product is a matrix to multiply the activations by, and where the result goes: [n, matrix.Rows()].
type product struct {
	out    []float32
	matrix *simd.Matrix
}

// The functions that threads run, bound once: a closure made for each step would be garbage.
const (
	normalizeStep = iota
	quantizeStep
	multiplyStep
	rotateStep
	attendStep
	swigluStep
	addStep
	stepCount
)

func newPass(m *Model) *pass {
	p := &pass{model: m, job: newJob(m.pool, &m.closed)}
	p.functions = [stepCount]func(begin, end int){
		normalizeStep: p.normalizeTokens, quantizeStep: p.quantizeTokens, multiplyStep: p.multiplyPanels,
		rotateStep: p.rotateTokens, attendStep: p.attendItems, swigluStep: p.swigluTokens, addStep: p.addTokens,
	}
	return p
}

// passList keeps passes for reuse, as many as compute at the same time at full speed. A sync.Pool would give their megabytes
// to every other garbage collection.
type passList struct {
	make func() *pass
	keep int

	mu   sync.Mutex
	free []*pass
}

func (l *passList) get() *pass {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.free)
	if n == 0 {
		return l.make()
	}
	p := l.free[n-1]
	l.free = l.free[:n-1]
	return p
}

func (l *passList) put(p *pass) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.free) < l.keep {
		l.free = append(l.free, p)
	}
}

// resize returns a slice of n elements in s's memory if it is large enough.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// begin prepares for the tokens of the parts, each at the end of its session.
func (p *pass) begin(ctx context.Context) {
	c := &p.model.config
	p.job.enter(ctx.Done())
	n := 0
	for _, part := range p.parts {
		n += len(part.tokens)
	}
	p.n = n
	p.x, p.h = resize(p.x, n*c.Dim), resize(p.h, n*c.Dim)
	p.query, p.attended = resize(p.query, n*c.NHeads*c.HeadDim), resize(p.attended, n*c.NHeads*c.HeadDim)
	p.key, p.value = resize(p.key, n*c.NKVHeads*c.HeadDim), resize(p.value, n*c.NKVHeads*c.HeadDim)
	p.gate, p.up = resize(p.gate, n*c.HiddenDim), resize(p.up, n*c.HiddenDim)
	p.cos, p.sin = resize(p.cos, n*c.HeadDim/2), resize(p.sin, n*c.HeadDim/2)
	p.rotated = resize(p.rotated, n*c.NKVHeads*c.HeadDim)
	p.scores = resize(p.scores, c.NKVHeads*n*rowsAtOnce*kvBlockLength)
	p.most, p.sums = resize(p.most, n*c.NHeads), resize(p.sums, n*c.NHeads)
	all, begin := p.view, 0
	for _, part := range p.parts {
		v := all.of(begin, len(part.tokens), part.session)
		v.cache.reserve(v.first, v.first+v.n)
		ropeAngles(v.cos, v.sin, p.model.rope, v.first, v.n)
		begin += v.n
	}
	if len(p.parts) == 1 {
		p.view = all.of(0, n, p.parts[0].session)
	}
}

// end lets go of the session.
func (p *pass) end() {
	p.job.leave()
	p.cache, p.step.source, p.step.weight = nil, nil, nil
	clear(p.step.products)
	clear(p.parts)
}

// stopped returns the error of a pass that is to be given up: the context's, or ErrClosed. Once it does, all further steps
// do nothing.
func (p *pass) stopped(ctx context.Context) error {
	if !p.job.stopped() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return ErrClosed
}

// token returns token i's part of a buffer with the same number of values for each of the n tokens.
func (p *pass) token(buffer []float32, i int) []float32 { return tokensOf(buffer, p.n, i, 1) }

// tokensOf returns the part of n tokens from one on, of a buffer of all tokens.
func tokensOf[T any](buffer []T, all, begin, n int) []T {
	width := len(buffer) / all
	return buffer[begin*width:][:n*width]
}

// eachToken runs one of the functions over all tokens.
func (p *pass) eachToken(function int) {
	p.job.run(p.n, max(1, p.n/(4*p.job.pool.threads)), p.functions[function])
}
