package simd

import "golang.org/x/sys/cpu"

// variants are the implementations that this CPU can run, best first.
func variants() []kernels {
	list := []kernels{goKernels()}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VNNI {
		k := goKernels()
		k.name = "avx512"
		k.q4Panels = func(out []float32, outStride int, weights []byte, groups int, a []activationGroup, aStride, tokens int) {
			panels := len(weights) / (groups * q4GroupBytes)
			for t := 0; t < tokens; {
				o, x := &out[t*outStride], &a[t*aStride]
				switch left := tokens - t; {
				case left >= 4:
					q4Panels4AVX512(o, outStride, &weights[0], panels, groups, x, aStride)
					t += 4
				case left >= 2:
					q4Panels2AVX512(o, outStride, &weights[0], panels, groups, x, aStride)
					t += 2
				default:
					q4Panels1AVX512(o, outStride, &weights[0], panels, groups, x, aStride)
					t++
				}
			}
		}
		k.q8Panels = func(out []float32, outStride int, weights []byte, groups int, a []activationGroup, aStride, tokens int) {
			panels := len(weights) / (groups * q8GroupBytes)
			for t := 0; t < tokens; {
				o, x := &out[t*outStride], &a[t*aStride]
				switch left := tokens - t; {
				case left >= 4:
					q8Panels4AVX512(o, outStride, &weights[0], panels, groups, x, aStride)
					t += 4
				case left >= 2:
					q8Panels2AVX512(o, outStride, &weights[0], panels, groups, x, aStride)
					t += 2
				default:
					q8Panels1AVX512(o, outStride, &weights[0], panels, groups, x, aStride)
					t++
				}
			}
		}
		k.decodeFloat16 = func(dst []float32, src []uint16) {
			if len(src) > 0 {
				decodeF16AVX512(&dst[0], &src[0], len(src))
			}
		}
		k.encodeFloat16 = func(dst []uint16, src []float32) {
			if len(src) > 0 {
				encodeF16AVX512(&dst[0], &src[0], len(src))
			}
		}
		k.attendScores = func(scores, q []float32, keys []uint16) {
			attendScoresAVX512(&scores[0], &q[0], &keys[0], len(scores), len(q))
		}
		k.attendSum = func(out, weights []float32, values []uint16) {
			attendSumAVX512(&out[0], &weights[0], &values[0], len(weights), len(out))
		}
		list = append([]kernels{k}, list...)
	}
	return list
}

//go:noescape
func q4Panels1AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels2AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels4AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels1AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels2AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels4AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func decodeF16AVX512(dst *float32, src *uint16, n int)

//go:noescape
func encodeF16AVX512(dst *uint16, src *float32, n int)

//go:noescape
func attendScoresAVX512(scores, q *float32, keys *uint16, n, headDim int)

//go:noescape
func attendSumAVX512(out, weights *float32, values *uint16, n, headDim int)
