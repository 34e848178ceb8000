package main

import (
	"fmt"
	"math"
)

// expTerms are the constants of the polynomial of exp32 in package simd, from the highest power down.
var expTerms = []float64{1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1, 1}

// expConstants writes what the exponential reads: expF64<>, log2 e, ln 2, 1/2 and the terms; expF32<>, the borders below which
// the result is 0 and above which it is infinite, infinity, a sign, and 1; expI64<>, the bias of a float64's exponent.
func expConstants(t *text) {
	for i, c := range append([]float64{1.44269504088896, 0.693147180559945, 0.5}, expTerms...) {
		t.WriteString(fmt.Sprintf("DATA expF64<>+%d(SB)/8, $%#x // %v\n", 8*i, math.Float64bits(c), c))
	}
	t.WriteString(fmt.Sprintf("GLOBL expF64<>(SB), RODATA|NOPTR, $%d\n", 8*(3+len(expTerms))))
	for i, c := range []float32{-87.33, 88.72, float32(math.Inf(1)), float32(math.Copysign(0, -1)), 1} {
		t.WriteString(fmt.Sprintf("DATA expF32<>+%d(SB)/4, $%#x // %v\n", 4*i, math.Float32bits(c), c))
	}
	t.WriteString("GLOBL expF32<>(SB), RODATA|NOPTR, $20\n")
	for i := range 4 {
		t.WriteString(fmt.Sprintf("DATA expI64<>+%d(SB)/8, $1023\n", 8*i))
	}
	t.WriteString("GLOBL expI64<>(SB), RODATA|NOPTR, $32\n\n")
}

// exp512 sets Z0 to e^Z0, 16 float32, by way of two times 8 float64:
//
//	k = floor(x·log2 e + 1/2),  r = x − k·ln 2,  e^x = p(r)·2^k
//
// It uses Z1 to Z7, K1 and K2.
func exp512(t *text) {
	t.line("VMOVAPS Z0, Z7")
	t.line("VEXTRACTF64X4 $1, Z0, Y1")
	t.line("VCVTPS2PD Y0, Z2")
	t.line("VCVTPS2PD Y1, Z4")
	both := func(format string, a, b []any) {
		t.line(format, a...)
		t.line(format, b...)
	}
	both("VBROADCASTSD expF64<>+16(SB), Z%d", []any{3}, []any{5})
	both("VFMADD231PD.BCST expF64<>+0(SB), Z%d, Z%d", []any{2, 3}, []any{4, 5})
	both("VRNDSCALEPD $1, Z%d, Z%d", []any{3, 3}, []any{5, 5})
	both("VFNMADD231PD.BCST expF64<>+8(SB), Z%d, Z%d", []any{3, 2}, []any{5, 4})
	both("VBROADCASTSD expF64<>+24(SB), Z%d", []any{0}, []any{6})
	for i := 1; i < len(expTerms); i++ {
		both(fmt.Sprintf("VFMADD213PD.BCST expF64<>+%d(SB), Z%%d, Z%%d", 24+8*i), []any{2, 0}, []any{4, 6})
	}
	both("VSCALEFPD Z%d, Z%d, Z%d", []any{3, 0, 0}, []any{5, 6, 6})
	both("VCVTPD2PS Z%d, Y%d", []any{0, 0}, []any{6, 6})
	t.line("VINSERTF64X4 $1, Y6, Z0, Z0")
	t.line("VCMPPS.BCST $5, expF32<>+0(SB), Z7, K1") // not less, and NaN
	t.line("VCMPPS.BCST $14, expF32<>+4(SB), Z7, K2")
	t.line("VMOVAPS.Z Z0, K1, Z0")
	t.line("VBROADCASTSS expF32<>+8(SB), K2, Z0")
}

// exp256 sets Y0 to e^Y0, 8 float32. It uses Y1 to Y9.
func exp256(t *text) {
	t.line("VMOVAPS Y0, Y7")
	t.line("VEXTRACTF128 $1, Y0, X1")
	for _, h := range []struct{ from, x, k, p int }{{0, 2, 3, 0}, {1, 4, 5, 6}} {
		t.line("VCVTPS2PD X%d, Y%d", h.from, h.x)
		t.line("VBROADCASTSD expF64<>+0(SB), Y8")
		t.line("VBROADCASTSD expF64<>+16(SB), Y%d", h.k)
		t.line("VFMADD231PD Y8, Y%d, Y%d", h.x, h.k)
		t.line("VROUNDPD $1, Y%d, Y%d", h.k, h.k)
		t.line("VBROADCASTSD expF64<>+8(SB), Y8")
		t.line("VFNMADD231PD Y8, Y%d, Y%d", h.k, h.x)
		t.line("VBROADCASTSD expF64<>+24(SB), Y%d", h.p)
		for i := 1; i < len(expTerms); i++ {
			t.line("VBROADCASTSD expF64<>+%d(SB), Y8", 24+8*i)
			t.line("VFMADD213PD Y8, Y%d, Y%d", h.x, h.p)
		}
		t.line("VCVTPD2DQY Y%d, X8", h.k)
		t.line("VPMOVSXDQ X8, Y8")
		t.line("VPADDQ expI64<>(SB), Y8, Y8")
		t.line("VPSLLQ $52, Y8, Y8")
		t.line("VMULPD Y8, Y%d, Y%d", h.p, h.p)
		t.line("VCVTPD2PSY Y%d, X%d", h.p, h.p)
	}
	t.line("VINSERTF128 $1, X6, Y0, Y0")
	t.line("VBROADCASTSS expF32<>+0(SB), Y8")
	t.line("VCMPPS $5, Y8, Y7, Y9")
	t.line("VANDPS Y9, Y0, Y0")
	t.line("VBROADCASTSS expF32<>+4(SB), Y8")
	t.line("VCMPPS $14, Y8, Y7, Y9")
	t.line("VBROADCASTSS expF32<>+8(SB), Y8")
	t.line("VBLENDVPS Y9, Y8, Y0, Y0")
}

// exponentials writes the kernels around the exponential: of softmax and of SwiGLU.
func exponentials(t *text, v registers) {
	exp, width, parts := exp512, 64, 1
	if v.parts == 2 {
		exp, width, parts = exp256, 32, 2
	}
	r := func(n int) string { return fmt.Sprintf("%s%d", v.letter, n) }
	t.WriteString("// func expSums" + v.variant + "(x *float32, n int, shift float32, sums *lanes)\nTEXT ·expSums" + v.variant + "(SB), NOSPLIT, $0-32\n")
	for _, s := range []string{"MOVQ x+0(FP), SI", "MOVQ n+8(FP), CX", "VBROADCASTSS shift+16(FP), " + r(15), "MOVQ sums+24(FP), DI"} {
		t.line("%s", s)
	}
	for p := range parts {
		t.line("VMOVUPS %d(DI), %s", width*p, r(13+p))
	}
	t.line("loop:")
	t.line("CMPQ CX, $16")
	t.line("JLT done")
	for p := range parts {
		t.line("VMOVUPS %d(SI), %s", width*p, r(0))
		t.line("VSUBPS %s, %s, %s", r(15), r(0), r(0))
		exp(t)
		t.line("VMOVUPS %s, %d(SI)", r(0), width*p)
		t.line("VADDPS %s, %s, %s", r(0), r(13+p), r(13+p))
	}
	t.line("ADDQ $64, SI")
	t.line("SUBQ $16, CX")
	t.line("JMP loop")
	t.line("done:")
	for p := range parts {
		t.line("VMOVUPS %s, %d(DI)", r(13+p), width*p)
	}
	t.line("VZEROUPPER")
	t.line("RET")

	t.WriteString("\n// func scaleMax" + v.variant + "(x *float32, n int, scale float32, most *float32)\nTEXT ·scaleMax" + v.variant + "(SB), NOSPLIT, $0-32\n")
	for _, s := range []string{
		"MOVQ x+0(FP), SI", "MOVQ n+8(FP), CX", "VBROADCASTSS scale+16(FP), " + r(3), "MOVQ most+24(FP), DI", "VBROADCASTSS (DI), " + r(2),
		"loop:", "CMPQ CX, $16", "JLT done",
	} {
		t.line("%s", s)
	}
	for p := range parts {
		t.line("VMULPS %d(SI), %s, %s", width*p, r(3), r(0))
		t.line("VMOVUPS %s, %d(SI)", r(0), width*p)
		t.line("VMAXPS %s, %s, %s", r(0), r(2), r(2))
	}
	t.line("ADDQ $64, SI")
	t.line("SUBQ $16, CX")
	t.line("JMP loop")
	t.line("done:")
	if parts == 1 {
		t.line("VEXTRACTF64X4 $1, Z2, Y1")
		t.line("VMAXPS Y1, Y2, Y2")
	}
	for _, s := range []string{
		"VEXTRACTF128 $1, Y2, X1", "VMAXPS X1, X2, X2", "VMOVHLPS X2, X2, X1", "VMAXPS X1, X2, X2", "VMOVSHDUP X2, X1", "VMAXSS X1, X2, X2",
		"VMOVSS X2, (DI)", "VZEROUPPER", "RET",
	} {
		t.line("%s", s)
	}

	t.WriteString("\n// func swiglu" + v.variant + "(out, gate, up *float32, n int)\nTEXT ·swiglu" + v.variant + "(SB), NOSPLIT, $0-32\n")
	for _, s := range []string{
		"MOVQ out+0(FP), DI", "MOVQ gate+8(FP), SI", "MOVQ up+16(FP), R8", "MOVQ n+24(FP), CX",
		"VBROADCASTSS expF32<>+12(SB), " + r(14), "VBROADCASTSS expF32<>+16(SB), " + r(15),
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
