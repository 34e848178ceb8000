package main

// panelFormat describes how a group of 32 columns of 16 rows is packed; see pack.go in package simd.
type panelFormat struct {
	name       string
	lines      int  // of 64 bytes
	nibbles    bool // a line holds the low and the high half of the group
	correction int  // offset in activationGroup of what the sum starts at
	scales     int  // offset of the 16 float16 scales
	bytes      int  // of the group
}

var (
	q4 = panelFormat{"q4", 4, true, 36, 256, 288}
	q8 = panelFormat{"q8", 8, false, 40, 512, 544}
)

// The layout of activationGroup in package simd.
const (
	groupBytes  = 48
	scaleOffset = 32
)

// prefetchAhead is how far ahead of use weights are fetched. The CPU does so on its own, but not across pages.
const prefetchAhead = 4096

// panels writes the product of panels of 16 rows with one to three tokens:
//
//	for each panel
//	    sums[token] = 0
//	    for each group of 32 columns
//	        weights = 8 operands of 4 columns × 16 rows, unsigned
//	        for each token
//	            dot = correction + Σ weights · activations (VPDPBUSD, activations broadcast 4 bytes at a time)
//	            sums[token] += float(dot) · (scales · the activations' scale), one fused multiply-add
//	    store the sums
//
// Two integer accumulators a token hide the latency of VPDPBUSD; the integers are exact, so their order does not matter.
func (f panelFormat) panels(t *text, tokens int) {
	pointers := []string{"R10", "R11", "R12", "R13"}[:tokens]
	dot, half, scale, sum := 9, 13, 24, 20 // first register of each
	t.WriteString("// func " + f.name + "Panels" + string(rune('0'+tokens)) + "AVX512(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)\n")
	t.WriteString("TEXT ·" + f.name + "Panels" + string(rune('0'+tokens)) + "AVX512(SB), NOSPLIT, $0-56\n")
	t.line("MOVQ out+0(FP), DI")
	t.line("MOVQ outStride+8(FP), BX")
	t.line("SHLQ $2, BX")
	t.line("MOVQ weights+16(FP), R8")
	t.line("MOVQ panels+24(FP), R9")
	t.line("MOVQ a+40(FP), SI")
	t.line("MOVQ aStride+48(FP), DX")
	t.line("IMUL3Q $%d, DX, DX", groupBytes)
	if f.nibbles {
		t.line("VPBROADCASTD nibbles<>(SB), Z31")
	}
	t.line("panel:")
	t.line("TESTQ R9, R9")
	t.line("JLE done")
	t.line("MOVQ groups+32(FP), CX")
	for i, p := range pointers {
		if i == 0 {
			t.line("MOVQ SI, %s", p)
		} else {
			t.line("LEAQ (%s)(DX*1), %s", pointers[i-1], p)
		}
		t.line("VPXORD Z%d, Z%d, Z%d", sum+i, sum+i, sum+i)
	}
	t.line("group:")
	for at := prefetchAhead; at < prefetchAhead+f.bytes; at += 64 {
		t.line("PREFETCHT0 %d(R8)", at)
	}
	for i := range f.lines {
		t.line("VMOVDQU32 %d(R8), Z%d", 64*i, i)
	}
	if f.nibbles {
		for i := range f.lines {
			t.line("VPSRLW $4, Z%d, Z%d", i, f.lines+i)
			t.line("VPANDD Z31, Z%d, Z%d", f.lines+i, f.lines+i)
			t.line("VPANDD Z31, Z%d, Z%d", i, i)
		}
	}
	t.line("VCVTPH2PS %d(R8), Z8", f.scales)
	for i, p := range pointers {
		t.line("VPBROADCASTD %d(%s), Z%d", f.correction, p, dot+i)
		t.line("VPXORD Z%d, Z%d, Z%d", half+i, half+i, half+i)
		t.line("VMULPS.BCST %d(%s), Z8, Z%d", scaleOffset, p, scale+i)
	}
	for operand := range 8 {
		for i, p := range pointers {
			accumulator := dot + i
			if operand%2 == 1 {
				accumulator = half + i
			}
			t.line("VPDPBUSD.BCST %d(%s), Z%d, Z%d", 4*operand, p, operand, accumulator)
		}
	}
	for i, p := range pointers {
		t.line("VPADDD Z%d, Z%d, Z%d", half+i, dot+i, dot+i)
		t.line("VCVTDQ2PS Z%d, Z%d", dot+i, dot+i)
		t.line("VFMADD231PS Z%d, Z%d, Z%d", scale+i, dot+i, sum+i)
		t.line("ADDQ $%d, %s", groupBytes, p)
	}
	t.line("ADDQ $%d, R8", f.bytes)
	t.line("DECQ CX")
	t.line("JNZ group")
	t.line("MOVQ DI, AX")
	for i := range pointers {
		t.line("VMOVUPS Z%d, (AX)", sum+i)
		if i < tokens-1 {
			t.line("ADDQ BX, AX")
		}
	}
	t.line("ADDQ $64, DI")
	t.line("DECQ R9")
	t.line("JMP panel")
	t.line("done:")
	t.line("VZEROUPPER")
	t.line("RET")
	t.WriteString("\n")
}
