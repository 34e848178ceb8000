package memory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/drover-ai/drover/internal/sqlite"
)

// The limits of a store.
const (
	MaxText     = 1000   // bytes of one memory
	MaxMemories = 10_000 // in one file
)

// applicationID marks the file: "drv" and a number.
const applicationID = 0x64727602

var migrations = []string{`
	CREATE TABLE memory (
		id      INTEGER PRIMARY KEY AUTOINCREMENT, -- no number is given twice: a person removes by it
		text    TEXT NOT NULL UNIQUE COLLATE NOCASE,
		created INTEGER NOT NULL,                  -- Unix milliseconds
		length  INTEGER NOT NULL                   -- words
	);
	CREATE TABLE word (
		word   TEXT NOT NULL,
		memory INTEGER NOT NULL REFERENCES memory(id) ON DELETE CASCADE,
		count  INTEGER NOT NULL,
		PRIMARY KEY (word, memory)
	) WITHOUT ROWID;
	CREATE INDEX word_of ON word (memory);`}

// Memory is a text that was stored.
type Memory struct {
	ID      int64     `json:"id"`
	Text    string    `json:"text"`
	Created time.Time `json:"created"`
}

// Store is a file with memories. It is safe for concurrent use.
type Store struct {
	path string

	mu sync.Mutex
	db *sqlite.DB // nil until it is needed
}

// DefaultPath is where the command line keeps memories: drover/memory.db in the user's data folder, which is $XDG_DATA_HOME, or
// ~/.local/share.
func DefaultPath() (string, error) { return sqlite.UserFile("memory.db", "memories") }

// NewStore returns the store in a file, which is opened when it is first used, and made when something is first stored. Errors
// about it are those of the methods.
func NewStore(path string) *Store { return &Store{path: path} }

// Path is the file.
func (s *Store) Path() string { return s.path }

// Close closes the file, if it is open. The store can be used again.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return nil
	}
	db := s.db
	s.db = nil
	return db.Close()
}

// open returns the open file. Without create, it is nil if there is no file.
func (s *Store) open(ctx context.Context, create bool) (*sqlite.DB, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db != nil {
		return s.db, nil
	}
	if _, err := os.Stat(s.path); !create && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	db, err := sqlite.Open(ctx, s.path, sqlite.Options{Migrations: migrations, ApplicationID: applicationID})
	if err != nil {
		return nil, fmt.Errorf("memories: %w", err)
	}
	// What is forgotten is overwritten, and not only marked as free.
	if _, err := db.Exec(ctx, sqlite.Safe, "PRAGMA secure_delete=ON"); err != nil {
		_ = db.Close() // the first error is the one that says why
		return nil, fmt.Errorf("memories: %w", err)
	}
	s.db = db
	return db, nil
}

// Remember stores a text and returns it as it was stored: on one line. One that is there already, but for the case of its
// letters, is not stored again.
func (s *Store) Remember(ctx context.Context, text string) (m Memory, err error) {
	if text, err = checkText(text); err != nil {
		return m, err
	}
	db, err := s.open(ctx, true)
	if err != nil {
		return m, err
	}
	return m, db.Write(ctx, func(tx *sql.Tx) error {
		m, err = one(tx.QueryRowContext(ctx, "SELECT id, text, created FROM memory WHERE text = ?", text))
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM memory").Scan(&n); err != nil {
			return err
		}
		if n >= MaxMemories {
			return fmt.Errorf("there are %d memories already, and no more can be stored; remove some with \"agent memory rm\"", n)
		}
		counts, length := countWords(text)
		created := time.Now().UnixMilli()
		result, err := tx.ExecContext(ctx, "INSERT INTO memory (text, created, length) VALUES (?, ?, ?)", text, created, length)
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return err
		}
		for word, count := range counts {
			if _, err := tx.ExecContext(ctx, "INSERT INTO word (word, memory, count) VALUES (?, ?, ?)", word, id, count); err != nil {
				return err
			}
		}
		m = Memory{ID: id, Text: text, Created: time.UnixMilli(created)}
		return nil
	})
}

// checkText returns a text on one line, without what does not show.
func checkText(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errors.New("the text is not valid UTF-8")
	}
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	switch {
	case text == "":
		return "", errors.New("the text is empty")
	case len(text) > MaxText:
		return "", fmt.Errorf("the text has %d bytes; at most %d can be remembered: say it in fewer words", len(text), MaxText)
	}
	return text, nil
}

// List returns all memories, the newest first.
func (s *Store) List(ctx context.Context) ([]Memory, error) { return s.newest(ctx, -1) }

// newest returns the newest n memories, all if n is negative.
func (s *Store) newest(ctx context.Context, n int) (list []Memory, err error) {
	db, err := s.open(ctx, false)
	if err != nil || db == nil {
		return nil, err
	}
	return list, db.Read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT id, text, created FROM memory ORDER BY id DESC LIMIT ?", n)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			m, err := one(rows)
			if err != nil {
				return err
			}
			list = append(list, m)
		}
		return rows.Err()
	})
}

// one reads a memory from a row.
func one(row interface{ Scan(into ...any) error }) (m Memory, err error) {
	var created int64
	err = row.Scan(&m.ID, &m.Text, &created)
	m.Created = time.UnixMilli(created)
	return m, err
}

// Forget removes memories by their numbers: all of them, or none with an error that names one that is not there. Their text is
// overwritten; of the log beside the file it goes when the last process closes it.
func (s *Store) Forget(ctx context.Context, ids ...int64) error {
	db, err := s.open(ctx, false)
	switch {
	case err != nil:
		return err
	case len(ids) == 0:
		return nil
	case db == nil:
		return fmt.Errorf("there is no memory %d: nothing is remembered in %s", ids[0], s.path)
	}
	return db.Write(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			result, err := tx.ExecContext(ctx, "DELETE FROM memory WHERE id = ?", id)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil {
				return err
			} else if n == 0 {
				return fmt.Errorf("there is no memory %d; see \"agent memory list\"", id)
			}
		}
		return nil
	})
}

// ForgetAll removes every memory and returns how many there were.
func (s *Store) ForgetAll(ctx context.Context) (n int64, err error) {
	db, err := s.open(ctx, false)
	if err != nil || db == nil {
		return 0, err
	}
	result, err := db.Exec(ctx, sqlite.Safe, "DELETE FROM memory")
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Check reads the whole file and returns an error that says what is damaged, if anything is.
func (s *Store) Check(ctx context.Context) error {
	db, err := s.open(ctx, false)
	if err != nil || db == nil {
		return err
	}
	return db.Check(ctx)
}
