package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/drover-ai/drover/prompts"
)

// Session is a conversation whose events are stored before they are shown, so that it can go on in another process, after
// a crash too. Pass it to a run by [WithSession]; finish a turn that was interrupted with [Agent.Resume].
//
// A session is safe for concurrent use; its turns run one after the other. Make one with [NewSession], from a [Log]:
// package agent/sessions has those that are kept in a file.
type Session struct {
	log Log

	turn   chan struct{} // room for one: the run that is at work
	loaded bool
	warm   *Agent // whose model has restored what was computed for the conversation, or has computed it
	last   int64  // position of the last record that state has
	state  state
}

// Log is where the events of one conversation are stored.
type Log interface {
	// ID names the conversation for good: the idempotency keys of its tool calls are made from it.
	ID() string
	// Claim waits until nobody else, of this process or of another, works on the conversation and keeps others out until
	// release is called. The claim must end with the process, however that ends.
	Claim(ctx context.Context) (release func(), err error)
	// Records yields what is stored after a position, oldest first. Positions start at 1.
	Records(ctx context.Context, after int64) iter.Seq2[Record, error]
	// Append stores records, all or none. The position of the first must be that of the last stored one plus 1; otherwise
	// somebody else has written, and the error is [ErrConflict]. What was stored survives the end of the process.
	Append(ctx context.Context, records ...Record) error
}

// StateLog is an optional capability of a [Log]: a file in which the model may keep what it computed for the conversation.
// It is read when a process goes on with the conversation and written at the end of each turn; nothing depends on it but
// how soon the first word comes.
type StateLog interface {
	// StatePath is the file, whose folder exists; "" for none.
	StatePath() string
}

// Record is a stored event.
type Record struct {
	Position int64
	Event    Event
	// Durable asks that this record, and all before it, survive a power cut too.
	Durable bool
}

// ErrConflict is why [Log].Append refuses a record whose place is taken.
var ErrConflict = errors.New("the session was changed by somebody else in the meantime; run the turn again")

// ErrNotInterrupted is why [Agent.Resume] refuses a session in which nothing is left to do.
var ErrNotInterrupted = errors.New("the session has no interrupted turn; ask it something new")

// NewSession returns the session of a log. Several may be made of one log; they keep out of each other's way.
func NewSession(log Log) *Session {
	return &Session{log: log, turn: make(chan struct{}, 1)}
}

// ID is that of the log.
func (s *Session) ID() string { return s.log.ID() }

// claim waits until the session is free, and brings the state up to date.
func (s *Session) claim(ctx context.Context) (release func(), err error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	unlock, err := s.log.Claim(ctx)
	if err == nil {
		if err = s.sync(ctx); err != nil {
			unlock()
		}
	}
	if err != nil {
		<-s.turn
		return nil, err // the log says which session
	}
	return func() { unlock(); <-s.turn }, nil
}

// sync reads what was stored since the last time.
func (s *Session) sync(ctx context.Context) error {
	if !s.loaded {
		return s.load(ctx)
	}
	for record, err := range s.log.Records(ctx, s.last) {
		if err != nil {
			return err
		}
		if record.Event.Type() == EventRewind {
			return s.load(ctx)
		}
		s.state.apply(record.Event)
		s.last = record.Position
	}
	return nil
}

// load reads everything.
func (s *Session) load(ctx context.Context) error {
	s.loaded = false
	events, last, err := effective(s.log.Records(ctx, 0))
	if err != nil {
		return err
	}
	s.state = state{}
	for _, event := range events {
		s.state.apply(event)
	}
	s.last, s.loaded = last, true
	return nil
}

// effective returns the events that no rewind has taken back, and the position of the last record.
func effective(records iter.Seq2[Record, error]) (events []Event, last int64, err error) {
	var starts []int // of the turns, in events
	for record, err := range records {
		if err != nil {
			return nil, 0, err
		}
		last = record.Position
		switch e := record.Event.(type) {
		case Rewind:
			if e.Turns < len(starts) {
				events = events[:starts[max(e.Turns, 0)]]
				starts = starts[:max(e.Turns, 0)]
			}
			continue
		case Start:
			starts = append(starts, len(events))
		}
		events = append(events, record.Event)
	}
	return events, last, nil
}

// append stores events and applies them.
func (s *Session) append(ctx context.Context, durable bool, events ...Event) error {
	records := make([]Record, len(events))
	for i, event := range events {
		records[i] = Record{s.last + int64(i) + 1, event, durable}
	}
	// What happened must be stored, also when the run has been canceled.
	if err := s.log.Append(context.WithoutCancel(ctx), records...); err != nil {
		s.loaded = false
		return err // the log says which session
	}
	s.last += int64(len(events))
	for _, event := range events {
		s.state.apply(event)
	}
	return nil
}

// Status is where a session stands.
type Status struct {
	Messages    []prompts.Message // of the conversation as the model sees it, without the system prompt
	Turns       int               // begun and not taken back
	Interrupted bool              // the last turn is not finished: [Agent.Resume] goes on with it
	Prompt      string            // of the interrupted turn
}

// Status waits for the run at work, if there is one, and tells where the session stands.
func (s *Session) Status(ctx context.Context) (Status, error) {
	release, err := s.claim(ctx)
	if err != nil {
		return Status{}, err
	}
	defer release()
	status := Status{Messages: slices.Clone(s.state.messages), Turns: s.state.turns}
	if t := s.state.turn; t != nil {
		status.Interrupted, status.Prompt = true, t.start.Prompt
	}
	return status, nil
}

// Events returns the events of the conversation that count, oldest first: what was rewound is left out.
func (s *Session) Events(ctx context.Context) ([]Event, error) {
	events, _, err := effective(s.log.Records(ctx, 0))
	return events, err
}

// Rewind takes back all turns after the first so many: the next run goes on from there. Nothing is removed from the log.
// To edit what was said in turn n, rewind to n−1 and run the new text; to keep both, fork the session first.
func (s *Session) Rewind(ctx context.Context, turns int) error {
	release, err := s.claim(ctx)
	if err != nil {
		return err
	}
	defer release()
	if turns < 0 || turns > s.state.turns {
		return fmt.Errorf("session: cannot go back to turn %d of %d", turns, s.state.turns)
	}
	record := Record{s.last + 1, Rewind{Header{time.Now()}, turns}, true}
	if err := s.log.Append(ctx, record); err != nil {
		return err
	}
	return s.load(ctx)
}

// statePath is where what was computed is kept, if it is.
func (s *Session) statePath() string {
	if log, ok := s.log.(StateLog); ok {
		return log.StatePath()
	}
	return ""
}

// restoreState gives the model what it computed for the conversation in another process.
func (r *run) restoreState() {
	s := r.session
	if s == nil || s.warm == r.Agent || r.replay != nil {
		return
	}
	s.warm = r.Agent
	keeper, ok := r.model.(StateKeeper)
	path := s.statePath()
	if !ok || path == "" || len(r.state.messages) == 0 {
		return
	}
	if err := keeper.RestoreState(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.logger.Warn("the state of the session cannot be used; it is computed again", "session", s.ID(), "error", err)
	}
}

// saveState stores what the model computed for the conversation.
func (r *run) saveState() {
	if r.session == nil || r.replay != nil {
		return
	}
	keeper, ok := r.model.(StateKeeper)
	path := r.session.statePath()
	if !ok || path == "" {
		return
	}
	if err := keeper.SaveState(r.request(), path); err != nil {
		r.logger.Warn("the state of the session cannot be stored; it will be computed again", "session", r.session.ID(), "error", err)
	}
}

// memoryLog is a log that lasts as long as the process.
type memoryLog struct {
	id      string
	turn    chan struct{}
	mu      sync.Mutex
	records []Record
}

// NewMemoryLog returns a [Log] in memory, for tests and for programs that do without a file.
func NewMemoryLog(id string) Log {
	return &memoryLog{id: id, turn: make(chan struct{}, 1)}
}

func (l *memoryLog) ID() string { return l.id }

func (l *memoryLog) Claim(ctx context.Context) (func(), error) {
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (l *memoryLog) Records(_ context.Context, after int64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		l.mu.Lock()
		records := l.records[min(after, int64(len(l.records))):]
		l.mu.Unlock()
		for _, record := range records {
			if !yield(record, nil) {
				return
			}
		}
	}
}

func (l *memoryLog) Append(_ context.Context, records ...Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, record := range records {
		if record.Position != int64(len(l.records)+i)+1 {
			return ErrConflict
		}
	}
	l.records = append(l.records, records...)
	return nil
}
