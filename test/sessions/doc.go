// Package sessions runs stored conversations on the embedded model: what is computed again, what is replayed, and what a
// hundred of them at once do to each other.
package sessions
