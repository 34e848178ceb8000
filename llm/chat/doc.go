// Package chat makes a conversation partner of a model: messages and tools in, text and tool calls out, all in this process.
//
// [New] wraps an llm.Model; the result fits agent.Model. It renders messages with the template that the model was trained
// on, keeps sessions so that the beginning of a prompt that was computed before is not computed again, streams text that
// certainly is text, and hands over tool calls that are complete.
//
// Where tools are on offer, calling or answering is decided by the probabilities of the first token, against a threshold
// that comes with the model. A call is then written under the tools' schemas, so that it always parses, names a tool that
// there is and has arguments that fit; several calls in one message where [prompts.ToolChoice].MaxCalls or the template says
// so, none of them twice; so is an answer under a schema ([prompts.Request].Schema). A schema that cannot be
// enforced is an error that names the keyword; of tools from elsewhere, [WithLooseTools] leaves out what cannot be. Where a request asks for free calls, or under a template that is none of
// Llama 3.2's, calls are parsed; one that cannot be read is reported as such.
package chat
