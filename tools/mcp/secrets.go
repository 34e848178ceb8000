package mcp

import (
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/drover-ai/drover/internal/redact"
)

// shortest is how long a secret is at least. Taking shorter texts out would only make errors unreadable.
const shortest = 4

// hide replaces the secrets of a server in texts for people: what [Options].Secrets lists, headers, what was added to its
// environment, users, passwords and queries in addresses, and values of flags with names such as --api-key. words are the server's
// command line, or its address.
func hide(words []string, options Options) *strings.Replacer {
	secrets := append(slices.Clone(options.Secrets), redact.Arguments(words)...)
	for _, values := range options.Headers {
		secrets = append(secrets, values...)
	}
	for _, pair := range options.Environment {
		if name, value, _ := strings.Cut(pair, "="); os.Getenv(name) != value {
			secrets = append(secrets, value)
		}
	}
	for _, secret := range slices.Clone(secrets) {
		if _, token, found := strings.Cut(secret, " "); found { // after "Bearer"
			secrets = append(secrets, token)
		}
	}
	for _, word := range words {
		secrets = append(secrets, inAddress(word)...)
	}
	for _, secret := range slices.Clone(secrets) { // as they are in an address
		secrets = append(secrets, url.QueryEscape(secret), url.PathEscape(secret))
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // the whole before its parts
	var pairs []string
	for _, secret := range slices.Compact(secrets) {
		if len(secret) >= shortest {
			pairs = append(pairs, secret, redact.Mark)
		}
	}
	return strings.NewReplacer(pairs...)
}

// inAddress returns what an address carries besides where it leads; nothing if the word has none in it.
func inAddress(word string) (secrets []string) {
	scheme := strings.Index(word, "://")
	if scheme < 0 {
		return nil
	}
	begin := strings.LastIndexFunc(word[:scheme], func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) }) + 1
	address, err := url.Parse(word[begin:])
	if err != nil {
		return []string{word[scheme+len("://"):]} // nobody knows what is in it
	}
	secrets = append(secrets, address.RawQuery, address.Fragment, address.User.Username())
	for _, values := range address.Query() {
		secrets = append(secrets, values...)
	}
	if password, has := address.User.Password(); has {
		secrets = append(secrets, password, address.User.String())
	}
	return secrets
}

// hiddenError is an error that shows no secrets. What it wraps may.
type hiddenError struct {
	err    error
	hidden *strings.Replacer
}

func (e *hiddenError) Error() string { return e.hidden.Replace(e.err.Error()) }
func (e *hiddenError) Unwrap() error { return e.err }

// withHeaders is client with headers in each request to the host of the address, and to no other that redirects lead to.
func withHeaders(client *http.Client, address string, headers http.Header) *http.Client {
	home, err := url.Parse(address)
	if len(headers) == 0 || err != nil {
		return client
	}
	if client == nil {
		client = http.DefaultClient
	}
	copied := *client
	copied.Transport = headed{client.Transport, home, headers}
	return &copied
}

type headed struct {
	inner   http.RoundTripper
	home    *url.URL
	headers http.Header
}

// RoundTrip implements [http.RoundTripper].
func (h headed) RoundTrip(request *http.Request) (*http.Response, error) {
	inner := h.inner
	if inner == nil {
		inner = http.DefaultTransport
	}
	if request.URL.Scheme == h.home.Scheme && request.URL.Host == h.home.Host {
		request = request.Clone(request.Context())
		for name, values := range h.headers {
			request.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	return inner.RoundTrip(request)
}
