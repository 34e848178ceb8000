// Package simd has the kernels of a language model's forward pass: products with quantized and plain matrices, attention,
// norms and activations. It knows numbers, not models.
//
// Each kernel is one documented Go function. What it computes is defined by a twin in plain Go; where the CPU allows it,
// assembly does the same faster. Integers agree bit for bit, and so do the floating-point results, because the twins add in
// the order in which the registers do and use fused multiply-adds where the assembly does.
//
//	kernel                     avx512 (F, BW, VL, VNNI)    avx2 (with FMA, F16C)       go
//	MatMul Q4_0                16 rows × 1 … 12 tokens     16 rows × 1 … 4 tokens      twin
//	MatMul Q8_0                16 rows × 1 … 12 tokens     16 rows × 1, 2 tokens       twin
//	MatMul F32, F16, BF16      4 rows × 1, 4 tokens        4 × 1, 2 × 3                twin
//	AttendScores, AttendSum    1 … 4 rows × 32, 64 columns 1 … 4 rows × 16, 32 columns twin
//	float16 from and to        16 at a time                16 at a time                twin
//	rounding to int8           32 at a time                32 at a time                twin
//	OnlineSoftmax, SwiGLU      16 at a time                8 at a time                 twin
//	RMSNorm, RoPE, Add         twin                        twin                        twin
//
// The variant is chosen once, when the program starts; [Variant] tells which. DROVER_SIMD in the environment forces one by
// name ("avx512", "avx2", "go").
//
// A result never depends on how rows are split over goroutines, nor on how many tokens are computed together: prefill and
// decode of the same tokens give the same bits.
package simd
