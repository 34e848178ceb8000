package sqlquery

import (
	"strings"
	"testing"
)

// What is taken for one statement is the beginning of the query, and one statement again.
func FuzzOneStatement(f *testing.F) {
	for _, seed := range []string{"SELECT 1", "SELECT ';';", "SELECT 1; -- x", "SELECT 1 /* ; */; SELECT 2", "[;]`;`\";", ";;", "--;\n;", "/*", "'''; '';", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got, err := oneStatement(query)
		if err != nil {
			return
		}
		if !strings.HasPrefix(query, got) {
			t.Fatalf("%q became %q", query, got)
		}
		if again, err := oneStatement(got); err != nil || again != got {
			t.Fatalf("%q is one statement, and then %q, %v", got, again, err)
		}
	})
}
