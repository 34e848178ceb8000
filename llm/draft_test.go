package llm_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/test/vectors"
)

func TestGuess(t *testing.T) {
	for _, c := range []struct {
		name     string
		history  []llm.Token
		least, n int
		want     []llm.Token
	}{
		{"nothing", nil, 2, 8, nil},
		{"one token", []llm.Token{7}, 2, 8, nil},
		{"nothing repeats", []llm.Token{1, 2, 3, 4}, 2, 8, nil},
		{"one token is too little", []llm.Token{1, 2, 3, 9, 2}, 2, 8, nil},
		{"two tokens", []llm.Token{1, 2, 3, 4, 5, 6, 1, 2}, 2, 8, []llm.Token{3, 4, 5, 6}},
		{"two tokens, three wanted", []llm.Token{1, 2, 3, 4, 5, 6, 1, 2}, 3, 8, nil},
		{"no more than asked for", []llm.Token{1, 2, 3, 4, 5, 6, 1, 2}, 2, 3, []llm.Token{3, 4, 5}},
		{"none asked for", []llm.Token{1, 2, 3, 4, 5, 6, 1, 2}, 2, 0, nil},
		{"no room", []llm.Token{1, 2, 3, 4, 5, 6, 1, 2}, 2, -3, nil},
		{"the last time", []llm.Token{1, 2, 3, 0, 1, 2, 4, 0, 1, 2}, 2, 1, []llm.Token{4}},
		{"the longest match", []llm.Token{5, 1, 2, 3, 0, 1, 2, 4, 0, 5, 1, 2}, 2, 1, []llm.Token{3}},
		{"up to the end", []llm.Token{1, 2, 1, 2, 1, 2}, 2, 8, []llm.Token{1, 2}},
		{"one token over and over", []llm.Token{3, 3, 3, 3}, 2, 8, []llm.Token{3}},
	} {
		if got := llm.Guess(c.history, c.least, c.n); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// recital is a constraint that lets a model say nothing but the tokens it is given, without forcing them.
type recital struct {
	tokens []llm.Token
	at     int
}

func (r *recital) Forced(dst []llm.Token) []llm.Token { return dst }
func (r *recital) Accept(llm.Token) error             { r.at++; return nil }
func (r *recital) Done() bool                         { return r.at == len(r.tokens) }

func (r *recital) Mask(logits []float32) error {
	keep := logits[r.tokens[r.at]]
	for i := range logits {
		logits[i] = float32(math.Inf(-1))
	}
	logits[r.tokens[r.at]] = keep
	return nil
}

// strict is a recital that says how much of a draft it allows.
type strict struct{ *recital }

func (s strict) AllowedPrefix(tokens []llm.Token) (n int) {
	rest := s.tokens[s.at:]
	for n < min(len(tokens), len(rest)) && tokens[n] == rest[n] {
		n++
	}
	return n
}

// quotation is a text of tokens, and one that quotes it: in part, twice, and with a slip.
func quotation(m *llm.Model) (source, quoting []llm.Token) {
	source = vectors.Tokens("source", 90, m.Config().VocabSize)
	quoting = slices.Concat(source[20:60], vectors.Tokens("aside", 3, m.Config().VocabSize), source[5:40], source[5:30])
	quoting[17] = (quoting[17] + 1) % llm.Token(m.Config().VocabSize)
	return source, quoting
}

// A draft changes the number of passes, and nothing else: the same tokens and logprobs, bit for bit.
func TestDraftsChangeNothing(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0))
	source, quoting := quotation(m)
	recite := func(draft int, wrap func(*recital) llm.Constraint) (written, []llm.TokenLogprobs) {
		s := newSession(t, m)
		prefill(t, s, source)
		var w written
		var logprobs []llm.TokenLogprobs
		options := llm.GenerateOptions{Constraint: wrap(&recital{tokens: quoting}), StopTokens: neverStop, Logprobs: 3, Draft: draft}
		for chunk, err := range s.Generate(context.Background(), options) {
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range chunk.Logprobs {
				logprobs = append(logprobs, llm.TokenLogprobs{Logprob: p.Logprob, Top: slices.Clone(p.Top)})
			}
			w.tokens, w.last = append(w.tokens, chunk.Tokens...), chunk
		}
		return w, logprobs
	}
	free := func(r *recital) llm.Constraint { return r }
	plain, want := recite(-1, free)
	if !slices.Equal(plain.tokens, quoting) {
		t.Fatalf("%v, want %v", plain.tokens, quoting)
	}
	if u := plain.last.Usage; u.DraftTokens != 0 || u.ForwardPasses != len(quoting)-1 {
		t.Errorf("without drafts: %+v", u)
	}
	for name, wrap := range map[string]func(*recital) llm.Constraint{"free": free, "strict": func(r *recital) llm.Constraint { return strict{r} }} {
		w, got := recite(8, wrap)
		if !slices.Equal(w.tokens, quoting) {
			t.Errorf("%s: %v, want %v", name, w.tokens, quoting)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: logprobs (-without drafts +with):\n%s", name, diff)
		}
		u := w.last.Usage
		if u.DraftTokens+u.ForwardPasses != len(quoting)-1 && u.DraftTokens+u.ForwardPasses != len(quoting) { // the last one is not computed
			t.Errorf("%s: %d tokens guessed right and %d passes are not the %d tokens", name, u.DraftTokens, u.ForwardPasses, len(quoting))
		}
		if u.ForwardPasses > len(quoting)/3 {
			t.Errorf("%s: %d passes for %d tokens of which most are quoted", name, u.ForwardPasses, len(quoting))
		}
	}
}

// With all of sampling at work, at the limits of tokens and context, and however long drafts are.
func TestDraftsKeepTheSample(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q8_0))
	guessed := 0
	for seed := range uint64(6) {
		options := llm.GenerateOptions{MaxTokens: 60, StopTokens: neverStop, Sampling: llm.Sampling{
			Temperature: 0.3 * float64(seed), TopK: 20, TopP: 0.9, PresencePenalty: -2, FrequencyPenalty: -1, Seed: seed, // likes to repeat
		}}
		if seed == 5 {
			options.MaxTokens = 0 // to the end of the context
		}
		options.Draft = -1
		want := generate(t, writer(t, m), options)
		for _, options.Draft = range []int{8, 1, 3, 40} {
			got := generate(t, writer(t, m), options)
			if !slices.Equal(got.tokens, want.tokens) || got.text != want.text || got.last.StopReason != want.last.StopReason {
				t.Errorf("seed %d, drafts of %d: %v, want %v", seed, options.Draft, got.tokens, want.tokens)
			}
			guessed += got.last.Usage.DraftTokens
		}
	}
	if guessed == 0 {
		t.Error("nothing was guessed right, so nothing was tested")
	}
}

// What was guessed is never seen: the session's tokens and logits, its forks and what follows a broken-off generation are
// those of the tokens that were given away.
func TestDraftsStayHidden(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0))
	source, quoting := quotation(m)
	for stop := 1; stop < len(quoting); stop += 9 {
		s := newSession(t, m)
		prefill(t, s, source)
		all, chunks := slices.Clone(source), 0
		var fork *llm.Session
		for chunk, err := range s.Generate(context.Background(), llm.GenerateOptions{Constraint: &recital{tokens: quoting}, StopTokens: neverStop, Draft: 8}) {
			if err != nil {
				t.Fatal(err)
			}
			if held := s.Tokens(); !slices.Equal(held, all) {
				t.Fatalf("after %d chunks the session holds %v, want %v", chunks, held[len(source):], all[len(source):])
			}
			if !sameLogits(s.Logits(), prefillAll(t, m, all)) {
				t.Fatalf("after %d chunks the logits are others", chunks)
			}
			all = append(all, chunk.Tokens...)
			if chunks++; chunks == stop {
				if fork, err = s.Fork(); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
		more := vectors.Tokens("more", 70, m.Config().VocabSize)
		want := prefillAll(t, m, slices.Concat(all, more))
		for name, s := range map[string]*llm.Session{"session": s, "fork": fork} {
			if _, err := s.Sync(context.Background(), slices.Concat(all, more)); err != nil {
				t.Fatal(err)
			}
			if !sameLogits(s.Logits(), want) {
				t.Errorf("broken off after %d: the %s goes on with other logits", stop, name)
			}
		}
		if err := fork.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A draft that is never right costs less and less: a longer match is asked for.
func TestWrongDraftsEnd(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0))
	vocabSize := llm.Token(m.Config().VocabSize)
	pair := vectors.Tokens("pair", 2, int(vocabSize))
	var source, quoting []llm.Token // two tokens that are the same every time, and then another one
	for i := range llm.Token(60) {
		source = append(source, pair[0], pair[1], i%vocabSize)
		quoting = append(quoting, pair[0], pair[1], (i+70)%vocabSize)
	}
	refused := 0
	counted := counting{recital: &recital{tokens: quoting}, drafts: &refused}
	s := newSession(t, m)
	prefill(t, s, source)
	generate(t, s, llm.GenerateOptions{Constraint: counted, StopTokens: neverStop, Draft: 8})
	if refused == 0 || refused > 30 {
		t.Errorf("%d drafts for 60 places where they are wrong, want some and at most 30", refused)
	}
}

// counting counts the drafts that it is asked about.
type counting struct {
	*recital
	drafts *int
}

func (c counting) AllowedPrefix(tokens []llm.Token) int { *c.drafts++; return len(tokens) }
