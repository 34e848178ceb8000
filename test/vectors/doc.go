// Package vectors makes model files of Llama's architecture with weights from a hash function: real shapes without a
// download, and the same bytes wherever they are made. logits.py makes the same weights in Python, computes with them in
// PyTorch, and writes logits.json, which package llm's tests compare with. SOURCES.md tells where each file here comes from.
//
// The command in synthetic writes such a file to disk, for measuring speed:
//
//	go run ./test/vectors/synthetic -shape 1b -type Q4_0 -out model.gguf
package vectors
