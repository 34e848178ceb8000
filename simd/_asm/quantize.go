package main

import "math"

// quantize writes the rounding of activations, a group of 32 at a time:
//
//	amax  = max |x|, compared as integers, so that NaN is above everything
//	scale = amax/127, values = round(x·(127/amax)), ties to even
//	and −8 and −128 times the sum of the values
//
// A group that is next to nothing becomes zero; one that is infinite or has a NaN has the scale NaN.
func quantize(t *text, v registers) {
	t.WriteString("// func quantize" + v.variant + "(groups *activationGroup, x *float32, n int)\nTEXT ·quantize" + v.variant + "(SB), NOSPLIT, $0-24\n")
	wide := v.parts == 1
	for _, s := range []string{
		"MOVQ groups+0(FP), DI", "MOVQ x+8(FP), SI", "MOVQ n+16(FP), CX",
		"MOVL $0x7fffffff, AX", "VMOVD AX, X15", "VPBROADCASTD X15, Y15",
		"MOVL $0x42fe0000, AX", "VMOVD AX, X13", // 127
	} {
		t.line("%s", s)
	}
	if wide {
		t.line("VPBROADCASTD X15, Z15")
	} else {
		t.line("VMOVDQU dwords<>(SB), Y11")
	}
	t.line("group:")
	t.line("TESTQ CX, CX")
	t.line("JLE done")
	if wide {
		for _, s := range []string{
			"VMOVUPS (SI), Z0", "VMOVUPS 64(SI), Z1", "VPANDD Z15, Z0, Z4", "VPANDD Z15, Z1, Z5", "VPMAXUD Z5, Z4, Z4",
			"VEXTRACTI64X4 $1, Z4, Y5", "VPMAXUD Y5, Y4, Y4",
		} {
			t.line("%s", s)
		}
	} else {
		for _, s := range []string{
			"VMOVUPS (SI), Y0", "VMOVUPS 32(SI), Y1", "VMOVUPS 64(SI), Y2", "VMOVUPS 96(SI), Y3",
			"VPAND Y15, Y0, Y4", "VPAND Y15, Y1, Y5", "VPAND Y15, Y2, Y6", "VPAND Y15, Y3, Y7",
			"VPMAXUD Y5, Y4, Y4", "VPMAXUD Y7, Y6, Y6", "VPMAXUD Y6, Y4, Y4",
		} {
			t.line("%s", s)
		}
	}
	for _, s := range []string{
		"VEXTRACTI128 $1, Y4, X5", "VPMAXUD X5, X4, X4", "VPSHUFD $0x4e, X4, X5", "VPMAXUD X5, X4, X4", "VPSHUFD $0xb1, X4, X5", "VPMAXUD X5, X4, X4",
		"VMOVD X4, AX",
	} {
		t.line("%s", s)
	}
	t.line("CMPL AX, $%#x", math.Float32bits(0x1p-100))
	t.line("JCS nothing")
	t.line("CMPL AX, $%#x", math.Float32bits(math.MaxFloat32))
	t.line("JHI noNumber")
	t.line("VDIVSS X13, X4, X6") // scale
	t.line("VDIVSS X4, X13, X7") // its inverse
	t.line("VMOVSS X6, 32(DI)")
	if wide {
		for _, s := range []string{
			"VBROADCASTSS X7, Z7", "VMULPS Z7, Z0, Z0", "VMULPS Z7, Z1, Z1", "VCVTPS2DQ Z0, Z0", "VCVTPS2DQ Z1, Z1",
			"VPMOVDB Z0, (DI)", "VPMOVDB Z1, 16(DI)",
			"VPADDD Z1, Z0, Z0", "VEXTRACTI64X4 $1, Z0, Y1", "VPADDD Y1, Y0, Y0",
		} {
			t.line("%s", s)
		}
	} else {
		for _, s := range []string{
			"VBROADCASTSS X7, Y7", "VMULPS Y7, Y0, Y0", "VMULPS Y7, Y1, Y1", "VMULPS Y7, Y2, Y2", "VMULPS Y7, Y3, Y3",
			"VCVTPS2DQ Y0, Y0", "VCVTPS2DQ Y1, Y1", "VCVTPS2DQ Y2, Y2", "VCVTPS2DQ Y3, Y3",
			// Packing works within halves, so that four values each come out in the order 0 2 4 6 1 3 5 7.
			"VPACKSSDW Y1, Y0, Y8", "VPACKSSDW Y3, Y2, Y9", "VPACKSSWB Y9, Y8, Y8", "VPERMD Y8, Y11, Y8", "VMOVDQU Y8, (DI)",
			"VPADDD Y1, Y0, Y0", "VPADDD Y3, Y2, Y2", "VPADDD Y2, Y0, Y0",
		} {
			t.line("%s", s)
		}
	}
	for _, s := range []string{
		"VEXTRACTI128 $1, Y0, X1", "VPADDD X1, X0, X0", "VPSHUFD $0x4e, X0, X1", "VPADDD X1, X0, X0", "VPSHUFD $0xb1, X0, X1", "VPADDD X1, X0, X0",
		"VMOVD X0, AX", "NEGL AX", "SHLL $3, AX", "MOVL AX, 36(DI)", "SHLL $4, AX", "MOVL AX, 40(DI)", "MOVL $0, 44(DI)",
		"next:", "ADDQ $48, DI", "ADDQ $128, SI", "DECQ CX", "JMP group",
		"noNumber:", "MOVL $0x7fc00000, AX", "JMP empty", "nothing:", "XORL AX, AX",
		"empty:", "VPXOR X0, X0, X0", "VMOVDQU X0, (DI)", "VMOVDQU X0, 16(DI)", "VMOVDQU X0, 32(DI)", "MOVL AX, 32(DI)", "JMP next",
		"done:", "VZEROUPPER", "RET",
	} {
		t.line("%s", s)
	}
	t.WriteString("\n")
}
