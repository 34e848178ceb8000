//go:build !cgo

package sqlite

import "database/sql"

func openForeign(string) (*sql.DB, error) { return nil, &Error{Kind: NoCGO} }
