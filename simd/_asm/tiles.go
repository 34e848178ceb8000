package main

import "fmt"

// tile writes the product of panels of 16 rows with 4 to 12 tokens, for prefill:
//
//	for each panel
//	    sums[token] = 0
//	    for each group of 32 columns
//	        dots[token] = correction
//	        for each operand of 4 columns × 16 rows
//	            for each token: dots[token] += operand · activations (VPDPBUSD, 4 bytes broadcast)
//	        for each token: sums[token] += float(dots[token]) · (scales · the activations' scale)
//	    store the sums
//
// An operand is unpacked once for all tokens, and as many independent chains of VPDPBUSD as there are tokens hide its latency.
// Of the vector instructions in a group of 12 tokens 96 of 144 are VPDPBUSD.
func (f panelFormat) tile(t *text, tokens int) {
	const low, high, mask, scales, scaled, dot, sum = 0, 1, 2, 3, 4, 8, 20 // registers; dot and sum are the first of several
	name := fmt.Sprintf("%sPanels%dAVX512", f.name, tokens)
	t.WriteString("// func " + name + "(out *float32, outStride int, weights *byte, panels, groups int, a *activationGroup, aStride int)\n")
	t.WriteString("TEXT ·" + name + "(SB), NOSPLIT, $0-56\n")
	pointers := []string{"R10", "R11", "R12", "R13"}[:(tokens+2)/3]
	// Token i is reached from every third one's pointer, for want of registers.
	at := func(token, offset int) string {
		return fmt.Sprintf("%d(%s)%s", offset, pointers[token/3], []string{"", "(DX*1)", "(DX*2)"}[token%3])
	}
	for _, s := range []string{
		"MOVQ out+0(FP), DI", "MOVQ outStride+8(FP), BX", "SHLQ $2, BX", "MOVQ weights+16(FP), R8", "MOVQ panels+24(FP), R9",
		"MOVQ a+40(FP), SI", "MOVQ aStride+48(FP), DX", fmt.Sprintf("IMUL3Q $%d, DX, DX", groupBytes), "LEAQ (DX)(DX*2), R15",
	} {
		t.line("%s", s)
	}
	if f.nibbles {
		t.line("VPBROADCASTD nibbles<>(SB), Z%d", mask)
	}
	t.line("panel:")
	t.line("TESTQ R9, R9")
	t.line("JLE done")
	t.line("MOVQ groups+32(FP), CX")
	for i, p := range pointers {
		if i == 0 {
			t.line("MOVQ SI, %s", p)
		} else {
			t.line("LEAQ (%s)(R15*1), %s", pointers[i-1], p)
		}
	}
	for i := range tokens {
		t.line("VPXORD Z%[1]d, Z%[1]d, Z%[1]d", sum+i)
	}
	t.line("group:")
	for i := range tokens {
		t.line("VPBROADCASTD %s, Z%d", at(i, f.correction), dot+i)
	}
	for at := prefetchAhead; at < prefetchAhead+f.bytes; at += 64 {
		t.line("PREFETCHT0 %d(R8)", at)
	}
	product := func(operand, register int) {
		for i := range tokens {
			t.line("VPDPBUSD.BCST %s, Z%d, Z%d", at(i, 4*operand), register, dot+i)
		}
	}
	for i := range f.lines {
		t.line("VMOVDQU32 %d(R8), Z%d", 64*i, low)
		if !f.nibbles {
			product(i, low)
			continue
		}
		t.line("VPSRLW $4, Z%d, Z%d", low, high)
		t.line("VPANDD Z%[1]d, Z%[2]d, Z%[2]d", mask, low)
		t.line("VPANDD Z%[1]d, Z%[2]d, Z%[2]d", mask, high)
		product(i, low)
		product(f.lines+i, high)
	}
	t.line("VCVTPH2PS %d(R8), Z%d", f.scales, scales)
	for i := range tokens {
		t.line("VMULPS.BCST %s, Z%d, Z%d", at(i, scaleOffset), scales, scaled+i%4)
		t.line("VCVTDQ2PS Z%[1]d, Z%[1]d", dot+i)
		t.line("VFMADD231PS Z%d, Z%d, Z%d", scaled+i%4, dot+i, sum+i)
	}
	for _, p := range pointers {
		t.line("ADDQ $%d, %s", groupBytes, p)
	}
	t.line("ADDQ $%d, R8", f.bytes)
	t.line("DECQ CX")
	t.line("JNZ group")
	t.line("MOVQ DI, AX")
	for i := range tokens {
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
