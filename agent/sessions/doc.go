// Package sessions keeps conversations in a SQLite file, so that they go on in another process, tomorrow, or after a crash.
//
// [Open] opens a [Store], [Store.Session] a conversation in it by name; the result goes into a run by agent.WithSession.
// Every event is in the file before it is shown. What was stored survives the end of the process at any instruction, and
// the calls of tools that change something also survive a power cut, so that none is made twice.
//
// Several processes may use one store. A conversation belongs to one of them while it runs a turn: the others wait, and then
// fail with an [*InUseError]. The claim is a lock on a file beside the store and ends with the process that holds it.
//
// Logs can be forked, exported and imported as lines of JSON, and read as Markdown.
package sessions
