package agenttest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/drover-ai/drover/agent"
)

// TestLog checks that logs keep the contract of [agent.Log]: records in order, none lost, none twice, one at work at a
// time. open returns a log of the same conversation, which must be new, each time it is called, as several processes would
// have them.
func TestLog(t *testing.T, open func(t *testing.T) agent.Log) {
	ctx := context.Background()
	one, two := open(t), open(t)
	if one.ID() == "" || one.ID() != two.ID() {
		t.Errorf("the ids of one conversation are %q and %q", one.ID(), two.ID())
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	text := func(position int64, s string) agent.Record {
		return agent.Record{Position: position, Event: agent.TextDelta{Header: agent.Header{At: at}, Text: s}}
	}
	read := func(log agent.Log, after int64) (all string) {
		t.Helper()
		for r, err := range log.Records(ctx, after) {
			if err != nil {
				t.Fatal(err)
			}
			e, ok := r.Event.(agent.TextDelta)
			if after++; !ok || r.Position != after || !e.At.Equal(at) {
				t.Errorf("record %d is %+v", after, r)
			}
			all += e.Text
		}
		return all
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(one.Append(ctx))
	if got := read(one, 0); got != "" {
		t.Errorf("a new log has %q", got)
	}
	check(one.Append(ctx, text(1, "a")))
	check(two.Append(ctx, text(2, "<b>"), text(3, "c\u00fc\n")))
	durable := text(4, "d")
	durable.Durable = true
	check(one.Append(ctx, durable))
	for _, log := range []agent.Log{one, two, open(t)} {
		if got := read(log, 0); got != "a<b>cü\nd" {
			t.Errorf("the log has %q", got)
		}
		if got := read(log, 3); got != "d" {
			t.Errorf("after the third record it has %q", got)
		}
	}
	for range one.Records(ctx, 0) {
		break // nothing may be stuck after it
	}
	if err := two.Append(ctx, text(5, "e"), text(4, "again")); err == nil {
		t.Error("records out of order are stored")
	}
	if err := two.Append(ctx, text(4, "again")); !errors.Is(err, agent.ErrConflict) {
		t.Errorf("a place that is taken gives %v, want agent.ErrConflict", err)
	}
	if got := read(one, 0); got != "a<b>cü\nd" {
		t.Errorf("what was refused is there: %q", got)
	}
	checkClaim(t, one, two)
}

// checkClaim checks that one is at work at a time.
func checkClaim(t *testing.T, one, two agent.Log) {
	t.Helper()
	ctx := context.Background()
	release, err := one.Claim(ctx)
	if err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if again, err := two.Claim(soon); err == nil {
		again()
		t.Error("two have claimed the conversation")
	}
	claimed := make(chan error, 1)
	go func() {
		again, err := two.Claim(ctx)
		if err == nil {
			again()
		}
		claimed <- err
	}()
	time.Sleep(5 * time.Millisecond)
	release()
	if err := <-claimed; err != nil {
		t.Errorf("waiting for the conversation ends with %v", err)
	}
}
