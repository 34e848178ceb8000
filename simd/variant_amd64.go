package simd

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// variants are the implementations that this CPU can run, best first.
func variants() []kernels {
	var list []kernels
	x := &cpu.X86
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512VNNI {
		list = append(list, avx512Kernels())
	}
	if x.HasAVX2 && x.HasFMA && hasF16C() {
		list = append(list, avx2Kernels())
	}
	return append(list, goKernels())
}

// hasF16C reports whether the CPU converts float16, which package cpu does not tell. Every CPU with AVX2 does, but a virtual
// machine may hide it.
func hasF16C() bool {
	_, _, ecx, _ := cpuid(1, 0)
	return ecx>>29&1 == 1
}

// cpuid runs the instruction of that name.
func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)

// tokenKernel multiplies panels by a fixed number of tokens.
type tokenKernel func(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

// byTokens makes a kernel for any number of tokens of those for one token, two tokens, and so on. It divides the tokens evenly:
// each call unpacks the weights once more, and the first one waits for memory.
func byTokens(groupBytes int, tiles ...tokenKernel) panelKernel {
	return func(out []float32, outStride int, weights []byte, groups int, a []activationGroup, aStride, tokens int) {
		panels := len(weights) / (groups * groupBytes)
		for calls := (tokens + len(tiles) - 1) / len(tiles); calls > 0; calls-- {
			n := (tokens + calls - 1) / calls
			tiles[n-1](&out[0], outStride, &weights[0], panels, groups, &a[0], aStride)
			if tokens -= n; tokens > 0 {
				out, a = out[n*outStride:], a[n*aStride:]
			}
		}
	}
}

// tile is a kernel that multiplies tiles of a few rows, as many tiles as asked for, by a few tokens.
type tile struct {
	kernel       func(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)
	rows, tokens int
}

// byTiles makes a kernel for any numbers of rows and tokens of tiles, the last of which is a single row and token. Each takes
// what the ones before it have left over.
func byTiles(f Format, tiles ...tile) rowKernel {
	return func(out []float32, outStride int, weights []byte, rows, cols int, x []float32, xStride, tokens int) {
		rowBytes := f.rowSize(cols)
		for t := 0; t < tokens; {
			step := 1
			for r := 0; r < rows; {
				for _, k := range tiles {
					n := (rows - r) / k.rows
					// All rows of a token take tiles of as many tokens as the first ones.
					if n == 0 || k.tokens > tokens-t || r > 0 && k.tokens > step {
						continue
					}
					if r == 0 {
						step = k.tokens
					}
					for i := 0; i < step; i += k.tokens {
						k.kernel(&out[(t+i)*outStride+r], outStride, &weights[r*rowBytes], n, cols, &x[(t+i)*xStride], xStride)
					}
					r += n * k.rows
					break
				}
			}
			t += step
		}
	}
}

// attendRowsKernel is an attendKernel for a fixed number of rows. add is 0 or 1, ahead the distance from b to next in bytes.
type attendRowsKernel func(out *float32, outStride int, a *float32, aStride int, b *uint16, bStride, depth, width, add, ahead int)

// byRows makes the kernel for 1 to attendRows rows of one for each.
func byRows(kernels ...attendRowsKernel) attendKernel {
	return func(out []float32, outStride int, a []float32, aStride int, b []uint16, bStride int, next []uint16, rows, depth, width int, add bool) {
		adds, ahead := 0, 0
		if add {
			adds = 1
		}
		if len(next) > 0 {
			ahead = int(uintptr(unsafe.Pointer(&next[0])) - uintptr(unsafe.Pointer(&b[0])))
		}
		kernels[rows-1](&out[0], outStride, &a[0], aStride, &b[0], bStride, depth, width, adds, ahead)
	}
}
