package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Kind is the type of a metadata value. The values are the format's own.
type Kind uint32

// The kinds of metadata values.
const (
	Uint8 Kind = iota
	Int8
	Uint16
	Int16
	Uint32
	Int32
	Float32
	Bool
	String
	Array
	Uint64
	Int64
	Float64
)

var kindNames = [...]string{
	"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "bool", "string", "array", "uint64", "int64", "float64",
}

// kindSizes are the bytes of a value; 0 where it depends.
var kindSizes = [...]int{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}

// String is the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint32(k))
}

// Pair is a metadata key and its value.
type Pair struct {
	Key   string
	Value Value
}

// Value is a metadata value. Its bytes stay in the file until they are asked for.
type Value struct {
	kind    Kind
	element Kind // of an array
	n       int  // elements of an array
	raw     []byte
	offset  int64 // of raw in the file
}

// Offset is where the value's bytes are, from the beginning of the file; for errors.
func (v Value) Offset() int64 { return v.offset }

// Kind is the value's type.
func (v Value) Kind() Kind { return v.kind }

// Element is the type of an array's elements.
func (v Value) Element() Kind { return v.element }

// Len is the number of elements of an array, 0 for other values.
func (v Value) Len() int { return v.n }

// value reads a value's type and notes where its bytes are, checking that they are all there.
func (r *reader) value() (Value, error) {
	kind, err := r.uint32()
	if err != nil {
		return Value{}, err
	}
	v := Value{kind: Kind(kind)}
	start := r.at
	switch {
	case v.kind == Array:
		if err := r.array(&v); err != nil {
			return Value{}, err
		}
		start = r.at - len(v.raw)
	case int(kind) >= len(kindSizes):
		return Value{}, fmt.Errorf("its value has the unknown type %d", kind)
	default:
		if err := r.skip(v.kind, 1); err != nil {
			return Value{}, err
		}
	}
	v.raw, v.offset = r.data[start:r.at:r.at], int64(start)
	return v, nil
}

func (r *reader) array(v *Value) error {
	element, err := r.uint32()
	if err != nil {
		return err
	}
	n, err := r.uint64()
	if err != nil {
		return err
	}
	v.element = Kind(element)
	if v.element == Array {
		return fmt.Errorf("its value is an array of arrays, which no model file needs")
	}
	if int(element) >= len(kindSizes) {
		return fmt.Errorf("its elements have the unknown type %d", element)
	}
	smallest := uint64(kindSizes[element])
	if v.element == String {
		smallest = 8
	}
	if left := uint64(len(r.data) - r.at); n > left/smallest {
		return fmt.Errorf("it claims %d elements of type %v, more than %d bytes can hold", n, v.element, left)
	}
	start := r.at
	if err := r.skip(v.element, int(n)); err != nil {
		return err
	}
	v.n, v.raw = int(n), r.data[start:r.at]
	return nil
}

// skip passes n values of a kind that is no array.
func (r *reader) skip(kind Kind, n int) error {
	switch kind {
	case String:
		for range n {
			length, err := r.uint64()
			if err != nil {
				return err
			}
			if left := len(r.data) - r.at; length > uint64(left) {
				return fmt.Errorf("a string claims %d bytes, %d are left", length, left)
			}
			r.at += int(length)
		}
		return nil
	case Bool:
		values, err := r.take(n)
		if err != nil {
			return err
		}
		for _, b := range values {
			if b > 1 {
				return fmt.Errorf("a truth value is %d, want 0 or 1", b)
			}
		}
		return nil
	}
	_, err := r.take(n * kindSizes[kind])
	return err
}

// integer reads element i as an integer.
func (v Value) integer(kind Kind, raw []byte) (int64, bool) {
	switch kind {
	case Uint8:
		return int64(raw[0]), true
	case Int8:
		return int64(int8(raw[0])), true
	case Uint16:
		return int64(binary.LittleEndian.Uint16(raw)), true
	case Int16:
		return int64(int16(binary.LittleEndian.Uint16(raw))), true
	case Uint32:
		return int64(binary.LittleEndian.Uint32(raw)), true
	case Int32:
		return int64(int32(binary.LittleEndian.Uint32(raw))), true
	case Uint64, Int64:
		n := binary.LittleEndian.Uint64(raw)
		return int64(n), kind == Int64 || n <= math.MaxInt64
	}
	return 0, false
}

// Int is an integer of any width.
func (v Value) Int() (int64, bool) {
	if v.kind == Array || len(v.raw) == 0 {
		return 0, false
	}
	return v.integer(v.kind, v.raw)
}

// Float is a floating-point number or an integer.
func (v Value) Float() (float64, bool) {
	switch v.kind {
	case Float32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(v.raw))), true
	case Float64:
		return math.Float64frombits(binary.LittleEndian.Uint64(v.raw)), true
	}
	n, ok := v.Int()
	return float64(n), ok
}

// Bool is a truth value.
func (v Value) Bool() (value, ok bool) {
	return v.kind == Bool && v.raw[0] == 1, v.kind == Bool
}

// Text is a string.
func (v Value) Text() (string, bool) {
	if v.kind != String {
		return "", false
	}
	return string(v.raw[8:]), true
}

// IsStrings reports whether the value is an array of strings.
func (v Value) IsStrings() bool { return v.kind == Array && v.element == String }

// Strings is an iterator over the elements of an array of strings; of another value it has none. The bytes alias the file.
func (v Value) Strings(yield func(i int, s []byte) bool) {
	if !v.IsStrings() {
		return
	}
	at := 0
	for i := range v.n {
		length := int(binary.LittleEndian.Uint64(v.raw[at:]))
		at += 8
		if !yield(i, v.raw[at:at+length:at+length]) {
			return
		}
		at += length
	}
}

// Ints is an array of integers of any width.
func (v Value) Ints() ([]int64, bool) {
	if v.kind != Array || v.element == String || v.element == Float32 || v.element == Float64 || v.element == Bool {
		return nil, false
	}
	size := kindSizes[v.element]
	out := make([]int64, v.n)
	for i := range out {
		out[i], _ = v.integer(v.element, v.raw[i*size:])
	}
	return out, true
}
