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
// The package knows no particular model. Package llm/chat has the one that runs inside the process, llm/langchain those
// behind a network address, agenttest one for tests.
package agent
