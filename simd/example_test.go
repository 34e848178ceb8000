package simd_test

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/drover-ai/drover/simd"
)

func Example() {
	// A layer of 2 × 32 weights: a row of ones and a row of twos.
	var data []byte
	for _, w := range []float32{1, 2} {
		for range 32 {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(w))
		}
	}
	layer, err := simd.Pack(simd.F32, 2, 32, data)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer layer.Release()
	x := make([]float32, 32)
	x[0], x[31] = 3, 4
	var a simd.Activations
	a.Set(x, 1, 32, layer.Format())
	out := make([]float32, 2)
	simd.MatMul(out, layer, &a, 0, 2)
	fmt.Println(out)
	// Output: [7 14]
}
