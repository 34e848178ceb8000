package main

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"golang.org/x/sys/unix"
)

// times are durations of which quantiles are printed.
type times []time.Duration

// What is worth showing.
const (
	slowCompile = 100 * time.Millisecond
	slowMask    = 500 * time.Microsecond
)

// now is the processor time of this thread.
func now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(t.Nano())
}

func (d times) print(name string) {
	if len(d) == 0 {
		return
	}
	slices.Sort(d)
	at := func(p float64) time.Duration { return d[int(p*float64(len(d)-1))].Round(100) }
	sum := time.Duration(0)
	for _, x := range d {
		sum += x
	}
	fmt.Printf("%s: n %d, mean %v, p50 %v, p90 %v, p99 %v, p99.9 %v, max %v\n", name, len(d), (sum / time.Duration(len(d))).Round(100), at(.5), at(.9), at(.99), at(.999), at(1))
}

func printReasons(reasons map[string]int, most int) {
	var names []string
	for r := range reasons {
		names = append(names, r)
	}
	sort.Slice(names, func(a, b int) bool {
		if reasons[names[a]] != reasons[names[b]] {
			return reasons[names[a]] > reasons[names[b]]
		}
		return names[a] < names[b]
	})
	for _, r := range names[:min(len(names), most)] {
		fmt.Printf("%6d refused: %.200s\n", reasons[r], r)
	}
}

// slowSchema is a schema with slow masks: how many, and the slowest.
type slowSchema struct {
	name   string
	n      int
	most   time.Duration
	behind string
}

// slowSchemas are in the order of the bench.
type slowSchemas []slowSchema

func (s *slowSchemas) add(name string, took time.Duration, behind string) {
	if n := len(*s); n == 0 || (*s)[n-1].name != name {
		*s = append(*s, slowSchema{name: name})
	}
	last := &(*s)[len(*s)-1]
	last.n++
	if took > last.most {
		last.most, last.behind = took, behind
	}
}

// print shows those with most slow masks.
func (s slowSchemas) print(most int) {
	slices.SortStableFunc(s, func(a, b slowSchema) int { return b.n - a.n })
	for _, x := range s[:min(len(s), most)] {
		fmt.Printf("%6d masks above %v in %s, one %v behind %.200q\n", x.n, slowMask, x.name, x.most.Round(1000), x.behind)
	}
}
