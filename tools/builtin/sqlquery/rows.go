package sqlquery

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const maxCell = 500 // bytes of one value

// result is what a query gave, as text.
type result struct {
	lines []string // the names, then a row each
	cut   string   // why there are no more, or nothing
}

// read carries out a query until the limits are reached.
func (o *Options) read(ctx context.Context, db *sql.DB, query string) (r result, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return r, err
	}
	defer func() { rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		return r, err
	}
	if types, err := rows.ColumnTypes(); err == nil && converted(types) {
		// A compound has the types of its first part, which has none: values come as they are stored.
		plain := "SELECT " + strings.TrimSuffix(strings.Repeat("NULL,", len(names)), ",") + " WHERE 0 UNION ALL SELECT * FROM (\n" + query + "\n)"
		if again, err := db.QueryContext(ctx, plain); err == nil {
			rows.Close()
			rows = again
		}
	}
	values := make([]any, len(names))
	into := make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
		names[i] = cell(names[i])
	}
	r.lines = []string{strings.Join(names, " | ")}
	bytes := len(r.lines[0])
	for rows.Next() {
		if len(r.lines) > o.MaxRows {
			r.cut = fmt.Sprintf("(cut: these are the first %d rows; use WHERE, count(*) or LIMIT … OFFSET)", o.MaxRows)
			return r, nil
		}
		if err := rows.Scan(into...); err != nil {
			return r, err
		}
		cells := make([]string, len(values))
		for i, value := range values {
			cells[i] = cell(value)
		}
		line := strings.Join(cells, " | ")
		if bytes += 1 + len(line); bytes > o.MaxBytes {
			r.cut = fmt.Sprintf("(cut: these are the first %d rows, more would be too long; select fewer columns)", len(r.lines)-1)
			return r, nil
		}
		r.lines = append(r.lines, line)
	}
	return r, rows.Err()
}

// converted reports whether the driver makes something else of values in columns of these types.
func converted(types []*sql.ColumnType) bool {
	for _, t := range types {
		switch strings.ToLower(t.DatabaseTypeName()) {
		case "date", "datetime", "timestamp", "boolean":
			return true
		}
	}
	return false
}

// String is a table: a line with the names, a line for each row, and how many there are.
func (r result) String() string {
	last := r.cut
	switch n := len(r.lines) - 1; {
	case last != "":
	case n == 1:
		last = "(1 row)"
	default:
		last = fmt.Sprintf("(%d rows)", n)
	}
	return strings.Join(r.lines, "\n") + "\n" + last
}

// cell is a value on one line, of limited length.
func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool: // only if the types could not be taken off, as below
		if v {
			return "1"
		}
		return "0"
	case time.Time:
		return v.Format(time.DateTime)
	case []byte:
		return fmt.Sprintf("(%d bytes)", len(v))
	case string:
		if v == "" {
			return "''"
		}
		length := len(v)
		if length > maxCell {
			v = v[:maxCell]
			for n := 0; n < utf8.UTFMax-1 && !utf8.ValidString(v[max(0, len(v)-utf8.UTFMax):]); n++ {
				v = v[:len(v)-1]
			}
			return cellText(v) + fmt.Sprintf("… (%d bytes)", length)
		}
		return cellText(v)
	}
	return cellText(fmt.Sprint(value))
}

// cellText keeps a text within its cell: line breaks and bars would begin another.
func cellText(text string) string {
	return clean(strings.NewReplacer("\r\n", `\n`, "\n", `\n`, "\r", `\n`, "|", `\|`).Replace(text))
}
