package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drover-ai/drover/internal/sqlite"
)

var options = sqlite.Options{
	Migrations:    []string{"CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)"},
	ApplicationID: 0x64727631,
}

func open(t *testing.T, path string, o sqlite.Options) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func add(db *sqlite.DB, text string) error {
	_, err := db.Exec(context.Background(), sqlite.Safe, "INSERT INTO note (text) VALUES (?)", text)
	return err
}

func count(t *testing.T, db *sqlite.DB) (n int) {
	t.Helper()
	err := db.Read(context.Background(), func(tx *sql.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM note").Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func kind(t *testing.T, err error, want sqlite.Kind, text string) {
	t.Helper()
	var e *sqlite.Error
	if !errors.As(err, &e) || e.Kind != want {
		t.Fatalf("error is %v, want kind %d", err, want)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("error %q does not say %q", err, text)
	}
}

func TestOpenWriteRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder", "odd ?#%20 name.db")
	db := open(t, path, options)
	for _, mode := range []sqlite.Mode{sqlite.Safe, sqlite.Durable, sqlite.Safe} {
		if _, err := db.Exec(context.Background(), mode, "INSERT INTO note (text) VALUES (?)", fmt.Sprint("n", count(t, db))); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(db, "n0"); !sqlite.IsConstraint(err) {
		t.Errorf("a second n0 gives %v", err)
	}
	sentinel := errors.New("mine")
	err := db.Write(context.Background(), func(tx *sql.Tx) error {
		if _, err := tx.Exec("INSERT INTO note (text) VALUES ('lost')"); err != nil {
			return err
		}
		return sentinel
	})
	if !errors.Is(err, sentinel) || count(t, db) != 3 {
		t.Errorf("a transaction that failed: %v, %d notes", err, count(t, db))
	}
	if err := db.Check(context.Background()); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read it: %v", info.Mode())
	}
	read := open(t, path, sqlite.Options{Migrations: options.Migrations, ApplicationID: options.ApplicationID, ReadOnly: true})
	if count(t, read) != 3 {
		t.Errorf("the reader sees %d notes", count(t, read))
	}
	kind(t, add(read, "x"), sqlite.ReadOnly, "opened for reading only")
}

func TestSettings(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"), options)
	err := db.Write(context.Background(), func(tx *sql.Tx) error {
		for pragma, want := range map[string]string{"journal_mode": "wal", "foreign_keys": "1", "synchronous": "1", "busy_timeout": "5000"} {
			var got string
			if err := tx.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %s, want %s", pragma, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMigrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path, options)
	if err := add(db, "old"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	newer := options
	newer.Migrations = append([]string{options.Migrations[0]}, "ALTER TABLE note ADD COLUMN stars INTEGER", "UPDATE note SET stars = 3")
	db = open(t, path, newer)
	err := db.Read(context.Background(), func(tx *sql.Tx) error {
		var stars int
		if err := tx.QueryRow("SELECT stars FROM note").Scan(&stars); err != nil {
			return err
		}
		if stars != 3 {
			t.Errorf("%d stars", stars)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Open(context.Background(), path, options)
	kind(t, err, sqlite.NewerVersion, "version 3, this program knows up to 1")
	broken := newer
	broken.Migrations = append(broken.Migrations, "CREATE TABLE half (x); INSERT INTO nowhere VALUES (1)")
	if _, err := sqlite.Open(context.Background(), path, broken); err == nil || !strings.Contains(err.Error(), "migration to version 4") {
		t.Errorf("a broken migration gives %v", err)
	}
	if err := db.Read(context.Background(), func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").Scan(&n); err != nil || n != 0 {
			t.Errorf("half of a migration stayed (%v)", err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(ctx, text, options)
	kind(t, err, sqlite.NotDatabase, "text.db: not a database")

	_, err = sqlite.Open(ctx, dir, options)
	kind(t, err, sqlite.CannotOpen, "cannot be opened")
	_, err = sqlite.Open(ctx, filepath.Join(text, "below.db"), options)
	kind(t, err, sqlite.CannotOpen, "cannot be opened")
	readOnly := options
	readOnly.ReadOnly = true
	_, err = sqlite.Open(ctx, filepath.Join(dir, "missing.db"), readOnly)
	kind(t, err, sqlite.CannotOpen, "no such file")

	other := options
	other.ApplicationID = 1
	path := filepath.Join(dir, "other.db")
	open(t, path, other).Close()
	_, err = sqlite.Open(ctx, path, options)
	kind(t, err, sqlite.OtherProgram, "another program")
	_, err = sqlite.Open(ctx, path, readOnly)
	kind(t, err, sqlite.OtherProgram, "another program")

	if _, err := sqlite.Open(ctx, filepath.Join(dir, "x.db"), sqlite.Options{}); err == nil {
		t.Error("no application id is no error")
	}
	if os.Getuid() != 0 { // root may write everywhere
		locked := filepath.Join(dir, "locked")
		if err := os.Mkdir(locked, 0o500); err != nil {
			t.Fatal(err)
		}
		_, err = sqlite.Open(ctx, filepath.Join(locked, "x.db"), options)
		kind(t, err, sqlite.NoPermission, "permissions")
	}
}

func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path, options)
	for i := range 2000 {
		if err := add(db, fmt.Sprintf("note %d %s", i, strings.Repeat("x", 100))); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(data); i++ { // all but the first page
		data[i] = byte(i * 7)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err = sqlite.Open(context.Background(), path, options)
	if err == nil {
		err = db.Check(context.Background())
		db.Close()
	}
	kind(t, err, sqlite.Corrupt, "damaged")
}

func TestDiskFull(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"), options)
	// A limit on the pages gives the same error as a full disk.
	if err := db.Write(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.Exec("PRAGMA max_page_count=20")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	stored := 0
	var err error
	for err == nil && stored < 1000 {
		if err = add(db, fmt.Sprintf("note %d %s", stored, strings.Repeat("x", 1000))); err == nil {
			stored++
		}
	}
	kind(t, err, sqlite.Full, "no space left")
	if stored == 0 || count(t, db) != stored {
		t.Errorf("%d notes were stored, %d are there", stored, count(t, db))
	}
}

func TestManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Add(1)
		go func() { // each with a connection of its own, as processes have
			defer wg.Done()
			db, err := sqlite.Open(context.Background(), path, options)
			if err != nil {
				t.Error(err)
				return
			}
			defer db.Close()
			for j := range 50 {
				if err := add(db, fmt.Sprintf("%d %d", i, j)); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	wg.Wait()
	if n := count(t, open(t, path, options)); n != 200 {
		t.Errorf("%d notes, want 200", n)
	}
}

func TestBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path, options)
	impatient := options
	impatient.Wait = 20 * time.Millisecond
	other := open(t, path, impatient)
	err := db.Write(context.Background(), func(*sql.Tx) error { return add(other, "x") })
	kind(t, err, sqlite.Busy, "another process keeps writing")
	ctx, cancel := context.WithCancel(context.Background())
	err = db.Write(context.Background(), func(*sql.Tx) error {
		cancel()
		_, err := db.Exec(ctx, sqlite.Safe, "DELETE FROM note")
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for the writer ends with %v", err)
	}
}

// Killing the process at any moment leaves everything that was written.
func TestKill(t *testing.T) {
	if path := os.Getenv("SQLITE_TEST_WRITE"); path != "" {
		db, err := sqlite.Open(context.Background(), path, options)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		for i := 0; ; i++ {
			if err := add(db, fmt.Sprint(i)); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			fmt.Println(i)
		}
	}
	for round := range 5 {
		path := filepath.Join(t.TempDir(), "x.db")
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "SQLITE_TEST_WRITE="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said, buffer := "", make([]byte, 512)
		for !strings.Contains(said, "\n"+fmt.Sprint(20+7*round)+"\n") {
			n, err := out.Read(buffer)
			if err != nil {
				t.Fatalf("%v after %q", err, said)
			}
			said += string(buffer[:n])
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
		lines := strings.Count(said, "\n")
		db := open(t, path, options)
		if n := count(t, db); n < lines {
			t.Errorf("%d notes were reported, %d are there", lines, n)
		}
		if err := db.Check(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(dir, "notes.db"), sqlite.Options{
		Migrations:    []string{"CREATE TABLE note (text TEXT)"},
		ApplicationID: 0x6e6f7465,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	err = db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO note VALUES ('buy milk')")
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = db.Read(ctx, func(tx *sql.Tx) error {
		var text string
		if err := tx.QueryRow("SELECT text FROM note").Scan(&text); err != nil {
			return err
		}
		fmt.Println(text)
		return nil
	})
	fmt.Println(err)
	// Output:
	// buy milk
	// <nil>
}

func BenchmarkExec(b *testing.B) {
	for name, mode := range map[string]sqlite.Mode{"safe": sqlite.Safe, "durable": sqlite.Durable} {
		b.Run(name, func(b *testing.B) {
			db, err := sqlite.Open(context.Background(), filepath.Join(b.TempDir(), "x.db"), options)
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			for i := 0; b.Loop(); i++ {
				if _, err := db.Exec(context.Background(), mode, "INSERT INTO note (text) VALUES (?)", fmt.Sprint(i)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
