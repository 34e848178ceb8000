package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// mostBody is how many bytes a response may have that is no stream. The SDK reads it as a whole; events of streams it
// bounds itself, at the same size.
const mostBody = 16 << 20

// watched is client with a limit on the size of responses, in which the tools' schemas are looked for. The SDK's
// connection over HTTP cannot be wrapped like one over pipes: it has methods that only the SDK can call.
func watched(client *http.Client, found *schemas) *http.Client {
	if client == nil {
		client = http.DefaultClient
	}
	copied := *client
	copied.Transport = watchedTransport{client.Transport, found}
	return &copied
}

type watchedTransport struct {
	inner   http.RoundTripper
	schemas *schemas
}

// RoundTrip implements [http.RoundTripper].
func (t watchedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	inner := t.inner
	if inner == nil {
		inner = http.DefaultTransport
	}
	response, err := inner.RoundTrip(request)
	if err == nil {
		stream := strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream")
		response.Body = &watchedBody{ReadCloser: response.Body, schemas: t.schemas, stream: stream, left: mostBody}
	}
	return response, err
}

// watchedBody is a response's body. It may be read by one goroutine at a time, as any reader.
type watchedBody struct {
	io.ReadCloser
	schemas *schemas
	stream  bool
	left    int    // bytes that may still be read, of what is no stream
	kept    []byte // the message or the line that is not complete yet
}

// Read implements [io.Reader].
func (b *watchedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, fmt.Errorf("the response has more than %d MiB", mostBody>>20)
	}
	n, err := b.ReadCloser.Read(p)
	if !b.stream {
		b.left -= n
	}
	if b.schemas.finished() {
		b.kept = nil
		return n, err
	}
	looked := len(b.kept) // no end of a line before this
	b.kept = append(b.kept, p[:n]...)
	for b.stream {
		end := bytes.IndexByte(b.kept[looked:], '\n')
		if end < 0 {
			break
		}
		if data, ok := bytes.CutPrefix(b.kept[:looked+end], []byte("data:")); ok {
			b.see(data)
		}
		b.kept, looked = b.kept[looked+end+1:], 0
	}
	if len(b.kept) > mostBody {
		b.kept = nil
	}
	if errors.Is(err, io.EOF) && !b.stream {
		b.see(b.kept)
		b.kept = nil
	}
	return n, err
}

func (b *watchedBody) see(message []byte) {
	var response struct {
		Result json.RawMessage `json:"result"`
	}
	if json.Unmarshal(message, &response) == nil {
		b.schemas.see(response.Result)
	}
}
