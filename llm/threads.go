package llm

import "runtime"

// defaultThreads is how many goroutines work on one forward pass unless [Threads] says otherwise: the
// CPUs that this process may really use at once, which is the least of GOMAXPROCS, the CPUs in its
// affinity mask, and whole CPUs in its cgroup's quota. One worker too many is worse than one too few:
// it is descheduled with work in hand while the others wait.
func defaultThreads() int {
	threads := min(runtime.GOMAXPROCS(0), runtime.NumCPU())
	if quota, ok := cgroupQuota("/"); ok {
		threads = min(threads, int(quota))
	}
	return max(threads, 1)
}
