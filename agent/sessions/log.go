package sessions

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/internal/sqlite"
)

// log is one conversation in a store.
type log struct {
	store *Store
	id    int64
	uid   string
	name  string // when it was opened
}

// ID implements [agent.Log].
func (l *log) ID() string { return l.uid }

func sortByUse(list []Info) {
	slices.SortStableFunc(list, func(a, b Info) int { return b.Updated.Compare(a.Updated) })
}

// InUseError says that another process, or another part of this one, works on a conversation.
type InUseError struct {
	Name   string
	Holder string // "process 4711", as far as it is known
}

func (e *InUseError) Error() string {
	by := ""
	if e.Holder != "" {
		by = " by " + e.Holder
	}
	return fmt.Sprintf("session %s is in use%s; try again when its turn is over, or use another session", e.Name, by)
}

func (l *log) lockPath() string {
	return filepath.Join(l.store.path+".locks", l.uid)
}

func (l *log) statePath() string {
	return filepath.Join(l.store.path+".state", l.uid)
}

// StatePath implements [agent.StateLog].
func (l *log) StatePath() string {
	if !l.store.state || os.MkdirAll(filepath.Dir(l.statePath()), 0o700) != nil {
		return ""
	}
	return l.statePath()
}

// copyState gives a fork what was computed for the conversation that it comes from. Without it, it is computed again.
func (l *log) copyState(ctx context.Context, fork string) {
	to, err := l.store.log(ctx, fork)
	if err != nil {
		return
	}
	in, err := os.Open(l.statePath())
	if err != nil {
		return
	}
	defer in.Close()
	out, err := os.OpenFile(to.statePath(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer out.Close()
	_, _ = io.Copy(out, in) // a copy that is not whole is noticed when it is read
}

// Claim implements [agent.Log]: it locks a file, which the system unlocks when the process ends.
func (l *log) Claim(ctx context.Context) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(l.lockPath()), 0o700); err != nil {
		return nil, fmt.Errorf("session %s: %w", l.name, err)
	}
	file, err := os.OpenFile(l.lockPath(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("session %s: %w", l.name, err)
	}
	deadline := time.Now().Add(l.store.wait)
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 25*time.Millisecond) {
		locked, err := tryLock(file)
		if err != nil {
			file.Close()
			return nil, fmt.Errorf("session %s: locking %s: %w", l.name, l.lockPath(), err)
		}
		if locked {
			break
		}
		if time.Now().After(deadline) {
			holder := holderOf(file)
			file.Close()
			return nil, &InUseError{l.name, holder}
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	noteHolder(file)
	return func() { file.Close() }, nil // closing unlocks
}

// noteHolder writes into a locked file who has it, unless that stands there already. It only serves the message of an error.
func noteHolder(file *os.File) {
	if ours := []byte(thisProcess()); readHolder(file) != string(ours) && file.Truncate(0) == nil {
		_, _ = file.WriteAt(ours, 0)
	}
}

func thisProcess() string { return fmt.Sprintf("process %d", os.Getpid()) }

func readHolder(file *os.File) string {
	var text [64]byte
	n, _ := file.ReadAt(text[:], 0) // nothing read: the holder is not known
	return string(text[:n])
}

func holderOf(file *os.File) string {
	holder := readHolder(file)
	if !strings.HasPrefix(holder, "process ") {
		return ""
	}
	if holder == thisProcess() {
		return "this process"
	}
	return holder
}

// Records implements [agent.Log].
func (l *log) Records(ctx context.Context, after int64) iter.Seq2[agent.Record, error] {
	return func(yield func(agent.Record, error) bool) {
		for row, err := range l.rows(ctx, after) {
			if err != nil {
				yield(agent.Record{}, err)
				return
			}
			event, err := agent.DecodeEvent(row.body)
			if err != nil {
				err = fmt.Errorf("%s: session %s: record %d: %w", l.store.path, l.name, row.seq, err)
			}
			if !yield(agent.Record{Position: row.seq, Event: event}, err) || err != nil {
				return
			}
		}
	}
}

type row struct {
	seq  int64
	body []byte
}

// rows yields the stored events as they are.
func (l *log) rows(ctx context.Context, after int64) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		stopped := false
		err := l.store.db.Read(ctx, func(tx *sql.Tx) error {
			rows, err := tx.QueryContext(ctx, "SELECT seq, body FROM event WHERE session = ? AND seq > ? ORDER BY seq", l.id, after)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var r row
				if err := rows.Scan(&r.seq, &r.body); err != nil {
					return err
				}
				if stopped = !yield(r, nil); stopped {
					return nil
				}
			}
			return rows.Err()
		})
		if err != nil && !stopped {
			yield(row{}, fmt.Errorf("session %s: %w", l.name, err))
		}
	}
}

// Append implements [agent.Log].
func (l *log) Append(ctx context.Context, records ...agent.Record) error {
	if len(records) == 0 {
		return nil
	}
	mode := sqlite.Safe
	arguments := make([]any, 0, 5*len(records))
	for _, r := range records {
		if r.Durable {
			mode = sqlite.Durable
		}
		marshaler, ok := r.Event.(json.Marshaler)
		if !ok {
			return fmt.Errorf("session %s: event %s has no JSON form", l.name, r.Event.Type())
		}
		body, err := marshaler.MarshalJSON() // json.Marshal would escape it for HTML
		if err != nil {
			return fmt.Errorf("session %s: event %s: %w", l.name, r.Event.Type(), err)
		}
		arguments = append(arguments, l.id, r.Position, string(r.Event.Type()), r.Event.Time().UnixNano(), string(body))
	}
	return l.insert(ctx, mode, len(records), arguments)
}

// insert stores rows; five arguments are one.
func (l *log) insert(ctx context.Context, mode sqlite.Mode, rows int, arguments []any) error {
	const one = "(?,?,?,?,?)"
	query := "INSERT INTO event (session, seq, type, at, body) VALUES " + one + strings.Repeat(","+one, rows-1)
	_, err := l.store.db.Exec(ctx, mode, query, arguments...)
	if sqlite.IsConstraint(err) {
		err = agent.ErrConflict
		_, gone := l.store.logByID(ctx, l.uid)
		if gone != nil {
			err = errors.New("it has been removed in the meantime")
		}
	}
	if err != nil {
		return fmt.Errorf("session %s: %w", l.name, err)
	}
	return nil
}

// logByID finds out whether a conversation is still there.
func (s *Store) logByID(ctx context.Context, uid string) (name string, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT name FROM session WHERE uid = ?", uid).Scan(&name)
	})
	return name, err
}
