package arithmetic

import (
	"errors"
	"strings"
	"testing"
)

// slow are pieces of expressions made to be slow, and the least that each has to count: as many multiplications of 60 digits
// as it takes about, by BenchmarkWork.
var slow = []struct {
	piece string
	work  int
}{
	{"2999!+", 2999}, {"cbrt(1e9999)+", 50}, {"ln(1e9999)*", 400}, {"7.7^777.77+", 600}, {"sin(1e17)+", 200}, {"exp(20000)+", 100},
	{"atan(0.99)+", 800}, {"1e9999+1e-9999+", 4}, {"9999^2500*1e-9999+", 600}, {"ncr(3000, 1500)+", 1500},
}

// Slow expressions end when their allowance is used up: no operation costs much more than it says, and none goes uncounted.
func TestWork(t *testing.T) {
	const allowance = 8000
	for _, s := range slow {
		once := &evaluation{ctx: t.Context(), allowance: maxWork}
		if _, err := once.run(s.piece + "1"); err != nil {
			t.Errorf("%s: %v", s.piece, err)
		}
		if once.work < s.work {
			t.Errorf("%s counts as %d, want at least %d", s.piece, once.work, s.work)
		}
		often := &evaluation{ctx: t.Context(), allowance: allowance}
		_, err := often.run(strings.Repeat(s.piece, 9900/len(s.piece)) + "1")
		var placed *Error
		// The sums of numbers far apart are cheap by the count, and bounded by the length of an expression.
		if stops := once.work*(9900/len(s.piece)) > allowance; stops && !errors.As(err, &placed) || stops && !strings.Contains(err.Error(), "takes too long") && !strings.Contains(err.Error(), "larger than") {
			t.Errorf("%s repeated: %v", s.piece, err)
		}
		if often.work > allowance+once.work {
			t.Errorf("%s repeated: %d of %d were spent", s.piece, often.work, allowance)
		}
	}
}

// BenchmarkWork tells what the unit of work takes in each slow expression: they should be alike, but for the
// sum of numbers far apart.
func BenchmarkWork(b *testing.B) {
	for _, s := range slow {
		b.Run(s.piece, func(b *testing.B) {
			work := 0
			for b.Loop() {
				e := &evaluation{ctx: b.Context(), allowance: maxWork}
				_, _ = e.run(strings.Repeat(s.piece, 10) + "1") // some are too large in the end
				work += e.work
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(work), "ns/unit")
		})
	}
}
