package simd

import "unsafe"

// addressOf returns where a non-empty slice begins.
func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// bytesOfUint16 returns the memory of a slice of 16-bit numbers, in the machine's byte order.
func bytesOfUint16(s []uint16) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), 2*len(s))
}
