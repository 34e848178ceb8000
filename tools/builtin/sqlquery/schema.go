package sqlquery

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

const (
	maxTables = 100
	maxSchema = 8 << 10 // bytes of its text
)

// queryer is a *sql.DB.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// schema is what tables there are.
type schema struct {
	tables []table
	more   int // tables that are left out
}

type table struct {
	name    string
	columns []column
}

type column struct{ name, kind, references string }

// readSchema reads the tables and views of a file and their columns, without those that SQLite keeps for itself.
func readSchema(ctx context.Context, db queryer) (s schema, err error) {
	// One column a row. A table that has no columns, because its module is not there, is shown by its name.
	rows, err := db.QueryContext(ctx, `
		SELECT t.name, coalesce(c.name, ''), coalesce(c.type, ''),
			coalesce((SELECT f."table" || coalesce('.' || f."to", '') FROM pragma_foreign_key_list(t.name) f WHERE f."from" = c.name), '')
		FROM sqlite_schema t LEFT JOIN pragma_table_info(t.name) c
		WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!'
		ORDER BY t.type, t.name, c.cid`)
	if err != nil {
		return s, err
	}
	defer rows.Close()
	last := ""
	for rows.Next() {
		var name string
		var c column
		if err := rows.Scan(&name, &c.name, &c.kind, &c.references); err != nil {
			return s, err
		}
		if name != last || len(s.tables) == 0 && s.more == 0 {
			last = name
			if len(s.tables) == maxTables {
				s.more++
			} else {
				s.tables = append(s.tables, table{name: name})
			}
		}
		if s.more == 0 {
			t := &s.tables[len(s.tables)-1]
			t.columns = append(t.columns, c)
		}
	}
	return s, rows.Err()
}

// String is for a model: each table as it would be written in a query, with the types.
func (s schema) String() string {
	if len(s.tables) == 0 {
		return "The database has no tables."
	}
	var b strings.Builder
	b.WriteString("The tables are:")
	for i, t := range s.tables {
		var columns []string
		for _, c := range t.columns {
			text := quoted(c.name)
			if c.kind != "" {
				text += " " + strings.ToUpper(clean(c.kind))
			}
			if c.references != "" {
				text += " -> " + clean(c.references)
			}
			columns = append(columns, text)
		}
		line := fmt.Sprintf("\n%s(%s)", quoted(t.name), strings.Join(columns, ", "))
		if b.Len()+len(line) > maxSchema {
			s.more += len(s.tables) - i
			break
		}
		b.WriteString(line)
	}
	if s.more > 0 {
		fmt.Fprintf(&b, "\n(and %d more)", s.more)
	}
	return b.String()
}

func (s schema) tableNames() (names []string) {
	for _, t := range s.tables {
		names = append(names, t.name)
	}
	return names
}

// columnNames lists the columns of all tables.
func (s schema) columnNames() (names []string) {
	for _, t := range s.tables {
		for _, c := range t.columns {
			names = append(names, c.name)
		}
	}
	return names
}

// quoted is a name as it has to be written in a query.
func quoted(name string) string {
	plain := name != "" && (name[0] < '0' || name[0] > '9')
	for _, r := range name {
		plain = plain && (r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80)
	}
	if name = clean(name); plain {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// clean is a text of a file on one line.
func clean(text string) string {
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text), "\uFFFD")
}
