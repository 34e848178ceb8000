package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3" // registers the driver
)

// Options say what [Open] expects of a file.
type Options struct {
	// Migrations are SQL scripts; the i-th brings the tables from version i to i+1. A new file gets all of them. Released
	// ones must never change: append another.
	Migrations []string
	// ApplicationID marks the file as ours, so that another program's database is refused and not changed. Not 0.
	ApplicationID int32
	// ReadOnly opens a file that must exist and never changes it.
	ReadOnly bool
	// Wait is how long to wait for another process that is writing; 0 is five seconds.
	Wait time.Duration
}

// DB is an open file. It is safe for concurrent use.
type DB struct {
	path    string
	readers *sql.DB
	pool    *sql.DB       // holds writer and nothing else; nil when the file is open for reading only
	writer  *sql.Conn     // belongs to whoever holds turn
	turn    chan struct{} // room for one: the goroutine that writes
	closed  bool          // belongs to whoever holds turn
}

// Open opens or creates the file. The folder is created too, and both can be read by nobody else.
// Errors that a user can mend are of type [*Error].
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	if o.ApplicationID == 0 {
		return nil, errors.New("sqlite: Options.ApplicationID is 0; choose a number of your own, so that other files are told apart")
	}
	if o.Wait == 0 {
		o.Wait = 5 * time.Second
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, &Error{Path: path, Kind: CannotOpen, Err: err}
	}
	if err := prepareFile(full, o.ReadOnly); err != nil {
		return nil, &Error{Path: path, Kind: kindOfFile(err), Err: err}
	}
	db := &DB{path: path, turn: make(chan struct{}, 1)}
	if err := db.open(ctx, full, o); err != nil {
		_ = db.Close() // the first error is the one that says why
		return nil, db.wrap(err)
	}
	return db, nil
}

// prepareFile creates what is missing, private to the user: SQLite itself would let others read it.
func prepareFile(path string, readOnly bool) error {
	if readOnly {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		return file.Close()
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

func kindOfFile(err error) Kind {
	if errors.Is(err, fs.ErrPermission) {
		return NoPermission
	}
	return CannotOpen
}

func (db *DB) open(ctx context.Context, path string, o Options) (err error) {
	settings := url.Values{
		"_busy_timeout": {fmt.Sprint(o.Wait.Milliseconds())},
		"_foreign_keys": {"on"},
		"_synchronous":  {"NORMAL"},
		"_txlock":       {"deferred"},
		"_query_only":   {"on"},
		"mode":          {"ro"},
	}
	if !o.ReadOnly {
		writing := url.Values{"mode": {"rw"}, "_query_only": {"off"}, "_txlock": {"immediate"}, "_stmt_cache_size": {"16"}}
		for _, name := range []string{"_busy_timeout", "_foreign_keys", "_synchronous"} {
			writing[name] = settings[name]
		}
		if db.pool, err = sql.Open("sqlite3", address(path, writing)); err != nil {
			return err
		}
		db.pool.SetMaxOpenConns(1)
		if err := retry(ctx, o.Wait, func() error { return db.prepare(ctx, o) }); err != nil {
			return err
		}
		settings["mode"] = []string{"rw"} // a reader of a write-ahead log writes its index
	}
	if db.readers, err = sql.Open("sqlite3", address(path, settings)); err != nil {
		return err
	}
	db.readers.SetMaxOpenConns(8)
	db.readers.SetMaxIdleConns(2)
	if o.ReadOnly {
		return db.checkVersion(ctx, o)
	}
	return nil
}

func address(path string, settings url.Values) string {
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: settings.Encode()}
	return "file:" + strings.TrimPrefix(file.String(), "file://")
}

// prepare connects the writer, turns the write-ahead log on and migrates.
func (db *DB) prepare(ctx context.Context, o Options) (err error) {
	if db.writer == nil {
		if db.writer, err = db.pool.Conn(ctx); err != nil {
			return err
		}
	}
	var version, id int
	if err := db.writer.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	if id != 0 && id != int(o.ApplicationID) {
		return &Error{Path: db.path, Kind: OtherProgram}
	}
	var mode string
	if err := db.writer.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return &Error{Path: db.path, Kind: CannotOpen, Err: fmt.Errorf("the file system has no write-ahead log (journal mode is %s)", mode)}
	}
	return db.Write(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		if version > len(o.Migrations) {
			return &Error{Path: db.path, Kind: NewerVersion, Err: fmt.Errorf("version %d, this program knows up to %d", version, len(o.Migrations))}
		}
		if version == 0 {
			if err := refuseForeign(ctx, tx, db.path); err != nil {
				return err
			}
		}
		for i := version; i < len(o.Migrations); i++ {
			if _, err := tx.ExecContext(ctx, o.Migrations[i]); err != nil {
				return fmt.Errorf("migration to version %d: %w", i+1, err)
			}
		}
		if version == len(o.Migrations) && id == int(o.ApplicationID) {
			return nil
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version=%d; PRAGMA application_id=%d", len(o.Migrations), o.ApplicationID))
		return err
	})
}

// refuseForeign keeps us from adding tables to a database that has some already but is not marked as ours.
func refuseForeign(ctx context.Context, tx *sql.Tx, path string) error {
	var tables int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	if tables > 0 {
		return &Error{Path: path, Kind: OtherProgram}
	}
	return nil
}

// checkVersion is what a file opened for reading must fulfill.
func (db *DB) checkVersion(ctx context.Context, o Options) error {
	var version, id int
	if err := db.readers.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	if id != int(o.ApplicationID) {
		return &Error{Path: db.path, Kind: OtherProgram}
	}
	if err := db.readers.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(o.Migrations) {
		return &Error{Path: db.path, Kind: NewerVersion, Err: fmt.Errorf("version %d, this program knows up to %d", version, len(o.Migrations))}
	}
	if version < len(o.Migrations) {
		return &Error{Path: db.path, Kind: ReadOnly, Err: fmt.Errorf("version %d must be brought to %d first", version, len(o.Migrations))}
	}
	return nil
}

// retry repeats what another process may block in a way that SQLite itself does not wait for: switching the log's mode.
func retry(ctx context.Context, limit time.Duration, f func() error) error {
	deadline := time.Now().Add(limit)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := f()
		if err == nil || kindOf(err) != Busy || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Path is the file's name, as it was given.
func (db *DB) Path() string { return db.path }

// Mode says how lasting a write is.
type Mode int

const (
	// Safe writes survive the end of the process at any moment.
	Safe Mode = iota
	// Durable writes also survive a power cut, and so does every write before them. It costs a flush of the disk.
	Durable
)

// Write runs f in a transaction of the one writer: all of it is stored, or nothing. It waits for other writers, of this
// process and of others. f must not use db, or it waits for itself.
func (db *DB) Write(ctx context.Context, f func(tx *sql.Tx) error) error {
	return db.asWriter(ctx, func() error {
		tx, err := db.writer.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := f(tx); err != nil {
			_ = tx.Rollback() // the first error is the one that says why
			return err
		}
		return tx.Commit()
	})
}

// Exec runs one statement as a transaction of its own, without the round trips of [DB.Write].
func (db *DB) Exec(ctx context.Context, mode Mode, query string, args ...any) (sql.Result, error) {
	var result sql.Result
	err := db.asWriter(ctx, func() (err error) {
		if mode == Durable {
			if _, err := db.writer.ExecContext(ctx, "PRAGMA synchronous=FULL"); err != nil {
				return err
			}
			// Without it, later writes would only be slower.
			defer db.writer.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous=NORMAL") //nolint:errcheck
		}
		result, err = db.writer.ExecContext(ctx, query, args...)
		return err
	})
	return result, err
}

// asWriter runs f while no other goroutine writes.
func (db *DB) asWriter(ctx context.Context, f func() error) error {
	if db.writer == nil {
		return &Error{Path: db.path, Kind: ReadOnly, Err: errors.New("it was opened for reading only")}
	}
	select {
	case db.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-db.turn }()
	if db.closed {
		return fmt.Errorf("%s: %w", db.path, ErrClosed)
	}
	return db.wrap(f())
}

// Read runs f in a transaction that sees one state of the file, whatever others write in the meantime.
func (db *DB) Read(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := db.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return db.wrap(err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	return db.wrap(f(tx))
}

// Check looks at every page and returns an [*Error] of kind [Corrupt] that says what is wrong first. It reads the whole file.
func (db *DB) Check(ctx context.Context) error {
	return db.Read(ctx, func(tx *sql.Tx) error {
		var verdict string
		if err := tx.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
			return err
		}
		if verdict != "ok" {
			return &Error{Path: db.path, Kind: Corrupt, Err: errors.New(verdict)}
		}
		return nil
	})
}

// ErrClosed is what using a closed [DB] gives.
var ErrClosed = errors.New("the database is closed")

// Close waits for the writer and closes the file. The write-ahead log goes into the file if nobody else has it open.
// Closing twice does nothing.
func (db *DB) Close() error {
	db.turn <- struct{}{}
	defer func() { <-db.turn }()
	if db.closed {
		return nil
	}
	db.closed = true
	var errs []error
	if db.readers != nil {
		errs = append(errs, db.readers.Close())
	}
	if db.writer != nil {
		errs = append(errs, db.writer.Close())
	}
	if db.pool != nil {
		errs = append(errs, db.pool.Close())
	}
	return db.wrap(errors.Join(errs...))
}
