package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/cpu"
)

// cpuFeatures are the features of this CPU that fast kernels can be made of, by the names that Linux gives them.
func cpuFeatures() []string {
	features := []string{}
	add := func(name string, has bool) {
		if has {
			features = append(features, name)
		}
	}
	switch runtime.GOARCH {
	case "amd64":
		x := &cpu.X86
		add("sse4_1", x.HasSSE41)
		add("avx", x.HasAVX)
		add("avx2", x.HasAVX2)
		add("fma", x.HasFMA)
		add("avx512f", x.HasAVX512F)
		add("avx512bw", x.HasAVX512BW)
		add("avx512vl", x.HasAVX512VL)
		add("avx512_vnni", x.HasAVX512VNNI)
		add("avx512_bf16", x.HasAVX512BF16)
	case "arm64":
		a := &cpu.ARM64
		add("asimd", a.HasASIMD)
		add("asimdhp", a.HasASIMDHP)
		add("asimddp", a.HasASIMDDP)
		add("i8mm", a.HasI8MM)
		add("sve", a.HasSVE)
	}
	return features
}

// cache is one of the first CPU's caches for data.
type cache struct {
	Level int   `json:"level"`
	Bytes int64 `json:"bytes"`
}

// cpuCaches reads what Linux says; elsewhere there are none to be listed.
func cpuCaches() []cache {
	caches := []cache{}
	folders, _ := filepath.Glob("/sys/devices/system/cpu/cpu0/cache/index*") // the pattern is well formed
	for _, folder := range folders {
		read := func(name string) string {
			text, _ := os.ReadFile(filepath.Join(folder, name)) // empty, so skipped below
			return strings.TrimSpace(string(text))
		}
		level, err := strconv.Atoi(read("level"))
		kib, isKiB := strings.CutSuffix(read("size"), "K")
		n, sizeErr := strconv.ParseInt(kib, 10, 64)
		if err != nil || !isKiB || sizeErr != nil || read("type") == "Instruction" {
			continue
		}
		caches = append(caches, cache{level, n << 10})
	}
	return caches
}

// machineMemory reads how much memory there is and how much is free for programs, in bytes; zeros where the system does not say.
func machineMemory() (total, available int64) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, 0
	}
	return meminfo(string(text))
}

// meminfo reads the text of /proc/meminfo.
func meminfo(text string) (total, available int64) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "MemTotal:":
			total = kib << 10
		case "MemAvailable:":
			available = kib << 10
		}
	}
	return total, available
}
