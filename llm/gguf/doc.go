// Package gguf reads and writes GGUF files, the model files of the GGML world, versions 2 and 3.
//
// [Open] maps a file into memory, [Parse] reads one that is in memory already. Both check everything before anything is
// used: counts against what is left of the file before memory is allocated for them, every tensor's place, size and
// overlap. What is wrong is told by a [FormatError], with the key or tensor and the place. Metadata and tensor data stay
// in the file until they are asked for, and alias it.
//
// [Writer] writes files: for tests and for quantizing.
//
// The format is described in ggml-org/ggml, docs/gguf.md.
package gguf
