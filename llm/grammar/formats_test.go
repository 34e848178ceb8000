package grammar

import (
	"fmt"
	"strings"
	"testing"
)

// TestEveryFormatCompiles: a format that is listed is enforced, by itself and beside bounds of the length.
func TestEveryFormatCompiles(t *testing.T) {
	for name := range formats {
		for _, bounds := range []string{``, `,"maxLength":200`, `,"minLength":3`} {
			if _, err := CompileSchema([]byte(fmt.Sprintf(`{"type":"string","format":%q%s}`, name, bounds)), Options{}); err != nil {
				t.Errorf("%s%s: %v", name, bounds, err)
			}
		}
	}
}

// TestHostsAndAddresses: the labels of a host, what is before the @, and the whole are bounded each by itself.
func TestHostsAndAddresses(t *testing.T) {
	label := strings.Repeat("x", 63)
	local := strings.Repeat("l", 64)
	long := strings.Join([]string{label, label, label}, ".") // 191 characters
	for _, test := range []struct {
		schema  string
		yes, no []string
	}{
		{`{"type":"string","format":"hostname"}`,
			[]string{"a", "a.b", "www.example.com", "x-1.y", label, long + "." + strings.Repeat("y", 61)},
			[]string{"", "-a", "a-", "a..b", ".a", "xn--a", label + "x", long + "." + strings.Repeat("y", 62)}},
		{`{"type":"string","format":"email"}`,
			[]string{"a@b", "first.last+tag@mail.example.com", local + "@" + long[:189]},
			[]string{"", "a", "@b", "a@", "a@b@c", "a..b@c", ".a@b", "a@-b", local + "l@b", local + "@" + long[:190]}},
		{`{"type":"string","format":"email","minLength":8,"maxLength":10}`, []string{"a@bcdefg", "abcd@efghi"}, []string{"a@bcdef", "abcd@efghij"}},
		{`{"type":"string","pattern":"^(ab)*c?$","minLength":5,"maxLength":40000}`, []string{"ababc", "ababab", strings.Repeat("ab", 20000)}, []string{"abab", "ababcc", strings.Repeat("ab", 20000) + "c"}},
	} {
		g, err := CompileSchema([]byte(test.schema), Options{})
		if err != nil {
			t.Errorf("%s: %v", test.schema, err)
			continue
		}
		var yes, no []string
		for _, text := range test.yes {
			yes = append(yes, quote(text))
		}
		for _, text := range test.no {
			no = append(no, quote(text))
		}
		matchAll(t, test.schema, g, yes, no)
	}
}
