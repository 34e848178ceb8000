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
	slowMask    = 2 * time.Millisecond
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
