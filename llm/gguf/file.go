package gguf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"unicode/utf8"
)

const magic = 0x46554747 // "GGUF" as a little-endian number

// What a file may have at most. A pair of 14 bytes takes some hundred bytes of memory here, a tensor's description some
// more, so without a bound a file of nothing else would take several times its size. With it, it is a few megabytes.
const (
	maxPairs   = 1 << 14
	maxTensors = 1 << 14
)

// File is an open model file: metadata and tensors, all of it aliasing the file's bytes. It is safe for concurrent use.
type File struct {
	name      string
	data      []byte
	version   uint32
	alignment int64
	pairs     []Pair
	index     map[string]int
	tensors   []Tensor
	byName    map[string]int
	unmap     func() error
}

// Tensor is a named array. Shape is in the order of mathematics, rows first; the file has it reversed.
type Tensor struct {
	Name   string
	Type   Type
	Shape  []int
	Data   []byte // aliases the file
	Offset int64  // of Data, from the beginning of the file
}

// FormatError says what is wrong with a file, and where.
type FormatError struct {
	File   string
	Key    string // the metadata key that is concerned, or ""
	Tensor string // the tensor that is concerned, or ""
	Offset int64  // where in the file
	Err    error
}

// Error implements error.
func (e *FormatError) Error() string {
	what := ""
	switch {
	case e.Key != "":
		what = fmt.Sprintf("key %s: ", e.Key)
	case e.Tensor != "":
		what = fmt.Sprintf("tensor %s: ", e.Tensor)
	}
	return fmt.Sprintf("%s: %s%v (at byte %d); the file is damaged or cut off: fetch it again", e.File, what, e.Err, e.Offset)
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// Parse reads a file that is in memory already. name is used in errors. data must not change while the File is in use.
func Parse(name string, data []byte) (*File, error) {
	f := &File{name: name, data: data, alignment: 32}
	r := &reader{file: name, data: data}
	if err := f.parse(r); err != nil {
		return nil, &FormatError{File: name, Key: r.key, Tensor: r.tensor, Offset: int64(r.at), Err: err}
	}
	return f, nil
}

func (f *File) parse(r *reader) error {
	if m, err := r.uint32(); err != nil || m != magic {
		return errors.New(`it does not begin with "GGUF", so it is no GGUF file`)
	}
	var err error
	if f.version, err = r.uint32(); err != nil {
		return err
	}
	if f.version != 2 && f.version != 3 {
		if swapped := bits.ReverseBytes32(f.version); swapped <= 3 {
			return errors.New("it is a big-endian file; only little-endian ones are supported: convert it again")
		}
		return fmt.Errorf("version %d, want 2 or 3: convert the model again with a current tool", f.version)
	}
	nTensors, err := r.uint64()
	if err != nil {
		return err
	}
	nPairs, err := r.uint64()
	if err != nil {
		return err
	}
	// The smallest pair takes 13 bytes, the smallest tensor 24: a larger count cannot be true, and allocating for it is a trap.
	if left := uint64(len(r.data) - r.at); nPairs > left/13 || nTensors > left/24 || nPairs*13+nTensors*24 > left {
		return fmt.Errorf("it claims %d metadata pairs and %d tensors, more than %d bytes can hold", nPairs, nTensors, left)
	}
	if nPairs > maxPairs || nTensors > maxTensors {
		return fmt.Errorf("it claims %d metadata pairs and %d tensors; models have hundreds, more than %d and %d are not read", nPairs, nTensors, maxPairs, maxTensors)
	}
	f.pairs, f.index = make([]Pair, 0, nPairs), make(map[string]int, nPairs)
	f.tensors, f.byName = make([]Tensor, 0, nTensors), make(map[string]int, nTensors)
	for range nPairs {
		if err := f.pair(r); err != nil {
			return err
		}
	}
	r.key = ""
	if v, ok := f.Lookup("general.alignment"); ok {
		n, ok := v.Int()
		if !ok || n < 1 || n > 1<<20 || n&(n-1) != 0 {
			r.key = "general.alignment"
			return errors.New("want a power of two up to 1 MiB")
		}
		f.alignment = n
	}
	places := make([]place, 0, nTensors)
	for range nTensors {
		offset, err := f.tensorInfo(r)
		if err != nil {
			return err
		}
		places = append(places, place{offset, r.at - 8})
	}
	r.tensor = ""
	return f.place(r, places)
}

// place is where a tensor lies in the data section, and where in the file that is said.
type place struct {
	offset uint64
	said   int
}

func (f *File) pair(r *reader) error {
	r.key = ""
	key, err := r.string()
	if err != nil {
		return fmt.Errorf("metadata key: %w", err)
	}
	if !utf8.ValidString(key) || key == "" {
		return fmt.Errorf("metadata key %q is not text", key)
	}
	r.key = key
	if _, twice := f.index[key]; twice {
		return errors.New("it is there twice")
	}
	value, err := r.value()
	if err != nil {
		return err
	}
	f.index[key] = len(f.pairs)
	f.pairs = append(f.pairs, Pair{key, value})
	return nil
}

// tensorInfo reads a tensor's name, shape and type, and its offset in the data section.
func (f *File) tensorInfo(r *reader) (uint64, error) {
	r.tensor = ""
	name, err := r.string()
	if err != nil {
		return 0, fmt.Errorf("tensor name: %w", err)
	}
	if !utf8.ValidString(name) || name == "" {
		return 0, fmt.Errorf("tensor name %q is not text", name)
	}
	r.tensor = name
	if _, twice := f.byName[name]; twice {
		return 0, errors.New("it is there twice")
	}
	nDims, err := r.uint32()
	if err != nil {
		return 0, err
	}
	if nDims < 1 || nDims > 4 {
		return 0, fmt.Errorf("%d dimensions, want 1 to 4", nDims)
	}
	shape := make([]int, nDims)
	total := uint64(1)
	for i := range shape {
		n, err := r.uint64()
		if err != nil {
			return 0, err
		}
		if n == 0 || n > math.MaxInt32 {
			return 0, fmt.Errorf("dimension %d is %d, want 1 to %d", i, n, math.MaxInt32)
		}
		hi, lo := bits.Mul64(total, n)
		if hi != 0 || lo > math.MaxInt64/8 {
			return 0, errors.New("its dimensions multiply to more than any file can hold")
		}
		total = lo
		shape[len(shape)-1-i] = int(n)
	}
	kind, err := r.uint32()
	if err != nil {
		return 0, err
	}
	offset, err := r.uint64()
	if err != nil {
		return 0, err
	}
	l, ok := layouts[Type(kind)]
	if !ok {
		return 0, fmt.Errorf("its element %v is unknown; convert the model to a current type such as Q4_0 or Q8_0", Type(kind))
	}
	if cols := shape[len(shape)-1]; cols%l.elements != 0 {
		return 0, fmt.Errorf("rows of %d elements cannot be stored as %s, which has blocks of %d", cols, l.name, l.elements)
	}
	size := total / uint64(l.elements) * uint64(l.bytes)
	if size > uint64(len(r.data)) {
		return 0, fmt.Errorf("it needs %d bytes, the file has %d", size, len(r.data))
	}
	f.byName[name] = len(f.tensors)
	f.tensors = append(f.tensors, Tensor{Name: name, Type: Type(kind), Shape: shape, Data: r.data[:size:size]})
	return offset, nil
}

// place checks where the tensors lie and gives them their bytes.
func (f *File) place(r *reader, places []place) error {
	start := (int64(r.at) + f.alignment - 1) / f.alignment * f.alignment
	order := make([]int, len(f.tensors))
	for i := range f.tensors {
		order[i] = i
		t := &f.tensors[i]
		r.tensor, r.at = t.Name, places[i].said
		size, offset := uint64(len(t.Data)), places[i].offset
		if offset%uint64(f.alignment) != 0 {
			return fmt.Errorf("offset %d is not a multiple of the alignment, %d", offset, f.alignment)
		}
		room := uint64(max(int64(len(f.data))-start, 0))
		if offset > room || size > room-offset {
			return fmt.Errorf("data ends at byte %d, the file has %d", uint64(start)+offset+size, len(f.data))
		}
		t.Offset = start + int64(offset)
		t.Data = f.data[t.Offset : t.Offset+int64(size) : t.Offset+int64(size)]
	}
	slices.SortFunc(order, func(a, b int) int { return int(min(max(f.tensors[a].Offset-f.tensors[b].Offset, -1), 1)) })
	for i := 1; i < len(order); i++ {
		before, after := f.tensors[order[i-1]], f.tensors[order[i]]
		if before.Offset+int64(len(before.Data)) > after.Offset {
			r.tensor, r.at = after.Name, places[order[i]].said
			return fmt.Errorf("its data overlaps that of %s", before.Name)
		}
	}
	return nil
}

// Name is the name in errors: the path, as a rule.
func (f *File) Name() string { return f.name }

// Size is the file's size in bytes.
func (f *File) Size() int64 { return int64(len(f.data)) }

// Version is the version of the format, 2 or 3.
func (f *File) Version() int { return int(f.version) }

// Pairs returns the metadata in the file's order. It must not be changed.
func (f *File) Pairs() []Pair { return f.pairs }

// Lookup finds a metadata value.
func (f *File) Lookup(key string) (Value, bool) {
	i, ok := f.index[key]
	if !ok {
		return Value{}, false
	}
	return f.pairs[i].Value, true
}

// Tensors returns the tensors in the file's order. It must not be changed.
func (f *File) Tensors() []Tensor { return f.tensors }

// Tensor finds a tensor.
func (f *File) Tensor(name string) (Tensor, bool) {
	i, ok := f.byName[name]
	if !ok {
		return Tensor{}, false
	}
	return f.tensors[i], true
}

// Close releases the file. Nothing that came from it may be used afterwards.
func (f *File) Close() error {
	if f.unmap == nil {
		return nil
	}
	unmap := f.unmap
	f.unmap = nil
	return unmap()
}

// reader reads little-endian numbers and strings and knows where it is.
type reader struct {
	file        string
	data        []byte
	at          int
	key, tensor string
}

var errCutOff = errors.New("the file ends in the middle of it")

func (r *reader) take(n int) ([]byte, error) {
	if n > len(r.data)-r.at {
		return nil, errCutOff
	}
	part := r.data[r.at : r.at+n]
	r.at += n
	return part, nil
}

func (r *reader) uint32() (uint32, error) {
	b, err := r.take(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

func (r *reader) uint64() (uint64, error) {
	b, err := r.take(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

func (r *reader) string() (string, error) {
	n, err := r.uint64()
	if err != nil {
		return "", err
	}
	if n > uint64(len(r.data)-r.at) {
		return "", fmt.Errorf("a string claims %d bytes, %d are left", n, len(r.data)-r.at)
	}
	b, err := r.take(int(n))
	return string(b), err
}
