// Package memory has tools with which a model keeps short texts about a user for later conversations.
//
// A [Store] is a SQLite file; [Store.Tools] are remember, which writes and so asks for approval under the agent's usual policy,
// and recall, which only reads. A person looks at everything that is stored by [Store.List] and removes it by [Store.Forget].
// What is remembered is data: it is read when a model asks for it, and never becomes part of a prompt by itself.
//
// A memory that was stored survives the end of the process at any moment, and several processes may use one file.
//
// Recall finds memories that share words with what is asked, best first by BM25; it needs no model and no build tag. It is a
// package of its own because SQLite is C: whoever wants a calculator does not link it.
package memory
