// Package grammar turns a JSON Schema, a regular expression, a list of choices or a grammar of parts into
// token masks, so that a model can only write text that the grammar accepts.
//
// A [Vocabulary] is built once per tokenizer and shared. A [Grammar] is compiled once and shared. A
// [Matcher] follows one sequence; it has the shape of llm.Constraint: Forced, Mask, Accept, Done; Fork and
// Rewind serve drafts. [Compile] makes a grammar of a [Part]: [Literal], [Special] tokens, [Schema],
// [Regexp] and [Text], put together with [Sequence], [OneOf], [Repeat], [Optional] and, where they
// recur, [Rule]. [CompileTurn] makes one grammar of a whole assistant turn: tool calls, then an answer.
//
// The rule is exact or refused: a keyword that is not enforced is a [*SchemaError] with its JSON pointer,
// never dropped. One spelling per value is enough: properties come in the schema's order, then undeclared
// ones; numbers have no exponent, 19 digits and 12 decimals at most; separators are fixed. Undeclared
// property names may repeat. Annotations (title, description, default, format names that are not known)
// do not constrain.
//
// Being rewritten on the branch "grammar": the engine behind this API (schemas by set algebra, any order of
// properties, counted lengths, faster masks). The names above stay; to come are Matcher.Closing (tokens
// that end the text validly), Arguments (a call's arguments in Python's notation, as a Part), CompileEBNF,
// Options.Order and Cache.
package grammar
