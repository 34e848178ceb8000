package simd

import "math"

// Float16ToFloat32 returns the value of an IEEE 754 binary16 number. The conversion is exact; a
// signaling NaN becomes quiet, as in hardware.
func Float16ToFloat32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	magnitude := uint32(h & 0x7fff)
	switch {
	case magnitude > 0x7c00:
		return math.Float32frombits(sign | 0x7fc00000 | magnitude<<13)
	case magnitude == 0x7c00:
		return math.Float32frombits(sign | 0x7f800000)
	}
	// Shifted into place, exponent and mantissa are those of a float32 that is too small by 2^112, also
	// for a subnormal number.
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(magnitude<<13)*0x1p112))
}

// Float32ToFloat16 returns the binary16 number nearest to f, ties to even. Beyond 65,520 it is
// infinite; below 2⁻²⁵ it is zero. A NaN stays one, quiet, with the upper bits of its payload.
func Float32ToFloat16(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits>>16) & 0x8000
	magnitude := bits & 0x7fffffff
	switch {
	case magnitude > 0x7f800000:
		return sign | 0x7e00 | uint16(magnitude>>13)&0x1ff
	case magnitude >= 0x477ff000: // 65,520: half a step above the largest number
		return sign | 0x7c00
	case magnitude < 0x38800000: // 2⁻¹⁴: below it a step is 2⁻²⁴, which is 1 once 0.5 is added
		return sign | uint16(math.Float32bits(math.Float32frombits(magnitude)+0.5)-0x3f000000)
	}
	magnitude += 0xfff + magnitude>>13&1 // round to nearest, ties to even
	return sign | uint16(magnitude>>13-(127-15)<<10)
}

// BFloat16ToFloat32 returns the value of a bfloat16 number. The conversion is exact.
func BFloat16ToFloat32(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// Float32ToBFloat16 returns the bfloat16 number nearest to f, ties to even. A NaN stays one, quiet.
func Float32ToBFloat16(f float32) uint16 {
	bits := math.Float32bits(f)
	if bits&0x7fffffff > 0x7f800000 {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// EncodeFloat16 sets dst[i] to src[i] as binary16, rounded as by [Float32ToFloat16]: what goes into the
// KV cache. It panics if the lengths differ.
func EncodeFloat16(dst []uint16, src []float32) {
	checkLengths("EncodeFloat16", len(dst), len(src))
	whole := wholeLanes(len(src))
	active.encodeFloat16(dst[:whole], src[:whole])
	encodeFloat16Go(dst[whole:], src[whole:])
}

// DecodeFloat16 sets dst[i] to the value of the binary16 number src[i]. It panics if the lengths
// differ.
func DecodeFloat16(dst []float32, src []uint16) {
	checkLengths("DecodeFloat16", len(dst), len(src))
	whole := wholeLanes(len(src))
	active.decodeFloat16(dst[:whole], src[:whole])
	decodeFloat16Go(dst[whole:], src[whole:])
}

func encodeFloat16Go(dst []uint16, src []float32) {
	for i, f := range src {
		dst[i] = Float32ToFloat16(f)
	}
}

func decodeFloat16Go(dst []float32, src []uint16) {
	for i, h := range src {
		dst[i] = Float16ToFloat32(h)
	}
}
