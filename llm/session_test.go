package llm_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/test/vectors"
)

// sameLogits reports whether logits are the same bit for bit.
func sameLogits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// TestSessionsAgainstRecomputation does random things to a family of sessions, and after each compares the one concerned with
// a session that has computed the same tokens from nothing: tokens and logits, bit for bit.
func TestSessionsAgainstRecomputation(t *testing.T) {
	for _, kind := range []gguf.Type{gguf.Q4_0, gguf.F16} {
		t.Run(kind.String(), func(t *testing.T) {
			m, fresh := loadShape(t, smallShape(kind), llm.Threads(3)), loadShape(t, smallShape(kind), llm.Threads(1))
			ctx, r := context.Background(), rand.New(rand.NewPCG(1, uint64(kind)))
			type branch struct {
				s    *llm.Session
				want []llm.Token
			}
			family := []*branch{{s: newSession(t, m)}}
			random := func(n int) []llm.Token {
				out := make([]llm.Token, n)
				for i := range out {
					out[i] = llm.Token(r.IntN(m.Config().VocabSize))
				}
				return out
			}
			steps := 150
			if testing.Short() {
				steps = 40
			}
			for range steps {
				b := family[r.IntN(len(family))]
				what := ""
				switch action := r.IntN(10); {
				case action < 4 || len(b.want) == 0: // lengths around the borders of the cache's blocks and of a pass
					n := []int{1, 1, 2, 17, 63, 64, 65, 127, 128, 129, 150}[r.IntN(11)]
					n = min(n, m.ContextLength()-len(b.want))
					if n == 0 {
						continue
					}
					tokens := random(n)
					what = fmt.Sprintf("prefill %d", n)
					prefill(t, b.s, tokens)
					b.want = append(b.want, tokens...)
				case action < 6:
					at := r.IntN(len(b.want) + 1)
					what = fmt.Sprintf("rewind to %d", at)
					if err := b.s.Rewind(at); err != nil {
						t.Fatal(err)
					}
					b.want = b.want[:at:at]
				case action < 8:
					what = "fork"
					f, err := b.s.Fork()
					if err != nil {
						t.Fatal(err)
					}
					b = &branch{s: f, want: slices.Clone(b.want)}
					if len(family) < 6 {
						family = append(family, b)
					} else {
						i := r.IntN(len(family))
						if err := family[i].s.Close(); err != nil {
							t.Fatal(err)
						}
						family[i] = b
					}
				default:
					common := r.IntN(len(b.want) + 1)
					tokens := append(slices.Clone(b.want[:common]), random(1+r.IntN(70))...)
					tokens = tokens[:min(len(tokens), m.ContextLength())]
					what = fmt.Sprintf("sync %d of %d", common, len(tokens))
					cached, err := b.s.Sync(ctx, tokens)
					if err != nil {
						t.Fatal(err)
					}
					if cached < min(common, len(tokens)-1) {
						t.Fatalf("%s: %d tokens were cached, want %d", what, cached, common)
					}
					b.want = tokens
				}
				if !slices.Equal(b.s.Tokens(), b.want) || b.s.Position() != len(b.want) {
					t.Fatalf("%s: the session has other tokens", what)
				}
				if len(b.want) == 0 {
					continue
				}
				if _, err := b.s.Sync(ctx, b.want); err != nil { // after a rewind there are no logits
					t.Fatal(err)
				}
				if !sameLogits(b.s.Logits(), prefillAll(t, fresh, b.want)) {
					t.Fatalf("after %s, the logits of %d tokens are not those of computing them from nothing", what, len(b.want))
				}
			}
		})
	}
}

// TestDivisionDoesNotMatter: one pass or many, and any number of threads, give the same bits; so do the logits of every position.
func TestDivisionDoesNotMatter(t *testing.T) {
	for _, kind := range []gguf.Type{gguf.Q4_0, gguf.Q8_0, gguf.BF16} {
		shape := smallShape(kind)
		tokens := vectors.Tokens("division", 200, shape.VocabSize)
		var all [][]float32
		for _, threads := range []int{1, 2, 5} {
			m := loadShape(t, shape, llm.Threads(threads))
			if threads == 1 {
				err := newSession(t, m).PrefillLogits(context.Background(), tokens, func(position int, logits []float32) error {
					if position != len(all) {
						t.Fatalf("logits of position %d, want %d", position, len(all))
					}
					all = append(all, slices.Clone(logits))
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, size := range []int{1, 3, 128, 200} {
				s := newSession(t, m)
				for at := 0; at < len(tokens); at += size {
					end := min(at+size, len(tokens))
					prefill(t, s, tokens[at:end])
					if !sameLogits(s.Logits(), all[end-1]) {
						t.Fatalf("%v, %d threads, %d tokens at a time: the logits of position %d differ", kind, threads, size, end-1)
					}
				}
			}
		}
	}
}

// TestNoStaleLogits: logits of tokens that are gone must not be taken for those of tokens that have come.
func TestNoStaleLogits(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0))
	s := newSession(t, m)
	tokens := vectors.Tokens("stale", 300, 320)
	prefill(t, s, tokens[:200])
	if err := s.Rewind(72); err != nil {
		t.Fatal(err)
	}
	if s.Logits() != nil {
		t.Error("there are logits after a rewind")
	}
	// 128 tokens make the session as long as it was; the pass after them is given up.
	stop := errors.New("enough")
	err := s.PrefillLogits(context.Background(), tokens[100:300], func(position int, _ []float32) error {
		if position == 205 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || s.Position() != 200 {
		t.Fatalf("error %v, position %d; want the visitor's and 200", err, s.Position())
	}
	if s.Logits() != nil {
		t.Error("a prefill that was broken off left logits")
	}
	// The same when the first pass is given up: the logits that a visitor saw are not those behind the session's tokens.
	held := newSession(t, m)
	prefill(t, held, tokens[:10])
	err = held.PrefillLogits(context.Background(), tokens[10:20], func(int, []float32) error { return stop })
	if !errors.Is(err, stop) || held.Position() != 10 || held.Logits() != nil {
		t.Errorf("error %v, position %d, logits %v", err, held.Position(), held.Logits() != nil)
	}
	whole := append(slices.Clone(tokens[:72]), tokens[100:300]...)
	if _, err := s.Sync(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	if !sameLogits(s.Logits(), prefillAll(t, m, whole)) {
		t.Error("taking up again gives other logits")
	}
}

func TestSessionErrors(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q8_0), llm.ContextLength(100))
	s, ctx := newSession(t, m), context.Background()
	unchanged := func(what string) {
		t.Helper()
		if s.Position() != 90 || s.Logits() == nil {
			t.Errorf("%s changed the session: position %d, logits %v", what, s.Position(), s.Logits() != nil)
		}
	}
	prefill(t, s, vectors.Tokens("errors", 90, 320))
	if err := s.Prefill(ctx, nil); !errors.Is(err, llm.ErrEmptyPrompt) {
		t.Errorf("no tokens: %v", err)
	}
	unchanged("no tokens")
	var long *llm.ContextLengthError
	if err := s.Prefill(ctx, make([]llm.Token, 11)); !errors.As(err, &long) || long.Tokens != 101 || long.ContextLength != 100 {
		t.Errorf("too many tokens: %v", err)
	}
	unchanged("too many tokens")
	var unknown *llm.TokenError
	for _, token := range []llm.Token{-1, 320, math.MaxInt32, math.MinInt32} {
		if err := s.Prefill(ctx, []llm.Token{5, token}); !errors.As(err, &unknown) || unknown.Index != 1 || unknown.Token != token {
			t.Errorf("token %d: %v", token, err)
		}
	}
	unchanged("an unknown token")
	for _, at := range []int{-1, 91} {
		if err := s.Rewind(at); err == nil {
			t.Errorf("rewind to %d: no error", at)
		}
	}
	unchanged("a rewind to nowhere")
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Prefill(cancelled, []llm.Token{1}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	unchanged("a context that had ended")
	// While it computes, nobody else may use it; the visitor stands for another goroutine.
	err := s.PrefillLogits(ctx, []llm.Token{1, 2}, func(int, []float32) error {
		_, forking := s.Fork()
		_, syncing := s.Sync(ctx, []llm.Token{1})
		for what, err := range map[string]error{
			"Prefill": s.Prefill(ctx, []llm.Token{1}), "Rewind": s.Rewind(0), "Fork": forking, "Sync": syncing, "Close": s.Close(),
		} {
			if !errors.Is(err, llm.ErrBusy) {
				t.Errorf("%s in a session that computes: %v", what, err)
			}
		}
		for _, err := range s.Generate(ctx, llm.GenerateOptions{}) {
			if !errors.Is(err, llm.ErrBusy) {
				t.Errorf("Generate in a session that computes: %v", err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if err := s.Prefill(ctx, []llm.Token{1}); !errors.Is(err, llm.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if _, err := s.Fork(); !errors.Is(err, llm.ErrClosed) {
		t.Errorf("fork of a closed session: %v", err)
	}
}

// TestSharedMemory: a fork costs a block, not a copy; closing gives everything back.
func TestSharedMemory(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0))
	s := newSession(t, m)
	prefill(t, s, vectors.Tokens("shared", 200, 320))
	total, shared := s.MemoryUse()
	if total == 0 || shared != 0 {
		t.Fatalf("alone: %d bytes, %d shared", total, shared)
	}
	f, err := s.Fork()
	if err != nil {
		t.Fatal(err)
	}
	if _, shared := s.MemoryUse(); shared != total {
		t.Errorf("after a fork %d of %d bytes are shared", shared, total)
	}
	prefill(t, f, []llm.Token{7})
	if _, shared := f.MemoryUse(); shared != total*3/4 {
		t.Errorf("after a token of its own, the fork shares %d bytes, want three of four blocks, %d", shared, total*3/4)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, shared := s.MemoryUse(); shared != 0 {
		t.Errorf("after the fork's end %d bytes are shared", shared)
	}
}

// TestManyGoroutines computes the same conversations one after the other and all at once, with forks; run with -race.
func TestManyGoroutines(t *testing.T) {
	m := loadShape(t, smallShape(gguf.Q4_0), llm.Threads(4))
	base := newSession(t, m)
	prefill(t, base, vectors.Tokens("base", 100, 320))
	prompt := func(i int) []llm.Token { return vectors.Tokens(fmt.Sprint("goroutine ", i), 20+7*i, 320) }
	var want [8][]float32
	for i := range want {
		want[i] = prefillAll(t, m, append(slices.Clone(base.Tokens()), prompt(i)...))
	}
	var forks [8]*llm.Session
	for i := range forks {
		var err error
		if forks[i], err = base.Fork(); err != nil {
			t.Fatal(err)
		}
	}
	var workers sync.WaitGroup
	for i, f := range forks {
		workers.Add(1)
		go func() {
			defer workers.Done()
			defer f.Close()
			for range 3 {
				if err := f.Rewind(100); err != nil {
					t.Error(err)
				}
				for _, token := range prompt(i) {
					if err := f.Prefill(context.Background(), []llm.Token{token}); err != nil {
						t.Error(err)
						return
					}
				}
				if !sameLogits(f.Logits(), want[i]) {
					t.Errorf("conversation %d has other logits when the others compute too", i)
				}
			}
		}()
	}
	workers.Wait()
}

// TestCancelStopsAtOnce: once the context has ended, no thread begins another chunk of a long prefill. A chunk is at most
// 16 M multiply-adds (chunkMAdds), a millisecond; BenchmarkCancel measures it.
func TestCancelStopsAtOnce(t *testing.T) {
	shape := smallShape(gguf.Q4_0)
	shape.NLayers, shape.ContextLength = 4, 4096
	for _, at := range []int{0, 1, 10, 100, 1000} {
		m := loadShape(t, shape, llm.Threads(3))
		ctx, cancel := context.WithCancel(context.Background())
		var chunks func() int
		var then atomic.Int64 // chunks begun when the context had ended
		chunks = llm.CountChunks(m, func(n int) {
			if n == at {
				cancel()
				then.Store(int64(chunks()))
			}
		})
		s := newSession(t, m)
		err := s.Prefill(ctx, vectors.Tokens("cancel", 4000, 320))
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled in chunk %d: %v", at, err)
		}
		if begun := chunks(); begun > int(then.Load())+3 {
			t.Errorf("cancelled in chunk %d when %d were begun, but %d were begun by 3 threads", at, then.Load(), begun)
		}
		if s.Logits() != nil || s.Position()%llm.BatchLength != 0 {
			t.Errorf("position %d, logits %v", s.Position(), s.Logits() != nil)
		}
	}
}

// TestCloseEndsEverything: a model that is closed in the middle of a prefill leaves no goroutine.
func TestCloseEndsEverything(t *testing.T) {
	shape := smallShape(gguf.Q4_0)
	shape.ContextLength = 1 << 16
	before := runtime.NumGoroutine()
	for range 5 {
		m, err := llm.Load(parseShape(t, shape), llm.Threads(4))
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		started := make(chan struct{})
		var once sync.Once
		llm.CountChunks(m, func(int) { once.Do(func() { close(started) }) })
		ended := make(chan error)
		go func() { ended <- s.Prefill(context.Background(), vectors.Tokens("close", 1<<16, 320)) }()
		<-started
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, llm.ErrClosed) {
			t.Errorf("a prefill of a model that was closed: %v", err)
		}
		if err := errors.Join(m.Close(), s.Close()); err != nil {
			t.Errorf("closing again: %v", err)
		}
		if _, err := m.NewSession(); !errors.Is(err, llm.ErrClosed) {
			t.Errorf("a session of a closed model: %v", err)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// TestDecodingAllocatesNothing: a token costs no garbage, whatever the format of the weights.
func TestDecodingAllocatesNothing(t *testing.T) {
	for _, kind := range []gguf.Type{gguf.Q4_0, gguf.Q8_0, gguf.BF16} {
		m := loadShape(t, smallShape(kind), llm.Threads(2))
		s, ctx, token := newSession(t, m), context.Background(), []llm.Token{7}
		prefill(t, s, vectors.Tokens("allocations", 65, 320)) // 63 tokens to the end of a block
		if n := testing.AllocsPerRun(40, func() {
			if err := s.Prefill(ctx, token); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%v: %v allocations a token", kind, n)
		}
	}
}

// BenchmarkCancel measures how long a prefill with Llama 3.2 1B's shape (2 layers) takes to end once its context has.
func BenchmarkCancel(b *testing.B) {
	m := loadShape(b, vectors.Llama1B(gguf.Q4_0, 2))
	s, tokens := newSession(b, m), vectors.Tokens("cancel", 4000, 128256)
	var total time.Duration
	for b.Loop() {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan time.Time)
		go func() {
			if err := s.Prefill(ctx, tokens); !errors.Is(err, context.Canceled) {
				b.Error(err)
			}
			ended <- time.Now()
		}()
		time.Sleep(20 * time.Millisecond)
		begin := time.Now()
		cancel()
		total += (<-ended).Sub(begin)
		if err := s.Rewind(0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(total.Microseconds())/1e3/float64(b.N), "ms-to-end")
}
