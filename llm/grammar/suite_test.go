package grammar

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// suiteGroup is one group of tests of the JSON Schema Test Suite.
type suiteGroup struct {
	Description string
	Schema      json.RawMessage
	Tests       []struct {
		Description string
		Data        json.RawMessage
		Valid       bool
	}
}

type suiteCounts struct{ tests, right, refused, over, under int }

func (c *suiteCounts) add(o suiteCounts) {
	c.tests, c.right, c.refused, c.over, c.under = c.tests+o.tests, c.right+o.right, c.refused+o.refused, c.over+o.over, c.under+o.under
}

// longNumbers are files with numbers of more digits than grammars write.
var longNumbers = map[string]bool{"optional/bignum.json": true, "optional/float-overflow.json": true}

// runSuite tries every instance of a file: what is valid is writable, what is not is not, or the schema is
// refused by name.
func runSuite(t *testing.T, path, name string) suiteCounts {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var groups []suiteGroup
	if err := json.Unmarshal(data, &groups); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var c suiteCounts
	// The suite takes format as an annotation but where it says otherwise.
	options := Options{IgnoreFormat: !strings.Contains(name, "format-assertion")}
	for _, group := range groups {
		c.tests += len(group.Tests)
		g, err := CompileSchema(group.Schema, options)
		if err != nil {
			var refused *SchemaError
			if !errors.As(err, &refused) || refused.Reason == "" {
				t.Errorf("%s, %s: %v is not a refusal with a reason", name, group.Description, err)
			}
			valid := false
			for _, test := range group.Tests {
				valid = valid || test.Valid
			}
			if refused != nil && strings.HasPrefix(refused.Reason, "no value satisfies") {
				if valid {
					t.Errorf("%s, %s: said to have no value, but has", name, group.Description)
				}
				c.right += len(group.Tests) // nothing is writable, and nothing is valid
				continue
			}
			t.Logf("%s, %s: %v", name, group.Description, err)
			c.refused += len(group.Tests)
			continue
		}
		for _, test := range group.Tests {
			text, err := Respell(group.Schema, test.Data, options)
			if err != nil {
				t.Fatal(err)
			}
			ok, at, why := Match(g, text)
			switch {
			case ok == test.Valid:
				c.right++
				continue
			case ok:
				c.under++
			default:
				c.over++
			}
			if ok || !longNumbers[name] {
				t.Errorf("%s, %s, %s: valid %v, accepted %v at %d of %.200s: %s", name, group.Description, test.Description, test.Valid, ok, at, text, why)
			}
		}
	}
	return c
}

func TestSuite(t *testing.T) {
	root := filepath.Join(testdataRoot(), "json-schema-test-suite", "tests", "draft2020-12")
	files, _ := filepath.Glob(filepath.Join(root, "*.json"))
	more, _ := filepath.Glob(filepath.Join(root, "optional", "*.json"))
	if files = append(files, more...); len(files) == 0 {
		t.Skipf("no JSON Schema Test Suite in %s; set DROVER_TESTDATA", root)
	}
	var sum suiteCounts
	table := fmt.Sprintf("%-42s %5s %5s %7s %4s %5s\n", "file", "tests", "right", "refused", "over", "under")
	row := func(name string, c suiteCounts) {
		table += fmt.Sprintf("%-42s %5d %5d %7d %4d %5d\n", name, c.tests, c.right, c.refused, c.over, c.under)
	}
	for _, path := range files {
		name, _ := filepath.Rel(root, path)
		c := runSuite(t, path, name)
		sum.add(c)
		row(name, c)
	}
	row("all", sum)
	t.Log("\n" + table)
	if sum.right < suiteRight {
		t.Errorf("%d of %d tests are right, it was %d before", sum.right, sum.tests, suiteRight)
	}
}

// suiteRight is how many tests were right at the last change; it only goes up.
const suiteRight = 1237

// TestOwnSuite runs a small suite of our own in the same form, which is always there.
func TestOwnSuite(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "suite", "*.json"))
	if len(files) == 0 {
		t.Fatal("no files in testdata/suite")
	}
	for _, path := range files {
		if c := runSuite(t, path, filepath.Base(path)); c.refused > 0 {
			t.Errorf("%s: %d tests refused", path, c.refused)
		}
	}
}

// testdataRoot is where reference data lies that is not part of the repository.
func testdataRoot() string {
	if root := os.Getenv("DROVER_TESTDATA"); root != "" {
		return root
	}
	return filepath.Join("..", "..", "..", "shared", "data")
}
