package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Kind says what is wrong with a file.
type Kind int

// The kinds of errors.
const (
	Other        Kind = iota // anything else
	Full                     // no space left
	ReadOnly                 // the file, its folder or the way it was opened allows no writing
	NoPermission             // the user may not open it
	Corrupt                  // the content is damaged
	NotDatabase              // the file is something else
	OtherProgram             // a database, but of another program
	NewerVersion             // written by a newer version of this program
	Busy                     // another process kept writing for longer than [Options].Wait
	CannotOpen               // missing folder, a folder in its place, …
	InputOutput              // the disk or the network under the file failed
	NoCGO                    // this program was built without SQLite
)

// advice is what each kind is called and what to do about it.
var advice = map[Kind]struct{ what, fix string }{
	Other:        {"database error", ""},
	Full:         {"no space left", "free some space on the disk and try again; what was stored before is still there"},
	ReadOnly:     {"cannot be written", "check the permissions of the file and of its folder"},
	NoPermission: {"cannot be opened", "check the permissions of the file and of its folder"},
	Corrupt:      {"the file is damaged", "restore it from a backup, or move it away to start afresh"},
	NotDatabase:  {"not a database", "name another file, or move this one away"},
	OtherProgram: {"a database of another program", "name another file"},
	NewerVersion: {"written by a newer version of this program", "update this program"},
	Busy:         {"another process keeps writing to it", "try again when that one is done"},
	CannotOpen:   {"cannot be opened", "check that the path is right and that its folder can be written"},
	InputOutput:  {"reading or writing failed", "check the disk"},
	NoCGO:        {"this program was built without SQLite", "build it with CGO_ENABLED=1 and a C compiler"},
}

// Error is what went wrong with a file.
type Error struct {
	Path string
	Kind Kind
	Err  error // the cause; may be nil
}

func (e *Error) Error() string {
	a := advice[e.Kind]
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Path, a.what)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if a.fix != "" {
		b.WriteString("; " + a.fix)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// kindOf recognizes an error of the driver.
func kindOf(err error) Kind {
	var ours *Error
	if errors.As(err, &ours) {
		return ours.Kind
	}
	if kind, ok := driverKind(err); ok {
		return kind
	}
	if strings.Contains(err.Error(), "CGO_ENABLED=0") { // the driver's stub has no better sign
		return NoCGO
	}
	return Other
}

// wrap names the file in an error of the driver. Errors of callers and of contexts stay as they are.
func (db *DB) wrap(err error) error {
	var ours *Error
	switch {
	case err == nil, errors.As(err, &ours):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	kind := kindOf(err)
	if _, ok := driverKind(err); !ok && kind == Other {
		return err
	}
	return &Error{Path: db.path, Kind: kind, Err: err}
}
