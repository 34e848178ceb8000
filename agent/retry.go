package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net"
	"net/url"
	"syscall"
	"time"

	"github.com/drover-ai/drover/prompts"
)

// TransientError says that a model call failed for a reason that may pass: too many requests at once, a server that is
// overloaded or starts anew, a connection that broke. A [Model] returns it, or a [Middleware] makes it of an error that it
// knows, so that the call is made again; see [WithRetry]. Broken connections need no TransientError around them.
type TransientError struct {
	Err   error         // what went wrong
	After time.Duration // how long the other side asks to wait; 0 if it does not say
}

func (e *TransientError) Error() string { return e.Err.Error() }

// Unwrap returns what went wrong.
func (e *TransientError) Unwrap() error { return e.Err }

// Retry says how a model call is made again that failed with a [*TransientError], or because a connection broke or was refused.
// Only calls of which nothing has arrived are: an answer that breaks off after its first word is an error, and is never written twice.
type Retry struct {
	// Retries is how often a call is made again at most; 0 for never.
	Retries int
	// Backoff is the pause before the first retry. It doubles from one to the next; up to half of each is left out by lot, so
	// that callers who failed together do not come back together.
	Backoff time.Duration
	// MaxPause bounds each pause. Who asks for a longer one ([TransientError].After) is not asked again: the call has failed.
	MaxPause time.Duration
}

// DefaultRetry waits about 4 seconds in all, or for as long as the other side asks, up to a minute each time.
func DefaultRetry() Retry {
	return Retry{Retries: 3, Backoff: 500 * time.Millisecond, MaxPause: time.Minute}
}

// WithRetry replaces [DefaultRetry]. Each retry is a [Notice] and a warning in the log, and each attempt passes through the
// middleware. A pause that would not end within [Limits].Time, or before the context's deadline, is not begun.
func WithRetry(p Retry) Option {
	return func(a *Agent) error {
		if p.Retries < 0 || p.Backoff < 0 || p.MaxPause < 0 {
			return fmt.Errorf("retry: %+v has a negative value; use Retry{} to try once", p)
		}
		a.retry = p
		return nil
	}
}

// transient reports whether an error may pass, and how long the other side asks to wait.
func transient(err error) (after time.Duration, ok bool) {
	var (
		told    *TransientError
		name    *net.DNSError
		network *net.OpError
		asked   *url.Error
		limited interface{ Timeout() bool }
	)
	switch {
	case errors.As(err, &told):
		return max(told.After, 0), true
	case errors.Is(err, errors.ErrUnsupported):
		return 0, false
	case errors.As(err, &name):
		return 0, !name.IsNotFound
	case errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF),
		errors.As(err, &asked) && errors.Is(err, io.EOF), // the server closed the connection instead of answering
		errors.As(err, &limited) && limited.Timeout():
		return 0, true
	}
	for _, broken := range []error{syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.ECONNABORTED, syscall.EPIPE} {
		if errors.Is(err, broken) {
			return 0, true
		}
	}
	return 0, false
}

// pause is how long to wait before a retry, the first being 0.
func (p Retry) pause(retry int, after time.Duration) time.Duration {
	backoff := p.MaxPause
	if doubled := p.Backoff << retry; doubled>>retry == p.Backoff { // else it has overflowed
		backoff = min(backoff, doubled)
	}
	half := backoff / 2
	if after > 0 {
		return after + rand.N(half+1)
	}
	return backoff - half + rand.N(half+1)
}

// ask calls the model, again and again where [Retry] says so. All that the run asks of the model goes through here.
func (r *run) ask(ctx context.Context, req prompts.Request) iter.Seq2[prompts.Delta, error] {
	return func(yield func(prompts.Delta, error) bool) {
		for retry := 0; ; retry++ {
			begun := false
			var failure error
			for delta, err := range r.generator(ctx, req) {
				if err != nil && !begun {
					failure = err
					break
				}
				begun = true
				if !yield(delta, err) || err != nil {
					return
				}
			}
			if failure == nil {
				return
			}
			if err := r.waitToRetry(ctx, retry, failure); err != nil {
				yield(prompts.Delta{}, err)
				return
			}
		}
	}
}

// waitToRetry returns nil when it is time for a retry, else what the call has failed with.
func (r *run) waitToRetry(ctx context.Context, retry int, failure error) error {
	after, ok := transient(failure)
	if !ok || ctx.Err() != nil {
		return failure
	}
	pause := r.retry.pause(retry, after)
	deadline, limited := ctx.Deadline()
	switch {
	case r.retry.Retries == 0:
		return failure
	case retry >= r.retry.Retries:
		return fmt.Errorf("%w (%d attempts)", failure, retry+1)
	case after > r.retry.MaxPause:
		return fmt.Errorf("%w; it may be asked again in %v, which is longer than the %v that a retry may wait", failure, after, r.retry.MaxPause)
	case limited && time.Until(deadline) <= pause:
		return fmt.Errorf("%w; there is no time left for another attempt", failure)
	}
	shown := pause.Round(10 * time.Millisecond)
	r.logger.Warn("model call failed; it is made again", "model", r.model.Name(), "retry", retry+1, "of", r.retry.Retries, "pause", shown, "error", failure)
	text := fmt.Sprintf("the model call failed: %v; retry %d of %d in %v", failure, retry+1, r.retry.Retries, shown)
	if err := r.emit(ctx, Notice{r.header(), NoticeRetry, clean(text), ""}); err != nil {
		return err
	}
	if !sleep(ctx, pause) {
		return ctx.Err()
	}
	return nil
}
