//go:build !cgo

package sqlite

// driverKind recognizes an error of SQLite, which is not part of this program.
func driverKind(error) (kind Kind, ok bool) { return Other, false }

// IsConstraint reports whether a write was refused because a row like it exists already or another rule of the tables
// does not hold.
func IsConstraint(error) bool { return false }
