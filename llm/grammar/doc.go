// Package grammar turns a JSON Schema, a regular expression, a list of choices, a grammar in EBNF or one put
// together of parts into token masks, so that a model can only write text that the grammar accepts.
//
// # Use
//
// A [Vocabulary] is built once per tokenizer and shared. A [Grammar] is compiled once and shared; a [Cache]
// keeps those used last. A [Matcher] follows one sequence. It has the shape of llm.Constraint: Forced gives
// the tokens that must come next, Mask rules out logits, Accept goes on by a token, Done tells that nothing
// may follow. Complete tells that the text may end; Fork and Rewind serve drafts; Distance and Closing end a
// text validly when the budget runs out.
//
// Entry points are [CompileSchema], [CompileRegexp], [CompileChoices], [CompileEBNF], and [Compile] for a
// [Part]: [Literal] text, [Special] tokens, a [Schema] value, [Arguments] of a call in Python's notation,
// [Regexp], [Choices], [EBNF] and free [Text], put together with [Sequence], [OneOf], [Repeat], [Optional]
// and, where they recur, [Rule].
//
// # What is enforced
//
// The rule is exact or refused: a keyword that is not enforced is a [*SchemaError] with its JSON pointer and
// reason, never dropped. Enforced are type, enum, const, all keywords of numbers, strings, arrays and objects,
// $ref (recursive too) and anchors, allOf, anyOf, oneOf, not, if/then/else, dependent schemas, and formats.
// Refused are, in short: references out of the document, patterns with references back, looking behind or
// word borders, uniqueItems of arrays and objects, the negation of additionalProperties, patternProperties,
// propertyNames, uniqueItems and of formats that are not exact, unevaluated… beside anyOf, oneOf, if or
// contains, and what exceeds a limit: [SchemaError] says which. Unknown keywords and formats annotate.
//
// One spelling per value is enough, so the spelling is narrower than JSON: white space as [Options] say,
// numbers with at most 19 digits and 12 decimals and no exponent if they are bounded, strings without
// needless escapes. Properties come in any order unless Options fix it; no name comes twice.
//
// # How it works
//
// A set of schemas that one value satisfies together is a node. Expanding a node gives its disjunctive
// normal form: the ways of satisfying it, each a conjunction of conditions per type, in which negations are
// already pushed down to keywords. Strings, property names and numbers become deterministic automata over
// bytes; arrays and objects keep counts and used names in a stack cell, so that long ones are counted and
// recursion is bounded by the text alone. Values that nothing satisfies are found beforehand, so a matcher
// has no dead ends.
//
// A mask says what of a trie of all tokens can be read. Inside strings, names and scalars that depends on the state of an
// automaton alone, but for the tokens that leave it, so the rest is found once and kept by the automaton's content, which most
// schemas share. Of the tokens that end a string only the few different tails behind the quote are walked.
//
// # Limits
//
// Compiling counts what it does, not the time it takes, so that a schema compiles everywhere or nowhere: 1 MiB of schema, 64
// levels, 60,000 sets of schemas that a value satisfies together and 400 ways of satisfying one, 50,000 steps of combining
// schemas, 20,000 properties or enumerated values, 5,000 items told apart, 6,000 states and 400,000 steps for the automaton of
// strings or names, 20,000 states for one of numbers, 64 MB of tables. What needs more is refused with the pointer to it.
// Within these limits a schema takes less than a second and allocates less than 256 MB, and a tool's takes a
// millisecond: see TestHostileSchemas and BenchmarkHostileSchemas.
package grammar
