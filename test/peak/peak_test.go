package peak_test

import (
	"testing"

	"github.com/drover-ai/drover/simd"
	"github.com/drover-ai/drover/test/peak"
)

func TestMultiplyAdds(t *testing.T) {
	for _, variant := range append(simd.Variants(), "nonsense") {
		done := peak.MultiplyAdds(variant, 5000)
		if known := variant == "avx512" || variant == "avx2"; known != (done >= 5000) || !known && done != 0 {
			t.Errorf("%s: %d multiply-adds of 5000", variant, done)
		}
	}
}

func BenchmarkMultiplyAdds(b *testing.B) {
	for _, variant := range simd.Variants() {
		b.Run(variant, func(b *testing.B) {
			done := 0
			for b.Loop() {
				done += peak.MultiplyAdds(variant, 1<<22)
			}
			b.ReportMetric(float64(done)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}
