package llm_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/simd"
	"github.com/drover-ai/drover/test/peak"
	"github.com/drover-ai/drover/test/vectors"
)

// BenchmarkSpeed measures decode and prefill with Llama 3.2 1B's shapes in Q4_0, two layers and a head of 32,000 rows, or with
// the model file that DROVER_BENCH_MODEL names, such as test/vectors/synthetic writes. Rates are given by the clock and by CPU
// time: on a machine that does other things at the same time only the latter mean anything.
//
// Decode reads every weight once, so it is to be compared with "read", the rate at which memory can be read at all; prefill
// computes, so it is to be compared with "multiply", the multiply-adds that the processor can do at all.
func BenchmarkSpeed(b *testing.B) {
	b.Run("read", func(b *testing.B) {
		data, err := syscall.Mmap(-1, 0, 512<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = syscall.Munmap(data) })
		const hugePages = 14                 // MADV_HUGEPAGE, as simd asks for its matrices
		_ = syscall.Madvise(data, hugePages) // advice
		for i := range data {
			data[i] = 2
		}
		b.SetBytes(int64(len(data)))
		begin := cpuTime(b)
		for b.Loop() {
			if bytes.IndexByte(data, 1) >= 0 { // the standard library's assembly looks at 32 bytes at a time
				b.Fatal("found what is not there")
			}
		}
		b.ReportMetric(float64(len(data))*float64(b.N)/(cpuTime(b)-begin).Seconds()/1e9, "GB/cpu-s")
	})
	b.Run("multiply", func(b *testing.B) {
		done, begin := 0, cpuTime(b)
		for b.Loop() {
			done += peak.MultiplyAdds(simd.Variant(), 1<<26)
		}
		b.ReportMetric(float64(done)/(cpuTime(b)-begin).Seconds()/1e9, "GMAC/cpu-s")
	})
	m := speedModel(b)
	for _, c := range []struct{ context, tokens int }{
		{0, 1}, {1024, 1}, {4096, 1}, {8192, 1},
		{0, 2}, {0, 3}, {0, 4}, {0, 6}, {0, 8}, {0, 12}, {0, 16}, {0, 20}, {0, 32}, {0, 48}, {0, 64}, {0, 100}, {0, 512}, {0, 1024},
		{1024, 2}, {1024, 4}, {1024, 8}, {1024, 20}, {1024, 60},
	} {
		what := "prefill"
		if c.tokens == 1 {
			what = "decode"
		}
		b.Run(fmt.Sprintf("%s/tokens=%d/context=%d", what, c.tokens, c.context), func(b *testing.B) {
			s, tokens := newSession(b, m), vectors.Tokens("bench", c.tokens, m.Config().VocabSize)
			if c.context > 0 {
				prefill(b, s, vectors.Tokens("context", c.context, m.Config().VocabSize))
			}
			prefill(b, s, tokens)
			begin := cpuTime(b)
			for b.Loop() {
				if s.Position() >= c.context+max(c.tokens, 64) {
					if err := s.Rewind(c.context); err != nil {
						b.Fatal(err)
					}
				}
				if err := s.Prefill(context.Background(), tokens); err != nil {
					b.Fatal(err)
				}
			}
			took, work := (cpuTime(b) - begin).Seconds(), float64(c.tokens)*float64(b.N)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(work/b.Elapsed().Seconds(), "tokens/s")
			b.ReportMetric(work/took, "tokens/cpu-s")
			if c.tokens <= 4 {
				b.ReportMetric(float64(b.N)*float64(m.WeightBytes())/took/1e9, "GB/cpu-s")
			}
			if c.tokens > 1 {
				b.ReportMetric(work*float64(multiplyAdds(m))/took/1e9, "GMAC/cpu-s")
			}
		})
	}
}

func speedModel(b *testing.B) *llm.Model {
	if path := os.Getenv("DROVER_BENCH_MODEL"); path != "" {
		m, err := llm.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = m.Close() })
		return m
	}
	shape := vectors.Llama1B(gguf.Q4_0, 2)
	shape.VocabSize = 32000
	return loadShape(b, shape)
}

// multiplyAdds is how many multiply-adds the layers' matrices take a token.
func multiplyAdds(m *llm.Model) int {
	c := m.Config()
	heads, kvHeads := c.NHeads*c.HeadDim, c.NKVHeads*c.HeadDim
	return c.NLayers * (2*c.Dim*heads + 2*c.Dim*kvHeads + 3*c.Dim*c.HiddenDim)
}

// cpuTime is what the process has used so far, on all threads.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
