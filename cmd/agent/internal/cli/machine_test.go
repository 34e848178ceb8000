package cli

import "testing"

func TestMeminfo(t *testing.T) {
	total, available := meminfo("MemTotal:        8000 kB\nMemFree:  1 kB\nMemAvailable:    2000 kB\nodd\nHugePages_Total: x\n")
	if total != 8000<<10 || available != 2000<<10 {
		t.Errorf("%d bytes, %d available", total, available)
	}
	if total, available = meminfo(""); total != 0 || available != 0 {
		t.Errorf("an empty text has %d and %d bytes", total, available)
	}
}
