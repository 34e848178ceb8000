package main

import (
	"fmt"
	"math"
)

// expConstants writes what the exponential reads, as exp32 in package simd has it, each eight times: log2 e, the two parts of
// ln 2, the polynomial's terms from the highest power down, the borders below which the result is 0 and above which it is
// infinite, infinity, and the sign.
func expConstants(t *text) {
	constants := append([]float32{1.44269504088896, 0.693359375, -2.12194440e-4}, expTerms...)
	constants = append(constants, -87.33, 88.72, float32(math.Inf(1)), float32(math.Copysign(0, -1)))
	for i, c := range constants {
		for lane := range 8 {
			t.WriteString(fmt.Sprintf("DATA exp<>+%d(SB)/4, $%#x // %v\n", 32*i+4*lane, math.Float32bits(c), c))
		}
	}
	t.WriteString(fmt.Sprintf("GLOBL exp<>(SB), RODATA|NOPTR, $%d\n\n", 32*len(constants)))
}

// Terms of the polynomial, and where the constants are.
var expTerms = []float32{1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1, 1}

const (
	expLog2E, expLn2High, expLn2Low = 0, 32, 64
	expTerm0                        = 96
	expOne                          = expTerm0 + 7*32
	expLowest                       = expTerm0 + 8*32
	expHighest                      = expLowest + 32
	expInfinity                     = expHighest + 32
	expSign                         = expInfinity + 32
)

// exp512 sets Z0 to e^Z0, 16 float32:
//
//	k = round(x·log2 e),  r = x − k·ln 2,  e^x = p(r)·2^k, by adding k to the exponent of p(r)
//
// It uses Z1 to Z4, K1 and K2.
func exp512(t *text) {
	t.line("VMULPS.BCST exp<>+%d(SB), Z0, Z1", expLog2E)
	t.line("VCVTPS2DQ Z1, Z1")
	t.line("VCVTDQ2PS Z1, Z2")
	t.line("VMOVAPS Z0, Z3")
	t.line("VFNMADD231PS.BCST exp<>+%d(SB), Z2, Z3", expLn2High)
	t.line("VFNMADD231PS.BCST exp<>+%d(SB), Z2, Z3", expLn2Low)
	t.line("VBROADCASTSS exp<>+%d(SB), Z4", expTerm0)
	for i := 1; i < len(expTerms); i++ {
		t.line("VFMADD213PS.BCST exp<>+%d(SB), Z3, Z4", expTerm0+32*i)
	}
	t.line("VPSLLD $23, Z1, Z1")
	t.line("VPADDD Z1, Z4, Z4")
	t.line("VCMPPS.BCST $5, exp<>+%d(SB), Z0, K1", expLowest) // not less, and NaN
	t.line("VCMPPS.BCST $14, exp<>+%d(SB), Z0, K2", expHighest)
	t.line("VMOVAPS.Z Z4, K1, Z0")
	t.line("VBROADCASTSS exp<>+%d(SB), K2, Z0", expInfinity)
}

// exp256 sets Y0 to e^Y0, 8 float32. It uses Y1 to Y4.
func exp256(t *text) {
	t.line("VMULPS exp<>+%d(SB), Y0, Y1", expLog2E)
	t.line("VCVTPS2DQ Y1, Y1")
	t.line("VCVTDQ2PS Y1, Y2")
	t.line("VMOVAPS Y0, Y3")
	t.line("VFNMADD231PS exp<>+%d(SB), Y2, Y3", expLn2High)
	t.line("VFNMADD231PS exp<>+%d(SB), Y2, Y3", expLn2Low)
	t.line("VMOVAPS exp<>+%d(SB), Y4", expTerm0)
	for i := 1; i < len(expTerms); i++ {
		t.line("VFMADD213PS exp<>+%d(SB), Y3, Y4", expTerm0+32*i)
	}
	t.line("VPSLLD $23, Y1, Y1")
	t.line("VPADDD Y1, Y4, Y4")
	t.line("VCMPPS $5, exp<>+%d(SB), Y0, Y1", expLowest)
	t.line("VCMPPS $14, exp<>+%d(SB), Y0, Y2", expHighest)
	t.line("VANDPS Y1, Y4, Y4")
	t.line("VMOVUPS exp<>+%d(SB), Y0", expInfinity)
	t.line("VBLENDVPS Y2, Y0, Y4, Y0")
}

// exponentials writes the kernels around the exponential: softmax in blocks, and SwiGLU.
func exponentials(t *text, v registers) {
	exp, width, parts := exp512, 64, 1
	if v.parts == 2 {
		exp, width, parts = exp256, 32, 2
	}
	r := func(n int) string { return fmt.Sprintf("%s%d", v.letter, n) }
	softmax(t, v, exp, width)

	t.WriteString("// func swiglu" + v.variant + "(out, gate, up *float32, n int)\nTEXT ·swiglu" + v.variant + "(SB), NOSPLIT, $0-32\n")
	for _, s := range []string{
		"MOVQ out+0(FP), DI", "MOVQ gate+8(FP), SI", "MOVQ up+16(FP), R8", "MOVQ n+24(FP), CX",
		fmt.Sprintf("VBROADCASTSS exp<>+%d(SB), %s", expSign, r(14)), fmt.Sprintf("VBROADCASTSS exp<>+%d(SB), %s", expOne, r(15)),
		"loop:", "CMPQ CX, $16", "JLT done",
	} {
		t.line("%s", s)
	}
	xor := map[int]string{1: "VPXORD", 2: "VPXOR"}[parts]
	for p := range parts {
		t.line("VMOVUPS %d(SI), %s", width*p, r(13))
		t.line("%s %s, %s, %s", xor, r(14), r(13), r(0))
		exp(t)
		t.line("VADDPS %s, %s, %s", r(15), r(0), r(0))
		t.line("VDIVPS %s, %s, %s", r(0), r(13), r(0))
		t.line("VMULPS %d(R8), %s, %s", width*p, r(0), r(0))
		t.line("VMOVUPS %s, %d(DI)", r(0), width*p)
	}
	for _, s := range []string{"ADDQ $64, DI", "ADDQ $64, SI", "ADDQ $64, R8", "SUBQ $16, CX", "JMP loop", "done:", "VZEROUPPER", "RET"} {
		t.line("%s", s)
	}
	t.WriteString("\n")
}

// softmax writes the step of a softmax that goes through rows of scores block by block:
//
//	for each row
//	    scores = scale·scores, largest = max(most, scores)
//	    if largest > most: out and sum times exp(most − largest), most = largest
//	    scores = exp(scores − most), sum += their sum, in 16 lanes that are folded
func softmax(t *text, v registers, exp func(*text), width int) {
	r := func(n int) string { return fmt.Sprintf("%s%d", v.letter, n) }
	const scale, largest, sums = 15, 12, 13 // registers; AVX2 has the upper half of the sums in the next one
	t.WriteString("// func softmax" + v.variant + "(scores *float32, stride, rows, n int, scale float32, most, sums, out *float32, headDim int)\n")
	t.WriteString("TEXT ·softmax" + v.variant + "(SB), NOSPLIT, $0-72\n")
	for _, s := range []string{
		"MOVQ scores+0(FP), DI", "MOVQ stride+8(FP), DX", "SHLQ $2, DX", "MOVQ rows+16(FP), BX", "MOVQ n+24(FP), R11", "SHLQ $2, R11",
		"VBROADCASTSS scale+32(FP), " + r(scale), "MOVQ most+40(FP), R8", "MOVQ sums+48(FP), R9", "MOVQ out+56(FP), R10",
		"MOVQ headDim+64(FP), R12", "SHLQ $2, R12",
		"row:", "TESTQ BX, BX", "JLE done", "LEAQ (DI)(R11*1), CX", "MOVQ DI, SI", "VBROADCASTSS (R8), " + r(largest),
		"largest:",
	} {
		t.line("%s", s)
	}
	for p := range v.parts {
		t.line("VMULPS %d(SI), %s, %s", width*p, r(scale), r(0))
		t.line("VMOVUPS %s, %d(SI)", r(0), width*p)
		t.line("VMAXPS %s, %s, %s", r(0), r(largest), r(largest))
	}
	for _, s := range []string{"ADDQ $64, SI", "CMPQ SI, CX", "JLT largest"} {
		t.line("%s", s)
	}
	if v.parts == 1 {
		t.line("VEXTRACTF64X4 $1, Z%d, Y1", largest)
		t.line("VMAXPS Y1, Y%[1]d, Y%[1]d", largest)
	}
	for _, s := range []string{
		"VEXTRACTF128 $1, Y12, X1", "VMAXPS X1, X12, X12", "VMOVHLPS X12, X12, X1", "VMAXPS X1, X12, X12", "VMOVSHDUP X12, X1", "VMAXSS X1, X12, X12",
		"VMOVSS (R8), X0", "VUCOMISS X0, X12", "JLS same", // not above, or NaN
		"VMOVSS X12, (R8)", "VSUBSS X12, X0, X0", "VBROADCASTSS X0, " + r(0),
	} {
		t.line("%s", s)
	}
	exp(t)
	t.line("VBROADCASTSS X0, %s", r(0))
	for _, s := range []string{"VMULSS (R9), X0, X1", "VMOVSS X1, (R9)", "LEAQ (R10)(R12*1), CX", "MOVQ R10, SI", "rescale:"} {
		t.line("%s", s)
	}
	for p := range v.parts {
		t.line("VMULPS %d(SI), %s, %s", width*p, r(0), r(1))
		t.line("VMOVUPS %s, %d(SI)", r(1), width*p)
	}
	for _, s := range []string{
		"ADDQ $64, SI", "CMPQ SI, CX", "JLT rescale",
		"same:", "VBROADCASTSS (R8), " + r(largest), "LEAQ (DI)(R11*1), CX", "MOVQ DI, SI",
	} {
		t.line("%s", s)
	}
	for p := range v.parts {
		t.line("%[1]s %[2]s, %[2]s, %[2]s", v.zero, r(sums+p))
	}
	t.line("exponential:")
	for p := range v.parts {
		t.line("VMOVUPS %d(SI), %s", width*p, r(0))
		t.line("VSUBPS %s, %s, %s", r(largest), r(0), r(0))
		exp(t)
		t.line("VMOVUPS %s, %d(SI)", r(0), width*p)
		t.line("VADDPS %s, %s, %s", r(0), r(sums+p), r(sums+p))
	}
	for _, s := range []string{"ADDQ $64, SI", "CMPQ SI, CX", "JLT exponential"} {
		t.line("%s", s)
	}
	v.fold(t, sums)
	for _, s := range []string{
		"VADDSS (R9), X0, X0", "VMOVSS X0, (R9)",
		"ADDQ DX, DI", "ADDQ R12, R10", "ADDQ $4, R8", "ADDQ $4, R9", "DECQ BX", "JMP row", "done:", "VZEROUPPER", "RET",
	} {
		t.line("%s", s)
	}
	t.WriteString("\n")
}
