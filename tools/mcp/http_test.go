package mcp

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// listing is an answer with the schema of a tool.
const listing = `{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"a","inputSchema":{"z": 1,"b":2}}]}}`

// responses are bodies with the listing in it, streams and others.
var responses = []struct {
	text   string
	stream bool
}{
	{listing, false},
	{"event: message\ndata: " + listing + "\n\n", true},
	{"id: 1\r\ndata:" + listing + "\r\n\r\n", true},
	{"data: {\n\n\ndata\n: " + listing + "\ndata: " + listing + "\n", true},
}

// readWatched reads a response through a watchedBody and returns the schema that was found.
func readWatched(t *testing.T, reader io.Reader, text string, stream bool) string {
	t.Helper()
	var found schemas
	body := &watchedBody{ReadCloser: io.NopCloser(reader), schemas: &found, stream: stream, left: mostBody}
	got, err := io.ReadAll(body)
	if err != nil || string(got) != text {
		t.Fatalf("read %q, %v; want %q", got, err, text)
	}
	schema, _ := found.of("a")
	return string(schema)
}

func TestWatchedBody(t *testing.T) {
	for _, r := range responses {
		if got := readWatched(t, strings.NewReader(r.text), r.text, r.stream); got != `{"z":1,"b":2}` {
			t.Errorf("found %q in %q", got, r.text)
		}
		if got := readWatched(t, strings.NewReader(r.text), r.text, !r.stream); got != "" {
			t.Errorf("found %q in %q, which is taken for something else", got, r.text)
		}
	}
}

// However a response comes in pieces, it is read as it is, and what is found in it is the same.
func FuzzWatchedBody(f *testing.F) {
	for _, r := range responses {
		f.Add(r.text, r.stream)
	}
	f.Add(`{"result":{"tools":[{"inputSchema":7}]}}`, false)
	f.Fuzz(func(t *testing.T, text string, stream bool) {
		whole := readWatched(t, strings.NewReader(text), text, stream)
		if got := readWatched(t, iotest.OneByteReader(strings.NewReader(text)), text, stream); got != whole {
			t.Errorf("byte by byte: found %q, want %q", got, whole)
		}
		if got := readWatched(t, iotest.DataErrReader(strings.NewReader(text)), text, stream); got != whole {
			t.Errorf("with its end: found %q, want %q", got, whole)
		}
	})
}
