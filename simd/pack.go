package simd

import (
	"encoding/binary"
	"fmt"
)

// Packed layout of the quantized formats.
//
// Sixteen consecutive rows form a panel; a panel is stored group by group of 32 columns, so that a
// product reads memory once, in order. Of one group a panel holds lines of 64 bytes, each with four
// bytes of each of the 16 rows: what one 512-bit (or two 256-bit) multiply-accumulates consume.
//
//	Q4_0, 288 bytes: 4 lines; byte k of dword r in line i holds column 4i+k of row r in its low
//	      nibble and column 16+4i+k in its high one; then 16 float16 scales, one a row.
//	Q8_0, 544 bytes: 8 lines; byte k of dword r in line i holds column 4i+k of row r, plus 128
//	      (unsigned, as VPDPBUSD wants one side); then 16 float16 scales.
//
// Rows that fill up the last panel have scale 0. The float formats keep the file's row-major layout.

// Pack returns a matrix of rows × cols weights. data holds them row after row in the layout of the
// format in GGUF files and is copied, so it may go away afterwards. The copy lies in memory for which
// the system was asked to use huge pages (on Linux), which decode needs to reach the full read
// bandwidth; [Matrix.Release] gives it back.
//
// It reports sizes that do not fit as a [*ShapeError]. It allocates nothing beyond the matrix and
// takes about as long as copying.
func Pack(f Format, rows, cols int, data []byte) (*Matrix, error) {
	if err := checkShape(f, rows, cols, f.Size, len(data)); err != nil {
		return nil, err
	}
	block, err := allocate(packedSize(f, rows, cols))
	if err != nil {
		return nil, fmt.Errorf("simd: memory for a %s matrix of %d × %d: %w", f, rows, cols, err)
	}
	m := &Matrix{format: f, rows: rows, cols: cols, data: block.bytes, memory: block}
	block.releaseWith(m)
	switch f {
	case Q4_0:
		packQ4(m.data, rows, cols, data)
	case Q8_0:
		packQ8(m.data, rows, cols, data)
	default:
		copy(m.data, data)
	}
	return m, nil
}

// Alias returns a matrix in one of the float formats that reads data in place: nothing is copied. data
// must stay valid and unchanged as long as the matrix is used. For a quantized format, whose layout
// differs from the file's, it reports an error; use [Pack].
func Alias(f Format, rows, cols int, data []byte) (*Matrix, error) {
	if f.Quantized() {
		return nil, fmt.Errorf("simd: a %s matrix cannot be used in place, its rows are interleaved; pack it", f)
	}
	return FromPacked(f, rows, cols, data)
}

// FromPacked returns a matrix over data in the packed layout, as [Matrix.Packed] gave it, without
// copying. data must stay valid and unchanged as long as the matrix is used.
func FromPacked(f Format, rows, cols int, data []byte) (*Matrix, error) {
	if err := checkShape(f, rows, cols, func(rows, cols int) int { return packedSize(f, rows, cols) }, len(data)); err != nil {
		return nil, err
	}
	return &Matrix{format: f, rows: rows, cols: cols, data: data}, nil
}

// ShapeError says that a matrix cannot have the given shape or that its data has the wrong length.
type ShapeError struct {
	Format     Format
	Rows, Cols int
	Got, Want  int    // bytes of data; both 0 when the shape itself is wrong
	Reason     string // what is wrong with the shape; empty when it is the length
}

func (e *ShapeError) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("simd: %s matrix of %d × %d: %s", e.Format, e.Rows, e.Cols, e.Reason)
	}
	return fmt.Sprintf("simd: %s matrix of %d × %d: got %d bytes, want %d", e.Format, e.Rows, e.Cols, e.Got, e.Want)
}

// maxMatrixSide bounds rows and columns, so that no product of sizes overflows.
const maxMatrixSide = 1 << 28

func checkShape(f Format, rows, cols int, size func(rows, cols int) int, got int) error {
	e := &ShapeError{Format: f, Rows: rows, Cols: cols}
	switch {
	case f >= formatCount:
		e.Reason = "unknown format"
	case rows < 1 || cols < 1 || rows > maxMatrixSide || cols > maxMatrixSide:
		e.Reason = fmt.Sprintf("rows and columns must be between 1 and %d", maxMatrixSide)
	case cols%f.ColumnMultiple() != 0:
		e.Reason = fmt.Sprintf("columns must be a multiple of %d", f.ColumnMultiple())
	default:
		e.Got, e.Want = got, size(rows, cols)
		if e.Got == e.Want {
			return nil
		}
	}
	return e
}

// packedSize is the number of bytes of a matrix in the packed layout.
func packedSize(f Format, rows, cols int) int {
	if !f.Quantized() {
		return f.Size(rows, cols)
	}
	panels := (rows + RowAlign - 1) / RowAlign
	return panels * (cols / GroupSize) * f.panelGroupBytes()
}

// packQ4 interleaves Q4_0 rows. A block of the file is a float16 scale and 16 bytes, byte j with
// weight j in its low nibble and weight j+16 in its high one, so four of its bytes are one dword.
func packQ4(dst []byte, rows, cols int, src []byte) {
	const blockBytes = 18
	groups := cols / GroupSize
	rowBytes := groups * blockBytes
	for first := 0; first < rows; first += RowAlign {
		for r := range RowAlign {
			panel := dst[first/RowAlign*groups*q4GroupBytes:][:groups*q4GroupBytes]
			if first+r >= rows {
				fillRow(panel, r, groups, q4GroupBytes, q4ScaleOffset, 0x88888888)
				continue
			}
			row := src[(first+r)*rowBytes:][:rowBytes]
			for g := range groups {
				block := row[g*blockBytes:][:blockBytes]
				group := panel[g*q4GroupBytes:][:q4GroupBytes]
				copy(group[q4ScaleOffset+2*r:][:2], block)
				for line := range 4 {
					binary.LittleEndian.PutUint32(group[64*line+4*r:], binary.LittleEndian.Uint32(block[2+4*line:]))
				}
			}
		}
	}
}

// packQ8 interleaves Q8_0 rows. A block of the file is a float16 scale and 32 signed bytes; flipping
// the highest bit of a byte adds 128.
func packQ8(dst []byte, rows, cols int, src []byte) {
	const blockBytes = 34
	groups := cols / GroupSize
	rowBytes := groups * blockBytes
	for first := 0; first < rows; first += RowAlign {
		for r := range RowAlign {
			panel := dst[first/RowAlign*groups*q8GroupBytes:][:groups*q8GroupBytes]
			if first+r >= rows {
				fillRow(panel, r, groups, q8GroupBytes, q8ScaleOffset, 0x80808080)
				continue
			}
			row := src[(first+r)*rowBytes:][:rowBytes]
			for g := range groups {
				block := row[g*blockBytes:][:blockBytes]
				group := panel[g*q8GroupBytes:][:q8GroupBytes]
				copy(group[q8ScaleOffset+2*r:][:2], block)
				for line := range 8 {
					binary.LittleEndian.PutUint32(group[64*line+4*r:], binary.LittleEndian.Uint32(block[2+4*line:])^0x80808080)
				}
			}
		}
	}
}

// fillRow makes row r of a panel zero: scale 0, and values that stand for 0.
func fillRow(panel []byte, r, groups, groupBytes, scaleOffset int, zero uint32) {
	for g := range groups {
		group := panel[g*groupBytes:][:groupBytes]
		for at := 4 * r; at < scaleOffset; at += 64 {
			binary.LittleEndian.PutUint32(group[at:], zero)
		}
		binary.LittleEndian.PutUint16(group[scaleOffset+2*r:], 0)
	}
}
