package main

import "fmt"

// attention writes the two products of attention, for one to four rows, which are queries that share keys and values:
//
//	for each chunk of columns
//	    total[row] = 0, or out[row]
//	    for each 16 of depth
//	        sums[row] = 0
//	        for each of them
//	            sums[row] += a[row] · b, one fused multiply-add a lane
//	        total[row] += sums[row]
//	    out[row] = total[row]
//
// b is float16, [depth][bStride]. Scores are such a product, of queries and keys that lie with the positions in a row; so is the
// sum of values, of weights and values. What is loaded of b is converted once for all rows. Short sums make the error of long
// ones small. While b is read, as much is fetched from ahead bytes behind it, where the next call will read.
func attention(t *text, v registers) {
	for rows := 1; rows <= 4; rows++ {
		a := attendRows{text: t, v: v, rows: rows}
		a.write()
	}
}

type attendRows struct {
	*text
	v     registers
	rows  int
	chunk int // registers of columns
}

func (a *attendRows) write() {
	name := fmt.Sprintf("attendRows%d%s", a.rows, a.v.variant)
	a.WriteString("// func " + name + "(out *float32, outStride int, a *float32, aStride int, b *uint16, bStride, depth, width, add, ahead int)\n")
	a.WriteString("TEXT ·" + name + "(SB), NOSPLIT, $0-80\n")
	for _, s := range []string{
		"MOVQ out+0(FP), DI", "MOVQ outStride+8(FP), BX", "SHLQ $2, BX", "LEAQ (BX)(BX*2), R10",
		"MOVQ aStride+24(FP), DX", "SHLQ $2, DX", "LEAQ (DX)(DX*2), R9",
		"MOVQ b+32(FP), R8", "MOVQ bStride+40(FP), R11", "SHLQ $1, R11", "MOVQ width+56(FP), R12", "MOVQ ahead+72(FP), R14",
	} {
		a.line("%s", s)
	}
	// Enough sums to hide the latency of a multiply-add; what is left over of 32 columns or more is at least 32.
	chunks := []int{2}
	switch {
	case a.v.parts == 2 && a.rows <= 2:
		chunks = []int{4}
	case a.v.parts == 1 && a.rows <= 2:
		chunks = []int{4, 2}
	}
	for i, chunk := range chunks {
		next := "done"
		if i+1 < len(chunks) {
			next = fmt.Sprintf("chunk%d", chunks[i+1])
		}
		a.chunk = chunk
		a.columns(next)
	}
	a.line("done:")
	a.line("VZEROUPPER")
	a.line("RET")
	a.WriteString("\n")
}

// each calls f for the sums, with their register, that of their total, and where they are in out.
func (a *attendRows) each(f func(sum, total, out string)) {
	for row := range a.rows {
		for k := range a.chunk {
			at := row*a.chunk + k
			f(fmt.Sprintf("%s%d", a.v.letter, at), fmt.Sprintf("%s%d", a.v.letter, a.rows*a.chunk+at), a.at("DI", "BX", "R10", row, 64/a.v.parts*k))
		}
	}
}

func (a *attendRows) at(pointer, stride, triple string, row, offset int) string {
	return fmt.Sprintf("%d(%s)%s", offset, pointer, []string{"", "(" + stride + "*1)", "(" + stride + "*2)", "(" + triple + "*1)"}[row])
}

// columns writes the loop over chunks of columns. AVX-512 keeps totals in registers, AVX2 in memory: AX tells whether there
// are any yet.
func (a *attendRows) columns(next string) {
	label := fmt.Sprint(a.chunk)
	lanes := 16 / a.v.parts
	a.line("chunk%s:", label)
	a.line("CMPQ R12, $%d", a.chunk*lanes)
	a.line("JLT %s", next)
	a.line("MOVQ add+64(FP), AX")
	if a.v.parts == 1 {
		a.line("TESTQ AX, AX")
		a.line("JZ zero%s", label)
		a.each(func(_, total, out string) { a.line("VMOVUPS %s, %s", out, total) })
		a.line("JMP begin%s", label)
		a.line("zero%s:", label)
		a.each(func(_, total, _ string) { a.line("%[1]s %[2]s, %[2]s, %[2]s", a.v.zero, total) })
	}
	a.line("begin%s:", label)
	for _, s := range []string{"MOVQ a+16(FP), SI", "MOVQ R8, R13", "MOVQ depth+48(FP), R15"} {
		a.line("%s", s)
	}
	a.line("group%s:", label)
	a.each(func(sum, _, _ string) { a.line("%[1]s %[2]s, %[2]s, %[2]s", a.v.zero, sum) })
	for _, s := range []string{"MOVQ $16, CX", "CMPQ R15, CX", "CMOVQLT R15, CX", "SUBQ CX, R15"} {
		a.line("%s", s)
	}
	a.line("depth%s:", label)
	a.multiplyAdds()
	for _, s := range []string{"ADDQ R11, R13", "ADDQ $4, SI", "DECQ CX"} {
		a.line("%s", s)
	}
	a.line("JNZ depth%s", label)
	if a.v.parts == 1 {
		a.each(func(sum, total, _ string) { a.line("VADDPS %[1]s, %[2]s, %[2]s", sum, total) })
	} else {
		a.line("TESTQ AX, AX")
		a.line("JZ store%s", label)
		a.each(func(sum, _, out string) { a.line("VADDPS %[2]s, %[1]s, %[1]s", sum, out) })
		a.line("store%s:", label)
		a.each(func(sum, _, out string) { a.line("VMOVUPS %s, %s", sum, out) })
		a.line("MOVQ $1, AX")
	}
	a.line("TESTQ R15, R15")
	a.line("JG group%s", label)
	if a.v.parts == 1 {
		a.each(func(_, total, out string) { a.line("VMOVUPS %s, %s", total, out) })
	}
	a.line("ADDQ $%d, DI", 4*lanes*a.chunk)
	a.line("ADDQ $%d, R8", 2*lanes*a.chunk)
	a.line("SUBQ $%d, R12", lanes*a.chunk)
	a.line("JMP chunk%s", label)
}

// multiplyAdds writes one of depth.
func (a *attendRows) multiplyAdds() {
	lanes := 16 / a.v.parts
	b := a.rows * a.chunk // first register of b
	if a.v.parts == 1 {
		b *= 2
	}
	x := b + a.chunk
	for line := 0; line < 2*lanes*a.chunk; line += 64 {
		a.line("PREFETCHT0 %d(R13)(R14*1)", line)
	}
	for k := range a.chunk {
		a.line("VCVTPH2PS %d(R13), %s%d", 2*lanes*k, a.v.letter, b+k)
	}
	for row := range a.rows {
		at := a.at("SI", "DX", "R9", row, 0)
		if a.v.parts == 2 {
			a.line("VBROADCASTSS %s, Y%d", at, x)
		}
		for k := range a.chunk {
			if a.v.parts == 2 {
				a.line("VFMADD231PS Y%d, Y%d, Y%d", x, b+k, row*a.chunk+k)
			} else {
				a.line("VFMADD231PS.BCST %s, Z%d, Z%d", at, b+k, row*a.chunk+k)
			}
		}
	}
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
