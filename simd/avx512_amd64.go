package simd

// avx512Kernels need AVX-512 F, BW, VL and VNNI.
func avx512Kernels() kernels {
	k := goKernels()
	k.name = "avx512"
	k.q4Panels = byTokens(q4GroupBytes, panelTile{q4Panels12AVX512, 12}, panelTile{q4Panels8AVX512, 8}, panelTile{q4Panels4AVX512, 4}, panelTile{q4Panels2AVX512, 2}, panelTile{q4Panels1AVX512, 1})
	k.q8Panels = byTokens(q8GroupBytes, panelTile{q8Panels12AVX512, 12}, panelTile{q8Panels8AVX512, 8}, panelTile{q8Panels4AVX512, 4}, panelTile{q8Panels2AVX512, 2}, panelTile{q8Panels1AVX512, 1})
	k.f32Rows = byTiles(F32, tile{f32Rows4x4AVX512, 4, 4}, tile{f32Rows4x1AVX512, 4, 1}, tile{f32Rows1x1AVX512, 1, 1})
	k.f16Rows = byTiles(F16, tile{f16Rows4x4AVX512, 4, 4}, tile{f16Rows4x1AVX512, 4, 1}, tile{f16Rows1x1AVX512, 1, 1})
	k.bf16Rows = byTiles(BF16, tile{bf16Rows4x4AVX512, 4, 4}, tile{bf16Rows4x1AVX512, 4, 1}, tile{bf16Rows1x1AVX512, 1, 1})
	k.quantize = func(groups []activationGroup, x []float32) {
		if len(groups) > 0 {
			quantizeAVX512(&groups[0], &x[0], len(groups))
		}
	}
	k.expSums = func(x []float32, shift float32, sums lanes) lanes {
		if len(x) > 0 {
			expSumsAVX512(&x[0], len(x), shift, &sums)
		}
		return sums
	}
	k.scaleMax = func(x []float32, scale, most float32) float32 {
		if len(x) > 0 {
			scaleMaxAVX512(&x[0], len(x), scale, &most)
		}
		return most
	}
	k.swiglu = func(out, gate, up []float32) {
		if len(gate) > 0 {
			swigluAVX512(&out[0], &gate[0], &up[0], len(gate))
		}
	}
	k.attendScores = func(scores, q []float32, keys []uint16) {
		attendScoresAVX512(&scores[0], &q[0], &keys[0], len(scores), len(q))
	}
	k.attendSum = func(out, weights []float32, values []uint16) {
		attendSumAVX512(&out[0], &weights[0], &values[0], len(weights), len(out))
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
func attendScoresAVX512(scores, q *float32, keys *uint16, n, headDim int)

//go:noescape
func attendSumAVX512(out, weights *float32, values *uint16, n, headDim int)

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
func q4Panels8AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q4Panels12AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels8AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func q8Panels12AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)

//go:noescape
func quantizeAVX512(groups *activationGroup, x *float32, n int)

//go:noescape
func expSumsAVX512(x *float32, n int, shift float32, sums *lanes)

//go:noescape
func scaleMaxAVX512(x *float32, n int, scale float32, most *float32)

//go:noescape
func swigluAVX512(out, gate, up *float32, n int)
