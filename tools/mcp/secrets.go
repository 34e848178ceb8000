package mcp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// shortest is how long a secret is at least. Taking shorter texts out would only make errors unreadable.
const shortest = 4

// hide replaces the secrets of a server, and what an address has in its query and as its password, in texts for people.
func hide(where string, options Options) *strings.Replacer {
	secrets := slices.Clone(options.Secrets)
	for _, values := range options.Headers {
		for _, value := range values {
			secrets = append(secrets, value)
			if _, token, found := strings.Cut(value, " "); found { // after "Bearer"
				secrets = append(secrets, token)
			}
		}
	}
	if address, err := url.Parse(where); err == nil && IsAddress(where) {
		secrets = append(secrets, address.RawQuery)
		for _, values := range address.Query() {
			secrets = append(secrets, values...)
		}
		if password, has := address.User.Password(); has {
			secrets = append(secrets, password)
		}
	}
	for _, secret := range slices.Clone(secrets) { // as they are in an address
		secrets = append(secrets, url.QueryEscape(secret), url.PathEscape(secret))
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // the whole before its parts
	var pairs []string
	for _, secret := range slices.Compact(secrets) {
		if len(secret) >= shortest {
			pairs = append(pairs, secret, "***")
		}
	}
	return strings.NewReplacer(pairs...)
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
