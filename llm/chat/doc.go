// Package chat makes a conversation partner of a model: messages and tools in, text and tool calls out, all in this process.
//
// [New] wraps an llm.Model; the result fits agent.Model. It renders messages with the template that the model was trained
// on, keeps sessions so that the beginning of a prompt that was computed before is not computed again, streams text that
// certainly is text, and hands over tool calls that are complete.
//
// Whose template marks tools with tokens of their own, such as the embedded model, decides between calling and answering by
// the probabilities of the first token, against a threshold that comes with the model; a call is then written under the
// tool's schema, so that it always parses. Other models write calls freely and are parsed; a call that cannot be read is
// reported as such.
package chat
