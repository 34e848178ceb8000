// Package prompts turns conversations into the text a model reads, and the text a model writes back into
// conversations.
//
// It holds the types that every other package shares: [Message], [ToolCall], [ToolDefinition], and, for one
// model call, [Request], [Delta] and [Completion]. A [Template] renders messages and tools; Parse reads what
// a model wrote and finds the tool calls in it. The package does no input or output, starts no goroutine and
// imports nothing of this module, so agents, tools and runtimes can all stand on it.
//
// # Rendering
//
// A rendered [Prompt] is a list of segments. Only segments marked trusted, which are the template's own text,
// may contain special tokens; what users, tools and documents said is never trusted. A runtime that encodes
// segment by segment therefore cannot be talked into a new turn by a text that spells "<|eot_id|>".
// Do not encode Prompt.String() with special tokens enabled: that gives this protection away.
//
// # Parsing
//
// Small models write calls in many shapes. Parse accepts the shapes it knows, repairs a short and documented
// list of slips, and otherwise fails with a *ParseError whose text can be given back to the model. It never
// guesses a tool's name. The arguments that it returns are always a JSON object with unique keys.
package prompts
