package simd

import (
	"encoding/binary"
)

// The plain-Go twins of the matrix kernels. They are what the assembly is tested against, and what
// runs on CPUs that have no variant of their own.

// q4PanelsGo is the twin of the Q4_0 panel kernels.
func q4PanelsGo(out []float32, outStride int, weights []byte, groups int, a []activationGroup, aStride, tokens int) {
	for panel := 0; panel*groups*q4GroupBytes < len(weights); panel++ {
		rows := weights[panel*groups*q4GroupBytes:][:groups*q4GroupBytes]
		for t := range tokens {
			var sums [RowAlign]float32
			for g := range groups {
				weights := rows[g*q4GroupBytes:][:q4GroupBytes]
				x := &a[t*aStride+g]
				for r := range sums {
					dot := x.minus8
					for line := range 4 {
						w := weights[64*line+4*r:][:4]
						low, high := x.values[4*line:][:4], x.values[16+4*line:][:4]
						for k, b := range w {
							dot += int32(b&15)*int32(low[k]) + int32(b>>4)*int32(high[k])
						}
					}
					sums[r] = addGroup(sums[r], dot, weights[q4ScaleOffset+2*r:], x.scale)
				}
			}
			copy(out[t*outStride+panel*RowAlign:], sums[:])
		}
	}
}

// q8PanelsGo is the twin of the Q8_0 panel kernels.
func q8PanelsGo(out []float32, outStride int, weights []byte, groups int, a []activationGroup, aStride, tokens int) {
	for panel := 0; panel*groups*q8GroupBytes < len(weights); panel++ {
		rows := weights[panel*groups*q8GroupBytes:][:groups*q8GroupBytes]
		for t := range tokens {
			var sums [RowAlign]float32
			for g := range groups {
				weights := rows[g*q8GroupBytes:][:q8GroupBytes]
				x := &a[t*aStride+g]
				for r := range sums {
					dot := x.minus128
					for line := range 8 {
						w := weights[64*line+4*r:][:4]
						values := x.values[4*line:][:4]
						for k, b := range w {
							dot += int32(b) * int32(values[k])
						}
					}
					sums[r] = addGroup(sums[r], dot, weights[q8ScaleOffset+2*r:], x.scale)
				}
			}
			copy(out[t*outStride+panel*RowAlign:], sums[:])
		}
	}
}

// addGroup adds a group's integer sum times both scales to the sum of a row. The integer is below 2²⁴,
// so it is exact as a float32.
func addGroup(sum float32, dot int32, weightScale []byte, activationScale float32) float32 {
	scale := Float16ToFloat32(binary.LittleEndian.Uint16(weightScale)) * activationScale
	return fma32(float32(dot), scale, sum)
}

// f32RowsGo is the twin of the F32 row kernels.
func f32RowsGo(out []float32, outStride int, weights []byte, rows, cols int, x []float32, xStride, tokens int) {
	rowsGo(F32, out, outStride, weights, rows, cols, x, xStride, tokens)
}

// f16RowsGo is the twin of the F16 row kernels.
func f16RowsGo(out []float32, outStride int, weights []byte, rows, cols int, x []float32, xStride, tokens int) {
	rowsGo(F16, out, outStride, weights, rows, cols, x, xStride, tokens)
}

// bf16RowsGo is the twin of the BF16 row kernels.
func bf16RowsGo(out []float32, outStride int, weights []byte, rows, cols int, x []float32, xStride, tokens int) {
	rowsGo(BF16, out, outStride, weights, rows, cols, x, xStride, tokens)
}

// maxTileTokens is how many tokens the twin of the row kernels multiplies a row by at once.
const maxTileTokens = 12

// rowsGo decodes a row a piece at a time and multiplies it by every token.
func rowsGo(f Format, out []float32, outStride int, weights []byte, rows, cols int, x []float32, xStride, tokens int) {
	rowBytes := f.rowSize(cols)
	var sums [maxTileTokens]lanes
	var w [laneCount]float32
	for r := range rows {
		row := weights[r*rowBytes:][:rowBytes]
		for t := 0; t < tokens; t += maxTileTokens {
			tile := sums[:min(maxTileTokens, tokens-t)]
			clear(tile)
			for c := 0; c < cols; c += laneCount {
				decodeFloats(f, w[:], row[f.rowSize(c):])
				for i := range tile {
					v := x[(t+i)*xStride+c:][:laneCount]
					sum := &tile[i]
					for l, wl := range w {
						sum[l] = fma32(wl, v[l], sum[l])
					}
				}
			}
			for i := range tile {
				out[(t+i)*outStride+r] = tile[i].sum()
			}
		}
	}
}
