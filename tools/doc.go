// Package tools is what a model may do: Go functions with a name, a description and a schema.
//
// [New] makes a [Tool] of a function with a struct argument, and is what most programs need. A [Registry] holds the
// tools of an agent and runs calls: it finds the tool, checks the arguments against the schema, and turns everything
// that goes wrong (an unknown name, wrong arguments, an error, a panic, a time-out) into a [CallError] whose text is
// meant for the model, so that it can do better. Package builtin has ready-made tools.
//
// Each tool declares its [Effects] (reads, writes, network). They are a statement of whoever wrote the tool, not a
// sandbox: package agent decides from them which calls a person must approve.
//
// Implement Tool by hand for tools that are only known at run time. Call such tools through a registry: their own Call
// need not check anything then.
//
// Tools and registries do not change and are safe for concurrent use.
package tools
