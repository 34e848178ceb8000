package builtin_test

import (
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/builtin"
)

// here allows what tests listen on, and nothing else that is not public.
func here(addr netip.Addr) error {
	if addr == netip.MustParseAddr("127.0.0.1") {
		return nil
	}
	return builtin.PublicAddress(addr)
}

func fetch(t testing.TB, tool tools.Tool, address string) (string, error) {
	t.Helper()
	return call(t, tool, fmt.Sprintf(`{"url": %q}`, address))
}

func TestPublicAddress(t *testing.T) {
	for _, address := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9",
		"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1",
		"2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0",
		"fec0::1", "ff02::1", "2606:4700:4700::1111%eth0", "4000::1",
	} {
		if err := builtin.PublicAddress(netip.MustParseAddr(address)); err == nil || !strings.Contains(err.Error(), "not a public address") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "172.15.0.1", "172.32.0.1",
		"192.167.1.1", "192.169.1.1", "223.255.255.255", "2001:200::1", "2001:4860:4860::8888", "2606:4700:4700::1111", "2a00::1",
	} {
		if err := builtin.PublicAddress(netip.MustParseAddr(address)); err != nil {
			t.Errorf("%v", err)
		}
	}
	if builtin.PublicAddress(netip.Addr{}) == nil {
		t.Error("no address at all is allowed")
	}
}

// Nothing listens for these: each must be refused for what it is, by the check and not by the network.
func TestHTTPGetRefuses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came through") }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	tool := builtin.HTTPGet(builtin.HTTPOptions{})
	if got := tools.EffectsOf(tool); got != tools.Network {
		t.Errorf("effects: %v", got)
	}
	for address, want := range map[string]string{
		server.URL:                             "127.0.0.1 is not a public address",
		"http://localhost:" + port:             "is not a public address",
		"http://[::1]:" + port:                 "::1 is not a public address",
		"http://[::ffff:127.0.0.1]:" + port:    "write IPv4 addresses plainly",
		"http://[::ffff:7f00:1]:" + port:       "write IPv4 addresses plainly",
		"http://[::ffff:8.8.8.8]/":             "write IPv4 addresses plainly",
		"http://[64:ff9b::7f00:1]:" + port:     "not a public address",
		"http://[2002:7f00:1::]:" + port:       "not a public address",
		"http://[fe80::1%25eth0]:" + port:      "no zones",
		"http://2130706433:" + port:            "neither a name nor an address",
		"http://0x7f000001:" + port:            "neither a name nor an address",
		"http://0x7F.1:" + port:                "neither a name nor an address",
		"http://0177.0.0.1:" + port:            "neither a name nor an address",
		"http://017700000001:" + port:          "neither a name nor an address",
		"http://127.1:" + port:                 "neither a name nor an address",
		"http://127.0.0.1.:" + port:            "neither a name nor an address",
		"http://127.0.0.0x1:" + port:           "neither a name nor an address",
		"http://１２７.0.0.1:" + port:             "not",
		"http://１２７.０.０.１:" + port:             "not a public address",
		"http://169.254.169.254/latest/":       "169.254.169.254 is not a public address",
		"http://100.100.100.200/":              "not a public address",
		"http://0.0.0.0:" + port:               "not a public address",
		"127.0.0.1:" + port:                    "not a public address",
		"http://user:pass@example.com/":        "user name or password",
		"file:///etc/passwd":                   "file urls cannot be fetched",
		"gopher://127.0.0.1:" + port:           "gopher urls cannot be fetched",
		"":                                     "the url is empty",
		"http://":                              "names no host",
		"http://exa mple.com/":                 "is not a url",
		"http://%31%32%37.0.0.1:" + port + "/": "is not a url",
	} {
		if got, err := fetch(t, tool, address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want an error with %q", address, got, err, want)
		}
	}
}

func TestHTTPGetRedirects(t *testing.T) {
	private := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came through") }))
	defer private.Close()
	var steps atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("url"), http.StatusFound)
	})
	mux.HandleFunc("/end", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") != "" {
			t.Errorf("referer %q", r.Header.Get("Referer"))
		}
		fmt.Fprint(w, "the end")
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) {
		steps.Add(1)
		http.Redirect(w, r, "/loop", http.StatusMovedPermanently)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	tool := builtin.HTTPGet(builtin.HTTPOptions{Allow: here})
	to := func(target string) string { return server.URL + "/to?url=" + url.QueryEscape(target) }
	_, port, _ := net.SplitHostPort(private.Listener.Addr().String())
	for target, want := range map[string]string{
		"http://127.0.0.2:" + port:          "127.0.0.2 is not a public address",
		"http://[::ffff:127.0.0.1]:" + port: "write IPv4 addresses plainly",
		"http://169.254.169.254/":           "not a public address",
		"http://2130706433:" + port:         "neither a name nor an address",
		"file:///etc/passwd":                "file urls cannot be fetched",
		"http://a:b@127.0.0.1:" + port:      "user name or password",
	} {
		got, err := fetch(t, tool, to(target))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want an error with %q", target, got, err, want)
		}
	}
	if got, err := fetch(t, tool, to("/end")); err != nil || got != "the end\n(redirected to "+server.URL+"/end)" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := fetch(t, tool, server.URL+"/loop"); err == nil || !strings.Contains(err.Error(), "more than 5 redirects") || steps.Load() != 6 {
		t.Errorf("loop: %v after %d requests", err, steps.Load())
	}
}

// names is a resolver whose answers are what the test says, in order; the last one stays.
func names(t *testing.T, answers ...string) (resolver *net.Resolver, asked *atomic.Int32) {
	asked = new(atomic.Int32)
	answer := func(conn net.Conn) {
		defer conn.Close()
		for {
			var size uint16
			if binary.Read(conn, binary.BigEndian, &size) != nil {
				return
			}
			packet := make([]byte, size)
			if _, err := io.ReadFull(conn, packet); err != nil {
				return
			}
			var m dnsmessage.Message
			if err := m.Unpack(packet); err != nil {
				t.Error(err)
				return
			}
			m.Response = true
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				n := int(asked.Add(1))
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class},
					Body:   &dnsmessage.AResource{A: netip.MustParseAddr(answers[min(n, len(answers))-1]).As4()},
				}}
			}
			m.Additionals = nil
			packed, err := m.Pack()
			if err != nil {
				t.Error(err)
				return
			}
			conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...))
		}
	}
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go answer(theirs)
		return ours, nil
	}}, asked
}

// A name that resolves to a harmless address when it is checked and to a private one when it is connected to must not get
// through: there is one resolution, and the check sees its outcome.
func TestHTTPGetRebinding(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret") }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())

	resolver, asked := names(t, "127.0.0.1")
	tool := builtin.HTTPGet(builtin.HTTPOptions{Resolver: resolver})
	if got, err := fetch(t, tool, "http://private.example:"+port); err == nil || !strings.Contains(err.Error(), "private.example: 127.0.0.1 is not a public address") {
		t.Errorf("a name for a private address: %q, %v", got, err)
	}
	if asked.Load() != 1 {
		t.Errorf("resolved %d times", asked.Load())
	}

	// 127.0.0.2 stands for a public address: it is allowed and nothing answers there. Whatever is asked later gets 127.0.0.1.
	var checked []string
	resolver, asked = names(t, "127.0.0.2", "127.0.0.1")
	tool = builtin.HTTPGet(builtin.HTTPOptions{Resolver: resolver, Allow: func(addr netip.Addr) error {
		checked = append(checked, addr.String())
		if addr.String() != "127.0.0.2" {
			return errors.New("not allowed")
		}
		return nil
	}})
	if got, err := fetch(t, tool, "http://rebind.example:"+port); err == nil || strings.Contains(got, "secret") {
		t.Errorf("first time: %q, %v", got, err)
	}
	if fmt.Sprint(checked) != "[127.0.0.2]" || asked.Load() != 1 {
		t.Errorf("checked %v, resolved %d times; want one of each", checked, asked.Load())
	}
	if got, err := fetch(t, tool, "http://rebind.example:"+port); err == nil || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("second time: %q, %v", got, err)
	}

	// The check is what stands in the way: with it open the same name gives the page.
	resolver, _ = names(t, "127.0.0.1")
	if got, err := fetch(t, builtin.HTTPGet(builtin.HTTPOptions{Resolver: resolver, Allow: here}), "http://open.example:"+port); err != nil || got != "secret" {
		t.Errorf("allowed: %q, %v", got, err)
	}
}

// A proxy would connect in our place, to addresses that nobody checks.
func TestHTTPGetNoProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was used") }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	resolver, _ := names(t, "10.0.0.1")
	if got, err := fetch(t, builtin.HTTPGet(builtin.HTTPOptions{Resolver: resolver}), "http://inside.example/"); err == nil || !strings.Contains(err.Error(), "10.0.0.1") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestHTTPGetLimits(t *testing.T) {
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("ä", 1000)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		for range 100 { // 100 MB from 100 kB
			if _, err := z.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/drip", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, "a beginning")
		w.(http.Flusher).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/headers", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(release)
	tool := builtin.HTTPGet(builtin.HTTPOptions{Allow: here, MaxBytes: 5001, Timeout: 100 * time.Millisecond})
	got, err := fetch(t, builtin.HTTPGet(builtin.HTTPOptions{Allow: here, MaxBytes: 5001}), server.URL+"/endless")
	if err != nil || !strings.HasPrefix(got, strings.Repeat("ä", 2500)) || !strings.HasSuffix(got, "(cut: this is from the first 5001 bytes of the page)") || len(got) > 5100 {
		t.Errorf("endless: %d bytes, %v", len(got), err)
	}
	got, err = fetch(t, builtin.HTTPGet(builtin.HTTPOptions{Allow: here, MaxBytes: 5001}), server.URL+"/bomb")
	if err != nil || len(got) > 5100 || !strings.Contains(got, "cut") {
		t.Errorf("bomb: %d bytes, %v", len(got), err)
	}
	for _, path := range []string{"/slow", "/drip"} {
		_, err = fetch(t, tool, server.URL+path)
		var failed *tools.CallError
		if !errors.As(err, &failed) || failed.Kind != tools.TimedOut {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err = fetch(t, builtin.HTTPGet(builtin.HTTPOptions{Allow: here}), server.URL+"/headers"); err == nil {
		t.Error("a megabyte of headers was read")
	}
}

func TestHTTPGetContent(t *testing.T) {
	kind, body, status := "", "", 200
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Cookies()) > 0 || r.Header.Get("Authorization") != "" {
			t.Errorf("sent %v", r.Header)
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Set-Cookie", "a=b")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	defer server.Close()
	tool := builtin.HTTPGet(builtin.HTTPOptions{Allow: here})
	for _, c := range []struct {
		kind, body string
		status     int
		want, err  string
	}{
		{"text/plain; charset=utf-8", "plain  text\n", 200, "plain  text\n", ""},
		{"application/json", `{"a": "ä"}`, 200, `{"a": "ä"}`, ""},
		{"application/vnd.api+json", `{}`, 200, `{}`, ""},
		{"text/plain; charset=iso-8859-1", "caf\xe9", 200, "café", ""},
		{"text/html", "<meta charset=shift_jis><p>\x93\xfa\x96\x7b", 200, "日本", ""},
		{"text/html", "<h1>A &amp; B</h1><p>text", 200, "# A & B\n\ntext", ""},
		{"text/html; charset=nonsense", "<p>ä", 200, "ä", ""},
		{"text/plain", "\xef\xbb\xbfbom", 200, "bom", ""},
		{"text/plain", "", 200, "(the page has no text)", ""},
		{"text/html", "<script>x</script>", 200, "(the page has no text)", ""},
		{"image/png", "\x89PNG", 200, "", "image/png, not text"},
		{"application/octet-stream", "abc", 200, "", "not text"},
		{"text/plain", "gone", 404, "", "404 Not Found"},
		{"text/plain", "oops", 500, "", "500 Internal Server Error"},
	} {
		kind, body, status = c.kind, c.body, c.status
		got, err := fetch(t, tool, server.URL)
		if c.err == "" && (err != nil || got != c.want) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s %q: %q, %v; want %q %q", c.kind, c.body, got, err, c.want, c.err)
		}
	}
}
