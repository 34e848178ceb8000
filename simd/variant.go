package simd

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// kernels is one implementation of everything that has variants.
type kernels struct {
	name      string
	available bool

	q4Panels, q8Panels         panelKernel
	f32Rows, f16Rows, bf16Rows rowKernel
	quantize                   func(groups []activationGroup, x []float32)
	encodeFloat16              func(dst []uint16, src []float32)
	decodeFloat16              func(dst []float32, src []uint16)
	attend                     attendKernel
	softmax                    func(scores []float32, stride, n int, scale float32, most, sums, out []float32)
	swiglu                     func(out, gate, up []float32) // of a multiple of 16 values
}

func goKernels() kernels {
	return kernels{
		name: "go", available: true,
		q4Panels: q4PanelsGo, q8Panels: q8PanelsGo, f32Rows: f32RowsGo, f16Rows: f16RowsGo, bf16Rows: bf16RowsGo,
		quantize: quantizeGo, encodeFloat16: encodeFloat16Go, decodeFloat16: decodeFloat16Go,
		attend: attendGo, softmax: softmaxGo, swiglu: swigluGo,
	}
}

// active are the kernels in use, chosen once when the program starts.
var active = choose(os.Getenv("DROVER_SIMD"))

// choose takes the best variant that this CPU has, or the one that was asked for. A name that there is not, or that the CPU
// cannot run, falls back to the twin, which is always right; [Variant] tells.
func choose(name string) kernels {
	all := variants()
	if name == "" {
		return all[0]
	}
	i := slices.IndexFunc(all, func(k kernels) bool { return k.name == name })
	if i < 0 {
		return goKernels()
	}
	return all[i]
}

// Variant is the name of the kernels in use: "avx512", "avx2" or "go".
func Variant() string { return active.name }

// Variants lists the names that this CPU can run, best first. DROVER_SIMD in the environment forces one.
func Variants() []string {
	var names []string
	for _, k := range variants() {
		names = append(names, k.name)
	}
	return names
}

func checkLengths(what string, lengths ...int) {
	for _, n := range lengths[1:] {
		if n < lengths[0] {
			panic(fmt.Sprintf("simd: %s of %s values", what, strings.Trim(fmt.Sprint(slices.Clone(lengths)), "[]"))) // a clone, so that the list itself can stay on the stack
		}
	}
}

// wholeLanes is the largest multiple of the lane count up to n.
func wholeLanes(n int) int { return n &^ (laneCount - 1) }
