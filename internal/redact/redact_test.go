package redact

import (
	"slices"
	"strings"
	"testing"
)

func TestURLs(t *testing.T) {
	for text, want := range map[string]string{
		"nothing here: a?b=c":                       "nothing here: a?b=c",
		"https://example.com/a/b":                   "https://example.com/a/b",
		`Post "https://h/v1?key=abc&alt=sse": EOF`:  `Post "https://h/v1?key=***&alt=***": EOF`,
		"http://me:pass@h:80/x, and http://tok@h":   "http://***@h:80/x, and http://***@h",
		"http://a@b@h/":                             "http://***@h/",
		"postgres://me:p%40ss@db/x?sslpassword=abc": "postgres://***@db/x?sslpassword=***",
		"https://h/cb#access_token=abc":             "https://h/cb#***",
		"https://h?abc":                             "https://h?***",
		"https://h/?a=b;c=d#":                       "https://h/?a=***&c=***",
		"https://h/%zz?key=abc":                     "https://h/%zz?key=***",
		"(https://h/?k=v)":                          "(https://h/?k=***",
	} {
		if got := URLs(text); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		words string // divided by |
		want  string
	}{
		{"npx|server|--api-key|abc|--verbose|x", "abc"},
		{"server|--token=abc|-v", "abc"},
		{"env|GITHUB_TOKEN=abc|DEBUG=1|server", "abc"},
		{"mcp-remote|https://h|--header|Authorization: Bearer abc", "Bearer abc"},
		{"mcp-remote|https://h/x|--header|X-Api-Key:abc", "abc"},
		{"server|--apiKey|abc|--accessToken=def", "abc|def"},
		{"server|--password|--verbose", ""},
		{"server|--keyboard=us|--monkey|x|--tokenizer=llama|--max-tokens-per-call|5|--author|me", "5"},
		{"server|https://h/?token=abc", ""}, // URLs knows these
	} {
		got := Arguments(strings.Split(c.words, "|"))
		var want []string
		if c.want != "" {
			want = strings.Split(c.want, "|")
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c.words, got, want)
		}
	}
}
