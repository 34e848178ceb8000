package llm

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// cgroupQuota returns how many CPUs' worth of time Linux's control groups allow this process, and
// whether there is a limit at all. root is where the file system begins, "/" but for tests; elsewhere
// than on Linux the files do not exist and there is no limit.
//
// The limit of a group binds all groups below it, so the least one on the way up counts. Go's own
// GOMAXPROCS takes the quota into account as well, but never goes below 2 for it, and not at all when
// the environment sets GOMAXPROCS.
func cgroupQuota(root string) (cpus float64, ok bool) {
	membership, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0, false
	}
	consider := func(limit float64) {
		if limit > 0 && (!ok || limit < cpus) {
			cpus, ok = limit, true
		}
	}
	for line := range strings.Lines(string(membership)) {
		// hierarchy:controllers:path; version 2 has hierarchy 0 and no controllers.
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		switch {
		case fields[0] == "0" && fields[1] == "":
			eachParent(filepath.Join(root, "sys/fs/cgroup"), fields[2], func(folder string) {
				consider(quotaV2(folder))
			})
		case strings.Contains(","+fields[1]+",", ",cpu,"):
			eachParent(filepath.Join(root, "sys/fs/cgroup/cpu"), fields[2], func(folder string) {
				consider(quotaV1(folder))
			})
		}
	}
	return cpus, ok
}

// eachParent calls visit for the group at path under mount and for every group above it. Inside a
// container the path may name folders that only the host sees; those are simply not found.
func eachParent(mount, path string, visit func(folder string)) {
	for path = filepath.Clean("/" + path); ; path = filepath.Dir(path) {
		visit(filepath.Join(mount, path))
		if path == "/" {
			return
		}
	}
}

// quotaV2 reads cpu.max, "quota period" in microseconds or "max period"; 0 is no limit.
func quotaV2(folder string) float64 {
	text, err := os.ReadFile(filepath.Join(folder, "cpu.max"))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) != 2 {
		return 0
	}
	return ratio(fields[0], fields[1])
}

// quotaV1 reads cpu.cfs_quota_us (−1 is no limit) and cpu.cfs_period_us; 0 is no limit.
func quotaV1(folder string) float64 {
	quota, err := os.ReadFile(filepath.Join(folder, "cpu.cfs_quota_us"))
	if err != nil {
		return 0
	}
	period, err := os.ReadFile(filepath.Join(folder, "cpu.cfs_period_us"))
	if err != nil {
		return 0
	}
	return ratio(strings.TrimSpace(string(quota)), strings.TrimSpace(string(period)))
}

// ratio returns a / b of two decimal numbers, or 0 if either is not a positive number ("max", "-1").
func ratio(a, b string) float64 {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX != nil || errY != nil || x <= 0 || y <= 0 {
		return 0
	}
	return x / y
}
