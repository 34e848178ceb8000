package simd

// avx512Kernels need AVX-512 F, BW, VL and VNNI.
func avx512Kernels() kernels {
	k := goKernels()
	k.name = "avx512"
	k.q4Panels = byTokens(q4GroupBytes, q4Panels1AVX512, q4Panels2AVX512, q4Panels3AVX512, q4Panels4AVX512, q4Panels5AVX512, q4Panels6AVX512,
		q4Panels7AVX512, q4Panels8AVX512, q4Panels9AVX512, q4Panels10AVX512, q4Panels11AVX512, q4Panels12AVX512)
	k.q8Panels = byTokens(q8GroupBytes, q8Panels1AVX512, q8Panels2AVX512, q8Panels3AVX512, q8Panels4AVX512, q8Panels5AVX512, q8Panels6AVX512,
		q8Panels7AVX512, q8Panels8AVX512, q8Panels9AVX512, q8Panels10AVX512, q8Panels11AVX512, q8Panels12AVX512)
	k.f32Rows = byTiles(F32, tile{f32Rows4x4AVX512, 4, 4}, tile{f32Rows4x1AVX512, 4, 1}, tile{f32Rows1x1AVX512, 1, 1})
	k.f16Rows = byTiles(F16, tile{f16Rows4x4AVX512, 4, 4}, tile{f16Rows4x1AVX512, 4, 1}, tile{f16Rows1x1AVX512, 1, 1})
	k.bf16Rows = byTiles(BF16, tile{bf16Rows4x4AVX512, 4, 4}, tile{bf16Rows4x1AVX512, 4, 1}, tile{bf16Rows1x1AVX512, 1, 1})
	k.quantize = func(groups []activationGroup, x []float32) {
		if len(groups) > 0 {
			quantizeAVX512(&groups[0], &x[0], len(groups))
		}
	}
	k.swiglu = func(out, gate, up []float32) {
		if len(gate) > 0 {
			swigluAVX512(&out[0], &gate[0], &up[0], len(gate))
		}
	}
	k.attend = byRows(attendRows1AVX512, attendRows2AVX512, attendRows3AVX512, attendRows4AVX512)
	k.softmax = func(scores []float32, stride, n int, scale float32, most, sums, out []float32) {
		softmaxAVX512(&scores[0], stride, len(most), n, scale, &most[0], &sums[0], &out[0], len(out)/len(most))
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
	return k
}

//go:noescape
func decodeF16AVX512(dst *float32, src *uint16, n int)

//go:noescape
func encodeF16AVX512(dst *uint16, src *float32, n int)

//go:noescape
func f32Rows4x4AVX512(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func f32Rows4x1AVX512(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func f32Rows1x1AVX512(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func f16Rows4x4AVX512(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func f16Rows4x1AVX512(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func f16Rows1x1AVX512(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func bf16Rows4x4AVX512(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func bf16Rows4x1AVX512(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func bf16Rows1x1AVX512(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func quantizeAVX512(groups *activationGroup, x *float32, n int)

//go:noescape
func swigluAVX512(out, gate, up *float32, n int)

//go:noescape
func softmaxAVX512(scores *float32, stride, rows, n int, scale float32, most, sums, out *float32, headDim int)

//go:noescape
func attendRows1AVX512(out *float32, outStride int, a *float32, aStride int, b *uint16, bStride, depth, width, add, ahead int)

//go:noescape
func attendRows2AVX512(out *float32, outStride int, a *float32, aStride int, b *uint16, bStride, depth, width, add, ahead int)

//go:noescape
func attendRows3AVX512(out *float32, outStride int, a *float32, aStride int, b *uint16, bStride, depth, width, add, ahead int)

//go:noescape
func attendRows4AVX512(out *float32, outStride int, a *float32, aStride int, b *uint16, bStride, depth, width, add, ahead int)

//go:noescape
func q4Panels1AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels2AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels3AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels4AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels5AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels6AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels7AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels8AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels9AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels10AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels11AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels12AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels1AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels2AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels3AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels4AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels5AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels6AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels7AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels8AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels9AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels10AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels11AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels12AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)
