package llm_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/test/vectors"
)

// embed returns the vectors of texts.
func embed(t testing.TB, m *llm.Model, texts ...string) [][]float32 {
	t.Helper()
	out, err := m.Embed(context.Background(), texts)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// unit is the mean of vectors, at length 1.
func unit(vectors [][]float64) []float64 {
	out := make([]float64, len(vectors[0]))
	for _, v := range vectors {
		for c, x := range v {
			out[c] += x
		}
	}
	length := math.Sqrt(dot(out, out))
	for c := range out {
		out[c] /= length
	}
	return out
}

// withBegin are a text's tokens after <|begin_of_text|>.
func withBegin(t testing.TB, m *llm.Model, text string) []llm.Token {
	t.Helper()
	id, ok := m.Tokenizer().Special("<|begin_of_text|>")
	if !ok {
		t.Fatal("the vocabulary has no <|begin_of_text|>")
	}
	return m.Tokenizer().Encode([]llm.Token{id}, text)
}

// The runtime's hidden states and vectors are those of the twin, which computes in float64.
func TestEmbedTwin(t *testing.T) {
	const text = "What is the weather in Oslo? <|eot_id|> is text here."
	for _, kind := range []gguf.Type{gguf.F32, gguf.F16, gguf.BF16, gguf.Q8_0, gguf.Q4_0} {
		t.Run(kind.String(), func(t *testing.T) {
			shape := smallShape(kind)
			file := parseShape(t, shape)
			m := load(t, file)
			r := llm.Record(m)
			tokens := withBegin(t, m, text)
			states := make([][]float32, len(tokens))
			s := newSession(t, m)
			err := s.PrefillHidden(context.Background(), tokens, func(position int, hidden []float32) error {
				states[position] = slices.Clone(hidden)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if s.Position() != len(tokens) || s.Logits() != nil {
				t.Errorf("the session is at %d with logits %v, want %d without", s.Position(), s.Logits() != nil, len(tokens))
			}
			w := &twin{file: file, shape: shape, recorded: r.Values}
			_, want := w.hidden(tokens)
			for i := range want {
				if d := difference(states[i], want[i]); d > activationTolerance {
					t.Errorf("the state of token %d differs by %.2g of its largest value, want at most %g", i, d, activationTolerance)
				}
			}
			got := embed(t, m, text)[0]
			if d := difference(got, unit(want[1:])); d > activationTolerance {
				t.Errorf("the vector differs by %.2g of its largest value, want at most %g", d, activationTolerance)
			}
			among := embed(t, m, "before", text, "and after it more than one batch takes "+strings.Repeat("words ", 60), text)
			if !slices.Equal(among[1], got) || !slices.Equal(among[3], got) {
				t.Error("the vector is another among other texts")
			}
			if d := difference(got, unit(want)); d < 10*activationTolerance {
				t.Errorf("with <|begin_of_text|> in the mean, the vector would differ by %.2g: this test would not notice", d)
			}
		})
	}
}

func TestEmbed(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q8_0))
	texts := []string{"one", "two words", strings.Repeat("a long text ", 30), "\xff is no UTF-8", " "}
	together := embed(t, m, texts...)
	for i, v := range together {
		squares := 0.0
		for _, x := range v {
			squares += float64(x) * float64(x)
		}
		if len(v) != m.Config().Dim || math.Abs(squares-1) > 1e-6 {
			t.Errorf("text %d: %d values of length² %v, want %d of length 1", i, len(v), squares, m.Config().Dim)
		}
		if alone := embed(t, m, texts[i])[0]; !slices.Equal(alone, v) {
			t.Errorf("text %d has another vector among others than alone", i)
		}
	}
	if slices.Equal(together[0], together[1]) {
		t.Error("different texts have the same vector")
	}
	if none := embed(t, m); none == nil || len(none) != 0 {
		t.Errorf("no texts have the vectors %v, want an empty list", none)
	}
	one := load(t, parseShape(t, smallShape(gguf.Q8_0)), llm.Threads(1))
	two := load(t, parseShape(t, smallShape(gguf.Q8_0)), llm.Threads(2))
	if !slices.Equal(embed(t, one, texts[2])[0], embed(t, two, texts[2])[0]) {
		t.Error("two threads make another vector than one")
	}
}

// A text beyond the context is read in pieces, and the mean is that of all its tokens.
func TestEmbedPieces(t *testing.T) {
	m := loadShape(t, smallShape(gguf.F32), llm.ContextLength(64))
	text := strings.Repeat("words and words, ", 12)
	tokens := withBegin(t, m, text)
	if len(tokens) < 2*64 {
		t.Fatalf("the text has %d tokens, want some pieces", len(tokens))
	}
	var states [][]float64
	for rest := tokens[1:]; len(rest) > 0; {
		n := min(len(rest), 63)
		s := newSession(t, m)
		err := s.PrefillHidden(context.Background(), append(tokens[:1:1], rest[:n]...), func(position int, hidden []float32) error {
			state := make([]float64, len(hidden))
			for c, x := range hidden {
				state[c] = float64(x)
			}
			if position > 0 {
				states = append(states, state)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if d := difference(embed(t, m, text)[0], unit(states)); d > 1e-6 {
		t.Errorf("the vector differs by %.2g from the mean of the pieces' states", d)
	}
}

// What a file says of pooling is honored or refused.
func TestEmbedPooling(t *testing.T) {
	const text = "a text"
	open := func(keys map[string]any, options ...llm.Option) *llm.Model {
		shape := smallShape(gguf.F32)
		shape.Set = keys
		return loadShape(t, shape, options...)
	}
	plain := open(nil)
	mean := embed(t, plain, text)[0]
	if got := embed(t, open(map[string]any{"llama.pooling_type": uint32(1), "llama.attention.causal": true}), text)[0]; !slices.Equal(got, mean) {
		t.Error("pooling type 1 is not the mean")
	}
	const eos = 318 // <|end_of_text|>
	for name, c := range map[string]struct {
		keys   map[string]any
		tokens []llm.Token
	}{
		"last":        {map[string]any{"llama.pooling_type": uint32(3)}, withBegin(t, plain, text)},
		"last of end": {map[string]any{"llama.pooling_type": uint32(3), "tokenizer.ggml.add_eos_token": true, "tokenizer.ggml.eos_token_id": uint32(eos)}, append(withBegin(t, plain, text), eos)},
	} {
		t.Run(name, func(t *testing.T) {
			var last []float64
			err := newSession(t, plain).PrefillHidden(context.Background(), c.tokens, func(_ int, hidden []float32) error {
				last = last[:0]
				for _, x := range hidden {
					last = append(last, float64(x))
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if d := difference(embed(t, open(c.keys), text)[0], unit([][]float64{last})); d > 1e-6 {
				t.Errorf("the vector differs by %.2g from the last token's state", d)
			}
		})
	}
	for _, keys := range []map[string]any{
		{"llama.pooling_type": uint32(2)}, {"llama.pooling_type": "mean"}, {"llama.attention.causal": false},
		{"llama.pooling_type": uint32(3), "tokenizer.ggml.add_eos_token": true},
	} {
		var config *llm.ConfigError
		if _, err := open(keys).Embed(context.Background(), []string{text}); !errors.As(err, &config) {
			t.Errorf("keys %v: error %v, want a ConfigError", keys, err)
		}
	}
	var tooLong *llm.ContextLengthError
	short := open(map[string]any{"llama.pooling_type": uint32(3)}, llm.ContextLength(4))
	if _, err := short.Embed(context.Background(), []string{text}); !errors.As(err, &tooLong) {
		t.Errorf("error %v, want a ContextLengthError: the last token of pieces is no vector of the text", err)
	}
}

func TestEmbedErrors(t *testing.T) {
	m := loadShape(t, smallShape(gguf.F32))
	var empty *llm.EmptyTextError
	if _, err := m.Embed(context.Background(), []string{"a", ""}); !errors.As(err, &empty) || empty.Index != 1 {
		t.Errorf("error %v, want an EmptyTextError of text 1", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Embed(ctx, []string{"a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want canceled", err)
	}
	stop := errors.New("stop")
	s := newSession(t, m)
	if err := s.PrefillHidden(context.Background(), []llm.Token{1, 2}, func(int, []float32) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error %v, want the one of visit", err)
	}
	if _, err := s.Sync(context.Background(), []llm.Token{1, 2}); err != nil || s.Logits() == nil { // goes on from there
		t.Errorf("after that, Sync says %v, logits %v", err, s.Logits() != nil)
	}
	other := loadShape(t, smallShape(gguf.F32))
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Embed(context.Background(), []string{"a"}); !errors.Is(err, llm.ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
}

// Canceling in the middle of a text ends it; many goroutines embed at once.
func TestEmbedConcurrently(t *testing.T) {
	m := loadShape(t, smallShape(gguf.F32))
	want := embed(t, m, "text 0", "text 1", "text 2", "text 3")
	var workers sync.WaitGroup
	for i := range want {
		workers.Add(1)
		go func() {
			defer workers.Done()
			got, err := m.Embed(context.Background(), []string{fmt.Sprint("text ", i)})
			if err != nil || !slices.Equal(got[0], want[i]) {
				t.Errorf("text %d: error %v, or another vector", i, err)
			}
		}()
	}
	workers.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	m = loadShape(t, smallShape(gguf.F32))
	count := llm.CountChunks(m, func(n int) {
		if n == 40 {
			cancel()
		}
	})
	_, err := m.Embed(ctx, slices.Repeat([]string{strings.Repeat("word ", 90)}, 1000))
	if !errors.Is(err, context.Canceled) || count() > 100 {
		t.Errorf("error %v after %d chunks, want canceled after few more than 40", err, count())
	}
}

// A text costs the same few allocations after a thousand others as after ten, however long it is.
func TestEmbedAllocations(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q8_0), llm.Threads(1))
	long, short := strings.Repeat("many words ", 40), "few"
	per := func(text string, n int) float64 {
		texts := slices.Repeat([]string{text}, n)
		return testing.AllocsPerRun(3, func() { embed(t, m, texts...) })
	}
	per(long, 2) // buffers grow once
	for _, text := range []string{long, short} {
		if each := (per(text, 70) - per(text, 20)) / 50; each > 2 {
			t.Errorf("a text of %d bytes costs %.1f allocations, want its vector and at most one more", len(text), each)
		}
	}
	bytes := func(n int) float64 {
		texts := slices.Repeat([]string{short}, n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		embed(t, m, texts...)
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	bytes(20)
	if each, most := (bytes(520)-bytes(20))/500, float64(4*m.Config().Dim+200); each > most {
		t.Errorf("a short text allocates %.0f bytes, want at most %.0f: its vector", each, most)
	}
}

// Whatever texts are read together, in whatever pieces, each has the vector that it has alone.
func TestEmbedTogether(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q8_0), llm.ContextLength(64), llm.Threads(2))
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		texts := make([]string, 1+random.IntN(40))
		for i := range texts {
			letters := make([]byte, 1+random.IntN(8))
			if random.IntN(4) == 0 { // up to three windows
				letters = make([]byte, 1+random.IntN(180))
			}
			for k := range letters {
				letters[k] = byte('a' + random.IntN(26))
			}
			texts[i] = string(letters)
		}
		for i, v := range embed(t, m, texts...) {
			if alone := embed(t, m, texts[i])[0]; !slices.Equal(alone, v) {
				t.Fatalf("text %d of %q has another vector among the others than alone", i, texts)
			}
		}
	}
}

// BenchmarkEmbed reads 32 texts one by one and together.
func BenchmarkEmbed(b *testing.B) {
	m := loadShape(b, vectors.Shape{
		Name: "bench", Dim: 512, HiddenDim: 1408, NLayers: 4, NHeads: 8, NKVHeads: 2, HeadDim: 64, VocabSize: 320,
		ContextLength: 512, RoPEFactor: 32, Type: gguf.Q8_0,
	})
	for name, text := range map[string]string{"short": "a few words", "long": strings.Repeat("a sentence of words, ", 10)} {
		texts := slices.Repeat([]string{text}, 32)
		n := len(texts) * len(m.Tokenizer().Encode(nil, text))
		report := func(b *testing.B) {
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
		}
		b.Run(name+"/alone", func(b *testing.B) {
			for b.Loop() {
				for i := range texts {
					embed(b, m, texts[i:i+1]...)
				}
			}
			report(b)
		})
		b.Run(name+"/together", func(b *testing.B) {
			for b.Loop() {
				embed(b, m, texts...)
			}
			report(b)
		})
	}
}
