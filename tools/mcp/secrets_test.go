package mcp

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
	hidden := &hiddenError{errors.New("abc verysecret x"), hide("", Options{Secrets: []string{"", "x", "secret", "verysecret"}})}
	if hidden.Error() != "abc *** x" {
		t.Errorf("%v", hidden)
	}
}
