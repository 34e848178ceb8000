//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// connector opens connections that are locked before anybody has them.
type connector struct {
	driver  *sqlite3.SQLiteDriver
	address string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.address) }
func (c connector) Driver() driver.Driver                        { return c.driver }

func openForeign(address string) (*sql.DB, error) {
	return sql.OpenDB(connector{&sqlite3.SQLiteDriver{ConnectHook: lock}, address}), nil
}

// lock takes from a connection all that a query of a stranger, or the tables of a file made by one, could misuse.
func lock(c *sqlite3.SQLiteConn) error {
	// Views and triggers of the file may only use functions that are known to be harmless, and its pages are looked at twice.
	if _, err := c.Exec("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA query_only=ON", nil); err != nil {
		return err
	}
	for limit, value := range map[int]int{
		sqlite3.SQLITE_LIMIT_LENGTH: maxForeignValue, sqlite3.SQLITE_LIMIT_ATTACHED: 0, sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
	} {
		c.SetLimit(limit, value)
	}
	c.RegisterAuthorizer(authorize)
	return nil
}

// recursive is what the driver has no name for: a WITH RECURSIVE.
const recursive = 33

// telling are the pragmas that tell of a file and its tables.
var telling = map[string]bool{
	"table_info": true, "table_xinfo": true, "table_list": true, "index_list": true, "index_info": true, "index_xinfo": true,
	"foreign_key_list": true, "function_list": true,
	// These are also what extensions ask when they open their tables. With an argument they would set something.
	"schema_version": false, "page_size": false, "data_version": false, "encoding": false, "user_version": false, "page_count": false,
}

// authorize is asked by SQLite about each thing that a statement would do, when it is prepared.
func authorize(action int, first, second, _ string) int {
	switch action {
	case sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, recursive:
		return sqlite3.SQLITE_OK
	case sqlite3.SQLITE_FUNCTION: // the function is the second
		if second != "load_extension" && second != "fts3_tokenizer" {
			return sqlite3.SQLITE_OK
		}
	case sqlite3.SQLITE_PRAGMA: // with its argument
		if argument, known := telling[first]; known && (argument || second == "") {
			return sqlite3.SQLITE_OK
		}
	}
	return sqlite3.SQLITE_DENY
}
