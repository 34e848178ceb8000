package llm

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// Every item is worked on exactly once, with more callers at work than there are threads; run with -race.
func TestPool(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		p := newPool(threads)
		var closed atomic.Bool
		var callers sync.WaitGroup
		for caller := range 2 * threads {
			callers.Add(1)
			go func() {
				defer callers.Done()
				j := newJob(p, &closed)
				for round := range 60 {
					items, chunk := (caller*7+round*13)%97+1, round%9+1
					done := make([]int, items) // not atomic: no two threads may have the same item
					j.enter(nil)
					for range 3 {
						j.run(items, chunk, func(begin, end int) {
							for i := begin; i < end; i++ {
								done[i]++
							}
						})
					}
					j.leave()
					for i, n := range done {
						if n != 3 {
							t.Errorf("%d threads: item %d of %d was done %d times in 3 rounds", threads, i, items, n)
							return
						}
					}
				}
			}()
		}
		callers.Wait()
		p.close()
	}
}

// Once its context has ended, a job does nothing more, and the next one with another context does.
func TestPoolAbandons(t *testing.T) {
	p := newPool(4)
	defer p.close()
	var closed atomic.Bool
	j := newJob(p, &closed)
	ctx, cancel := context.WithCancel(context.Background())
	j.enter(ctx.Done())
	var begun, ended atomic.Int32
	j.run(1000, 1, func(int, int) {
		if begun.Add(1) == 10 {
			cancel()
			ended.Store(begun.Load()) // the others may have begun any number before the context ended
		}
	})
	// Whoever looked at the context just before it ended has one chunk in hand.
	if n, at := begun.Load(), ended.Load(); n > at+3 {
		t.Errorf("%d chunks were begun, %d when the context ended, by 4 threads", n, at)
	}
	j.run(10, 1, func(int, int) { t.Error("an abandoned job goes on") })
	j.leave()
	j.enter(nil)
	begun.Store(0)
	j.run(10, 1, func(int, int) { begun.Add(1) })
	j.leave()
	if begun.Load() != 10 {
		t.Errorf("the job after an abandoned one did %d chunks of 10", begun.Load())
	}
}

func TestCgroupQuota(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  float64
		ok    bool
	}{
		"no groups": {nil, 0, false},
		"version 2": {map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "150000 100000\n",
		}, 1.5, true},
		"version 2, the parent is stricter": {map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "400000 100000\n", "sys/fs/cgroup/a/cpu.max": "200000 100000\n",
		}, 2, true},
		"version 2, no limit": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 0, false},
		"version 1": {map[string]string{
			"proc/self/cgroup":                           "4:cpu,cpuacct:/x\n0::/\n",
			"sys/fs/cgroup/cpu/x/cpu.cfs_quota_us":       "50000\n",
			"sys/fs/cgroup/cpu/x/cpu.cfs_period_us":      "100000\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us":         "-1\n",
			"sys/fs/cgroup/cpu/cpu.cfs_period_us":        "100000\n",
			"sys/fs/cgroup/cpu/x/other/cpu.cfs_quota_us": "1\n",
		}, 0.5, true},
		"nonsense": {map[string]string{"proc/self/cgroup": "x\n0::/\n:\n", "sys/fs/cgroup/cpu.max": "a b c\n"}, 0, false},
	} {
		root := t.TempDir()
		for file, text := range c.files {
			path := filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, ok := cgroupQuota(root); got != c.want || ok != c.ok {
			t.Errorf("%s: %g, %v; want %g, %v", name, got, ok, c.want, c.ok)
		}
	}
}
