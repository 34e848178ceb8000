package simd

// SwiGLU sets out[i] = silu(gate[i]) · up[i], silu(z) = z / (1 + e^−z). out may be gate. It panics if the lengths differ.
// (Shazeer, GLU Variants Improve Transformer, 2020.)
func SwiGLU(out, gate, up []float32) {
	checkLengths("SwiGLU", len(gate), len(out), len(up))
	whole := wholeLanes(len(gate))
	active.swiglu(out[:whole], gate[:whole], up[:whole])
	swigluGo(out[whole:], gate[whole:], up[whole:])
}

func swigluGo(out, gate, up []float32) {
	for i, z := range gate {
		out[i] = z / (1 + exp32(-z)) * up[i]
	}
}
