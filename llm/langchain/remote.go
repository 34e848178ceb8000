package langchain

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/internal/redact"
)

// HTTPClient is base, or the default client if base is nil, for a langchaingo provider that an [AgentModel] answers with:
//
//	openai.New(openai.WithHTTPClient(langchain.HTTPClient(nil)))
//
// With it the agent waits, before it asks again, as long as the server's Retry-After header says, and knows the status of a
// response also where the provider's error leaves it out. Without it the agent knows what the error says in words.
func HTTPClient(base *http.Client) *http.Client {
	if base == nil {
		base = http.DefaultClient
	}
	copied := *base
	copied.Transport = noting{copied.Transport}
	return &copied
}

// noting is a transport that notes in a request's context what a provider leaves out of its errors.
type noting struct{ inner http.RoundTripper }

// refusal is a response that is no answer.
type refusal struct {
	status int
	after  time.Duration // 0: not said
}

type refusalKey struct{} // *atomic.Pointer[refusal]

func withRefusal(ctx context.Context, to *atomic.Pointer[refusal]) context.Context {
	return context.WithValue(ctx, refusalKey{}, to)
}

// RoundTrip implements [http.RoundTripper].
func (t noting) RoundTrip(request *http.Request) (*http.Response, error) {
	inner := t.inner
	if inner == nil {
		inner = http.DefaultTransport
	}
	response, err := inner.RoundTrip(request)
	if to, ok := request.Context().Value(refusalKey{}).(*atomic.Pointer[refusal]); ok {
		to.Store(nil) // a provider that tries again itself: the last one counts
		if err == nil && response.StatusCode >= 400 {
			to.Store(&refusal{response.StatusCode, retryAfter(response.Header, time.Now())})
		}
	}
	return response, err
}

// retryAfter reads how long a server asks to wait; 0 if it does not say.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 { // OpenAI's, where seconds are too coarse
		return seconds(ms / 1000)
	}
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 {
		return seconds(n)
	}
	if when, err := http.ParseTime(text); err == nil {
		return max(when.Sub(now), 0)
	}
	return 0
}

// seconds is a time, or the longest if it is longer.
func seconds(n float64) time.Duration {
	const longest = 1 << 62
	if n*float64(time.Second) >= longest {
		return longest
	}
	return time.Duration(n * float64(time.Second))
}

// providerError gives the error of a provider the code that langchaingo has for its HTTP status, which most providers only
// write into the text. Errors without one stay as they are. Secrets in addresses are taken out of the text, and what may pass
// is an [*agent.TransientError] around it.
func providerError(name string, err error, told *refusal) error {
	var (
		coded   *llms.Error
		network *net.OpError
		limited interface{ Timeout() bool }
	)
	text := redact.URLs(err.Error())
	if !errors.As(err, &coded) {
		code := llms.ErrorCode("")
		status := statusOf(text)
		if status == 0 && told != nil {
			status = told.status
		}
		switch {
		case status != 0:
			code = codeOf(status, strings.ToLower(text))
		case strings.HasPrefix(text, "request timeout"): // the OpenAI provider's words, under which it hides the cause
			code = llms.ErrCodeTimeout
		case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.HasPrefix(text, "network error"):
			code = llms.ErrCodeProviderUnavailable
		case errors.As(err, &limited) && limited.Timeout():
			code = llms.ErrCodeTimeout
		}
		if code == "" {
			if text != err.Error() {
				err = &redactedError{text, err}
			}
			return err
		}
		coded = llms.NewError(code, name, text).WithCause(err)
		err = coded
	} else if text != err.Error() {
		err = &redactedError{text, err}
	}
	switch coded.Code {
	case llms.ErrCodeRateLimit, llms.ErrCodeProviderUnavailable, llms.ErrCodeTimeout:
	default:
		return err
	}
	after := saidWait(text)
	if told != nil && told.after > 0 {
		after = told.after
	}
	return &agent.TransientError{Err: err, After: after}
}

// redactedError is an error whose text shows no secrets. What it wraps may.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

// statuses finds the HTTP status in the words of langchaingo's providers: "… status code: 429 …", "429 Too Many Requests: …".
var statuses = regexp.MustCompile(`(?i)status code: ([1-5][0-9]{2})\b|^([45][0-9]{2}) ([A-Z][a-z]+)`)

// statusOf is the HTTP status in a provider's words, 0 if there is none.
func statusOf(text string) int {
	m := statuses.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	status, _ := strconv.Atoi(m[1] + m[2]) // digits
	if m[2] != "" && !strings.HasPrefix(strings.ToLower(http.StatusText(status)), strings.ToLower(m[3])) {
		return 0 // a sentence that begins with a number
	}
	return status
}

// codeOf is the code of a status; text is in lower case.
func codeOf(status int, text string) llms.ErrorCode {
	switch {
	case strings.Contains(text, "context length"):
		return llms.ErrCodeTokenLimit
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return llms.ErrCodeAuthentication
	case status == http.StatusPaymentRequired:
		return llms.ErrCodeQuotaExceeded
	case status == http.StatusNotFound:
		return llms.ErrCodeResourceNotFound
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return llms.ErrCodeTimeout
	case status == http.StatusRequestEntityTooLarge:
		return llms.ErrCodeTokenLimit
	case status == http.StatusTooManyRequests && (strings.Contains(text, "current quota") || strings.Contains(text, "insufficient_quota")):
		return llms.ErrCodeQuotaExceeded // OpenAI's 429 for an account that is empty: it does not fill by waiting
	case status == http.StatusTooManyRequests:
		return llms.ErrCodeRateLimit
	case status == http.StatusNotImplemented:
		return llms.ErrCodeNotImplemented
	case status >= 500:
		return llms.ErrCodeProviderUnavailable
	case status >= 400:
		return llms.ErrCodeInvalidRequest
	}
	return ""
}

// waits finds how long to wait in a server's words: "try again in 1m2.5s", "retry after 20 seconds".
var waits = regexp.MustCompile(`(?i)\b(?:try again|retry) (?:in|after) ([0-9][0-9.hms]*)(?: ?(second|minute)s?\b)?`)

// saidWait is how long a server's words ask to wait; 0 if they do not.
func saidWait(text string) time.Duration {
	m := waits.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	number := strings.TrimRight(m[1], ".")
	switch strings.ToLower(m[2]) {
	case "second":
		number += "s"
	case "minute":
		number += "m"
	}
	wait, err := time.ParseDuration(number)
	if err != nil {
		return 0
	}
	return max(wait, 0)
}
