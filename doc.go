// Package drover is the root of an embedded agent framework: an agent with tool calling that runs
// Meta's Llama 3.2 inside the program's own process. The packages below it do the work; start with
// agent (the loop), tools (typed Go functions as tools) and llm (the runtime).
package drover
