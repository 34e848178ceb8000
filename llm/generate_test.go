package llm_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/test/vectors"
)

// written is what a generation has written, and its last chunk.
type written struct {
	text   string
	tokens []llm.Token
	last   llm.Chunk
	chunks int
}

// generate ranges over a generation and checks every chunk.
func generate(t testing.TB, s *llm.Session, options llm.GenerateOptions) written {
	t.Helper()
	w, err := tryGenerate(t, context.Background(), s, options)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func tryGenerate(t testing.TB, ctx context.Context, s *llm.Session, options llm.GenerateOptions) (w written, err error) {
	t.Helper()
	for chunk, err := range s.Generate(ctx, options) {
		if w.last.Final() {
			t.Error("a chunk after the last one")
		}
		if err != nil {
			return w, err
		}
		if !utf8.ValidString(chunk.Text) {
			t.Errorf("chunk %d has %q, which is not UTF-8", w.chunks, chunk.Text)
		}
		w.chunks++
		w.text += chunk.Text
		w.tokens = append(w.tokens, chunk.Tokens...)
		w.last = chunk
	}
	if !w.last.Final() {
		t.Error("the last chunk has no stop reason")
	}
	if n := w.last.Usage.CompletionTokens; n != len(w.tokens) {
		t.Errorf("usage has %d tokens, there were %d", n, len(w.tokens))
	}
	return w, nil
}

// writer returns a session that holds a prompt.
func writer(t testing.TB, m *llm.Model) *llm.Session {
	t.Helper()
	s := newSession(t, m)
	prefill(t, s, vectors.Tokens("writer", 10, m.Config().VocabSize))
	return s
}

// neverStop keeps generations going: no token ends them.
var neverStop = []llm.Token{}

func TestGreedyFollowsTheLogits(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0))
	s := writer(t, m)
	prompt := slices.Clone(s.Tokens())
	w := generate(t, s, llm.GenerateOptions{MaxTokens: 20, StopTokens: neverStop, Logprobs: 2})
	if len(w.tokens) != 20 || w.last.StopReason != llm.StopReasonLength || w.last.StopToken != -1 {
		t.Errorf("%d tokens, %+v", len(w.tokens), w.last)
	}
	if u := w.last.Usage; u.PromptTokens != 10 || u.CachedTokens != 0 || u.ForcedTokens != 0 {
		t.Errorf("usage %+v", u)
	}
	tokens := prompt
	for i, token := range w.tokens {
		if best := llm.TopLogprobs(prefillAll(t, m, tokens), 1)[0].Token; token != best {
			t.Fatalf("token %d is %d, the most likely is %d", i, token, best)
		}
		tokens = append(tokens, token)
	}
	if want := string(m.Tokenizer().Decode(nil, w.tokens)); w.text != strings.ToValidUTF8(want, "\ufffd") {
		t.Errorf("text is %q, want %q", w.text, want)
	}
}

// A seed gives the same text in another session, at another number of threads, while others compute, and after a fork.
func TestSeedGivesTheSameText(t *testing.T) {
	shape := smallShape(gguf.Q8_0)
	options := llm.GenerateOptions{MaxTokens: 40, StopTokens: neverStop, Sampling: llm.Sampling{
		Temperature: 1.5, TopK: 50, TopP: 0.9, MinP: 0.01, RepetitionPenalty: 1.1, PresencePenalty: -0.2, FrequencyPenalty: 0.1, Seed: 5,
	}}
	one, many := loadShape(t, shape, llm.Threads(1)), loadShape(t, shape, llm.Threads(4))
	want := generate(t, writer(t, one), options).tokens
	base := writer(t, many)
	for range 3 {
		f, err := base.Fork()
		if err != nil {
			t.Fatal(err)
		}
		if got := generate(t, f, options).tokens; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	options.Sampling.Seed++
	if got := generate(t, base, options).tokens; slices.Equal(got, want) {
		t.Error("another seed gives the same text")
	}
}

func TestStopTokensAndTheEndOfTheContext(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0), llm.ContextLength(30))
	free := generate(t, writer(t, m), llm.GenerateOptions{StopTokens: neverStop})
	if len(free.tokens) != 20 || free.last.StopReason != llm.StopReasonLength {
		t.Fatalf("%d tokens in the 20 places that are left, %v", len(free.tokens), free.last.StopReason)
	}
	stop := free.tokens[7]
	at := slices.Index(free.tokens, stop)
	w := generate(t, writer(t, m), llm.GenerateOptions{StopTokens: []llm.Token{stop}})
	if !slices.Equal(w.tokens, free.tokens[:at]) || w.last.StopReason != llm.StopReasonStop || w.last.StopToken != stop {
		t.Errorf("%v, %+v; want the first %d of %v", w.tokens, w.last, at, free.tokens)
	}
}

// Stop sequences end the text wherever the borders of tokens are, and what was generated stays with the session.
func TestStopSequencesAcrossTokens(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0))
	options := llm.GenerateOptions{MaxTokens: 30, StopTokens: neverStop, Sampling: llm.Sampling{Temperature: 1, Seed: 3}}
	free := generate(t, writer(t, m), options)
	pieces := 0
	for from := 0; from < len(free.text)-6; from += 3 {
		for _, n := range []int{1, 2, 6} {
			stop := free.text[from : from+n]
			if !utf8.ValidString(stop) || strings.Contains(stop, "\ufffd") { // a sequence is looked for in the bytes
				continue
			}
			options.Stop = []string{"never written", stop}
			s := writer(t, m)
			w := generate(t, s, options)
			want := free.text[:strings.Index(free.text, stop)]
			if w.text != want || w.last.StopSequence != stop || w.last.StopReason != llm.StopReasonStop {
				t.Fatalf("stop %q: %q, %+v; want %q", stop, w.text, w.last, want)
			}
			if !slices.Equal(w.tokens, free.tokens[:len(w.tokens)]) {
				t.Fatalf("stop %q changed the tokens", stop)
			}
			pieces++
		}
	}
	if pieces < 20 {
		t.Errorf("only %d stop sequences were tried", pieces)
	}
}

// script is a constraint that writes given bytes, one token a byte, forced or by a mask.
type script struct {
	bytes  []llm.Token
	forced bool
	seen   []llm.Token
}

func newScript(t *testing.T, m *llm.Model, text string, forced bool) *script {
	s := &script{forced: forced}
	for i := range len(text) {
		for id := range llm.Token(m.Config().VocabSize) {
			if string(m.Tokenizer().Piece(id)) == text[i:i+1] {
				s.bytes = append(s.bytes, id)
				break
			}
		}
	}
	if len(s.bytes) != len(text) {
		t.Fatalf("%d tokens for %d bytes", len(s.bytes), len(text))
	}
	return s
}

func (s *script) Forced(dst []llm.Token) []llm.Token {
	if s.forced {
		return append(dst, s.bytes[len(s.seen):]...)
	}
	return dst
}

func (s *script) Mask(logits []float32) error {
	next := s.bytes[len(s.seen)]
	for i := range logits {
		if llm.Token(i) != next {
			logits[i] = float32(math.Inf(-1))
		}
	}
	return nil
}

func (s *script) Accept(t llm.Token) error {
	if want := s.bytes[len(s.seen)]; t != want {
		return fmt.Errorf("token %d, want %d", t, want)
	}
	s.seen = append(s.seen, t)
	return nil
}

func (s *script) Done() bool { return len(s.seen) == len(s.bytes) }

// Text comes as whole characters only, however many tokens they take; a constraint decides what is written and when it ends.
func TestConstraintsAndWholeCharacters(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0))
	for text, want := range map[string]string{
		"plain":            "plain",
		"Grüße, 世界 👩‍👩‍👧!": "Grüße, 世界 👩‍👩‍👧!",
		"cut \xf0\x9f\x91": "cut \ufffd\ufffd\ufffd",
		"\xff bad":         "\ufffd bad",
	} {
		for _, forced := range []bool{false, true} {
			c := newScript(t, m, text, forced)
			s := writer(t, m)
			w := generate(t, s, llm.GenerateOptions{Constraint: c, Sampling: llm.Sampling{Temperature: 1}})
			if w.text != want || w.last.StopReason != llm.StopReasonStop || len(w.tokens) != len(text) {
				t.Errorf("%q, forced %v: %q, %+v", text, forced, w.text, w.last)
			}
			wantForced := 0
			if forced {
				wantForced = len(text)
			}
			if w.last.Usage.ForcedTokens != wantForced {
				t.Errorf("%q: %d tokens were forced, want %d", text, w.last.Usage.ForcedTokens, wantForced)
			}
			// The conversation goes on from there as if it had been read.
			all := append(vectors.Tokens("writer", 10, 320), w.tokens...)
			if _, err := s.Sync(context.Background(), all); err != nil {
				t.Fatal(err)
			}
			if !sameLogits(s.Logits(), prefillAll(t, m, all)) {
				t.Errorf("%q, forced %v: going on gives other logits", text, forced)
			}
		}
	}
	// What forbids everything is an error, not a random token.
	for _, err := range writer(t, m).Generate(context.Background(), llm.GenerateOptions{Constraint: forbidden{}}) {
		if !errors.Is(err, llm.ErrNoToken) {
			t.Errorf("everything is forbidden: %v", err)
		}
	}
}

type forbidden struct{}

func (forbidden) Forced(dst []llm.Token) []llm.Token { return dst }
func (forbidden) Accept(llm.Token) error             { return nil }
func (forbidden) Done() bool                         { return false }
func (forbidden) Mask(logits []float32) error {
	for i := range logits {
		logits[i] = float32(math.Inf(-1))
	}
	return nil
}

func TestCancelAndBreakOff(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0))
	options := llm.GenerateOptions{MaxTokens: 50, StopTokens: neverStop}
	want := generate(t, writer(t, m), options).tokens

	ctx, cancel := context.WithCancel(context.Background())
	s, n := writer(t, m), 0
	for chunk, err := range s.Generate(ctx, options) {
		if err != nil {
			t.Fatal(err)
		}
		if chunk.Final() {
			if chunk.StopReason != llm.StopReasonCancelled || chunk.Usage.CompletionTokens != 5 || len(chunk.Tokens) != 0 {
				t.Errorf("after 5 tokens the context ended: %+v", chunk)
			}
			break
		}
		if n++; n == 5 {
			cancel()
		}
	}
	cancel()
	if n != 5 {
		t.Errorf("%d tokens, want 5", n)
	}
	// A context that has ended before anything began is the same, also if there is something to prefill.
	if err := s.Rewind(8); err != nil {
		t.Fatal(err)
	}
	if w, err := tryGenerate(t, ctx, s, options); err != nil || w.last.StopReason != llm.StopReasonCancelled || w.chunks != 1 {
		t.Errorf("an ended context: %+v, %v", w, err)
	}
	// Breaking off, then going on with Sync.
	s = writer(t, m)
	var tokens []llm.Token
	for chunk, err := range s.Generate(context.Background(), options) {
		if err != nil {
			t.Fatal(err)
		}
		if tokens = append(tokens, chunk.Tokens...); len(tokens) == 9 {
			if f, err := s.Fork(); err != nil || f.Position() != s.Position() {
				t.Errorf("a fork in the middle: %v", err)
			}
			break
		}
	}
	if !slices.Equal(tokens, want[:9]) {
		t.Errorf("%v, want %v", tokens, want[:9])
	}
	if _, err := s.Sync(context.Background(), append(vectors.Tokens("writer", 10, 320), tokens...)); err != nil {
		t.Fatal(err)
	}
	options.MaxTokens = 41
	if got := generate(t, s, options).tokens; !slices.Equal(got, want[9:]) {
		t.Errorf("going on: %v, want %v", got, want[9:])
	}
}

func TestGenerateErrors(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0))
	s := writer(t, m)
	var sampling *llm.SamplingError
	if _, err := tryGenerate(t, context.Background(), s, llm.GenerateOptions{Sampling: llm.Sampling{TopP: 2}}); !errors.As(err, &sampling) {
		t.Errorf("TopP 2: %v", err)
	}
	for what, options := range map[string]llm.GenerateOptions{
		"MaxTokens": {MaxTokens: -1}, "Logprobs": {Logprobs: -1}, "stop sequence 1 is empty": {Stop: []string{"x", ""}},
	} {
		if _, err := tryGenerate(t, context.Background(), s, options); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := tryGenerate(t, context.Background(), newSession(t, m), llm.GenerateOptions{}); !errors.Is(err, llm.ErrEmptyPrompt) {
		t.Errorf("an empty session: %v", err)
	}
}

// A token costs no garbage but its share of the text that was given out, and of the cache's blocks.
func TestGeneratingAllocatesNothing(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0), llm.Threads(2))
	for name, options := range map[string]llm.GenerateOptions{
		"greedy":  {},
		"drafts":  {Draft: 8}, // greedy, a random model falls into repetition
		"sampled": {Sampling: llm.Sampling{Temperature: 1, TopK: 40, TopP: 0.9, RepetitionPenalty: 1.1}, Stop: []string{"never written"}},
	} {
		s := writer(t, m)
		options.StopTokens = neverStop
		allocations := func(tokens int) uint64 {
			options.MaxTokens = tokens
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for _, err := range s.Generate(context.Background(), options) {
				if err != nil {
					t.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			if err := s.Rewind(10); err != nil {
				t.Fatal(err)
			}
			return after.Mallocs - before.Mallocs
		}
		allocations(400) // buffers and blocks of the cache
		few, many := allocations(10), allocations(400)
		if many > few+390/16 {
			t.Errorf("%s: 10 tokens cost %d allocations, 400 cost %d", name, few, many)
		}
		t.Logf("%s: 10 tokens cost %d allocations, 400 cost %d", name, few, many)
	}
}
