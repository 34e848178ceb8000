package peak

import "golang.org/x/sys/cpu"

func multiplyAdds(variant string, n int) int {
	switch {
	case variant == "avx512" && cpu.X86.HasAVX512VNNI:
		const each = 16 * 64
		loops := n/each + 1
		dotsAVX512(loops)
		return loops * each
	case variant == "avx2" && cpu.X86.HasAVX2:
		const each = 8 * 32
		loops := n/each + 1
		dotsAVX2(loops)
		return loops * each
	}
	return 0
}

// dotsAVX512 executes 16 independent VPDPBUSD, of 64 multiply-adds each, n times.
func dotsAVX512(n int)

// dotsAVX2 executes 8 VPMADDUBSW, of 32 multiply-adds each, and adds their sums by VPADDW, n times.
func dotsAVX2(n int)
