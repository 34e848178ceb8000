package simd

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
)

// atEnd returns n elements, the last of which ends where memory ends: whoever reads or writes beyond it crashes the test.
func atEnd[T any](t *testing.T, n int) []T {
	t.Helper()
	page := syscall.Getpagesize()
	size := n * int(unsafe.Sizeof(*new(T)))
	whole := (size + page - 1) / page * page
	mapping, err := syscall.Mmap(-1, 0, whole+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mprotect(mapping[whole:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(mapping) })
	return unsafe.Slice((*T)(unsafe.Pointer(&mapping[whole-size])), n)
}

// Kernels read and write nothing beyond what they are given.
func TestNothingBeyondTheEnd(t *testing.T) {
	forEachVariant(t, func(t *testing.T, _, variant func(func())) {
		r := rand.New(rand.NewPCG(21, 22))
		floats := func(n int) []float32 {
			x := atEnd[float32](t, n)
			copy(x, randomFloats(r, n))
			return x
		}
		for _, f := range []Format{Q4_0, Q8_0, F16, BF16, F32} {
			for _, rows := range []int{16, 37, 64} {
				const cols = 96
				packed, err := Pack(f, rows, cols, randomWeights(r, f, rows, cols))
				if err != nil {
					t.Fatal(err)
				}
				data := atEnd[byte](t, len(packed.data))
				copy(data, packed.data)
				m, err := FromPacked(f, rows, cols, data)
				if err != nil {
					t.Fatal(err)
				}
				for _, tokens := range []int{1, 2, 3, 4, 8, 12, 13} {
					var a Activations
					a.Resize(tokens, cols, f)
					// The last token has no padding behind it.
					if a.hasQuantized {
						a.quantized = atEnd[activationGroup](t, (tokens-1)*a.groupStride+cols/GroupSize)
					} else {
						a.floats = atEnd[float32](t, (tokens-1)*a.floatStride+cols)
					}
					x, out := floats(tokens*cols), floats(tokens*rows)
					variant(func() {
						a.SetRange(x, 0, tokens)
						MatMul(out, m, &a, 0, rows)
					})
				}
			}
		}
		for _, n := range []int{1, 16, 33, 64} {
			for rows := 1; rows <= 5; rows++ {
				const headDim, capacity = 96, 64
				scores, queries, out := floats(rows*capacity), floats(rows*headDim), floats(rows*headDim)
				keys, values := atEnd[uint16](t, headDim*capacity), atEnd[uint16](t, n*headDim)
				most, sums := floats(rows), floats(rows)
				variant(func() {
					AttendScores(scores, queries, keys, values, rows, n)
					OnlineSoftmax(scores, 0.1, most, sums, out, n)
					AttendSum(out, scores, values, atEnd[uint16](t, 1), rows, n)
				})
			}
			x, halves := floats(n), atEnd[uint16](t, n)
			variant(func() {
				EncodeFloat16(halves, x)
				DecodeFloat16(x, halves)
				SwiGLU(x, x, floats(n))
			})
		}
	})
}
