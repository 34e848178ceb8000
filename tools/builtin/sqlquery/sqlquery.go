package sqlquery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/drover-ai/drover/internal/sqlite"
	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/internal/inside"
	"github.com/drover-ai/drover/tools/internal/nearest"
)

// Options are the limits of a query. The zero value is ready for use.
type Options struct {
	// MaxRows is how many rows are given; 0 is 100.
	MaxRows int
	// MaxBytes is about how many bytes the table of the rows has; 0 is 16 KiB.
	MaxBytes int
	// Timeout is how long a query may take; 0 is 10 seconds. It is interrupted then.
	Timeout time.Duration
}

const maxQuery = 10_000 // bytes

func (o *Options) complete() {
	if o.MaxRows <= 0 {
		o.MaxRows = 100
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 16 << 10
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
}

func (o *Options) limits() []tools.Option {
	return []tools.Option{tools.WithEffects(tools.Reads), tools.WithTimeout(o.Timeout), tools.WithMaxResult(2*o.MaxBytes + maxSchema + maxQuery)}
}

type fileInput struct {
	File string  `json:"file" jsonschema:"description=the SQLite file"`
	SQL  *string `json:"sql,omitempty" jsonschema:"description=a SELECT statement; without it the tables are shown"`
}

type queryInput struct {
	SQL *string `json:"sql,omitempty" jsonschema:"description=a SELECT statement; without it the tables are shown"`
}

// New returns the tool sql_query for SQLite files inside the folder root. A query is one SELECT; nothing else is carried out.
// Nothing outside of root can be asked, also not through symbolic links.
func New(root *os.Root, o Options) tools.Tool {
	o.complete()
	return tools.Must(tools.New("sql_query", "Query a SQLite database, or show its tables.",
		func(ctx context.Context, in fileInput) (string, error) {
			path, err := o.find(root, in.File)
			if err != nil {
				return "", err
			}
			return o.ask(ctx, path, in.File, in.SQL)
		}, o.limits()...))
}

// ForFile returns a tool for one SQLite file, which need not exist yet. The name and the description are for models: they should
// say what is in it.
func ForFile(name, description, path string, o Options) (tools.Tool, error) {
	o.complete()
	return tools.New(name, description,
		func(ctx context.Context, in queryInput) (string, error) {
			return o.ask(ctx, path, filepath.Base(path), in.SQL)
		}, o.limits()...)
}

// find returns the path on this machine of a file in root.
func (o *Options) find(root *os.Root, name string) (string, error) {
	clean, err := inside.Path(name)
	if err != nil {
		return "", err
	}
	info, err := root.Stat(clean)
	var pathError *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("no file named %s", name)
	case errors.As(err, &pathError):
		return "", fmt.Errorf("%s: %w", name, pathError.Err) // without the place of the root on this machine
	case err != nil:
		return "", fmt.Errorf("%s: %w", name, err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is no file that can be a database", name)
	}
	// SQLite opens by path. The links that root has followed, or refused, are resolved, so that the path means the same file.
	path, err := filepath.EvalSymlinks(filepath.Join(root.Name(), filepath.FromSlash(clean)))
	if err != nil {
		return "", fmt.Errorf("%s cannot be found", name)
	}
	if there, err := os.Stat(path); err != nil || !os.SameFile(info, there) {
		return "", fmt.Errorf("%s has just been replaced; try again", name)
	}
	return path, nil
}

// ask opens the file for one query: programs that write to it are then never kept waiting for long.
func (o *Options) ask(ctx context.Context, path, name string, query *string) (string, error) {
	db, err := sqlite.OpenForeign(ctx, path)
	if err != nil {
		return "", explainFile(name, err)
	}
	defer db.Close()
	if query == nil || strings.TrimSpace(*query) == "" {
		s, err := readSchema(ctx, db)
		if err != nil {
			return "", explainFile(name, err)
		}
		return s.String(), nil
	}
	text, err := oneStatement(*query)
	if err != nil {
		return "", err
	}
	t, err := o.read(ctx, db, text)
	if err != nil {
		return "", explainQuery(ctx, db, name, err)
	}
	return t.String(), nil
}

// explainFile says what is wrong with a file, without its place on this machine.
func explainFile(name string, err error) error {
	switch sqlite.KindOf(err) {
	case sqlite.NotDatabase:
		return fmt.Errorf("%s is not a SQLite database", name)
	case sqlite.Corrupt:
		return fmt.Errorf("%s is damaged", name)
	case sqlite.Busy:
		return fmt.Errorf("another program keeps writing to %s; try again later", name)
	case sqlite.NoPermission, sqlite.CannotOpen, sqlite.InputOutput:
		return fmt.Errorf("%s cannot be opened", name)
	case sqlite.NoCGO:
		return errors.New("this program was built without SQLite; build it with CGO_ENABLED=1 and a C compiler")
	}
	return fmt.Errorf("%s: %w", name, err)
}

// explainQuery says what is wrong with a query, and what there is if it names something that is not.
func explainQuery(ctx context.Context, db queryer, name string, err error) error {
	text := err.Error()
	switch {
	case ctx.Err() != nil:
		return errors.New("the query takes too long; ask for less, or with a narrower WHERE")
	case sqlite.KindOf(err) == sqlite.NoPermission || strings.Contains(text, "not authorized"):
		return errors.New("only reading is allowed: give one SELECT statement")
	case strings.Contains(text, "string or blob too big"):
		return errors.New("a value is too large; select fewer columns, or a part with substr()")
	case sqlite.KindOf(err) != sqlite.Other:
		return explainFile(name, err)
	}
	missing, isTable := strings.CutPrefix(text, "no such table: ")
	column, isColumn := strings.CutPrefix(text, "no such column: ")
	if !isTable && !isColumn {
		return err
	}
	s, schemaErr := readSchema(ctx, db)
	if schemaErr != nil {
		return err
	}
	names := s.tableNames()
	if isColumn {
		missing = column[strings.LastIndexByte(column, '.')+1:]
		names = s.columnNames()
	}
	hint := ""
	if near := nearest.Names(missing, names, 2); len(near) > 0 {
		hint = "; there is " + strings.Join(near, ", ")
	}
	return fmt.Errorf("%s%s. %s", text, hint, s)
}
