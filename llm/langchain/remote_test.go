package langchain

import (
	"testing"
	"time"
)

func TestStatusOf(t *testing.T) {
	for text, want := range map[string]int{
		"API returned unexpected status code: 429: slow down": 429,
		"unexpected status code: 503, body: x":                503,
		"429 Too Many Requests: slow down":                    429,
		"503 Service Unavailable":                             503,
		"512 tokens are too many":                             0,
		"error 500":                                           0,
		"status code: 99":                                     0,
	} {
		if got := statusOf(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestSaidWait(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"Please try again in 20ms.":                         20 * time.Millisecond,
		"Rate limit reached. Please try again in 1m2.5s. x": 62500 * time.Millisecond,
		"Please retry after 20 seconds.":                    20 * time.Second,
		"try again in 1 minute":                             time.Minute,
		"try again in 5":                                    0, // of what?
		"try again in a while":                              0,
		"retry in 99999999999999h":                          0,
	} {
		if got := saidWait(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
