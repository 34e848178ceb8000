// Package agent runs a language model in a loop with tools.
//
// An [Agent] is a [Model], tools and limits. [Agent.Run] answers one prompt and yields what happens as it happens: text,
// tool calls, their results, the outcome. [Agent.Ask] is the same for callers that only want the outcome. To go on with a
// conversation, pass [Result].Messages to the next run by [WithHistory].
//
// What the loop takes care of, so that tools and models need not: tools that fail, hang or panic (the model reads the
// error and goes on), calls that cannot be read (handed back with the reason), calls that need a person's approval, results
// that are larger than the model's context, the same call made over and over, and limits on steps, tokens and time. At a
// limit the work is not thrown away: the model answers with what it has.
//
// A [Session] stores each event before it is shown, and its conversation goes on in another process, after a crash too: see
// [WithSession], [Agent.Resume], [Agent.Replay], and package agent/sessions for sessions in a file. When the model's context
// is full, old tool results are removed and old turns summarized; a [Compaction] event says so.
//
// [Into] answers with a value of a Go type. [Agent.AsTool] makes an agent a tool of another. [Steering] puts a message into a
// turn that runs. [Middleware] sees, changes or replaces model calls, tool calls and runs; packages agent/trace and
// agent/telemetry are made of it.
//
// The package knows no particular model. Package llm/chat has the one that runs inside the process, llm/langchain those
// behind a network address, agenttest one for tests.
package agent
