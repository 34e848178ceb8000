// Package llm runs Llama models inside the process: tokens in, logits and tokens out. It knows nothing of chats, tools or
// agents; package llm/chat does.
//
// [Open] makes a [Model] of a GGUF file. A model is immutable and shared by any number of goroutines. [Model.NewSession]
// starts a [Session], one conversation: its tokens, their KV cache, and the logits of what comes next. A session can be
// forked and rewound; [Session.Sync] gives it a whole prompt and computes only what is new in it. [Session.Generate] writes:
// with sampling, stop sequences, a grammar, as a stream of valid UTF-8.
//
// Results are reproducible: the same tokens give the same logits, bit for bit, however they were divided into calls and at
// any number of threads, and a seed gives the same text.
package llm
