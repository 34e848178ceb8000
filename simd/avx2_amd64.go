package simd

// avx2Kernels need AVX2, FMA and F16C.
func avx2Kernels() kernels {
	k := goKernels()
	k.name = "avx2"
	k.q4Panels = byTokens(q4GroupBytes, q4Panels1AVX2, q4Panels2AVX2, q4Panels3AVX2, q4Panels4AVX2)
	k.q8Panels = byTokens(q8GroupBytes, q8Panels1AVX2, q8Panels2AVX2)
	k.f32Rows = byTiles(F32, tile{f32Rows2x3AVX2, 2, 3}, tile{f32Rows4x1AVX2, 4, 1}, tile{f32Rows1x1AVX2, 1, 1})
	k.f16Rows = byTiles(F16, tile{f16Rows2x3AVX2, 2, 3}, tile{f16Rows4x1AVX2, 4, 1}, tile{f16Rows1x1AVX2, 1, 1})
	k.bf16Rows = byTiles(BF16, tile{bf16Rows2x3AVX2, 2, 3}, tile{bf16Rows4x1AVX2, 4, 1}, tile{bf16Rows1x1AVX2, 1, 1})
	k.quantize = func(groups []activationGroup, x []float32) {
		if len(groups) > 0 {
			quantizeAVX2(&groups[0], &x[0], len(groups))
		}
	}
	k.swiglu = func(out, gate, up []float32) {
		if len(gate) > 0 {
			swigluAVX2(&out[0], &gate[0], &up[0], len(gate))
		}
	}
	k.attend = byRows(attendRows1AVX2, attendRows2AVX2, attendRows3AVX2, attendRows4AVX2)
	k.softmax = func(scores []float32, stride, n int, scale float32, most, sums, out []float32) {
		softmaxAVX2(&scores[0], stride, len(most), n, scale, &most[0], &sums[0], &out[0], len(out)/len(most))
	}
	k.decodeFloat16 = func(dst []float32, src []uint16) {
		if len(src) > 0 {
			decodeF16AVX2(&dst[0], &src[0], len(src))
		}
	}
	k.encodeFloat16 = func(dst []uint16, src []float32) {
		if len(src) > 0 {
			encodeF16AVX2(&dst[0], &src[0], len(src))
		}
	}
	return k
}

//go:noescape
func decodeF16AVX2(dst *float32, src *uint16, n int)

//go:noescape
func encodeF16AVX2(dst *uint16, src *float32, n int)

//go:noescape
func f32Rows2x3AVX2(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func f32Rows4x1AVX2(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func f32Rows1x1AVX2(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func f16Rows2x3AVX2(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func f16Rows4x1AVX2(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func f16Rows1x1AVX2(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func bf16Rows2x3AVX2(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func bf16Rows4x1AVX2(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func bf16Rows1x1AVX2(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)

//go:noescape
func quantizeAVX2(groups *activationGroup, x *float32, n int)

//go:noescape
func swigluAVX2(out, gate, up *float32, n int)

//go:noescape
func softmaxAVX2(scores *float32, stride, rows, n int, scale float32, most, sums, out *float32, headDim int)

//go:noescape
func attendRows1AVX2(out *float32, outStride int, a *float32, aStride int, b *uint16, bStride, depth, width, add, ahead int)

//go:noescape
func attendRows2AVX2(out *float32, outStride int, a *float32, aStride int, b *uint16, bStride, depth, width, add, ahead int)

//go:noescape
func attendRows3AVX2(out *float32, outStride int, a *float32, aStride int, b *uint16, bStride, depth, width, add, ahead int)

//go:noescape
func attendRows4AVX2(out *float32, outStride int, a *float32, aStride int, b *uint16, bStride, depth, width, add, ahead int)

//go:noescape
func q4Panels1AVX2(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels2AVX2(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels3AVX2(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels4AVX2(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels1AVX2(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels2AVX2(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)
