package llm

import (
	"fmt"
	"math"
)

// Sampling says how the next token is chosen from the logits. Its zero value is greedy: the token with
// the highest logit, of equal ones the lowest id.
//
// The steps, in this order (the one of Hugging Face's transformers): the penalties, temperature, top-k,
// top-p, min-p, then one draw. Every draw takes one number from a PCG stream of the generation's own,
// so that a seed gives the same tokens whatever else the process does and however many threads
// compute the logits.
type Sampling struct {
	// Temperature divides the logits. 0 is greedy; Meta's reference uses 0.6.
	Temperature float64
	// TopK keeps the k most likely tokens. 0 keeps all.
	TopK int
	// TopP keeps the most likely tokens as long as the probability of those before is at most TopP, which
	// is Meta's edge rule: the token that crosses the border stays. 0 and 1 keep all.
	TopP float64
	// MinP keeps tokens that are at least MinP times as likely as the most likely one. 0 keeps all.
	MinP float64

	// RepetitionPenalty divides positive logits, and multiplies negative ones, of every token that the
	// session holds already, prompt included (Keskar et al. 2019, as in transformers). 0 and 1 are off.
	RepetitionPenalty float64
	// PresencePenalty is taken off the logits of every token generated so far, FrequencyPenalty as often as
	// it was generated (as in OpenAI's API; the prompt does not count). 0 is off.
	PresencePenalty, FrequencyPenalty float64

	// Seed selects the stream of random numbers, PCG-DXSM seeded with (Seed, 0x9E3779B97F4A7C15); 0 is a
	// seed like any other.
	Seed uint64
}

// SamplingError says which field of [Sampling] cannot be honored.
type SamplingError struct {
	Field string
	Value any
	Want  string
}

func (e *SamplingError) Error() string {
	return fmt.Sprintf("sampling: %s is %v, want %s", e.Field, e.Value, e.Want)
}

// Validate returns a *[SamplingError] for the first field that is out of range.
func (s Sampling) Validate() error {
	for _, f := range []struct {
		name      string
		value     float64
		low, high float64
		want      string
	}{
		{"Temperature", s.Temperature, 0, math.MaxFloat64, "0 (greedy) or more"},
		{"TopK", float64(s.TopK), 0, math.MaxInt32, "0 (off) or more"},
		{"TopP", s.TopP, 0, 1, "0 (off) to 1"},
		{"MinP", s.MinP, 0, 1, "0 (off) to 1"},
		{"RepetitionPenalty", s.RepetitionPenalty, 0, math.MaxFloat64, "0 (off) or more"},
		{"PresencePenalty", s.PresencePenalty, -math.MaxFloat64, math.MaxFloat64, "a finite number"},
		{"FrequencyPenalty", s.FrequencyPenalty, -math.MaxFloat64, math.MaxFloat64, "a finite number"},
	} {
		if !(f.value >= f.low && f.value <= f.high) { // written so that NaN fails
			return &SamplingError{Field: f.name, Value: f.value, Want: f.want}
		}
	}
	return nil
}

func (s *Sampling) penalizes() bool {
	return s.repeats() || s.PresencePenalty != 0 || s.FrequencyPenalty != 0
}

func (s *Sampling) repeats() bool {
	return s.RepetitionPenalty != 0 && s.RepetitionPenalty != 1
}
