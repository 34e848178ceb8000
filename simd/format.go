package simd

import "fmt"

// Format names how the numbers of a weight matrix are stored. The byte layouts are those of GGUF files.
type Format uint8

// The formats that [Pack] accepts.
const (
	F32  Format = iota // float32, little-endian
	F16                // IEEE 754 binary16
	BF16               // bfloat16: the upper half of a float32
	Q8_0               // groups of 32: one float16 scale, 32 int8 values; w = scale·q
	Q4_0               // groups of 32: one float16 scale, 32 nibbles; w = scale·(q−8)
	formatCount
)

// GroupSize is the number of consecutive columns that share one scale, in weights and in activations.
const GroupSize = 32

// laneCount is the number of partial sums that a sum of float32 values is split into: lane l adds the
// elements l, l+16, l+32 … in this order. It is 16 whatever the width of the CPU's registers, so that
// every variant rounds alike.
const laneCount = 16

// String returns the published name of the format, such as "Q4_0".
func (f Format) String() string {
	switch f {
	case F32:
		return "F32"
	case F16:
		return "F16"
	case BF16:
		return "BF16"
	case Q8_0:
		return "Q8_0"
	case Q4_0:
		return "Q4_0"
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}

// Quantized reports whether the format stores integers with a scale, so that its products are taken
// with quantized activations.
func (f Format) Quantized() bool { return f == Q8_0 || f == Q4_0 }

// ColumnMultiple returns what the number of columns of a matrix must be a multiple of: 32 for the
// quantized formats, 16 for the others.
func (f Format) ColumnMultiple() int {
	if f.Quantized() {
		return GroupSize
	}
	return laneCount
}

// Size returns the number of bytes that rows × cols numbers take in a file.
// It is 0 for an unknown format. cols must be a multiple of ColumnMultiple.
func (f Format) Size(rows, cols int) int { return rows * f.rowSize(cols) }

// rowSize is the number of bytes of one row in a file.
func (f Format) rowSize(cols int) int {
	switch f {
	case F32:
		return 4 * cols
	case F16, BF16:
		return 2 * cols
	case Q8_0:
		return cols / GroupSize * 34
	case Q4_0:
		return cols / GroupSize * 18
	}
	return 0
}

// panelGroupBytes is the number of bytes that a panel of 16 rows takes for one group of 32 columns.
func (f Format) panelGroupBytes() int {
	switch f {
	case Q8_0:
		return q8GroupBytes
	case Q4_0:
		return q4GroupBytes
	}
	return 0
}
