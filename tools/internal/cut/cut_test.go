package cut

import "testing"

func TestText(t *testing.T) {
	for _, c := range []struct {
		content string
		limit   int
		want    string
		missing int
	}{
		{"hello", 0, "hello", 0},
		{"hello", 5, "hello", 0},
		{"hello", 4, "hell\n[cut: the first 4 of 5 bytes]", 1},
		{"héllo", 2, "h\n[cut: the first 1 of 6 bytes]", 5},
		{"a\xffb", 0, "a\uFFFDb", 0},
		{"", 1, "", 0},
	} {
		if got, missing := Text(c.content, c.limit); got != c.want || missing != c.missing {
			t.Errorf("Text(%q, %d) = %q, %d, want %q, %d", c.content, c.limit, got, missing, c.want, c.missing)
		}
	}
}
