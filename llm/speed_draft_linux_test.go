package llm_test

import (
	"fmt"
	"testing"

	"github.com/drover-ai/drover/llm"
)

// BenchmarkQuoting decodes a text of which nearly all stands in the prompt, with drafts and without.
func BenchmarkQuoting(b *testing.B) {
	m := speedModel(b)
	source, quoting := quotation(m)
	for _, draft := range []int{-1, 4, 8} {
		b.Run(fmt.Sprintf("draft=%d", max(draft, 0)), func(b *testing.B) {
			s := newSession(b, m)
			tokens, passes := 0, 0
			begin := cpuTime(b)
			for b.Loop() {
				if err := s.Rewind(0); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				prefilling := cpuTime(b)
				prefill(b, s, source)
				begin += cpuTime(b) - prefilling
				b.StartTimer()
				w := generate(b, s, llm.GenerateOptions{Constraint: &recital{tokens: quoting}, StopTokens: neverStop, Draft: draft})
				tokens += len(w.tokens)
				passes += w.last.Usage.ForwardPasses
			}
			took := cpuTime(b) - begin
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
			b.ReportMetric(float64(tokens)/took.Seconds(), "tokens/cpu-s")
			b.ReportMetric(float64(tokens)/float64(passes), "tokens/pass")
		})
	}
}
