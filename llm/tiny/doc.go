// Package tiny is the embedded model: a Llama 3.2-architecture model of a few million parameters that is part of the
// program, so that an agent works before anything was downloaded.
//
// It was trained from scratch, on generated data, to do one thing: read the tools that it is given, call the one that
// fits with the arguments that the request names, and answer from the result. It knows nothing of the world, speaks
// English only, and cannot hold a conversation. Use it for trying things out, for tests, and for small closed jobs; real
// work wants a real checkpoint, which the same code runs (see llm.Open). The README has its figures.
//
// The package is apart from llm, so that a program that brings its own model does not carry this one. How it is trained
// is in the folder train, how it is measured in the folder eval.
package tiny
