package main

import "fmt"

// floatFormat is a format of weights that are multiplied as float32.
type floatFormat struct {
	name   string
	bytes  int      // of a number
	decode []string // turns the numbers at the address into float32 in the register
}

var floatFormats = []floatFormat{
	{"f32", 4, []string{"VMOVUPS %[1]s, %[2]s"}},
	{"f16", 2, []string{"VCVTPH2PS %[1]s, %[2]s"}},
	{"bf16", 2, []string{"VPMOVZXWD %[1]s, %[2]s", "VPSLLD $16, %[2]s, %[2]s"}},
}

// registers is how 16 lanes lie in vector registers: one of 512 bits or two of 256.
type registers struct {
	variant string
	letter  string
	parts   int
	zero    string
}

var (
	zmm = registers{"AVX512", "Z", 1, "VPXORD"}
	ymm = registers{"AVX2", "Y", 2, "VPXOR"}
)

// rows writes the product of tiles of a few rows with a few tokens:
//
//	for each tile of rows
//	    sums[row][token] = 16 lanes of 0
//	    for each 16 columns
//	        sums[row][token] += weights[row] · x[token], one fused multiply-add a lane
//	    store the sums, each folded in halves as the twin folds them
func (f floatFormat) rows(t *text, v registers, rows, tokens int) {
	name := fmt.Sprintf("%sRows%dx%d%s", f.name, rows, tokens, v.variant)
	t.WriteString("// func " + name + "(out *float32, outStride int, weights *byte, tiles, cols int, x *float32, xStride int)\nTEXT ·" + name + "(SB), NOSPLIT, $0-56\n")
	// Registers 0 … rows-1 hold weights, the next one x, all others sums.
	first, sums := max(rows+1, 2), rows*tokens*v.parts
	sum := func(row, token, part int) int { return first + (row*tokens+token)*v.parts + part }
	at := func(pointer string, stride, triple string, i, offset int) string {
		index := []string{"", "(" + stride + "*1)", "(" + stride + "*2)", "(" + triple + "*1)"}[i]
		return fmt.Sprintf("%d(%s)%s", offset, pointer, index)
	}
	for _, s := range []string{
		"MOVQ out+0(FP), DI", "MOVQ outStride+8(FP), BX", "SHLQ $2, BX", "MOVQ weights+16(FP), R8", "MOVQ tiles+24(FP), R9",
		"MOVQ cols+32(FP), CX", fmt.Sprintf("IMUL3Q $%d, CX, CX", f.bytes), "LEAQ (CX)(CX*2), R13",
		"MOVQ x+40(FP), SI", "MOVQ xStride+48(FP), DX", "SHLQ $2, DX", "LEAQ (DX)(DX*2), R15",
		"tile:", "TESTQ R9, R9", "JLE done", "MOVQ R8, R10", "MOVQ SI, R11", "MOVQ cols+32(FP), R12",
	} {
		t.line("%s", s)
	}
	for i := range sums {
		t.line("%[1]s %[2]s%[3]d, %[2]s%[3]d, %[2]s%[3]d", v.zero, v.letter, first+i)
	}
	t.line("column:")
	for part := range v.parts {
		lanes := 16 / v.parts
		for row := range rows {
			for _, s := range f.decode {
				t.line(s, at("R10", "CX", "R13", row, part*lanes*f.bytes), fmt.Sprintf("%s%d", v.letter, row))
			}
		}
		for token := range tokens {
			x := at("R11", "DX", "R15", token, part*lanes*4)
			if rows > 1 {
				register := fmt.Sprintf("%s%d", v.letter, rows)
				t.line("VMOVUPS %s, %s", x, register)
				x = register
			}
			for row := range rows {
				t.line("VFMADD231PS %s, %s%d, %s%d", x, v.letter, row, v.letter, sum(row, token, part))
			}
		}
	}
	t.line("ADDQ $%d, R10", 16*f.bytes)
	t.line("ADDQ $64, R11")
	t.line("SUBQ $16, R12")
	t.line("JG column")
	t.line("MOVQ DI, AX")
	for token := range tokens {
		for row := range rows {
			v.fold(t, sum(row, token, 0))
			t.line("VMOVSS X0, %d(AX)", 4*row)
		}
		if token < tokens-1 {
			t.line("ADDQ BX, AX")
		}
	}
	t.line("LEAQ (R8)(CX*%d), R8", rows)
	t.line("ADDQ $%d, DI", 4*rows)
	t.line("DECQ R9")
	t.line("JMP tile")
	t.line("done:")
	t.line("VZEROUPPER")
	t.line("RET")
	t.WriteString("\n")
}

// fold adds the 16 lanes that begin in a register, halves onto each other, and leaves the sum in the lowest lane of X0.
func (v registers) fold(t *text, register int) {
	if v.parts == 1 {
		t.line("VEXTRACTF64X4 $1, Z%d, Y0", register)
		t.line("VADDPS Y%d, Y0, Y0", register)
	} else {
		t.line("VADDPS Y%d, Y%d, Y0", register+1, register)
	}
	t.line("VEXTRACTF128 $1, Y0, X1")
	t.line("VADDPS X1, X0, X0")
	t.line("VMOVHLPS X0, X0, X1")
	t.line("VADDPS X1, X0, X0")
	t.line("VMOVSHDUP X0, X1")
	t.line("VADDSS X1, X0, X0")
}
