package gguf

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Writer collects metadata and tensors and writes them as a GGUF v3 file. The same calls give the same bytes.
type Writer struct {
	pairs   []byte
	nPairs  uint64
	infos   []byte
	tensors [][]byte
	size    uint64
	err     error
}

// alignment is that of the files that Writer writes.
const alignment = 32

// Set adds a metadata value: string, bool, int, uint32, int32, uint64, int64, float32, float64, or a slice of string, int32
// or float32. An int is written as uint32 or, if it does not fit, as int64.
func (w *Writer) Set(key string, value any) {
	if n, ok := value.(int); ok {
		value = int64(n)
		if n >= 0 && n <= math.MaxUint32 {
			value = uint32(n)
		}
	}
	kind, raw := encode(value)
	if raw == nil {
		w.err = fmt.Errorf("key %s: a value of type %T cannot be written", key, value)
		return
	}
	w.nPairs++
	w.pairs = appendString(w.pairs, key)
	w.pairs = binary.LittleEndian.AppendUint32(w.pairs, uint32(kind))
	w.pairs = append(w.pairs, raw...)
}

func encode(value any) (Kind, []byte) {
	le := binary.LittleEndian
	array := func(kind Kind, n int) []byte {
		return le.AppendUint64(le.AppendUint32(nil, uint32(kind)), uint64(n))
	}
	switch v := value.(type) {
	case string:
		return String, appendString(nil, v)
	case bool:
		if v {
			return Bool, []byte{1}
		}
		return Bool, []byte{0}
	case uint32:
		return Uint32, le.AppendUint32(nil, v)
	case int32:
		return Int32, le.AppendUint32(nil, uint32(v))
	case uint64:
		return Uint64, le.AppendUint64(nil, v)
	case int64:
		return Int64, le.AppendUint64(nil, uint64(v))
	case float32:
		return Float32, le.AppendUint32(nil, math.Float32bits(v))
	case float64:
		return Float64, le.AppendUint64(nil, math.Float64bits(v))
	case []string:
		raw := array(String, len(v))
		for _, s := range v {
			raw = appendString(raw, s)
		}
		return Array, raw
	case []int32:
		raw := array(Int32, len(v))
		for _, n := range v {
			raw = le.AppendUint32(raw, uint32(n))
		}
		return Array, raw
	case []float32:
		raw := array(Float32, len(v))
		for _, x := range v {
			raw = le.AppendUint32(raw, math.Float32bits(x))
		}
		return Array, raw
	}
	return 0, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

// Tensor adds a tensor, its shape rows first. data is not copied and must not change before WriteTo returns.
func (w *Writer) Tensor(name string, kind Type, shape []int, data []byte) {
	w.infos = appendString(w.infos, name)
	w.infos = binary.LittleEndian.AppendUint32(w.infos, uint32(len(shape)))
	for i := len(shape) - 1; i >= 0; i-- {
		w.infos = binary.LittleEndian.AppendUint64(w.infos, uint64(shape[i]))
	}
	w.infos = binary.LittleEndian.AppendUint32(w.infos, uint32(kind))
	w.infos = binary.LittleEndian.AppendUint64(w.infos, w.size)
	w.tensors = append(w.tensors, data)
	w.size += (uint64(len(data)) + alignment - 1) / alignment * alignment
}

// WriteTo implements [io.WriterTo].
func (w *Writer) WriteTo(out io.Writer) (int64, error) {
	if w.err != nil {
		return 0, w.err
	}
	le := binary.LittleEndian
	head := le.AppendUint32(nil, magic)
	head = le.AppendUint32(head, 3)
	head = le.AppendUint64(head, uint64(len(w.tensors)))
	head = le.AppendUint64(head, w.nPairs)
	head = append(append(head, w.pairs...), w.infos...)
	var written int64
	padding := make([]byte, alignment)
	for _, part := range append([][]byte{head}, w.tensors...) {
		n, err := out.Write(part)
		written += int64(n)
		if err != nil {
			return written, err
		}
		n, err = out.Write(padding[:(alignment-len(part)%alignment)%alignment])
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}
