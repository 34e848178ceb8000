//go:build cgo

package sqlite

import (
	"errors"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// driverKind recognizes an error of SQLite; ok is false for errors of anybody else.
func driverKind(err error) (kind Kind, ok bool) {
	var driver sqlite3.Error
	if !errors.As(err, &driver) {
		return Other, false
	}
	switch driver.Code {
	case sqlite3.ErrFull:
		return Full, true
	case sqlite3.ErrReadonly:
		return ReadOnly, true
	case sqlite3.ErrPerm, sqlite3.ErrAuth:
		return NoPermission, true
	case sqlite3.ErrCorrupt:
		return Corrupt, true
	case sqlite3.ErrNotADB:
		return NotDatabase, true
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return Busy, true
	case sqlite3.ErrCantOpen:
		return CannotOpen, true
	case sqlite3.ErrIoErr:
		return InputOutput, true
	}
	return Other, true
}

// IsConstraint reports whether a write was refused because a row like it exists already or another rule of the tables
// does not hold.
func IsConstraint(err error) bool {
	var driver sqlite3.Error
	return errors.As(err, &driver) && driver.Code == sqlite3.ErrConstraint
}
