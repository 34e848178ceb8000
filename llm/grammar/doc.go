// Package grammar turns a JSON Schema, a regular expression or a list of choices into token masks, so that
// a model can only write text that the grammar accepts.
//
// A [Vocabulary] is built once per tokenizer and shared. A [Grammar] is compiled once and shared. A
// [Matcher] follows one sequence; it has the shape of llm.Constraint: Forced, Mask, Accept, Done.
// [CompileTurn] makes one grammar of a whole assistant turn: tool calls, then an answer.
//
// The rule is exact or refused: a keyword that is not enforced is a [*SchemaError] with its JSON pointer,
// never dropped. One spelling per value is enough: properties come in the schema's order, then undeclared
// ones; numbers have no exponent, 19 digits and 12 decimals at most; separators are fixed. Undeclared
// property names may repeat. Annotations (title, description, default, format names that are not known)
// do not constrain.
package grammar
