package builtin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html/charset"

	"github.com/drover-ai/drover/tools"
)

// HTTPOptions are the limits of [HTTPGet]. The zero value is what a model that reads strangers' pages should have.
type HTTPOptions struct {
	// MaxBytes is how much of a page is read, after decompression; 0 is 2 MiB. What is beyond it is cut, and the result says so.
	MaxBytes int64
	// Timeout is how long a call may take, redirects included; 0 is 20 seconds.
	Timeout time.Duration
	// Allow returns an error, for the model to read, if an address may not be connected to; nil is [PublicAddress]. It is
	// asked for the very address of each connection, after names are resolved.
	Allow func(netip.Addr) error
	// Resolver finds the addresses of names; nil is the system's.
	Resolver *net.Resolver
}

const maxRedirects = 5

type httpGetInput struct {
	URL string `json:"url"`
}

// HTTPGet returns a tool that fetches a page by http or https and gives its text: HTML as text with its links, other text as it is;
// anything else is refused. It sends no cookies or credentials, and uses no proxy, because a proxy would connect to addresses that
// the tool cannot check.
//
// Only public addresses are reached unless o.Allow says otherwise. The check is made on the address that is about to be
// connected to, for redirects too, so that a name that resolves differently a moment later gains nothing.
func HTTPGet(o HTTPOptions) tools.Tool {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 2 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 20 * time.Second
	}
	if o.Allow == nil {
		o.Allow = PublicAddress
	}
	client := o.client()
	return tools.Must(tools.New("http_get", "Fetch a web page and return its text.",
		func(ctx context.Context, in httpGetInput) (string, error) {
			return o.get(ctx, client, in.URL)
		}, tools.WithEffects(tools.Network), tools.WithTimeout(o.Timeout), tools.WithMaxResult(int(o.MaxBytes)+4096)))
}

// refusedAddress is an address that Allow refused.
type refusedAddress struct{ err error }

func (e *refusedAddress) Error() string { return e.err.Error() }
func (e *refusedAddress) Unwrap() error { return e.err }

func (o HTTPOptions) client() *http.Client {
	dialer := &net.Dialer{
		Timeout:  o.Timeout,
		Resolver: o.Resolver,
		// Control runs when the name is resolved and before the connection is made: nothing can change in between.
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return &refusedAddress{fmt.Errorf("%s is not an address that can be checked", address)}
			}
			if err := o.Allow(to.Addr()); err != nil {
				return &refusedAddress{err}
			}
			return nil
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true, // every call is checked anew
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if len(before) > maxRedirects {
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			next.Header.Del("Referer") // where we come from is nobody's business
			if err := o.checkURL(next.URL); err != nil {
				return fmt.Errorf("redirect: %w", err)
			}
			return nil
		},
	}
}

// parseURL reads a URL as a model writes it.
func (o HTTPOptions) parseURL(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, errors.New("the url is empty; give one such as https://example.com/page")
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a url; give one such as https://example.com/page", text)
	}
	return parsed, o.checkURL(parsed)
}

// checkURL refuses what can be known to be wrong before any name is resolved.
func (o HTTPOptions) checkURL(u *url.URL) error {
	host := u.Hostname()
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%s urls cannot be fetched; only http and https", u.Scheme)
	case u.User != nil:
		return errors.New("a url with a user name or password is not fetched; leave them out")
	case host == "":
		return fmt.Errorf("%s names no host; give a url such as https://example.com/page", u)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Is4In6() || addr.Zone() != "" {
			return fmt.Errorf("%s is not fetched: write IPv4 addresses plainly, and no zones", host)
		}
		return o.Allow(addr)
	}
	if endsInNumber(host) {
		return fmt.Errorf("%s is not fetched: it is neither a name nor an address in its usual form", host)
	}
	return nil
}

// endsInNumber reports whether the last label of a host is a number. Such hosts (2130706433, 0x7f.1, 0177.0.0.1) are read as
// IPv4 addresses by some resolvers and by browsers, https://url.spec.whatwg.org/#ends-in-a-number-checker.
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	label := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

// neverPublic are the ranges of the IANA special-purpose registries (RFC 6890 and its successors) that lead to no host of the
// public internet, or to one of a network that an address hides.
var neverPublic = func() (ranges []netip.Prefix) {
	for _, text := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
		"224.0.0.0/4", "240.0.0.0/4",
		"2001::/23",     // protocol assignments, Teredo among them
		"2001:db8::/32", // documentation
		"2002::/16",     // 6to4: an IPv4 address inside
		"3fff::/20",     // documentation
	} {
		ranges = append(ranges, netip.MustParsePrefix(text))
	}
	return ranges
}()

// globalUnicast is all of IPv6 that is given out to the public internet. Outside are loopback, unspecified, link-local, unique
// local and multicast addresses, and those that hide an IPv4 address: mapped, compatible, NAT64.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// PublicAddress returns an error unless addr belongs to the public internet: it is not loopback, private, link-local, shared
// (CGNAT), multicast, unspecified, reserved or for documentation, and no IPv6 address that stands for an IPv4 one.
func PublicAddress(addr netip.Addr) error {
	refused := !addr.IsValid() || addr.Zone() != "" || addr.Is6() && !globalUnicast.Contains(addr)
	for _, r := range neverPublic {
		refused = refused || r.Contains(addr)
	}
	if refused {
		return fmt.Errorf("%s is not a public address; only pages of the public internet can be fetched", addr)
	}
	return nil
}

func (o HTTPOptions) get(ctx context.Context, client *http.Client, text string) (string, error) {
	u, err := o.parseURL(text)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("User-Agent", "drover")
	request.Header.Set("Accept", "text/html, text/*;q=0.9, application/json;q=0.9, */*;q=0.1")
	response, err := client.Do(request)
	if err != nil {
		return "", explainFetch(u, err)
	}
	defer response.Body.Close()
	final := response.Request.URL
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return "", fmt.Errorf("%s: the server answered %s", final, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, o.MaxBytes+1))
	if err != nil {
		return "", explainFetch(final, err)
	}
	note := ""
	if int64(len(body)) > o.MaxBytes {
		body = body[:o.MaxBytes]
		note = fmt.Sprintf("\n(cut: this is from the first %d bytes of the page)", o.MaxBytes)
	}
	page, err := textOf(body, response.Header.Get("Content-Type"), final)
	if err != nil {
		return "", fmt.Errorf("%s: %w", final, err)
	}
	if final.String() != u.String() {
		note += fmt.Sprintf("\n(redirected to %s)", final)
	}
	return page + note, nil
}

// explainFetch leaves out what the layers of net/http put around the cause.
func explainFetch(u *url.URL, err error) error {
	var refused *refusedAddress
	if errors.As(err, &refused) {
		return fmt.Errorf("%s: %w", u.Hostname(), refused.err)
	}
	var noName *net.DNSError
	if errors.As(err, &noName) && noName.IsNotFound {
		return fmt.Errorf("no host named %s; check the spelling of the url", noName.Name)
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return fmt.Errorf("%s: %w", u, err)
}

// textOf gives a page as UTF-8 text.
func textOf(body []byte, contentType string, from *url.URL) (string, error) {
	if contentType == "" {
		contentType = http.DetectContentType(body)
	}
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil && kind == "" {
		kind = http.DetectContentType(body)
	}
	isHTML := kind == "text/html" || kind == "application/xhtml+xml"
	if !isHTML && !isText(kind) {
		return "", fmt.Errorf("the page is %s, not text", kind)
	}
	text := string(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if declared, _ := charset.Lookup(parameters["charset"]); declared != nil || !validButForItsEnd(text) {
		encoding, _, _ := charset.DetermineEncoding(body[:min(len(body), 1024)], contentType)
		if decoded, err := encoding.NewDecoder().Bytes(body); err == nil {
			text = strings.TrimPrefix(string(decoded), "\ufeff")
		}
	}
	if isHTML {
		text = htmlToText(text, from)
	}
	if text = strings.ToValidUTF8(text, "\uFFFD"); strings.TrimSpace(text) == "" {
		return "(the page has no text)", nil
	}
	return text, nil
}

func isText(kind string) bool {
	switch kind {
	case "application/json", "application/xml", "application/javascript", "application/yaml", "application/toml", "application/x-ndjson":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}

// validButForItsEnd reports whether text is UTF-8, not counting a character that a limit cut in two.
func validButForItsEnd(text string) bool {
	for cut := 0; cut < utf8.UTFMax && cut <= len(text); cut++ {
		if utf8.ValidString(text[:len(text)-cut]) {
			return true
		}
	}
	return false
}
