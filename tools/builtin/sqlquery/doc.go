// Package sqlquery has a tool with which a model asks SQLite databases, and cannot change them.
//
// [New] makes one for the database files in a folder, [ForFile] one for a single file. Both give rows as a small table; a query
// that names what is not there is answered with the tables and columns that are, so that the model can correct itself.
//
// It is a package of its own because SQLite is C: whoever wants a calculator does not link it.
package sqlquery
