package llm

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var minusInf, notANumber = float32(math.Inf(-1)), float32(math.NaN())

func newSampler(options Sampling, vocabSize int, prompt ...Token) *sampler {
	s := &sampler{}
	s.reset(options, vocabSize, prompt)
	return s
}

func TestGreedy(t *testing.T) {
	for name, c := range map[string]struct {
		logits []float32
		want   Token
		err    error
	}{
		"the highest":         {[]float32{1, 3, 2}, 1, nil},
		"ties: the lowest id": {[]float32{1, 3, 3, 3}, 1, nil},
		"all negative":        {[]float32{-5, -3, -4}, 1, nil},
		"all equal":           {[]float32{0, 0, 0}, 0, nil},
		"zeros of both signs": {[]float32{float32(math.Copysign(0, -1)), 0}, 0, nil},
		"forbidden ones":      {[]float32{minusInf, minusInf, -9}, 2, nil},
		"infinite":            {[]float32{1, float32(math.Inf(1)), float32(math.Inf(1))}, 1, nil},
		"no numbers":          {[]float32{notANumber, 1, notANumber, 2}, 3, nil},
		"nothing but those":   {[]float32{notANumber, minusInf}, 0, ErrNoToken},
		"all forbidden":       {[]float32{minusInf, minusInf}, 0, ErrNoToken},
	} {
		for _, temperature := range []float64{0, 1e-300} { // a temperature of next to nothing is greedy too
			if temperature > 0 && name != "the highest" && name != "forbidden ones" && name != "infinite" {
				continue // ties are drawn
			}
			got, err := newSampler(Sampling{Temperature: temperature}, len(c.logits)).choose(c.logits)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s, temperature %g: %d, %v; want %d, %v", name, temperature, got, err, c.want, c.err)
			}
		}
	}
}

// distribution is what the sampler should draw from, computed in the plainest way: sort, cut, normalize.
func distribution(logits []float32, o Sampling) map[Token]float64 {
	type choice struct {
		token Token
		p     float64
	}
	var choices []choice
	total := 0.0
	best := slices.Max(logits)
	for i, x := range logits {
		if x > minusInf {
			p := math.Exp((float64(x) - float64(best)) / o.Temperature)
			choices = append(choices, choice{Token(i), p})
			total += p
		}
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(b.p, a.p) })
	if o.TopK > 0 {
		choices = choices[:min(o.TopK, len(choices))]
	}
	normalize := func() {
		total = 0
		for _, c := range choices {
			total += c.p
		}
		for i := range choices {
			choices[i].p /= total
		}
	}
	normalize()
	if o.TopP > 0 && o.TopP < 1 {
		before := 0.0
		for i, c := range choices {
			if before > o.TopP {
				choices = choices[:i]
				break
			}
			before += c.p
		}
	}
	choices = slices.DeleteFunc(choices, func(c choice) bool { return c.p < o.MinP*choices[0].p })
	normalize()
	out := map[Token]float64{}
	for _, c := range choices {
		out[c.token] = c.p
	}
	return out
}

// TestDistribution draws often, and finds each token as often as it should be, and no other at all.
func TestDistribution(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	const draws = 20000
	for try, options := range []Sampling{
		{Temperature: 1}, {Temperature: 0.5}, {Temperature: 3}, {Temperature: 1e300},
		{Temperature: 1, TopK: 1}, {Temperature: 1, TopK: 5}, {Temperature: 1, TopK: 1000},
		{Temperature: 1, TopP: 0.5}, {Temperature: 1, TopP: 1e-9}, {Temperature: 1, TopP: 0.95}, {Temperature: 1, TopP: 1},
		{Temperature: 1, MinP: 0.1}, {Temperature: 1, MinP: 1},
		{Temperature: 0.8, TopK: 8, TopP: 0.7, MinP: 0.05},
	} {
		logits := make([]float32, 40)
		for i := range logits {
			logits[i] = float32(r.NormFloat64()) * 2
		}
		logits[3], logits[17], logits[39] = minusInf, logits[5], minusInf // forbidden ones, and two alike
		want := distribution(logits, options)
		options.Seed = uint64(try)
		s := newSampler(options, len(logits))
		counts := map[Token]int{}
		for range draws {
			token, err := s.choose(logits)
			if err != nil {
				t.Fatal(err)
			}
			counts[token]++
		}
		for token, n := range counts {
			if want[token] == 0 {
				t.Errorf("%+v: token %d was drawn %d times and should not be", options, token, n)
			}
		}
		for token, p := range want {
			// Five standard deviations of a binomial distribution.
			if got, spread := float64(counts[token]), math.Sqrt(draws*p*(1-p)); math.Abs(got-draws*p) > 5*spread+1 {
				t.Errorf("%+v: token %d was drawn %g times, want about %.0f", options, token, got, draws*p)
			}
		}
	}
}

// Every cut keeps exactly the tokens that sorting keeps, ties included, also of a vocabulary of real size.
func TestCutsAgainstSorting(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for try := range 300 {
		n := []int{1, 2, 7, 500}[r.IntN(4)]
		logits := make([]float32, n)
		for i := range logits {
			logits[i] = float32(r.IntN(12)) / 2 // many ties
		}
		options := Sampling{Temperature: 0.1 + 2*r.Float64(), Seed: uint64(try)}
		if r.IntN(2) == 0 {
			options.TopK = 1 + r.IntN(n+2)
		}
		if r.IntN(2) == 0 {
			options.TopP = r.Float64()
		}
		if r.IntN(2) == 0 {
			options.MinP = r.Float64()
		}
		s := newSampler(options, n)
		if _, err := s.choose(logits); err != nil {
			t.Fatal(err)
		}
		want := distribution(logits, options)
		if len(s.candidates) != len(want) {
			t.Fatalf("%+v of %d: %d tokens are left, want %d", options, n, len(s.candidates), len(want))
		}
		for _, c := range s.candidates {
			if want[c.token] == 0 {
				t.Fatalf("%+v of %d: token %d is left", options, n, c.token)
			}
		}
	}
}

func TestSeed(t *testing.T) {
	logits := make([]float32, 1000)
	draw := func(seed uint64) (out []Token) {
		s := newSampler(Sampling{Temperature: 1, Seed: seed}, len(logits))
		for range 50 {
			token, _ := s.choose(logits)
			out = append(out, token)
		}
		return out
	}
	if !slices.Equal(draw(7), draw(7)) {
		t.Error("a seed gives two texts")
	}
	if slices.Equal(draw(7), draw(8)) || slices.Equal(draw(0), draw(1)) {
		t.Error("two seeds give one text")
	}
	// The stream is part of the interface: a seed gives the same text with every version.
	if got := fmt.Sprint(draw(42)[:5]); got != "[335 877 86 76 701]" {
		t.Errorf("seed 42 draws %s", got)
	}
}

func TestPenalties(t *testing.T) {
	logits := []float32{2, -2, 1, 0.5, 0}
	for name, c := range map[string]struct {
		options   Sampling
		generated []Token
		want      []float32
	}{
		"none":                              {Sampling{}, []Token{0, 0}, []float32{2, -2, 1, 0.5, 0}},
		"repetition, prompt included":       {Sampling{RepetitionPenalty: 2}, []Token{2}, []float32{1, -4, 0.5, 0.5, 0}},
		"repetition below 1 encourages":     {Sampling{RepetitionPenalty: 0.5}, nil, []float32{4, -1, 1, 0.5, 0}},
		"presence, once and not the prompt": {Sampling{PresencePenalty: 0.5}, []Token{0, 0, 2}, []float32{1.5, -2, 0.5, 0.5, 0}},
		"frequency, each time":              {Sampling{FrequencyPenalty: 0.5}, []Token{0, 0, 2}, []float32{1, -2, 0.5, 0.5, 0}},
		"negative presence encourages":      {Sampling{PresencePenalty: -3}, []Token{4}, []float32{2, -2, 1, 0.5, 3}},
		"negative frequency":                {Sampling{FrequencyPenalty: -1}, []Token{4, 4}, []float32{2, -2, 1, 0.5, 2}},
		"all of them": {
			Sampling{RepetitionPenalty: 2, PresencePenalty: 1, FrequencyPenalty: 0.25}, []Token{3, 3}, []float32{1, -4, 1, 0.25 - 1.5, 0},
		},
	} {
		s := newSampler(c.options, len(logits), 0, 1)
		for range 2 { // a second generation knows nothing of the first
			s.reset(c.options, len(logits), []Token{0, 1})
			for _, token := range c.generated {
				s.accept(token)
			}
			got := slices.Clone(logits)
			s.penalize(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	}
	// Huge ones overflow to infinity, never to a token that is forbidden or no number at all.
	s := newSampler(Sampling{PresencePenalty: -math.MaxFloat64, FrequencyPenalty: -math.MaxFloat64}, 3)
	s.accept(1)
	s.accept(2)
	x := []float32{0, 1, minusInf}
	s.penalize(x)
	if token, err := s.choose(x); token != 1 || err != nil {
		t.Errorf("with penalties of -1e308: %d, %v, logits %v", token, err, x)
	}
}

func TestSamplingValidate(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, good := range []Sampling{
		{}, {Temperature: 1e300}, {TopK: math.MaxInt32}, {TopP: 1, MinP: 1}, {PresencePenalty: -2, FrequencyPenalty: -2},
		{PresencePenalty: -math.MaxFloat64}, {RepetitionPenalty: 1.1, Seed: math.MaxUint64},
	} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for field, bad := range map[string][]Sampling{
		"Temperature":       {{Temperature: -1}, {Temperature: nan}, {Temperature: inf}},
		"TopK":              {{TopK: -1}},
		"TopP":              {{TopP: -0.1}, {TopP: 1.1}, {TopP: nan}},
		"MinP":              {{MinP: -0.1}, {MinP: 1.1}, {MinP: nan}},
		"RepetitionPenalty": {{RepetitionPenalty: -1}, {RepetitionPenalty: nan}, {RepetitionPenalty: inf}},
		"PresencePenalty":   {{PresencePenalty: nan}, {PresencePenalty: inf}, {PresencePenalty: -inf}},
		"FrequencyPenalty":  {{FrequencyPenalty: nan}, {FrequencyPenalty: -inf}},
	} {
		for _, s := range bad {
			var e *SamplingError
			if err := s.Validate(); !errors.As(err, &e) || e.Field != field {
				t.Errorf("%+v: %v, want an error about %s", s, err, field)
			}
		}
	}
}

func TestLogprobs(t *testing.T) {
	logits := []float32{1, 4, minusInf, 4, 2, notANumber, 0}
	sum := 0.0
	for _, x := range []float64{1, 4, 4, 2, 0} {
		sum += math.Exp(x)
	}
	if got := LogSumExp(logits); math.Abs(got-math.Log(sum)) > 1e-12 {
		t.Errorf("LogSumExp is %g, want %g", got, math.Log(sum))
	}
	if got := LogSumExp([]float32{1e30, 1e30}); math.Abs(got-1e30) > 1e24 {
		t.Errorf("of huge logits it is %g", got)
	}
	if got := LogSumExp([]float32{minusInf}); !math.IsInf(got, -1) {
		t.Errorf("of nothing it is %g", got)
	}
	var ids []Token
	for _, p := range TopLogprobs(logits, 5) {
		ids = append(ids, p.Token)
		if want := float64(logits[p.Token]) - math.Log(sum); math.Abs(p.Logprob-want) > 1e-12 {
			t.Errorf("token %d has logprob %g, want %g", p.Token, p.Logprob, want)
		}
	}
	if want := []Token{1, 3, 4, 0, 6}; !slices.Equal(ids, want) {
		t.Errorf("the most likely are %v, want %v", ids, want)
	}
	if got := TopLogprobs(logits, 0); len(got) != 0 {
		t.Errorf("none were asked for, got %v", got)
	}
	if got := TopLogprobs(logits[:2], 10); len(got) != 2 {
		t.Errorf("of 2 there are %d", len(got))
	}
}
