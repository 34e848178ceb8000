package sqlquery_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/builtin/sqlquery"
)

const shop = `
	CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, "born on" DATE, vip BOOLEAN, seen TIMESTAMP);
	CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id), price REAL, note, picture BLOB);
	CREATE VIEW total AS SELECT customer_id, sum(price) AS price FROM purchase GROUP BY 1;
	INSERT INTO customer VALUES (1, 'Ann', '1990-02-03', 1, 1700000000), (2, 'Bob', '1985-12-31 00:00:00', 0, '2024-01-02T03:04:05Z'), (3, 'Zoë', NULL, NULL, NULL);
	INSERT INTO purchase VALUES (1, 1, 12.5, 'a|b' || char(10) || 'c', x'00ff'), (2, 1, 3, '', NULL), (3, 2, 0.1, NULL, NULL);`

// makeFile makes a database in folder.
func makeFile(t testing.TB, folder, name, script string) {
	t.Helper()
	plain := filepath.Join(folder, "new") // the driver takes a part of some names for options
	db, err := sql.Open("sqlite3", plain)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(script)
	if err := errors.Join(err, db.Close(), os.Rename(plain, filepath.Join(folder, name))); err != nil {
		t.Fatal(err)
	}
}

func newTool(t testing.TB, folder string, o sqlquery.Options) tools.Tool {
	t.Helper()
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return sqlquery.New(root, o)
}

func ask(t testing.TB, tool tools.Tool, file, query string) (string, error) {
	t.Helper()
	arguments, err := json.Marshal(map[string]string{"file": file, "sql": query})
	if err != nil {
		t.Fatal(err)
	}
	result, err := tool.Call(context.Background(), arguments)
	return result.Content, err
}

func Example() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "shop.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE purchase (item TEXT, price REAL); INSERT INTO purchase VALUES ('pen', 1.5), ('ink', 4)"); err != nil {
		fmt.Println(err)
		return
	}
	tool, err := sqlquery.ForFile("purchases", "Query what was bought.", path, sqlquery.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, query := range []string{"SELECT item, price FROM purchase ORDER BY price", "SELECT prize FROM purchase", "DELETE FROM purchase"} {
		arguments, _ := json.Marshal(map[string]string{"sql": query})
		result, err := tool.Call(context.Background(), arguments)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(result.Content)
	}
	// Output:
	// item | price
	// pen | 1.5
	// ink | 4
	// (2 rows)
	// purchases: no such column: prize; there is price. The tables are:
	// purchase(item TEXT, price REAL)
	// purchases: only reading is allowed: give one SELECT statement
}

func TestQuery(t *testing.T) {
	folder := t.TempDir()
	makeFile(t, folder, "shop.db", shop)
	tool := newTool(t, folder, sqlquery.Options{})
	if tools.EffectsOf(tool) != tools.Reads {
		t.Errorf("effects %v", tools.EffectsOf(tool))
	}
	const tables = "The tables are:\ncustomer(id INTEGER, name TEXT, \"born on\" DATE, vip BOOLEAN, seen TIMESTAMP)\n" +
		"purchase(id INTEGER, customer_id INTEGER -> customer.id, price REAL, note, picture BLOB)\ntotal(customer_id INTEGER, price)"
	for _, c := range []struct{ query, want string }{
		{"", tables},
		{" \n", tables},
		{"SELECT name FROM customer WHERE id > 5", "name\n(0 rows)"},
		{"SELECT 1 AS one;", "one\n1\n(1 row)"},
		{"SELECT ';' /* ; */ AS a -- ; \n ; -- that was all", "a\n;\n(1 row)"},
		{"SELECT c.name, t.price FROM customer c JOIN total t ON t.customer_id = c.id ORDER BY 2 DESC", "name | price\nAnn | 15.5\nBob | 0.1\n(2 rows)"},
		{"SELECT * FROM purchase ORDER BY id", "id | customer_id | price | note | picture\n1 | 1 | 12.5 | a\\|b\\nc | (2 bytes)\n2 | 1 | 3 | '' | NULL\n3 | 2 | 0.1 | NULL | NULL\n(3 rows)"},
		// As they are stored, and in the order that was asked for, with names that are there twice.
		{"SELECT *, id FROM customer ORDER BY name DESC", "id | name | born on | vip | seen | id\n3 | Zoë | NULL | NULL | NULL | 3\n" +
			"2 | Bob | 1985-12-31 00:00:00 | 0 | 2024-01-02T03:04:05Z | 2\n1 | Ann | 1990-02-03 | 1 | 1700000000 | 1\n(3 rows)"},
		{"WITH x AS (SELECT seen FROM customer LIMIT 1) SELECT seen FROM x -- the end", "seen\n1700000000\n(1 row)"},
		{"SELECT 9007199254740993, 1e300, 0.1+0.2, -0.0", "9007199254740993 | 1e300 | 0.1+0.2 | -0.0\n9007199254740993 | 1e+300 | 0.30000000000000004 | -0\n(1 row)"},
		{"SELECT CAST(x'61ff62' AS TEXT) AS broken, char(27) AS e", "broken | e\na\uFFFDb |  \n(1 row)"},
	} {
		if got, err := ask(t, tool, "shop.db", c.query); err != nil || got != c.want {
			t.Errorf("%s:\n%q, %v; want\n%q", c.query, got, err, c.want)
		}
	}
	for query, want := range map[string]string{
		"SELECT * FROM custmer":                   "no such table: custmer; there is customer. " + tables,
		"SELECT c.nane FROM customer c":           "no such column: c.nane; there is name. " + tables,
		"SELECT FROM":                             "syntax error",
		"SELECT 1; SELECT 2":                      "more than one statement",
		";":                                       "the query is empty",
		"-- nothing":                              "",
		"DROP TABLE customer":                     "only reading is allowed",
		"SELECT 1; DROP TABLE customer":           "more than one statement",
		"ATTACH 'other.db' AS o":                  "only reading is allowed",
		"PRAGMA query_only = OFF":                 "only reading is allowed",
		"SELECT load_extension('evil')":           "only reading is allowed",
		"SELECT hex(zeroblob(8000000))":           "a value is too large",
		"SELECT 'a\x00b'":                         "NUL byte",
		"SELECT '" + strings.Repeat("x", 10000):   "at most 10000",
		"SELECT ?":                                "not enough args",
		strings.Repeat("(", 5000):                 "",
		"SELECT " + strings.Repeat("abs(", 2000):  "",
		"SELECT * FROM purchase WHERE note = 'a ": "unrecognized token",
	} {
		got, err := ask(t, tool, "shop.db", query)
		if want == "" && err == nil && got == "\n(0 rows)" {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %q, %v; want an error with %q", query, got, err, want)
		}
	}
}

func TestFiles(t *testing.T) {
	outer := t.TempDir()
	folder := filepath.Join(outer, "inner")
	if err := os.MkdirAll(filepath.Join(folder, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	makeFile(t, outer, "secret.db", shop)
	makeFile(t, folder, "sub/a?mode=rwc&b#c.db", shop)
	makeFile(t, folder, "empty.db", "VACUUM")
	makeFile(t, folder, "damaged.db", shop)
	damaged, err := os.ReadFile(filepath.Join(folder, "damaged.db"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 100; i < len(damaged); i++ {
		damaged[i] ^= 0x5a
	}
	for name, text := range map[string][]byte{"damaged.db": damaged, "notes.txt": []byte(strings.Repeat("notes ", 500))} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"out.db": "../secret.db", "up": "..", "in.db": "sub/a?mode=rwc&b#c.db"} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	tool := newTool(t, folder, sqlquery.Options{})
	for _, file := range []string{"sub/a?mode=rwc&b#c.db", "in.db", "./sub/../in.db"} {
		if got, err := ask(t, tool, file, "SELECT count(*) AS n FROM customer"); err != nil || got != "n\n3\n(1 row)" {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
	if got, err := ask(t, tool, "empty.db", ""); err != nil || got != "The database has no tables." {
		t.Errorf("%q, %v", got, err)
	}
	for file, want := range map[string]string{
		"../secret.db": "outside of the folder", filepath.Join(outer, "secret.db"): "outside of the folder", "out.db": "escapes", "up/secret.db": "escapes",
		"missing.db": "no file named missing.db", "sub": "no file that can be", "notes.txt": "is not a SQLite database", "damaged.db": "damaged",
		"": "the path is empty", "a\x00.db": "NUL byte", "file:empty.db?mode=rwc": "no file named", ":memory:": "no file named",
	} {
		got, err := ask(t, tool, file, "SELECT * FROM customer")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want an error with %q", file, got, err, want)
		}
		if err != nil && !filepath.IsAbs(file) && strings.Contains(err.Error(), outer) {
			t.Errorf("%s: the error tells where the folder is: %v", file, err)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "missing.db")); err == nil {
		t.Error("a file was made")
	}
}

// Rows, bytes and time have limits, and the result says so.
func TestLimits(t *testing.T) {
	folder := t.TempDir()
	makeFile(t, folder, "shop.db", shop)
	tool := newTool(t, folder, sqlquery.Options{MaxRows: 3, MaxBytes: 3000})
	hasty := newTool(t, folder, sqlquery.Options{MaxRows: 3, MaxBytes: 3000, Timeout: 100 * time.Millisecond})
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT "
	for query, want := range map[string]string{
		endless + "i FROM n": "i\n1\n2\n3\n(cut: these are the first 3 rows; use WHERE, count(*) or LIMIT … OFFSET)",
		endless + "i, printf('%.*c', 400, 'é') AS a, printf('%.*c', 400, 'x') AS b, printf('%.*c', 400, 'y') AS c FROM n": "(cut: these are the first 2 rows, more would be too long; select fewer columns)",
		"SELECT printf('%.*c', 1000000, 'x') AS a": "a\n" + strings.Repeat("x", 500) + "… (1000000 bytes)\n(1 row)",
	} {
		if got, err := ask(t, tool, "shop.db", query); err != nil || !strings.HasSuffix(got, want) || len(got) > 4000 {
			t.Errorf("%s: %q, %v; want %q", query, got, err, want)
		}
	}
	var failed *tools.CallError
	for _, query := range []string{endless + "max(i) FROM n", endless + "i FROM n ORDER BY random()", endless + "i FROM n WHERE i < 0"} {
		got, err := ask(t, hasty, "shop.db", query)
		if !errors.As(err, &failed) || failed.Kind != tools.TimedOut || !strings.Contains(err.Error(), "the query takes too long") {
			t.Errorf("%s: %q, %v", query, got, err)
		}
	}
	many := newTool(t, folder, sqlquery.Options{})
	makeFile(t, folder, "many.db", func() string {
		var b strings.Builder
		for i := range 300 {
			fmt.Fprintf(&b, "CREATE TABLE \"table %d\" (a, b, c);", i)
		}
		return b.String()
	}())
	if got, err := ask(t, many, "many.db", ""); err != nil || !strings.HasSuffix(got, "\n(and 200 more)") || len(got) > 9000 {
		t.Errorf("%d bytes, %v: %q", len(got), err, got[max(0, len(got)-100):])
	}
}
