package simd

import "unsafe"

// addressOf returns where a non-empty slice begins.
func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
