package simd

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
)

// RowAlign is the number of rows that are stored interleaved as one panel. Row ranges given to
// [MatMul] begin at a multiple of it, and end at one or at the last row.
const RowAlign = 16

// Sizes of one panel's share of a group of 32 columns; see pack.go for what is where.
const (
	q4ScaleOffset = RowAlign * GroupSize / 2
	q4GroupBytes  = q4ScaleOffset + 2*RowAlign
	q8ScaleOffset = RowAlign * GroupSize
	q8GroupBytes  = q8ScaleOffset + 2*RowAlign
)

// Matrix is a weight matrix, rows × cols, in the layout that the kernels read. It never changes, so
// any number of goroutines may use it. Make one with [Pack], [Alias] or [FromPacked].
type Matrix struct {
	format     Format
	rows, cols int
	data       []byte
	memory     *memory // what data lies in, when Pack allocated it
}

// Rows returns the number of rows: the length of the result of a product.
func (m *Matrix) Rows() int { return m.rows }

// Cols returns the number of columns: the length of a vector that it multiplies.
func (m *Matrix) Cols() int { return m.cols }

// Format returns the format of the numbers.
func (m *Matrix) Format() Format { return m.format }

// Bytes returns the number of bytes that the matrix takes in memory, and that one product with a
// single token reads.
func (m *Matrix) Bytes() int { return len(m.data) }

// Packed returns the matrix in its packed layout, to be saved and given to [FromPacked] later. It
// aliases the matrix: do not write to it, and do not use it after [Matrix.Release].
func (m *Matrix) Packed() []byte { return m.data }

// Release gives the memory of the matrix back at once. Afterwards every product with it panics.
// It must not run while another goroutine uses the matrix. Without Release, memory goes back when the
// matrix is no longer reachable. Releasing twice, or releasing a matrix that aliases memory of the
// caller, does nothing more.
func (m *Matrix) Release() {
	m.data = nil
	m.memory.release()
}

// Row dequantizes row r into dst, which must be m.Cols() long: the embedding lookup. It panics when r
// or the length of dst does not fit.
func (m *Matrix) Row(dst []float32, r int) {
	if uint(r) >= uint(m.rows) || len(dst) != m.cols {
		panic(fmt.Sprintf("simd: row %d into %d values of a matrix of %d rows and %d columns", r, len(dst), m.rows, m.cols))
	}
	switch m.format {
	case Q4_0:
		m.rowQ4(dst, r)
	case Q8_0:
		m.rowQ8(dst, r)
	default:
		size := m.format.rowSize(m.cols)
		decodeFloats(m.format, dst, m.data[r*size:(r+1)*size])
	}
	runtime.KeepAlive(m)
}

// rowQ4 gathers one row out of its panel: dword r%16 of each line holds four columns of the low half
// of the group and four of the high half.
func (m *Matrix) rowQ4(dst []float32, r int) {
	groups := m.cols / GroupSize
	panel := m.data[r/RowAlign*groups*q4GroupBytes:]
	r %= RowAlign
	for g := range groups {
		group := panel[g*q4GroupBytes : (g+1)*q4GroupBytes]
		scale := Float16ToFloat32(binary.LittleEndian.Uint16(group[q4ScaleOffset+2*r:]))
		for line := range 4 {
			for k := range 4 {
				b := group[64*line+4*r+k]
				dst[GroupSize*g+4*line+k] = scale * float32(int(b&15)-8)
				dst[GroupSize*g+16+4*line+k] = scale * float32(int(b>>4)-8)
			}
		}
	}
}

// rowQ8 is rowQ4 for bytes, which are stored with 128 added.
func (m *Matrix) rowQ8(dst []float32, r int) {
	groups := m.cols / GroupSize
	panel := m.data[r/RowAlign*groups*q8GroupBytes:]
	r %= RowAlign
	for g := range groups {
		group := panel[g*q8GroupBytes : (g+1)*q8GroupBytes]
		scale := Float16ToFloat32(binary.LittleEndian.Uint16(group[q8ScaleOffset+2*r:]))
		for line := range 8 {
			for k := range 4 {
				dst[GroupSize*g+4*line+k] = scale * float32(int(group[64*line+4*r+k])-128)
			}
		}
	}
}

// decodeFloats reads len(dst) numbers of one of the float formats.
func decodeFloats(f Format, dst []float32, src []byte) {
	switch f {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = Float16ToFloat32(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = BFloat16ToFloat32(binary.LittleEndian.Uint16(src[2*i:]))
		}
	}
}
