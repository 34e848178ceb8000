package llm

import (
	"fmt"
	"math"
)

// RoPE turns a position into rotations: pair i of a head is rotated by position·θ[i],
// θ[i] = base^(−2i/headDim), divided by rope_freqs[i] where a checkpoint scales it.

// ropeFrequencies returns θ[headDim/2] in float64: angles reach 10⁵, where float32 has lost the digits that
// tell neighboring positions apart. divisors may be nil for no scaling.
func ropeFrequencies(headDim int, base float64, divisors []float32) []float64 {
	theta := make([]float64, headDim/2)
	for i := range theta {
		theta[i] = math.Pow(base, -2*float64(i)/float64(headDim))
		if divisors != nil {
			theta[i] /= float64(divisors[i])
		}
	}
	return theta
}

// ropeAngles sets cos and sin, [n, headDim/2], for n positions from first on.
func ropeAngles(cos, sin []float32, theta []float64, first, n int) {
	for p := range n {
		for i, t := range theta {
			s, c := math.Sincos(float64(first+p) * t)
			cos[p*len(theta)+i], sin[p*len(theta)+i] = float32(c), float32(s)
		}
	}
}

// Llama 3.1 and 3.2 were trained on 8,192 positions and stretched to 131,072 by scaling RoPE: short
// wavelengths stay, long ones are divided by a factor, the ones between are blended. GGUF carries the
// result as the tensor rope_freqs.weight; the formula below is for files that lost it.
const (
	ropeOriginalContext = 8192
	ropeLowFrequency    = 1.0
	ropeHighFrequency   = 4.0
)

// llama3Divisors returns rope_freqs [headDim/2] for a scaling factor: 8 for Llama 3.1, 32 for Llama 3.2
// (rope_scaling of type "llama3" in Hugging Face's configuration).
func llama3Divisors(headDim int, base, factor float64) []float32 {
	divisors := make([]float32, headDim/2)
	for i, theta := range ropeFrequencies(headDim, base, nil) {
		wavelength := 2 * math.Pi / theta
		switch {
		case wavelength < ropeOriginalContext/ropeHighFrequency:
			divisors[i] = 1
		case wavelength > ropeOriginalContext/ropeLowFrequency:
			divisors[i] = float32(factor)
		default:
			smooth := (ropeOriginalContext/wavelength - ropeLowFrequency) / (ropeHighFrequency - ropeLowFrequency)
			divisors[i] = float32(1 / ((1-smooth)/factor + smooth))
		}
	}
	return divisors
}

// loadRoPE returns the frequencies θ[HeadDim/2], scaled as the file says.
func (m *Model) loadRoPE(l *loader, c *Config) ([]float64, error) {
	const tensor = "rope_freqs.weight"
	if _, ok := l.file.Tensor(tensor); ok {
		c.RoPEFreqs = l.vector(tensor, c.HeadDim/2)
		for i, d := range c.RoPEFreqs {
			if !(d > 0) || math.IsInf(float64(d), 0) {
				l.fail(tensor, "divisor %d is %g, want a positive number", i, d)
			}
		}
	} else if factor := lostRoPEFactor(c); factor > 0 {
		c.RoPEFreqs = llama3Divisors(c.HeadDim, c.RoPEBase, factor)
		m.warnings = append(m.warnings, fmt.Sprintf("%s: tensor %s is missing, which a model of this shape and context has; "+
			"RoPE is scaled by Llama 3's rule with factor %g: convert the checkpoint again with a current tool", l.file.Name(), tensor, factor))
	}
	linear, err := linearRoPEFactor(l.file)
	if err != nil {
		return nil, err
	}
	theta := ropeFrequencies(c.HeadDim, c.RoPEBase, c.RoPEFreqs)
	for i := range theta {
		theta[i] /= linear
	}
	return theta, nil
}

// lostRoPEFactor returns the scaling factor of a checkpoint that should have rope_freqs.weight and, converted by a tool of
// before July 2024, has not: the Llama 3.1 and 3.2 text models, known by their base, context and shape. 0 is none of them.
func lostRoPEFactor(c *Config) float64 {
	if c.RoPEBase != 500000 || c.ContextLength <= ropeOriginalContext {
		return 0
	}
	switch {
	case c.Dim == 2048 && c.NLayers == 16, c.Dim == 3072 && c.NLayers == 28:
		return 32
	case c.Dim == 4096 && c.NLayers == 32, c.Dim == 8192 && c.NLayers == 80:
		return 8
	}
	return 0
}
