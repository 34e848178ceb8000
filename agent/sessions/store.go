package sessions

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/internal/sqlite"
)

// migrations make the tables. Never change one that was released; append another.
var migrations = []string{`
CREATE TABLE session (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	uid     TEXT NOT NULL UNIQUE,  -- names the conversation for good, also when it is renamed
	name    TEXT NOT NULL UNIQUE,
	created INTEGER NOT NULL,      -- nanoseconds since 1970, UTC
	parent  TEXT                   -- uid of the conversation that it was forked from
);
CREATE TABLE event (
	session INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
	seq     INTEGER NOT NULL,      -- 1, 2, 3, ... without a gap
	type    TEXT NOT NULL,
	at      INTEGER NOT NULL,
	body    TEXT NOT NULL,         -- the event as JSON, as it is shown and exported
	PRIMARY KEY (session, seq)
) WITHOUT ROWID;
CREATE INDEX turn ON event (session, seq, type, at) WHERE type IN ('start', 'done', 'rewind');
`}

// applicationID marks the file: "drv" and a number.
const applicationID = 0x64727601

// Options are the settings of [Open].
type Options struct {
	// Wait is how long to wait for a conversation that another process works on; 0 is ten seconds. A context may end the
	// waiting sooner.
	Wait time.Duration
	// KeepState also keeps what the model computed for each conversation, in files beside the store, so that another
	// process goes on without computing it again. They take 32 KiB a token with Llama 3.2 1B; they can be deleted any time.
	KeepState bool
}

// Store is a file with conversations. It is safe for concurrent use.
type Store struct {
	db    *sqlite.DB
	path  string
	wait  time.Duration
	state bool
}

// DefaultPath is where the command line keeps conversations: drover/sessions.db in the user's data folder, which is
// $XDG_DATA_HOME, or ~/.local/share.
func DefaultPath() (string, error) { return sqlite.UserFile("sessions.db", "sessions") }

// Open opens the store in a file and creates it if it is not there. Its errors name the file and say what to do.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	db, err := sqlite.Open(ctx, path, sqlite.Options{Migrations: migrations, ApplicationID: applicationID})
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	if o.Wait == 0 {
		o.Wait = 10 * time.Second
	}
	full, err := filepath.Abs(path)
	if err != nil {
		_ = db.Close() // nothing was written
		return nil, fmt.Errorf("sessions: %w", err)
	}
	return &Store{db, full, o.Wait, o.KeepState}, nil
}

// Path is the file.
func (s *Store) Path() string { return s.path }

// Close closes the file. Sessions of the store can no longer be used.
func (s *Store) Close() error { return s.db.Close() }

// Check reads the whole file and returns an error that says what is damaged, if anything is.
func (s *Store) Check(ctx context.Context) error { return s.db.Check(ctx) }

// NotFoundError says that there is no conversation of a name.
type NotFoundError struct {
	Name  string
	Store string // the file
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("there is no session %q in %s; see \"agent sessions list\"", e.Name, e.Store)
}

// ExistsError says that a name is taken.
type ExistsError struct{ Name string }

func (e *ExistsError) Error() string {
	return fmt.Sprintf("there is a session %q already; choose another name", e.Name)
}

// CheckName returns an error that says what is wrong if name cannot be the name of a conversation: 1 to 200 bytes of text
// on one line, without spaces around it.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("the session's name is empty")
	case len(name) > 200:
		return fmt.Errorf("the session's name has %d bytes; 200 are allowed", len(name))
	case !utf8.ValidString(name):
		return fmt.Errorf("the session's name %q is not valid UTF-8", name)
	case strings.TrimSpace(name) != name || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("the session's name %q has spaces around it or control characters", name)
	}
	return nil
}

// Session opens a conversation by its name, and begins it if there is none.
func (s *Store) Session(ctx context.Context, name string) (*agent.Session, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	_, err := s.db.Exec(ctx, sqlite.Safe, "INSERT INTO session (uid, name, created) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
		rand.Text(), name, time.Now().UnixNano())
	if err != nil {
		return nil, fmt.Errorf("session %s: %w", name, err)
	}
	return s.Existing(ctx, name)
}

// Existing opens a conversation by its name; if there is none, the error is a [*NotFoundError].
func (s *Store) Existing(ctx context.Context, name string) (*agent.Session, error) {
	l, err := s.log(ctx, name)
	if err != nil {
		return nil, err
	}
	return agent.NewSession(l), nil
}

// Log is the log of a conversation, for programs that read or write it themselves. Its errors are those of Existing.
func (s *Store) Log(ctx context.Context, name string) (agent.Log, error) { return s.log(ctx, name) }

func (s *Store) log(ctx context.Context, name string) (*log, error) {
	l := &log{store: s, name: name}
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT id, uid FROM session WHERE name = ?", name).Scan(&l.id, &l.uid)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &NotFoundError{name, s.path}
	}
	if err != nil {
		return nil, fmt.Errorf("session %s: %w", name, err)
	}
	return l, nil
}

// Info is what is known about a conversation without reading it.
type Info struct {
	Name        string    `json:"name"`
	Title       string    `json:"title"` // the first prompt
	Turns       int       `json:"turns"`
	Interrupted bool      `json:"interrupted"` // the last turn is not finished, or runs right now
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"` // when the last turn began or ended
}

// List returns the conversations, the last used first.
func (s *Store) List(ctx context.Context) ([]Info, error) {
	list := []Info{}
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT s.name, s.created, e.type, e.at, CASE WHEN e.type = 'done' THEN '' ELSE (
				SELECT body FROM event WHERE session = e.session AND seq = e.seq) END
			FROM session s LEFT JOIN event e ON e.session = s.id AND e.type IN ('start', 'done', 'rewind')
			ORDER BY s.id, e.seq`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var created int64
			var eventType, body sql.NullString
			var at sql.NullInt64
			if err := rows.Scan(&name, &created, &eventType, &at, &body); err != nil {
				return err
			}
			if len(list) == 0 || list[len(list)-1].Name != name {
				list = append(list, Info{Name: name, Created: time.Unix(0, created).UTC(), Updated: time.Unix(0, created).UTC()})
			}
			if eventType.Valid {
				list[len(list)-1].add(agent.EventType(eventType.String), at.Int64, body.String)
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	sortByUse(list)
	return list, nil
}

// add counts one event of a conversation.
func (i *Info) add(eventType agent.EventType, at int64, body string) {
	if when := time.Unix(0, at).UTC(); when.After(i.Updated) {
		i.Updated = when
	}
	var fields struct {
		Prompt string `json:"prompt"`
		Turns  int    `json:"turns"`
	}
	if body != "" && json.Unmarshal([]byte(body), &fields) != nil {
		return // reading the conversation will say what is wrong with it
	}
	switch eventType {
	case agent.EventStart:
		if i.Turns == 0 {
			i.Title = fields.Prompt
		}
		i.Turns++
		i.Interrupted = true
	case agent.EventDone:
		i.Interrupted = false
	case agent.EventRewind:
		i.Turns, i.Interrupted = min(fields.Turns, i.Turns), false
	}
}

// Remove deletes a conversation. It waits for whoever works on it.
func (s *Store) Remove(ctx context.Context, name string) error {
	l, err := s.log(ctx, name)
	if err != nil {
		return err
	}
	release, err := l.Claim(ctx)
	if err != nil {
		return err
	}
	defer release()
	if _, err := s.db.Exec(ctx, sqlite.Safe, "DELETE FROM session WHERE id = ?", l.id); err != nil {
		return fmt.Errorf("session %s: %w", name, err)
	}
	_, _ = os.Remove(l.lockPath()), os.Remove(l.statePath()) // what stays is of no use, and harms nobody
	return nil
}

// Rename gives a conversation another name.
func (s *Store) Rename(ctx context.Context, name, to string) error {
	if err := CheckName(to); err != nil {
		return err
	}
	l, err := s.log(ctx, name)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, sqlite.Safe, "UPDATE session SET name = ? WHERE id = ?", to, l.id)
	if sqlite.IsConstraint(err) {
		return &ExistsError{to}
	}
	return err
}

// Fork copies a conversation to another name. turns says how many of its turns the copy keeps; a negative number keeps
// all. A model that keeps sessions of its own, as the one in this process does, reads nothing again that the two share.
func (s *Store) Fork(ctx context.Context, name, to string, turns int) (*agent.Session, error) {
	if err := CheckName(to); err != nil {
		return nil, err
	}
	from, err := s.log(ctx, name)
	if err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "INSERT INTO session (uid, name, created, parent) VALUES (?, ?, ?, ?)",
			rand.Text(), to, time.Now().UnixNano(), from.uid)
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO event SELECT ?, seq, type, at, body FROM event WHERE session = ?", id, from.id)
		return err
	})
	if sqlite.IsConstraint(err) {
		return nil, &ExistsError{to}
	}
	if err != nil {
		return nil, fmt.Errorf("session %s: %w", to, err)
	}
	fork, err := s.Existing(ctx, to)
	if s.state && err == nil {
		from.copyState(ctx, to)
	}
	if err != nil || turns < 0 {
		return fork, err
	}
	if err := fork.Rewind(ctx, turns); err != nil {
		return nil, errors.Join(err, s.Remove(ctx, to))
	}
	return fork, nil
}
