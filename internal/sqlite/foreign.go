package sqlite

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
)

// maxForeignValue is how many bytes a text, a blob or a row may have in queries of a foreign file.
const maxForeignValue = 8 << 20

// OpenForeign opens another program's file so that queries of strangers may be run on it: whatever they are, they neither
// change the file nor reach another one. Only SELECT is allowed, and the pragmas that tell of tables; a statement that does
// anything else is refused with [NoPermission] before it runs (see [KindOf]). Texts that it makes are at most 8 MiB long. What a
// query costs is up to the caller's context, which interrupts it.
//
// A file that is in write-ahead mode gets the two files beside it that all its readers share.
//
// Errors that a user can mend are of type [*Error].
func OpenForeign(ctx context.Context, path string) (*sql.DB, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, &Error{Path: path, Kind: CannotOpen, Err: err}
	}
	if err := prepareFile(full, true); err != nil {
		return nil, &Error{Path: path, Kind: kindOfFile(err), Err: err}
	}
	db, err := openForeign(address(full, url.Values{"mode": {"ro"}, "_query_only": {"on"}, "_busy_timeout": {"2000"}}))
	if err == nil {
		var version int // the first page is only read now
		if err = db.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&version); err == nil {
			return db, nil
		}
		_ = db.Close() // the first error is the one that says why
	}
	return nil, (&DB{path: path}).wrap(err)
}

// KindOf says what is wrong with a file by an error of a query; [Other] if it is about the query itself.
func KindOf(err error) Kind { return kindOf(err) }
