package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drover-ai/drover/internal/sqlite"
)

// foreign makes a file as another program would, with SQL.
func foreign(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(script); err != nil {
		t.Fatal(err)
	}
	return path
}

const shop = `CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT);
	INSERT INTO customer (name) VALUES ('Ann'), ('Bob');
	CREATE VIEW harmless AS SELECT upper(name) AS name FROM customer;
	CREATE VIEW harmful AS SELECT load_extension('x') AS x;
	CREATE VIRTUAL TABLE words USING fts4(text); INSERT INTO words VALUES ('one two');`

func TestOpenForeign(t *testing.T) {
	path := foreign(t, shop)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.OpenForeign(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for query, want := range map[string]string{
		"SELECT group_concat(name) FROM customer":                                                    "Ann,Bob",
		"SELECT group_concat(name) FROM harmless":                                                    "ANN,BOB",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 4) SELECT sum(i) FROM n": "10",
		"SELECT group_concat(name) FROM pragma_table_info('customer')":                               "id,name",
		"SELECT count(*) FROM sqlite_schema WHERE type='view'":                                       "2",
		"SELECT text FROM words WHERE words MATCH 'two'":                                             "one two",
		"PRAGMA user_version":         "0",
		"EXPLAIN QUERY PLAN SELECT 1": "",
	} {
		var got string
		if strings.HasPrefix(query, "EXPLAIN") {
			_, err = db.QueryContext(t.Context(), query) //nolint:rowserrcheck,sqlclosecheck // the database is closed soon
		} else {
			err = db.QueryRowContext(t.Context(), query).Scan(&got)
		}
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", query, got, err, want)
		}
	}
	for _, query := range []string{
		"INSERT INTO customer (name) VALUES ('Eve')", "UPDATE customer SET name='x'", "DELETE FROM customer", "DROP TABLE customer",
		"CREATE TABLE x (y)", "CREATE TEMP TABLE x (y)", "ALTER TABLE customer ADD COLUMN x", "VACUUM", "VACUUM INTO 'copy.db'", "REINDEX", "ANALYZE",
		"ATTACH 'other.db' AS other", "ATTACH ':memory:' AS m", "DETACH main", "BEGIN", "SAVEPOINT s",
		"PRAGMA query_only=OFF", "PRAGMA user_version=3", "PRAGMA journal_mode=DELETE", "PRAGMA writable_schema=ON", "PRAGMA trusted_schema=ON",
		"PRAGMA temp_store_directory='/'", "PRAGMA database_list", "PRAGMA integrity_check", "PRAGMA wal_checkpoint",
		"SELECT load_extension('x')", "SELECT * FROM harmful", "SELECT fts3_tokenizer('simple')", "WITH x AS (SELECT 1) DELETE FROM customer",
		"SELECT 1; DROP TABLE customer", "INSERT INTO words VALUES ('x')", "CREATE VIRTUAL TABLE w USING fts4(x)",
		"SELECT * FROM pragma_database_list",
	} {
		// Query, not Exec: it would also run what returns nothing.
		rows, err := db.QueryContext(t.Context(), query)
		if err == nil {
			for rows.Next() {
			}
			err = errors.Join(rows.Err(), rows.Close())
		}
		if err == nil || sqlite.KindOf(err) == sqlite.Other && !strings.Contains(err.Error(), "unsafe use") && !strings.Contains(err.Error(), "not authorized") {
			t.Errorf("%s: %v (kind %d)", query, err, sqlite.KindOf(err))
		}
	}
	var n int
	if err := db.QueryRow("SELECT length(hex(zeroblob(8000000)))").Scan(&n); err == nil {
		t.Error("a text of 16 MB was made")
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file changed: %v", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("files were left: %v, %v", entries, err)
	}
}

// A query that would not end is interrupted by its context.
func TestOpenForeignInterrupt(t *testing.T) {
	db, err := sqlite.OpenForeign(t.Context(), foreign(t, shop))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var n int
	err = db.QueryRowContext(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n").Scan(&n)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%d, %v", n, err)
	}
}

// A file in write-ahead mode shows what its writer has stored last.
func TestOpenForeignWAL(t *testing.T) {
	path := foreign(t, "PRAGMA journal_mode=WAL; "+shop)
	writer, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if _, err := writer.Exec("INSERT INTO customer (name) VALUES ('Cid')"); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.OpenForeign(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.QueryRow("SELECT count(*) FROM customer").Scan(&n); err != nil || n != 3 {
		t.Errorf("%d customers, %v", n, err)
	}
}

func TestOpenForeignErrors(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]sqlite.Kind{
		filepath.Join(folder, "missing.db"): sqlite.CannotOpen, text: sqlite.NotDatabase, folder: sqlite.InputOutput,
	} {
		db, err := sqlite.OpenForeign(t.Context(), path)
		if err == nil {
			db.Close()
		}
		if got := sqlite.KindOf(errors.Join(err)); err == nil || got != want {
			t.Errorf("%s: %v (kind %d, want %d)", path, err, got, want)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "missing.db")); err == nil {
		t.Error("a file was made")
	}
}
