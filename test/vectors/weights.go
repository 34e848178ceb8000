package vectors

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/bits"

	"github.com/drover-ai/drover/llm/gguf"
)

// stream yields the 64-bit words of a tensor: SplitMix64 (Steele, Lea and Flood 2014), seeded with the FNV-1a hash of the
// tensor's name. Word i can be computed by itself, which numpy needs.
type stream uint64

func newStream(name string) stream {
	h := fnv.New64a()
	h.Write([]byte(name))
	return stream(h.Sum64())
}

func (s stream) word(i int) uint64 {
	z := uint64(s) + uint64(i+1)*0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// Tokens returns n token ids below vocabSize from the stream of a name: a prompt.
func Tokens(name string, n, vocabSize int) []int32 {
	s := newStream(name)
	tokens := make([]int32, n)
	for i := range tokens {
		tokens[i] = int32(s.word(i) % uint64(vocabSize))
	}
	return tokens
}

// matrixExponent is the exponent e of a matrix's weights, which are about 2^e large: so that a product with numbers about 1
// is about 1 again, and attention, with larger queries and keys, is not the same for all positions.
func matrixExponent(name string, cols int) int {
	e := -(bits.Len(uint(cols)) - 1) / 2
	switch {
	case name == "token_embd.weight" || name == "output.weight":
		return -1
	case len(name) > 14 && (name[len(name)-13:] == "attn_q.weight" || name[len(name)-13:] == "attn_k.weight"):
		return e + 1
	}
	return e
}

// matrix returns the bytes of a matrix in a GGUF format. The formats' bits are filled from the stream directly, so that
// nothing is rounded on the way.
func matrix(name string, kind gguf.Type, rows, cols int) ([]byte, error) {
	s, n, e := newStream(name), rows*cols, matrixExponent(name, cols)
	le := binary.LittleEndian
	switch kind {
	case gguf.F32, gguf.F16, gguf.BF16:
		return floats(s, kind, n, e), nil
	case gguf.Q8_0: // a word for the scale, four for the values
		data := make([]byte, n/32*34)
		for b := range n / 32 {
			block := data[b*34:][:34]
			le.PutUint16(block, scale(s.word(5*b), e-7))
			for i := range 4 {
				le.PutUint64(block[2+8*i:], s.word(5*b+1+i))
			}
			for i, q := range block[2:] {
				if q == 0x80 { // -128, which quantizing never gives
					block[2+i] = 0x81
				}
			}
		}
		return data, nil
	case gguf.Q4_0: // a word for the scale, two for the values
		data := make([]byte, n/32*18)
		for b := range n / 32 {
			block := data[b*18:][:18]
			// The nibbles' mean is -1/2; a sign of the scale from the stream makes the weights' mean 0.
			le.PutUint16(block, scale(s.word(3*b), e-3)|uint16(s.word(3*b)>>48&0x8000))
			le.PutUint64(block[2:], s.word(3*b+1))
			le.PutUint64(block[10:], s.word(3*b+2))
		}
		return data, nil
	}
	return nil, fmt.Errorf("tensor %s: type %v cannot be made; F32, F16, BF16, Q8_0 and Q4_0 can", name, kind)
}

// scale returns a float16 between 2^e and 2^(e+1).
func scale(word uint64, e int) uint16 { return uint16(15+e)<<10 | uint16(word&0x3ff) }

// floats takes 16 bits of the stream for each number: the sign, two that lower the exponent by 0 to 3, and the mantissa's
// highest ones.
func floats(s stream, kind gguf.Type, n, e int) []byte {
	le := binary.LittleEndian
	size := map[gguf.Type]int{gguf.F32: 4, gguf.F16: 2, gguf.BF16: 2}[kind]
	data := make([]byte, n*size)
	for i := 0; i < n; i += 4 {
		word := s.word(i / 4)
		for j := range min(4, n-i) {
			b := uint32(word >> (16 * j) & 0xffff)
			sign, lower, at := b>>15, int(b>>10&3), (i+j)*size
			switch kind {
			case gguf.F32:
				le.PutUint32(data[at:], sign<<31|uint32(127+e-lower)<<23|b&0x3ff<<13)
			case gguf.F16:
				le.PutUint16(data[at:], uint16(sign<<15|uint32(15+e-lower)<<10|b&0x3ff))
			case gguf.BF16:
				le.PutUint16(data[at:], uint16(sign<<15|uint32(127+e-lower)<<7|b&0x7f))
			}
		}
	}
	return data
}

// norm returns n float32 between 0.75 and 1.25 that need no rounding.
func norm(name string, n int) []float32 {
	s := newStream(name)
	out := make([]float32, n)
	for i := range out {
		out[i] = 0.75 + float32(s.word(i)&0xffff)/(1<<17)
	}
	return out
}
