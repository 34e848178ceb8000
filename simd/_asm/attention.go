package main

// attention writes the two products of a query with a block of the KV cache.
func attention(t *text) {
	// scores[p] = Σ_d q[d]·keys[p][d]: 16 lanes, folded in halves as the twin folds them.
	t.WriteString("// func attendScoresAVX512(scores, q *float32, keys *uint16, n, headDim int)\nTEXT ·attendScoresAVX512(SB), NOSPLIT, $0-40\n")
	for _, s := range []string{
		"MOVQ scores+0(FP), DI", "MOVQ q+8(FP), SI", "MOVQ keys+16(FP), R8", "MOVQ n+24(FP), CX", "MOVQ headDim+32(FP), DX",
		"SHLQ $2, DX", "LEAQ (SI)(DX*1), R9",
		"position:", "TESTQ CX, CX", "JLE done", "MOVQ SI, AX", "VPXORD Z0, Z0, Z0",
		"lane:", "VCVTPH2PS (R8), Z1", "VFMADD231PS (AX), Z1, Z0", "ADDQ $32, R8", "ADDQ $64, AX", "CMPQ AX, R9", "JLT lane",
		"VEXTRACTF64X4 $1, Z0, Y1", "VADDPS Y1, Y0, Y0", "VEXTRACTF128 $1, Y0, X1", "VADDPS X1, X0, X0",
		"VMOVHLPS X0, X0, X1", "VADDPS X1, X0, X0", "VMOVSHDUP X0, X1", "VADDSS X1, X0, X0", "VMOVSS X0, (DI)",
		"ADDQ $4, DI", "DECQ CX", "JMP position",
		"done:", "VZEROUPPER", "RET",
	} {
		t.line("%s", s)
	}
	// out[d] += Σ_p weights[p]·values[p][d]: 32 dimensions at a time, positions in order.
	t.WriteString("\n// func attendSumAVX512(out, weights *float32, values *uint16, n, headDim int)\nTEXT ·attendSumAVX512(SB), NOSPLIT, $0-40\n")
	for _, s := range []string{
		"MOVQ out+0(FP), DI", "MOVQ values+16(FP), R8", "MOVQ headDim+32(FP), DX", "MOVQ DX, R11", "SHLQ $1, DX",
		"chunk:", "MOVQ weights+8(FP), SI", "MOVQ n+24(FP), CX", "MOVQ R8, R9", "VMOVUPS (DI), Z0", "VMOVUPS 64(DI), Z1",
		"position:", "TESTQ CX, CX", "JLE next", "VCVTPH2PS (R9), Z2", "VCVTPH2PS 32(R9), Z3",
		"VFMADD231PS.BCST (SI), Z2, Z0", "VFMADD231PS.BCST (SI), Z3, Z1", "ADDQ DX, R9", "ADDQ $4, SI", "DECQ CX", "JMP position",
		"next:", "VMOVUPS Z0, (DI)", "VMOVUPS Z1, 64(DI)", "ADDQ $128, DI", "ADDQ $64, R8", "SUBQ $32, R11", "JG chunk",
		"VZEROUPPER", "RET",
	} {
		t.line("%s", s)
	}
	t.WriteString("\n")
}

// conversions writes float16 to float32 and back, 16 at a time; the caller does what is left.
func conversions(t *text) {
	for i, c := range []struct{ signature, name, from, to, convert, load, store string }{
		{"decodeF16AVX512(dst *float32, src *uint16, n int)", "decodeF16AVX512", "$32", "$64", "VCVTPH2PS (SI), Z0", "", "VMOVUPS Z0, (DI)"},
		{"encodeF16AVX512(dst *uint16, src *float32, n int)", "encodeF16AVX512", "$64", "$32", "VCVTPS2PH $0, Z0, (DI)", "VMOVUPS (SI), Z0", ""},
	} {
		if i > 0 {
			t.WriteString("\n")
		}
		t.WriteString("// func " + c.signature + "\nTEXT ·" + c.name + "(SB), NOSPLIT, $0-24\n")
		for _, s := range []string{
			"MOVQ dst+0(FP), DI", "MOVQ src+8(FP), SI", "MOVQ n+16(FP), CX",
			"loop:", "CMPQ CX, $16", "JLT done", c.load, c.convert, c.store,
			"ADDQ " + c.from + ", SI", "ADDQ " + c.to + ", DI", "SUBQ $16, CX", "JMP loop",
			"done:", "VZEROUPPER", "RET",
		} {
			if s != "" {
				t.line("%s", s)
			}
		}
	}
}
