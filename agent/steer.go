package agent

import (
	"context"
	"sync"
)

// Steering puts messages into a turn that is running: the model reads them before it writes its next message. The zero
// value is ready to use. It is safe for concurrent use, and belongs to one run at a time; see [WithSteering].
type Steering struct {
	mu   sync.Mutex
	said []string
}

// WithSteering lets a run take messages from s.
func WithSteering(s *Steering) RunOption {
	return func(r *run) { r.steering = s }
}

// Say adds a message. One that comes after the last message of the model stays for the next run.
func (s *Steering) Say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, text)
}

// waiting reports whether there are messages that no model has read.
func (s *Steering) waiting() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.said) > 0
}

func (s *Steering) take() []string {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	said := s.said
	s.said = nil
	return said
}

// said reports whether the user has put something in that the model has not read.
func (r *run) said() bool {
	if r.replay != nil {
		return len(r.replay.said(len(r.turn.steps))) > 0
	}
	return r.steering.waiting()
}

// steer puts the messages that wait into the conversation.
func (r *run) steer(ctx context.Context) error {
	said := r.steering.take()
	if r.replay != nil {
		said = r.replay.said(len(r.turn.steps))
	}
	for _, text := range said {
		if err := r.emit(ctx, UserMessage{r.header(), text}); err != nil {
			return err
		}
	}
	return nil
}
