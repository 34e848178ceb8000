package llm

import (
	"context"

	"github.com/drover-ai/drover/simd"
)

// The steps of a forward pass. Each has a method that describes the step and hands it to the threads, and one that computes
// a range of it. No result depends on how a step was divided.

// normalize makes RMSNorm(x) the activations of up to three matrices.
func (p *pass) normalize(weight []float32, matrices ...*simd.Matrix) {
	p.step.weight, p.step.source = weight, p.h
	p.prepare(matrices...)
	p.eachToken(normalizeStep)
}

func (p *pass) normalizeTokens(begin, end int) {
	for i := begin; i < end; i++ {
		simd.RMSNorm(p.token(p.h, i), p.token(p.x, i), p.step.weight, p.model.config.RMSNormEps)
	}
	p.quantizeTokens(begin, end)
}

// quantize makes source the activations of a matrix.
func (p *pass) quantize(source []float32, m *simd.Matrix) {
	p.step.source = source
	p.prepare(m)
	p.eachToken(quantizeStep)
}

func (p *pass) quantizeTokens(begin, end int) { p.activations.SetRange(p.step.source, begin, end) }

// prepare makes room for the activations of matrices that have the same columns, in the forms that they need.
func (p *pass) prepare(matrices ...*simd.Matrix) {
	var formats [3]simd.Format
	for i, m := range matrices {
		formats[i] = m.Format()
	}
	p.activations.Resize(p.n, matrices[0].Cols(), formats[:len(matrices)]...)
}

// Bounds of what a thread takes at a time: enough to be worth taking, little enough that the last to finish makes nobody wait
// long, and that a pass can be given up within milliseconds, with the plain-Go kernels too.
const (
	chunkBytes = 256 << 10 // of weights
	chunkMAdds = 16 << 20  // multiply-adds
)

// multiply multiplies the activations by several matrices. The rows of all of them are shared out together, so that there is
// one wait for them, not one a matrix.
func (p *pass) multiply(products ...product) {
	p.step.products = append(p.step.products[:0], products...)
	p.step.ends = p.step.ends[:0]
	panels, bytes := 0, 0
	for _, product := range products {
		panels += (product.matrix.Rows() + simd.RowAlign - 1) / simd.RowAlign
		bytes += product.matrix.Bytes()
		p.step.ends = append(p.step.ends, panels)
	}
	chunk := panels / (4 * p.job.pool.threads)
	chunk = min(chunk, chunkBytes/max(bytes/panels, 1))
	chunk = min(chunk, chunkMAdds/(simd.RowAlign*p.activations.Cols()*p.n))
	p.job.run(panels, max(chunk, 1), p.functions[multiplyStep])
}

// multiplyPanels computes the panels of 16 rows [begin, end), counted over all products.
func (p *pass) multiplyPanels(begin, end int) {
	start := 0
	for i, product := range p.step.products {
		stop := p.step.ends[i]
		if from, to := max(begin, start), min(end, stop); from < to {
			simd.MatMul(product.out, product.matrix, &p.activations,
				(from-start)*simd.RowAlign, min((to-start)*simd.RowAlign, product.matrix.Rows()))
		}
		start = stop
	}
}

// attention lets the tokens of each session look at the keys and values of their own.
func (p *pass) attention(layer int) {
	if len(p.parts) == 1 {
		p.rotateAndStore(layer)
		p.attend(layer)
		return
	}
	all, begin := p.view, 0
	for _, part := range p.parts {
		p.view = all.of(begin, len(part.tokens), part.session)
		p.rotateAndStore(layer)
		p.attend(layer)
		begin += p.n
	}
	p.view = all
}

// rotateAndStore applies RoPE to queries and keys, and puts keys and values into the cache, rounded to float16.
func (p *pass) rotateAndStore(layer int) {
	p.step.layer = layer
	p.eachToken(rotateStep)
}

func (p *pass) rotateTokens(begin, end int) {
	c := &p.model.config
	for i := begin; i < end; i++ {
		cos, sin := p.token(p.cos, i), p.token(p.sin, i)
		key, value := p.token(p.key, i), p.token(p.value, i)
		simd.RoPE(p.token(p.query, i), cos, sin)
		simd.RoPE(key, cos, sin)
		rotated := tokensOf(p.rotated, p.n, i, 1)
		simd.EncodeFloat16(rotated, key)
		block, at := (p.first+i)/kvBlockLength, (p.first+i)%kvBlockLength
		for h := range c.NKVHeads {
			head := h * c.HeadDim
			keys := p.cache.keys(block, p.step.layer, h)[at:]
			for d, k := range rotated[head:][:c.HeadDim] {
				keys[d*kvBlockLength] = k
			}
			simd.EncodeFloat16(p.cache.values(block, p.step.layer, h)[at*c.HeadDim:][:c.HeadDim], value[head:][:c.HeadDim])
		}
	}
}

// swiglu makes silu(gate)·up the activations of the down projection.
func (p *pass) swiglu(down *simd.Matrix) {
	p.step.source = p.gate
	p.prepare(down)
	p.eachToken(swigluStep)
}

func (p *pass) swigluTokens(begin, end int) {
	for i := begin; i < end; i++ {
		simd.SwiGLU(p.token(p.gate, i), p.token(p.gate, i), p.token(p.up, i))
	}
	p.quantizeTokens(begin, end)
}

// addToResidual adds h to the residual stream.
func (p *pass) addToResidual() { p.eachToken(addStep) }

func (p *pass) addTokens(begin, end int) {
	for i := begin; i < end; i++ {
		simd.Add(p.token(p.x, i), p.token(p.h, i))
	}
}

// visitLogits computes the logits [vocabSize] of what follows each of the last tokens and hands them to visit, which may be
// nil. Those of the last token are left in last.
func (p *pass) visitLogits(ctx context.Context, last []float32, tokens int, visit func(position int, logits []float32) error) error {
	for i := p.n - tokens; i < p.n; i += logitsAtOnce {
		n, out := min(logitsAtOnce, p.n-i), last
		if n > 1 {
			p.rows = resize(p.rows, n*len(last))
			out = p.rows
		}
		p.logits(out, i, n)
		if err := p.stopped(ctx); err != nil {
			return err
		}
		for k := range n {
			row := out[k*len(last):][:len(last)]
			if visit != nil {
				if err := visit(p.first+i+k, row); err != nil {
					return err
				}
			}
			if n > 1 && i+k == p.n-1 {
				copy(last, row)
			}
		}
	}
	return nil
}

// logits sets out to the logits [n, vocabSize] of what follows n tokens from i on: the LM head times the last norm.
func (p *pass) logits(out []float32, i, n int) {
	x, h, all := p.x, p.h, p.n
	dim := len(x) / all
	p.x, p.h, p.n = x[i*dim:][:n*dim], h[i*dim:][:n*dim], n
	p.normalize(p.model.norm, p.model.lmHead)
	p.multiply(product{out, p.model.lmHead})
	p.x, p.h, p.n = x, h, all
}

// visitHidden hands each token's state [dim], after the last norm, to visit, with the part that it belongs to.
func (p *pass) visitHidden(visit func(part, position int, hidden []float32) error) error {
	i := 0
	for k, part := range p.parts {
		for j := range part.tokens {
			hidden := p.token(p.h, i)
			simd.RMSNorm(hidden, p.token(p.x, i), p.model.norm, p.model.config.RMSNormEps)
			if err := visit(k, len(part.session.tokens)+j, hidden); err != nil {
				return err
			}
			i++
		}
	}
	return nil
}
