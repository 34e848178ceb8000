package simd

import (
	"fmt"
	"runtime"
	"sync"
)

// MatMul sets out[t][r] = Σ_c m[r][c] · a[t][c] for every token t of a and the rows [rowBegin, rowEnd)
// of m. With one token this is the matvec of decode; it is bound by reading m once.
//
// out is shaped [a.Tokens()][m.Rows()]; other rows of it are left alone, so that goroutines may share
// the work: give each its own rows. rowBegin must be a multiple of [RowAlign], rowEnd one too or
// m.Rows(). a must have been set for m's format. MatMul allocates nothing and panics if a shape does
// not fit.
//
// A value does not depend on the variant, on how rows are split, nor on the other tokens: prefill and
// decode give the same bits. With quantized formats, the products of a group of 32 columns are summed
// as integers, exactly, and the sums of the groups are added in column order, each by one fused
// multiply-add with the float32 product of both scales. With float formats, products are added by
// fused multiply-adds into 16 partial sums, column c into number c%16, which are added at the end.
func MatMul(out []float32, m *Matrix, a *Activations, rowBegin, rowEnd int) {
	m.checkProduct(len(out), a, rowBegin, rowEnd)
	if a.tokens == 0 || rowBegin == rowEnd {
		return
	}
	switch m.format {
	case Q4_0:
		m.multiplyPanels(out, a, rowBegin, rowEnd, active.q4Panels)
	case Q8_0:
		m.multiplyPanels(out, a, rowBegin, rowEnd, active.q8Panels)
	case F32:
		m.multiplyRows(out, a, rowBegin, rowEnd, active.f32Rows)
	case F16:
		m.multiplyRows(out, a, rowBegin, rowEnd, active.f16Rows)
	case BF16:
		m.multiplyRows(out, a, rowBegin, rowEnd, active.bf16Rows)
	}
	runtime.KeepAlive(m)
}

func (m *Matrix) checkProduct(outLen int, a *Activations, rowBegin, rowEnd int) {
	switch {
	case m.data == nil:
		panic("simd: product with a matrix that was released")
	case a.cols != m.cols:
		panic(fmt.Sprintf("simd: product of a matrix of %d columns with activations of %d", m.cols, a.cols))
	case m.format.Quantized() && !a.hasQuantized, !m.format.Quantized() && !a.hasFloats:
		panic(fmt.Sprintf("simd: product with activations that were not set for format %s", m.format))
	case outLen < a.tokens*m.rows:
		panic(fmt.Sprintf("simd: product of %d tokens × %d rows into %d values", a.tokens, m.rows, outLen))
	case rowBegin < 0 || rowBegin > rowEnd || rowEnd > m.rows || rowBegin%RowAlign != 0 || rowEnd%RowAlign != 0 && rowEnd != m.rows:
		panic(fmt.Sprintf("simd: rows [%d, %d) of %d: borders must be multiples of %d, or the last row", rowBegin, rowEnd, m.rows, RowAlign))
	}
}

// blockBytes is how much of a matrix one call of a kernel covers. It fits into a second-level cache, so
// that all tokens use it while it is there, and keeps a call well under a millisecond: assembly cannot
// be preempted, and a garbage collection would wait for it.
const blockBytes = 192 << 10

// panelKernel multiplies whole panels of a quantized matrix by any number of tokens.
//
//	out      token t, row r of the panels at out[t*outStride+r]
//	weights  the panels, one behind the other
//	groups   groups of 32 columns in a row
//	a        token t's groups at a[t*aStride:]
type panelKernel func(out []float32, outStride int, weights []byte, groups int, a []activationGroup, aStride, tokens int)

// multiplyPanels splits a product into calls of kernel: blocks of rows that fit into the cache, and all tokens for each.
func (m *Matrix) multiplyPanels(out []float32, a *Activations, rowBegin, rowEnd int, kernel panelKernel) {
	groups := m.cols / GroupSize
	panelBytes := groups * m.format.panelGroupBytes()
	blockRows := max(1, blockBytes/panelBytes) * RowAlign
	wholeEnd := rowEnd &^ (RowAlign - 1)
	for row := rowBegin; row < wholeEnd; row += blockRows {
		rows := min(blockRows, wholeEnd-row)
		weights := m.data[row/RowAlign*panelBytes:][:rows/RowAlign*panelBytes]
		kernel(out[row:], m.rows, weights, groups, a.quantized, a.groupStride, a.tokens)
	}
	if wholeEnd < rowEnd {
		m.multiplyLastPanel(out, a, wholeEnd, kernel)
	}
}

// panelResult holds what a kernel writes for a panel of which some rows do not exist, for a few tokens.
type panelResult [12 * RowAlign]float32

// panelResults lends them: on the stack they would escape through the call of a function value.
var panelResults = sync.Pool{New: func() any { return new(panelResult) }}

// multiplyLastPanel multiplies the panel at the end of a matrix whose number of rows is no multiple of
// 16, without writing beyond it.
func (m *Matrix) multiplyLastPanel(out []float32, a *Activations, row int, kernel panelKernel) {
	groups := m.cols / GroupSize
	weights := m.data[row/RowAlign*groups*m.format.panelGroupBytes():]
	result := panelResults.Get().(*panelResult)
	for t := 0; t < a.tokens; {
		tokens := min(a.tokens-t, len(result)/RowAlign)
		kernel(result[:], RowAlign, weights, groups, a.quantized[t*a.groupStride:], a.groupStride, tokens)
		for i := range tokens {
			copy(out[(t+i)*m.rows+row:][:m.rows-row], result[i*RowAlign:])
		}
		t += tokens
	}
	panelResults.Put(result)
}

// rowKernel multiplies rows of a matrix in a float format by tokens, any number of either.
//
//	out      token t, row r at out[t*outStride+r]
//	weights  rows × cols numbers, row-major
//	cols     a multiple of 16
//	x        token t's vector at x[t*xStride:]
type rowKernel func(out []float32, outStride int, weights []byte, rows, cols int, x []float32, xStride, tokens int)

// multiplyRows is multiplyPanels for the float formats.
func (m *Matrix) multiplyRows(out []float32, a *Activations, rowBegin, rowEnd int, kernel rowKernel) {
	rowBytes := m.format.rowSize(m.cols)
	blockRows := max(1, blockBytes/rowBytes/RowAlign) * RowAlign
	for row := rowBegin; row < rowEnd; row += blockRows {
		rows := min(blockRows, rowEnd-row)
		weights := m.data[row*rowBytes:][:rows*rowBytes]
		kernel(out[row:], m.rows, weights, rows, m.cols, a.floats, a.floatStride, a.tokens)
	}
}
