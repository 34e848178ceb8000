package gguf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/drover-ai/drover/llm/gguf"
)

// valid is a small file with a value of each kind and two tensors.
func valid(t testing.TB) []byte {
	t.Helper()
	var w gguf.Writer
	w.Set("general.architecture", "llama")
	w.Set("a.bool", true)
	w.Set("a.uint32", 7)
	w.Set("a.int32", int32(-7))
	w.Set("a.uint64", uint64(math.MaxUint64))
	w.Set("a.int64", int64(-1<<40))
	w.Set("a.float32", float32(1.5))
	w.Set("a.float64", 2.5)
	w.Set("a.strings", []string{"x", "", "ünï"})
	w.Set("a.ints", []int32{1, -2, 3})
	w.Set("a.floats", []float32{1, 2})
	w.Tensor("one", gguf.F32, []int{2, 3}, bytes.Repeat([]byte{1, 2, 3, 4}, 6))
	w.Tensor("two", gguf.Q4_0, []int{1, 32}, bytes.Repeat([]byte{9}, 18))
	var out bytes.Buffer
	if _, err := w.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func Example() {
	var w gguf.Writer
	w.Set("general.architecture", "llama")
	w.Tensor("output_norm.weight", gguf.F32, []int{2}, make([]byte, 8))
	var file bytes.Buffer
	if _, err := w.WriteTo(&file); err != nil {
		fmt.Println(err)
		return
	}
	f, err := gguf.Parse("example.gguf", file.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	architecture, _ := f.Lookup("general.architecture")
	name, _ := architecture.Text()
	for _, t := range f.Tensors() {
		fmt.Println(name, t.Name, t.Type, t.Shape)
	}
	// Output: llama output_norm.weight F32 [2]
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.gguf")
	if err := os.WriteFile(path, valid(t), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	value := func(key string) gguf.Value {
		v, ok := f.Lookup(key)
		if !ok {
			t.Errorf("%s is missing", key)
		}
		return v
	}
	if b, ok := value("a.bool").Bool(); !b || !ok {
		t.Error("a.bool")
	}
	for key, want := range map[string]int64{"a.uint32": 7, "a.int32": -7, "a.int64": -1 << 40} {
		if n, ok := value(key).Int(); n != want || !ok {
			t.Errorf("%s is %d, %v", key, n, ok)
		}
	}
	if _, ok := value("a.uint64").Int(); ok {
		t.Error("a number over the range of int64 was taken for one")
	}
	for key, want := range map[string]float64{"a.float32": 1.5, "a.float64": 2.5, "a.uint32": 7} {
		if x, ok := value(key).Float(); x != want || !ok {
			t.Errorf("%s is %g, %v", key, x, ok)
		}
	}
	var list []string
	for _, s := range value("a.strings").Strings {
		list = append(list, string(s))
	}
	if !slices.Equal(list, []string{"x", "", "ünï"}) {
		t.Errorf("a.strings is %q", list)
	}
	if ints, ok := value("a.ints").Ints(); !ok || !slices.Equal(ints, []int64{1, -2, 3}) {
		t.Errorf("a.ints is %v", ints)
	}
	if _, ok := value("a.floats").Ints(); ok {
		t.Error("floats were taken for integers")
	}
	one, ok := f.Tensor("one")
	if !ok || !slices.Equal(one.Shape, []int{2, 3}) || len(one.Data) != 24 || one.Offset%32 != 0 {
		t.Errorf("tensor one is %+v", one)
	}
	two, _ := f.Tensor("two")
	if !bytes.Equal(two.Data, bytes.Repeat([]byte{9}, 18)) {
		t.Errorf("tensor two has %v", two.Data)
	}
	if _, ok := f.Tensor("three"); ok {
		t.Error("there is no tensor three")
	}
}

// raw builds files by hand, to have what no writer would write.
type raw struct{ bytes.Buffer }

func header(tensors, pairs uint64) *raw {
	r := &raw{}
	r.u32(0x46554747).u32(3).u64(tensors).u64(pairs)
	return r
}
func (r *raw) u32(v uint32) *raw { r.Write(binary.LittleEndian.AppendUint32(nil, v)); return r }
func (r *raw) u64(v uint64) *raw { r.Write(binary.LittleEndian.AppendUint64(nil, v)); return r }
func (r *raw) str(s string) *raw { r.u64(uint64(len(s))); r.WriteString(s); return r }
func (r *raw) pad(n int) *raw    { r.Write(make([]byte, n)); return r }
func (r *raw) align() *raw       { return r.pad((32 - r.Len()%32) % 32) }
func (r *raw) tensor(name string, kind uint32, offset uint64, ne ...uint64) *raw {
	r.str(name).u32(uint32(len(ne)))
	for _, n := range ne {
		r.u64(n)
	}
	return r.u32(kind).u64(offset)
}

// Each of these would crash a reader that trusts, or make it allocate without end. The error must name what is wrong.
func TestHostileFiles(t *testing.T) {
	u32value := func(r *raw, key string, v uint32) *raw { return r.str(key).u32(4).u32(v) }
	for name, c := range map[string]struct {
		file *raw
		want string
	}{
		"empty":               {&raw{}, "no GGUF file"},
		"another format":      {(&raw{}).u32(0x04034b50).pad(60), "no GGUF file"},
		"big-endian":          {(&raw{}).u32(0x46554747).u32(3 << 24).pad(60), "big-endian"},
		"version 1":           {(&raw{}).u32(0x46554747).u32(1).pad(60), "version 1, want 2 or 3"},
		"huge tensor count":   {header(1<<60, 0).pad(100), "claims 0 metadata pairs and 1152921504606846976 tensors"},
		"huge pair count":     {header(0, 1<<60).pad(100), "metadata pairs"},
		"huge key":            {header(0, 1).u64(1 << 62).pad(100), "a string claims"},
		"huge string":         {header(0, 1).str("k").u32(8).u64(1 << 63).pad(100), "key k: a string claims"},
		"huge array":          {header(0, 1).str("k").u32(9).u32(4).u64(1 << 61).pad(100), "key k: it claims 2305843009213693952 elements"},
		"huge string array":   {header(0, 1).str("k").u32(9).u32(8).u64(1 << 40).pad(100), "key k: it claims"},
		"array of arrays":     {header(0, 1).str("k").u32(9).u32(9).u64(1).u32(9).pad(100), "key k: its value is an array of arrays"},
		"unknown kind":        {header(0, 1).str("k").u32(13).pad(100), "key k: its value has the unknown type 13"},
		"unknown element":     {header(0, 1).str("k").u32(9).u32(99).u64(1).pad(100), "key k: its elements have the unknown type 99"},
		"bool of 2":           {header(0, 1).str("k").u32(7).pad(0).raw(2).pad(100), "key k: a truth value is 2"},
		"key twice":           {u32value(u32value(header(0, 2), "k", 1), "k", 2).pad(100), "key k: it is there twice"},
		"key is no text":      {header(0, 1).str("\xff").u32(4).u32(1).pad(100), "is not text"},
		"alignment of 0":      {u32value(header(0, 1), "general.alignment", 0).pad(100), "general.alignment: want a power of two"},
		"alignment of 48":     {u32value(header(0, 1), "general.alignment", 48).pad(100), "general.alignment: want a power of two"},
		"no dimensions":       {header(1, 0).tensor("t", 0, 0).pad(100), "tensor t: 0 dimensions"},
		"nine dimensions":     {header(1, 0).tensor("t", 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1).pad(100), "tensor t: 9 dimensions"},
		"dimension of 0":      {header(1, 0).tensor("t", 0, 0, 0).pad(100), "tensor t: dimension 0 is 0"},
		"dimensions overflow": {header(1, 0).tensor("t", 0, 0, 1<<31-1, 1<<31-1, 1<<31-1, 1<<31-1).pad(100), "tensor t: its dimensions multiply"},
		"unknown type":        {header(1, 0).tensor("t", 31, 0, 32).pad(100), "tensor t: its element type 31 is unknown"},
		"half a block":        {header(1, 0).tensor("t", 2, 0, 33).pad(100), "tensor t: rows of 33 elements cannot be stored as Q4_0"},
		"larger than file":    {header(1, 0).tensor("t", 0, 0, 1<<20).pad(100), "tensor t: it needs 4194304 bytes"},
		"outside the file":    {header(1, 0).tensor("t", 0, 1<<40, 4).align().pad(64), "tensor t: data ends at byte"},
		"offset overflows":    {header(1, 0).tensor("t", 0, math.MaxUint64&^31, 4).align().pad(64), "tensor t: data ends at byte"},
		"offset not aligned":  {header(1, 0).tensor("t", 0, 4, 4).align().pad(64), "tensor t: offset 4 is not a multiple"},
		"data cut off":        {header(1, 0).tensor("t", 0, 0, 16).align().pad(63), "tensor t: data ends at byte"},
		"tensors overlap":     {header(2, 0).tensor("a", 0, 0, 16).tensor("b", 0, 32, 16).align().pad(200), "tensor b: its data overlaps that of a"},
		"tensor twice":        {header(2, 0).tensor("a", 0, 0, 8).tensor("a", 0, 32, 8).align().pad(200), "tensor a: it is there twice"},
	} {
		f, err := gguf.Parse("m.gguf", c.file.Bytes())
		var format *gguf.FormatError
		if f != nil || !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one with %q", name, err, c.want)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "m.gguf: ") {
			t.Errorf("%s: the error does not begin with the file's name: %v", name, err)
		}
	}
}

func (r *raw) raw(b byte) *raw { r.WriteByte(b); return r }

// A file cut off anywhere is an error that names the place.
func TestTruncated(t *testing.T) {
	whole := valid(t)
	last := 0
	for i, b := range whole { // what follows the last tensor is padding
		if b != 0 {
			last = i
		}
	}
	for n := range last {
		if _, err := gguf.Parse("m.gguf", whole[:n:n]); err == nil {
			t.Errorf("the first %d of %d bytes are taken for a file", n, len(whole))
		}
	}
}

// However large the numbers in a header, reading it takes no more memory than the file has, but for a few megabytes that the
// most pairs and tensors allowed take in a file of next to nothing.
func TestMemoryIsBounded(t *testing.T) {
	const most, fewMegabytes = 1 << 14, 6 << 20
	pairs, tensors := header(0, most), header(most, 0)
	for i := range uint64(most) {
		pairs.str(fmt.Sprint(i)).u32(0).raw(1)
		tensors.tensor(fmt.Sprint(i), 0, 32*i, 1)
	}
	tensors.align().pad(32 * most)
	array := header(0, 1).str("k").u32(9).u32(8).u64(1 << 20).pad(8 << 20)
	for name, c := range map[string]struct {
		file *raw
		err  string
		most uint64
	}{
		"counts that cannot be":   {header(1<<20, 1<<20).pad(1 << 20), "more than 1048576 bytes can hold", 1 << 20},
		"counts that nobody has":  {header(1<<15, 1<<15).pad(8 << 20), "models have hundreds", 1 << 20},
		"pairs and nothing else":  {pairs, "", fewMegabytes},
		"tensors of one number":   {tensors, "", fewMegabytes},
		"a million empty strings": {array, "", 1 << 20},
	} {
		file := c.file.Bytes()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := gguf.Parse("m.gguf", file)
		runtime.ReadMemStats(&after)
		if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > c.most {
			t.Errorf("%s: %d bytes were allocated for a file of %d, want at most %d", name, used, len(file), c.most)
		}
	}
}

// An error means no file; a file that parses can be written again and is then the same.
func FuzzParse(f *testing.F) {
	whole := valid(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(header(1<<60, 3).pad(40).Bytes())
	f.Add(header(2, 0).tensor("a", 0, 0, 16).tensor("b", 2, 64, 32).align().pad(200).Bytes())
	f.Add(header(0, 1).str("k").u32(9).u32(8).u64(2).str("x").str("y").Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := gguf.Parse("fuzz", data)
		if err != nil {
			if file != nil {
				t.Fatal("an error and a file")
			}
			return
		}
		var w gguf.Writer
		for _, tensor := range file.Tensors() {
			w.Tensor(tensor.Name, tensor.Type, tensor.Shape, tensor.Data)
		}
		for _, p := range file.Pairs() {
			if text, ok := p.Value.Text(); ok && p.Key != "general.alignment" {
				w.Set(p.Key, text)
			}
			for range p.Value.Strings {
			}
			p.Value.Ints()
			p.Value.Float()
			p.Value.Bool()
		}
		var out bytes.Buffer
		if _, err := w.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		again, err := gguf.Parse("again", out.Bytes())
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		for i, tensor := range file.Tensors() {
			other := again.Tensors()[i]
			if tensor.Name != other.Name || tensor.Type != other.Type || !slices.Equal(tensor.Shape, other.Shape) || !bytes.Equal(tensor.Data, other.Data) {
				t.Errorf("tensor %s changed", tensor.Name)
			}
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	folder := t.TempDir()
	if _, err := gguf.Open(folder); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a folder: %v", err)
	}
	empty := filepath.Join(folder, "empty.gguf")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := gguf.Open(empty); err == nil || !strings.Contains(err.Error(), "it is empty") {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := gguf.Open(filepath.Join(folder, "none.gguf")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
