package simd

import "fmt"

// Attention of a group of query heads that share keys and values, one block of the KV cache at a time: scores, softmax, sum.
// A row is a query head of a token. The results of a row depend on nothing but its own numbers, so they are the same however
// many rows are computed together. Products are added in order, by fused multiply-adds, 16 at a time, and those sums in order:
// that is nearer to the exact sum than adding all in order, and costs nothing.

// attendRows is how many rows the kernels take at once.
const attendRows = 4

// AttendScores sets scores[r][p] to the dot product of the query of row r and the key at position p:
// scores[r][p] = Σ_d queries[r][d]·keys[d][p] for p < positions.
//
// queries is [rows][headDim]. keys is [headDim][capacity] in float16: each dimension of all positions of the block in a row, so
// that a register holds a dimension of many positions. scores is [rows][capacity]; of its other values some are overwritten.
// headDim and capacity must be multiples of 32.
// next, which may be nil, is what the caller reads next, such as the values: it is fetched into the cache meanwhile.
func AttendScores(scores, queries []float32, keys, next []uint16, rows, positions int) {
	if rows < 1 || len(queries)%rows != 0 || len(scores)%rows != 0 {
		panic(fmt.Sprintf("simd: AttendScores of %d rows of %d values into %d", rows, len(queries), len(scores)))
	}
	headDim, capacity := len(queries)/rows, len(scores)/rows
	checkAttend("AttendScores", headDim, capacity, positions, len(keys)/max(headDim, 1))
	width := (positions + GroupSize - 1) &^ (GroupSize - 1)
	for r := 0; r < rows && positions > 0; r += attendRows {
		active.attend(scores[r*capacity:], capacity, queries[r*headDim:], headDim, keys, capacity, next, min(attendRows, rows-r), headDim, width, false)
	}
}

// AttendSum adds the weighted values of one block of the KV cache to out: out[r][d] += Σ_p weights[r][p]·values[p][d] for
// p < positions.
//
// out is [rows][headDim], values [positions or more][headDim] in float16, weights [rows][capacity]. headDim and capacity must
// be multiples of 32. next is as with AttendScores, such as the next block's keys.
func AttendSum(out, weights []float32, values, next []uint16, rows, positions int) {
	if rows < 1 || len(out)%rows != 0 || len(weights)%rows != 0 {
		panic(fmt.Sprintf("simd: AttendSum of %d rows of %d weights into %d", rows, len(weights), len(out)))
	}
	headDim, capacity := len(out)/rows, len(weights)/rows
	checkAttend("AttendSum", headDim, capacity, positions, len(values)/max(headDim, 1))
	for r := 0; r < rows && positions > 0; r += attendRows {
		active.attend(out[r*headDim:], headDim, weights[r*capacity:], capacity, values, headDim, next, min(attendRows, rows-r), positions, headDim, true)
	}
}

func checkAttend(what string, headDim, capacity, positions, cached int) {
	if headDim == 0 || headDim%GroupSize != 0 || capacity%GroupSize != 0 || positions < 0 || positions > min(capacity, cached) {
		panic(fmt.Sprintf("simd: %s of heads of %d dimensions, %d positions of %d, %d of them cached", what, headDim, positions, capacity, cached))
	}
}

// OnlineSoftmax turns the scores of one block of positions into weights that go with those of earlier blocks. For each row r,
// with most[r] the largest scaled score so far, −Inf at first, sums[r] the sum of the weights so far, and out[r] the sum of the
// values so far, both 0 at first, it sets most[r] to the new largest, multiplies sums[r] and out[r] by exp(old − new), sets
// scores[r][p] to exp(scale·scores[r][p] − most[r]) for p < positions, and adds them to sums[r].
//
// scores is [rows][capacity], out [rows][headDim], capacity and headDim multiples of 16; of the scores some behind the last
// position become 0. The weights of a block are added in 16 lanes. (Milakov and Gimelshein, Online normalizer calculation for
// softmax, 2018.)
func OnlineSoftmax(scores []float32, scale float32, most, sums, out []float32, positions int) {
	rows := len(most)
	if rows == 0 || len(sums) != rows || len(scores)%(rows*laneCount) != 0 || len(out)%(rows*laneCount) != 0 || positions < 0 || positions > len(scores)/rows {
		panic(fmt.Sprintf("simd: OnlineSoftmax of %d scores, %d positions of %d and %d rows, into %d values", len(scores), positions, rows, len(sums), len(out)))
	}
	capacity := len(scores) / rows
	whole := (positions + laneCount - 1) &^ (laneCount - 1)
	for r := range rows {
		for p := positions; p < whole; p++ {
			scores[r*capacity+p] = negativeInfinity // its weight is 0
		}
	}
	if whole > 0 {
		active.softmax(scores, capacity, whole, scale, most, sums, out)
	}
}

// attendDepth is how many products are added up before their sum is added to the total.
const attendDepth = 16

// attendKernel is what AttendScores and AttendSum have in common, for up to attendRows rows:
// out[r][c] (+)= Σ_i a[r][i]·b[i][c], c < width, i < depth.
type attendKernel func(out []float32, outStride int, a []float32, aStride int, b []uint16, bStride int, next []uint16, rows, depth, width int, add bool)

// attendGo is the twin of the attendKernels.
func attendGo(out []float32, outStride int, a []float32, aStride int, b []uint16, bStride int, _ []uint16, rows, depth, width int, add bool) {
	var sums [128]float32
	for r := range rows {
		total := out[r*outStride:][:width]
		if !add {
			clear(total)
		}
		for from := 0; from < width; from += len(sums) {
			part := total[from:min(from+len(sums), width)]
			for i := 0; i < depth; i += attendDepth {
				sums := sums[:len(part)]
				clear(sums)
				for j, x := range a[r*aStride:][:depth][i:min(i+attendDepth, depth)] {
					for c, h := range b[(i+j)*bStride+from:][:len(sums)] {
						sums[c] = fma32(x, Float16ToFloat32(h), sums[c])
					}
				}
				for c, sum := range sums {
					part[c] += sum
				}
			}
		}
	}
}

// softmaxGo is the twin of the kernels of OnlineSoftmax; n is a multiple of 16.
func softmaxGo(scores []float32, stride, n int, scale float32, most, sums, out []float32) {
	headDim := len(out) / len(most)
	for r := range most {
		row, largest := scores[r*stride:][:n], most[r]
		for p := range row {
			row[p] *= scale
			largest = max(largest, row[p])
		}
		if largest > most[r] {
			factor := exp32(most[r] - largest)
			most[r] = largest
			sums[r] *= factor
			for d := range headDim {
				out[r*headDim+d] *= factor
			}
		}
		var added lanes
		for p := range row {
			row[p] = exp32(row[p] - most[r])
			added[p%laneCount] += row[p]
		}
		sums[r] += added.sum()
	}
}
