package sessions

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/internal/sqlite"
)

// Export writes a conversation as it is stored: one event a line, as JSON. Nothing is left out, what was rewound neither.
func (s *Store) Export(ctx context.Context, name string, w io.Writer) error {
	l, err := s.log(ctx, name)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	for row, err := range l.rows(ctx, 0) {
		if err != nil {
			return err
		}
		_, _ = out.Write(row.body) // Flush tells
		_ = out.WriteByte('\n')
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing session %s: %w", name, err)
	}
	return nil
}

// maxLine bounds a line of an import: a result of four MiB whose every byte is escaped.
const maxLine = 32 << 20

// Import reads what [Store.Export] wrote into a new conversation. It is all there or, with an error, not at all.
func (s *Store) Import(ctx context.Context, name string, r io.Reader) error {
	if err := CheckName(name); err != nil {
		return err
	}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "INSERT INTO session (uid, name, created) VALUES (?, ?, ?)", rand.Text(), name, time.Now().UnixNano())
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxLine)
		seq := 0
		for number := 1; lines.Scan(); number++ {
			line := bytes.TrimSpace(lines.Bytes())
			if len(line) == 0 {
				continue
			}
			event, err := readEvent(line, seq == 0)
			if err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
			var body bytes.Buffer
			if err := json.Compact(&body, line); err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
			seq++
			if _, err := tx.ExecContext(ctx, "INSERT INTO event VALUES (?, ?, ?, ?, ?)",
				id, seq, string(event.Type()), event.Time().UnixNano(), body.String()); err != nil {
				return err
			}
		}
		if errors.Is(lines.Err(), bufio.ErrTooLong) {
			return fmt.Errorf("a line has more than %d bytes; it is no exported session", maxLine)
		}
		return lines.Err()
	})
	if sqlite.IsConstraint(err) {
		return &ExistsError{name}
	}
	if err != nil {
		return fmt.Errorf("import of session %s: %w", name, err)
	}
	return nil
}

// readEvent reads one line. The first one must begin a turn.
func readEvent(line []byte, first bool) (agent.Event, error) {
	event, err := agent.DecodeEvent(line)
	if err != nil {
		return nil, err
	}
	if first && event.Type() != agent.EventStart {
		return nil, fmt.Errorf("the first event is of type %s, want %s; import what \"agent sessions export\" wrote", event.Type(), agent.EventStart)
	}
	return event, nil
}
