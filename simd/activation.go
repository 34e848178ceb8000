package simd

import (
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// Activations holds the vectors that matrices multiply, for n tokens, in the form that the formats of
// those matrices need: float32, or int8 in groups of 32 with one float32 scale each, or both. The zero
// value is empty and ready for [Activations.Set]; buffers grow as needed and are kept, so that in a
// steady state nothing is allocated. Setting needs one goroutine (or [Activations.SetRange] with
// disjoint ranges); reading, by [MatMul], is free for all afterwards.
type Activations struct {
	tokens, cols int

	// Quantized form: token t's groups are quantized[t*groupStride:][:cols/32].
	quantized    []activationGroup
	groupStride  int
	hasQuantized bool

	// Float form: token t's vector is floats[t*floatStride:][:cols].
	floats      []float32
	floatStride int
	hasFloats   bool
}

// activationGroup is a group of 32 quantized activations: x ≈ scale · values.
//
// The weights that they are multiplied by are stored unsigned, 8 or 128 too large, so that a product
// starts at minus 8 or minus 128 times the sum of the values. The assembly relies on this layout.
type activationGroup struct {
	values   [GroupSize]int8
	scale    float32
	minus8   int32 // −8·Σ values, for Q4_0
	minus128 int32 // −128·Σ values, for Q8_0
	_        int32
}

// Where the fields of an activationGroup are, for the assembly's generator and the test that compares.
const (
	groupBytes          = int(unsafe.Sizeof(activationGroup{}))
	groupScaleOffset    = int(unsafe.Offsetof(activationGroup{}.scale))
	groupMinus8Offset   = int(unsafe.Offsetof(activationGroup{}.minus8))
	groupMinus128Offset = int(unsafe.Offsetof(activationGroup{}.minus128))
)

// Set stores x, shaped [tokens][cols], for products with matrices of the given formats. x may be
// changed afterwards. It panics if x is shorter, if cols is no multiple of 16 (of 32 for a quantized
// format), or if no format is given.
//
// For a quantized format each group of 32 values is scaled by its largest magnitude: scale =
// amax/127, value = round(x·(127/amax)), ties to even, in float32. A group whose amax is below
// 2⁻¹⁰⁰ becomes zero. A group with an infinite value or a NaN has scale NaN, so that what depends on it
// is NaN too and nobody mistakes it for a result.
func (a *Activations) Set(x []float32, tokens, cols int, formats ...Format) {
	a.Resize(tokens, cols, formats...)
	a.SetRange(x, 0, tokens)
}

// Resize prepares for tokens × cols values and the given formats, whose contents follow by
// [Activations.SetRange]. It panics as Set does.
func (a *Activations) Resize(tokens, cols int, formats ...Format) {
	a.tokens, a.cols = tokens, cols
	a.hasQuantized, a.hasFloats = false, false
	multiple := laneCount
	for _, f := range formats {
		multiple = max(multiple, f.ColumnMultiple())
		if f.Quantized() {
			a.hasQuantized = true
		} else {
			a.hasFloats = true
		}
	}
	if len(formats) == 0 || tokens < 0 || cols < multiple || cols%multiple != 0 {
		panic(fmt.Sprintf("simd: activations of %d tokens × %d columns for formats %v: columns must be a multiple of %d",
			tokens, cols, slices.Clone(formats), multiple)) // a clone, so that the list itself can stay on the stack
	}
	if a.hasQuantized {
		// An odd stride keeps the same group of neighboring tokens out of the same cache sets.
		a.groupStride = cols/GroupSize | 1
		a.quantized = resize(a.quantized, tokens*a.groupStride)
	}
	if a.hasFloats {
		a.floatStride = cols + laneCount
		a.floats = resize(a.floats, tokens*a.floatStride)
	}
}

// SetRange stores the tokens [begin, end) of x, which is shaped [tokens][cols] as given to
// [Activations.Resize]. Several goroutines may do so for disjoint ranges.
func (a *Activations) SetRange(x []float32, begin, end int) {
	if begin < 0 || begin > end || end > a.tokens || len(x) < a.tokens*a.cols {
		panic(fmt.Sprintf("simd: tokens [%d, %d) of %d values for activations of %d tokens × %d columns", begin, end, len(x), a.tokens, a.cols))
	}
	for t := begin; t < end; t++ {
		token := x[t*a.cols : (t+1)*a.cols]
		if a.hasQuantized {
			active.quantize(a.quantized[t*a.groupStride:][:a.cols/GroupSize], token)
		}
		if a.hasFloats {
			copy(a.floats[t*a.floatStride:], token)
		}
	}
}

// Tokens returns the number of tokens.
func (a *Activations) Tokens() int { return a.tokens }

// Cols returns the number of values of each token.
func (a *Activations) Cols() int { return a.cols }

// resize returns a slice of n elements, reusing s when it is large enough. Contents are not kept.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// smallestAmax is the largest magnitude in a group below which the group counts as zero. It keeps
// 127/amax finite and is far below anything that a sum of activations could show.
const smallestAmax = 0x1p-100

// quantizeGo fills groups from 32 values each.
func quantizeGo(groups []activationGroup, x []float32) {
	for i := range groups {
		quantizeGroup(&groups[i], (*[GroupSize]float32)(x[GroupSize*i:]))
	}
}

func quantizeGroup(group *activationGroup, x *[GroupSize]float32) {
	// Magnitudes are compared as integers: this orders them too, and puts NaN above everything.
	largest := uint32(0)
	for _, v := range x {
		largest = max(largest, math.Float32bits(v)&0x7fffffff)
	}
	amax := math.Float32frombits(largest)
	*group = activationGroup{}
	if !(amax >= smallestAmax && amax <= math.MaxFloat32) {
		if !(amax < smallestAmax) {
			group.scale = float32(math.NaN())
		}
		return
	}
	group.scale = amax / 127
	inverse := 127 / amax
	sum := int32(0)
	for i, v := range x {
		q := int32(math.RoundToEven(float64(v * inverse)))
		group.values[i] = int8(q)
		sum += q
	}
	group.minus8 = -8 * sum
	group.minus128 = -128 * sum
}
