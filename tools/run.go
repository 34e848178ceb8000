package tools

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// lastWords is how long a tool may go on after its context ended, to stop a process or hand back what it has.
// After that it is abandoned.
const lastWords = 100 * time.Millisecond

// outcome is what a tool's goroutine leaves behind.
type outcome struct {
	result Result
	err    error
}

// run calls f in a goroutine of its own and waits for it, for the end of ctx, or for the timeout (0: none).
//
// Go cannot stop a goroutine from outside. When f ignores its context, run returns lastWords after the end and f goes
// on alone until it returns; its result is dropped. That goroutine belongs to the tool, which should watch ctx.
func run(ctx context.Context, name string, timeout time.Duration, f func(context.Context) (Result, error)) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, endedError(ctx, name, err)
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no result within %v: %w", timeout, context.DeadlineExceeded))
		defer cancel()
	}
	left := make(chan outcome, 1) // buffered: an abandoned tool can still leave
	go func() {
		o := outcome{err: &CallError{Tool: name, Kind: Failed, Err: errors.New("the tool ended its goroutine without a result")}}
		defer func() {
			if value := recover(); value != nil {
				o = outcome{err: &CallError{Tool: name, Kind: Panicked, Err: fmt.Errorf("%v", value), Stack: debug.Stack()}}
			}
			left <- o
		}()
		result, err := f(ctx)
		o = outcome{result, err}
	}()

	select {
	case o := <-left:
		return settle(ctx, name, o)
	case <-ctx.Done():
	}
	grace := time.NewTimer(lastWords)
	defer grace.Stop()
	select {
	case o := <-left:
		return settle(ctx, name, o)
	case <-grace.C:
		return Result{}, endedError(ctx, name, nil)
	}
}

// settle turns what the tool left into what the caller gets: errors become [*CallError] of the right kind.
func settle(ctx context.Context, name string, o outcome) (Result, error) {
	if o.err == nil {
		return o.result, nil
	}
	var known *CallError
	if errors.As(o.err, &known) {
		return Result{}, known
	}
	if ctx.Err() != nil {
		return Result{}, endedError(ctx, name, o.err)
	}
	return Result{}, &CallError{Tool: name, Kind: Failed, Err: o.err}
}

// endedError tells how ctx ended. err is what the tool said about it, if anything.
func endedError(ctx context.Context, name string, err error) *CallError {
	kind, ended := Canceled, ctx.Err()
	if errors.Is(ended, context.DeadlineExceeded) {
		kind = TimedOut
	}
	cause := context.Cause(ctx)
	if !errors.Is(cause, ended) {
		cause = fmt.Errorf("%w (%w)", ended, cause)
	}
	if err != nil && !errors.Is(err, ended) {
		cause = fmt.Errorf("%w: %w", cause, err)
	}
	return &CallError{Tool: name, Kind: kind, Err: cause}
}
