// Package sqlite opens the SQLite files that drover keeps: sessions, documents, memories.
//
// [Open] sets what all of them want (write-ahead log, waiting for other processes, foreign keys) and brings the tables to
// the newest form by [Options].Migrations. One goroutine writes at a time, in [DB.Write]; any number read, in [DB.Read],
// and see a state that no writer changes under them. Several processes may open the same file: their writers wait for each
// other. Killing a process at any instruction leaves a whole file with everything that was written before.
//
// A write survives the end of the process. Whether it survives a power cut is up to [Durable]: it costs a flush of the disk.
//
// What can go wrong in a way that a user can mend (disk full, no permission, another program's file, a damaged one) is an
// [*Error], whose text says what to do.
//
// The driver is C, so that programs need cgo; without it Open fails and says so. No build tag is needed, and only what
// SQLite has without one may be used: full-text search, for instance, needs a tag.
package sqlite
