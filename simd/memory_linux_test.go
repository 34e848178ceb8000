package simd

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
	"unsafe"
)

// mapped reports whether there is memory at an address.
func mapped(t *testing.T, at uintptr) bool {
	t.Helper()
	file, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var from, to uintptr
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x", &from, &to); err == nil && from <= at && at < to {
			return true
		}
	}
	return false
}

// Blocks share slabs without overlapping, and the last of a slab to be given back gives the slab back.
func TestSlabs(t *testing.T) {
	sizes := []int{smallestShare, 1<<20 + 1, 600_000, 9 << 20, slabSize, smallestShare + 63}
	var blocks []*memory
	for range 3 {
		for _, size := range sizes {
			b, err := allocate(size)
			if err != nil {
				t.Fatal(err)
			}
			if len(b.bytes) != size || addressOf(b.bytes)%64 != 0 {
				t.Fatalf("%d bytes at %#x, want %d on a cache line's border", len(b.bytes), addressOf(b.bytes), size)
			}
			for i := range b.bytes {
				if b.bytes[i] != 0 {
					t.Fatalf("block %d is not zeroed, or another one's", len(blocks))
				}
				b.bytes[i] = byte(len(blocks) + 1)
			}
			blocks = append(blocks, b)
		}
	}
	var at []uintptr
	for i, b := range blocks {
		for _, v := range b.bytes {
			if v != byte(i+1) {
				t.Fatalf("block %d was overwritten", i)
			}
		}
		at = append(at, addressOf(b.bytes))
	}
	for i := 0; i < len(blocks); i += 2 {
		blocks[i].release()
	}
	for i := 1; i < len(blocks); i += 2 { // what is in use is still there
		if v := blocks[i].bytes; v[0] != byte(i+1) || v[len(v)-1] != byte(i+1) {
			t.Fatalf("block %d is gone", i)
		}
		blocks[i].release()
		blocks[i].release() // twice is no error
	}
	for i, address := range at {
		if mapped(t, address) {
			t.Errorf("block %d at %#x is still mapped when all were released", i, address)
		}
	}
}

// Memory of a KV cache goes back when its owner is no longer reachable.
func TestAllocateFloat16(t *testing.T) {
	type owner struct{ data []uint16 }
	o := &owner{}
	var err error
	if o.data, err = AllocateFloat16(o, hugePage); err != nil {
		t.Fatal(err)
	}
	o.data[0], o.data[hugePage-1] = 1, 2
	at := uintptr(unsafe.Pointer(&o.data[0]))
	runtime.GC()
	if len(o.data) != hugePage || !mapped(t, at) {
		t.Fatalf("%d numbers, mapped: %v", len(o.data), mapped(t, at))
	}
	runtime.KeepAlive(o)
	o = nil
	for deadline := time.Now().Add(10 * time.Second); mapped(t, at); time.Sleep(time.Millisecond) {
		if runtime.GC(); time.Now().After(deadline) {
			t.Fatal("still mapped when the owner is gone")
		}
	}
}
