package llm

import (
	"errors"
	"math"
	"math/rand/v2"
)

// ErrNoToken is returned when no token can be chosen: a [Constraint] forbids all of them, or the logits
// are not numbers, which a damaged checkpoint brings about.
var ErrNoToken = errors.New("no token can be chosen: every logit is -Inf or not a number")

// pcgIncrement is the second half of the seed of every sampler's PCG stream, the golden ratio's bits.
const pcgIncrement = 0x9E3779B97F4A7C15

// negligible is how far, in units of the temperature, a logit may lie below the best one before the
// token is left out of the draw: e^-36 is below float64's rounding of the sum.
const negligible = 36

// candidate is a token that may be drawn; weight is its probability, not yet normalized: the most likely
// token has weight 1.
type candidate struct {
	token  Token
	weight float64
}

// sampler chooses tokens for one generation. Its buffers are kept from one to the next.
type sampler struct {
	Sampling
	stream     rand.PCG
	buffer     []candidate // room for the whole vocabulary
	candidates []candidate // part of buffer
	seen       []bool      // [vocabSize] occurs in the session
	count      []int32     // [vocabSize] how often it was generated
	touched    []Token     // ids with an entry in seen or count, each once
}

// reset begins a generation after the tokens of the prompt.
func (s *sampler) reset(options Sampling, vocabSize int, prompt []Token) {
	for _, t := range s.touched {
		s.seen[t], s.count[t] = false, 0
	}
	s.touched = s.touched[:0]
	s.Sampling = options
	s.stream.Seed(options.Seed, pcgIncrement)
	if !s.penalizes() {
		return
	}
	if s.seen == nil {
		s.seen, s.count = make([]bool, vocabSize), make([]int32, vocabSize)
	}
	if s.repeats() {
		for _, t := range prompt {
			s.touch(t)
			s.seen[t] = true
		}
	}
}

func (s *sampler) touch(t Token) {
	if !s.seen[t] && s.count[t] == 0 {
		s.touched = append(s.touched, t)
	}
}

// accept notes a token that was generated, drawn or forced.
func (s *sampler) accept(t Token) {
	if !s.penalizes() {
		return
	}
	s.touch(t)
	s.seen[t] = true
	s.count[t]++
}

// changesLogits reports whether penalize would change anything.
func (s *sampler) changesLogits() bool { return s.penalizes() && len(s.touched) > 0 }

// penalize applies the penalties to the logits in place.
func (s *sampler) penalize(logits []float32) {
	for _, t := range s.touched {
		x := float64(logits[t])
		if s.repeats() && s.seen[t] {
			if x > 0 {
				x /= s.RepetitionPenalty
			} else {
				x *= s.RepetitionPenalty
			}
		}
		if n := s.count[t]; n > 0 {
			x -= s.PresencePenalty + float64(n)*s.FrequencyPenalty
		}
		logits[t] = float32(x)
	}
}

// choose returns the next token. It does not change the logits.
func (s *sampler) choose(logits []float32) (Token, error) {
	best, ok := argmax(logits)
	if !ok {
		return 0, ErrNoToken
	}
	if s.Temperature == 0 || math.IsInf(float64(logits[best]), 1) {
		return best, nil
	}
	total := s.collect(logits, float64(logits[best]))
	if s.TopK > 0 || s.TopP > 0 && s.TopP < 1 {
		total = s.truncate(total)
	}
	if s.MinP > 0 {
		total = s.dropUnlikely()
	}
	u := float64(s.stream.Uint64()>>11) / (1 << 53) * total
	for _, c := range s.candidates {
		if u -= c.weight; u < 0 {
			return c.token, nil
		}
	}
	return s.candidates[len(s.candidates)-1].token, nil
}

// argmax returns the lowest id among the highest logits, and whether there is a logit above -Inf.
func argmax(logits []float32) (Token, bool) {
	best, id := float32(math.Inf(-1)), -1
	for i, x := range logits {
		if x > best {
			best, id = x, i
		}
	}
	return Token(id), id >= 0
}

// collect fills s.candidates in the order of ids and returns the sum of their weights.
func (s *sampler) collect(logits []float32, best float64) float64 {
	if cap(s.buffer) < len(logits) {
		s.buffer = make([]candidate, 0, len(logits))
	}
	s.candidates = s.buffer[:0]
	// Never -Inf, which forbids a token, even if the temperature is so high that everything else is about as likely.
	lowest := max(float32(best-negligible*s.Temperature), -math.MaxFloat32)
	total := 0.0
	for i, x := range logits {
		if x >= lowest {
			w := math.Exp((float64(x) - best) / s.Temperature)
			s.candidates = append(s.candidates, candidate{Token(i), w})
			total += w
		}
	}
	return total
}

// truncate keeps the most likely candidates as top-k and top-p say, most likely first, and returns the
// sum of their weights. Top-p measures probabilities among what top-k has left.
func (s *sampler) truncate(total float64) float64 {
	heap := s.candidates
	for i := len(heap)/2 - 1; i >= 0; i-- {
		siftDown(heap, i)
	}
	// Take the best from the heap one by one; each goes to the place that the shrinking heap frees at the
	// end of the slice, so that the kept ones stand there in rising order.
	keep := len(heap)
	if s.TopK > 0 {
		keep = min(keep, s.TopK)
	}
	limit := math.Inf(1)
	if s.TopP > 0 && s.TopP < 1 && s.TopK == 0 {
		limit = s.TopP * total
	}
	kept, mass := 0, 0.0
	for kept < keep && mass <= limit {
		last := len(heap) - 1
		heap[0], heap[last] = heap[last], heap[0]
		mass += heap[last].weight
		heap = heap[:last]
		siftDown(heap, 0)
		kept++
	}
	s.candidates = s.candidates[len(s.candidates)-kept:]
	for i, j := 0, kept-1; i < j; i, j = i+1, j-1 {
		s.candidates[i], s.candidates[j] = s.candidates[j], s.candidates[i]
	}
	if s.TopK == 0 || s.TopP == 0 || s.TopP == 1 {
		return mass
	}
	before := 0.0
	for i, c := range s.candidates {
		if before > s.TopP*mass {
			s.candidates = s.candidates[:i]
			return before
		}
		before += c.weight
	}
	return before
}

// dropUnlikely keeps the candidates that min-p allows and returns the sum of their weights.
func (s *sampler) dropUnlikely() float64 {
	kept, total := s.candidates[:0], 0.0
	for _, c := range s.candidates {
		if c.weight >= s.MinP { // the most likely token's weight is 1
			kept = append(kept, c)
			total += c.weight
		}
	}
	s.candidates = kept
	return total
}

// siftDown restores the heap below i: a parent comes before its children.
func siftDown(heap []candidate, i int) {
	for {
		child := 2*i + 1
		if child >= len(heap) {
			return
		}
		if right := child + 1; right < len(heap) && comesBefore(heap[right], heap[child]) {
			child = right
		}
		if !comesBefore(heap[child], heap[i]) {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}

// comesBefore orders candidates by weight, equal ones by id, so that the order is the same everywhere.
func comesBefore(a, b candidate) bool {
	return a.weight > b.weight || a.weight == b.weight && a.token < b.token
}
