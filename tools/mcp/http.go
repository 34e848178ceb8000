package mcp

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// mostBody is how many bytes a response may have that is no stream. The SDK reads it as a whole; events of streams it
// bounds itself, at the same size.
const mostBody = 16 << 20

// bounded is client with a limit on the size of responses.
func bounded(client *http.Client) *http.Client {
	if client == nil {
		client = http.DefaultClient
	}
	limited := *client
	limited.Transport = boundedTransport{client.Transport}
	return &limited
}

type boundedTransport struct{ inner http.RoundTripper }

func (t boundedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	inner := t.inner
	if inner == nil {
		inner = http.DefaultTransport
	}
	response, err := inner.RoundTrip(request)
	if err == nil && !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		response.Body = &boundedBody{response.Body, mostBody}
	}
	return response, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, fmt.Errorf("the response has more than %d MiB", mostBody>>20)
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= n
	return n, err
}
