package llm

import (
	"math"
	"slices"
)

// LogSumExp returns ln Σ exp(logits), by which a logit becomes a logprob: logit − LogSumExp. -Inf entries
// count nothing; without any other entry the result is -Inf.
func LogSumExp(logits []float32) float64 {
	best, ok := argmax(logits)
	if !ok {
		return math.Inf(-1)
	}
	top, sum := float64(logits[best]), 0.0
	for _, x := range logits {
		if x == x { // not NaN
			sum += math.Exp(float64(x) - top)
		}
	}
	return top + math.Log(sum)
}

// TopLogprobs returns the n most likely tokens of the logits, best first, of equal ones the lowest id first.
func TopLogprobs(logits []float32, n int) []Logprob {
	n = min(n, len(logits))
	total := LogSumExp(logits)
	top := make([]Logprob, 0, n+1)
	for i, x := range logits {
		p := Logprob{Token(i), float64(x) - total}
		if n == 0 || x != x || len(top) == n && p.Logprob <= top[n-1].Logprob {
			continue
		}
		// The list is sorted and short; equal ones go behind those that are there, whose ids are lower.
		at, _ := slices.BinarySearchFunc(top, p, func(e, target Logprob) int {
			if e.Logprob >= target.Logprob {
				return -1
			}
			return 1
		})
		top = slices.Insert(top, at, p)[:min(len(top)+1, n)]
	}
	return top
}

func tokenLogprobs(logits []float32, chosen Token, n int) TokenLogprobs {
	return TokenLogprobs{
		Logprob: Logprob{chosen, float64(logits[chosen]) - LogSumExp(logits)},
		Top:     TopLogprobs(logits, n),
	}
}
