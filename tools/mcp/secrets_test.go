package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Headers go to the server that they are for, and to no other, although it redirects there.
func TestHeaders(t *testing.T) {
	var elsewhere, home []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.Header.Get("X-Key"))
	}))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		home = append(home, r.Header.Get("X-Key"))
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	client := withHeaders(nil, server.URL+"/mcp", http.Header{"X-Key": {"verysecret"}})
	response, err := client.Get(server.URL + "/mcp")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if len(home) != 1 || home[0] != "verysecret" || len(elsewhere) != 1 || elsewhere[0] != "" {
		t.Errorf("the server got %q, the other %q", home, elsewhere)
	}
}

// A server that repeats what it got does not bring a token into an error.
func TestHidden(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "no such token: "+got+" and "+r.URL.RawQuery)
	}))
	defer server.Close()
	_, err := Dial(t.Context(), server.URL+"/?key=also%20secret", Options{Headers: http.Header{"Authorization": {"Bearer verysecret"}}})
	if err == nil || got != "Bearer verysecret" || !strings.Contains(err.Error(), "?***") {
		t.Errorf("%q, %v", got, err)
	}
	for _, secret := range []string{"verysecret", "also%20secret", "also secret", "also+secret"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in %v", secret, err)
		}
	}
	_, err = Command(t.Context(), []string{"/no/such/program", "--token=verysecret"}, Options{Secrets: []string{"verysecret"}})
	if err == nil || strings.Contains(err.Error(), "verysecret") || !strings.Contains(err.Error(), "--token=***") {
		t.Errorf("%v", err)
	}
	hidden := &hiddenError{errors.New("abc verysecret x"), hide(nil, Options{Secrets: []string{"", "x", "secret", "verysecret"}})}
	if hidden.Error() != "abc *** x" {
		t.Errorf("%v", hidden)
	}
}

// Whatever way a secret comes to a server, no text for people shows it, nor what it is in an address.
func TestHide(t *testing.T) {
	t.Setenv("DROVER_TEST_OURS", "not-a-secret")
	for name, c := range map[string]struct {
		words   string // divided by |
		options Options
		want    string // of the words, joined by spaces, and what the texts say
		text    string
		hidden  string
	}{
		"address": {
			words: "https://me:pass1234@h/mcp?key=query1234&x=1#frag1234",
			want:  "https://***@h/mcp?***#***", text: "pass1234 query1234 frag1234 x", hidden: "*** *** *** x",
		},
		"a user alone":       {words: "https://token1234@h/mcp", want: "https://***@h/mcp", text: "token1234", hidden: "***"},
		"no address":         {words: "https://h/%zz?key=query1234", want: "https://***", text: "query1234", hidden: "query1234"},
		"flag":               {words: "npx|server|--api-key|abcd1234|-v", want: "npx server --api-key *** -v", text: "got abcd1234", hidden: "got ***"},
		"flag with a value":  {words: "server|--token=abcd1234", want: "server --token=***"},
		"variable":           {words: "env|GITHUB_TOKEN=abcd1234|server", want: "env GITHUB_TOKEN=*** server"},
		"header":             {words: "mcp-remote|https://h/sse|--header|Authorization: Bearer abcd1234", want: "mcp-remote https://h/sse --header Authorization: ***", text: "Bearer abcd1234, abcd1234", hidden: "***, ***"},
		"address as a flag":  {words: "server|--dsn=postgres://me:pass1234@db/x?sslpassword=abcd1234", want: "server --dsn=***"},
		"address in a flag":  {words: "server|--url=postgres://me:pass1234@db/x?y=abcd1234", want: "server --url=postgres://***@db/x?***"},
		"added environment":  {words: "server", options: Options{Environment: append(os.Environ(), "A_KEY=abcd1234")}, want: "server", text: "abcd1234 not-a-secret", hidden: "*** not-a-secret"},
		"header of requests": {words: "https://h/", options: Options{Headers: http.Header{"X-Key": {"abcd1234"}}}, want: "https://h/", text: "abcd1234", hidden: "***"},
	} {
		words := strings.Split(c.words, "|")
		hidden := hide(words, c.options)
		if got := hidden.Replace(strings.Join(words, " ")); got != c.want {
			t.Errorf("%s: the command line is shown as %s, want %s", name, got, c.want)
		}
		if got := hidden.Replace(c.text); got != c.hidden {
			t.Errorf("%s: %q is shown as %q, want %q", name, c.text, got, c.hidden)
		}
	}
}

// A server that repeats its secrets in the description of a tool that cannot be used, or in the error of one, does not bring them
// into the log or into errors.
func TestServerTellsSecrets(t *testing.T) {
	server := sdk.NewServer(&sdk.Implementation{Name: "leaky", Version: "1"}, nil)
	server.AddTool(&sdk.Tool{Name: "fail", Description: "Fails.", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: "denied: " + r.Extra.Header.Get("Authorization")}}}, nil
		})
	server.AddTool(&sdk.Tool{Name: "bad", InputSchema: json.RawMessage(`{"type":"object","properties":{"a":{"pattern":"verysecret("}}}`)},
		func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) { return nil, nil })
	web := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, nil))
	defer web.Close()
	var log bytes.Buffer
	c, err := Dial(t.Context(), web.URL, Options{Headers: http.Header{"Authorization": {"Bearer verysecret"}}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = registryOf(t, c.Tools()...).Call(t.Context(), "fail", nil)
	if err == nil || !strings.HasSuffix(err.Error(), "denied: ***") {
		t.Errorf("the call's error is %v", err)
	}
	skipped := c.Skipped()
	if len(skipped) != 1 || !strings.Contains(log.String(), "tool left out") {
		t.Fatalf("skipped %v, log %s", skipped, &log)
	}
	if told := skipped[0].Reason.Error() + log.String(); strings.Contains(told, "verysecret") || !strings.Contains(told, "***") {
		t.Errorf("%s", told)
	}
}
