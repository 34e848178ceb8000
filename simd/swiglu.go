package simd

// SwiGLU sets out[i] = silu(gate[i]) · up[i], silu(z) = z / (1 + e^−z). out may be gate. It panics if the lengths differ.
// (Shazeer, GLU Variants Improve Transformer, 2020.)
func SwiGLU(out, gate, up []float32) {
	checkLengths("SwiGLU", len(out), len(gate), len(up))
	for i, z := range gate {
		out[i] = z / (1 + exp32(-z)) * up[i]
	}
}
