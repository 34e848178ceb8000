package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/drover-ai/drover/prompts"
)

// ReplayError says that a replay came to something else than what was recorded.
type ReplayError struct {
	Turn, Step int // from 1 and from 0
	What       string
	Want, Got  string // recorded, and now
}

func (e *ReplayError) Error() string {
	return fmt.Sprintf("replay: turn %d, step %d: %s is %q, was %q; use the model, the system prompt, the tools and the limits of the recording",
		e.Turn, e.Step, e.What, e.Got, e.Want)
}

// replay is what a turn's record prescribes: everything that did not come from the model.
type replay struct {
	turn     int
	start    Start
	messages []Message             // of the model, by step
	results  map[string]ToolResult // by call
	before   map[int][]Event       // by step: what came before the model wrote
}

// Replay runs the turns of a session again and checks that the model writes what it wrote then, to the byte: text, calls,
// and token ids where the model gives them. No tool runs and nobody is asked: results, messages put in between, summaries
// of old turns and reached limits are taken from the record. Nothing is stored. It yields what Run would.
//
// The agent must have the system prompt, the tools and the limits that it had. A difference ends the replay with a
// [*ReplayError]. A turn that was interrupted is checked as far as it went.
func (a *Agent) Replay(ctx context.Context, s *Session) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		events, err := s.Events(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		copied := NewSession(NewMemoryLog(s.ID()))
		for i, turn := range turnsOf(events) {
			script := newReplay(i+1, turn)
			for event, err := range a.runner(ctx, script.start.Prompt, WithSession(copied), func(r *run) { r.replay = script }) {
				if errors.Is(err, errRecordEnds) {
					break
				}
				if !yield(event, err) || err != nil {
					return
				}
			}
		}
	}
}

// errRecordEnds ends the replay of a turn that was interrupted.
var errRecordEnds = errors.New("the record ends here")

// turnsOf cuts a log into turns.
func turnsOf(events []Event) (turns [][]Event) {
	for i, event := range events {
		if event.Type() == EventStart {
			end := slices.IndexFunc(events[i+1:], func(e Event) bool { return e.Type() == EventStart })
			if end < 0 {
				end = len(events) - i - 1
			}
			turns = append(turns, events[i:i+1+end])
		}
	}
	return turns
}

func newReplay(turn int, events []Event) *replay {
	p := &replay{turn: turn, results: map[string]ToolResult{}, before: map[int][]Event{}}
	for _, event := range events {
		step := len(p.messages)
		switch e := event.(type) {
		case Start:
			p.start = e
		case Message:
			p.messages = append(p.messages, e)
		case ToolResult:
			if _, ok := p.results[e.ID]; !ok {
				p.results[e.ID] = e
			}
		case UserMessage, Compaction:
			p.before[step] = append(p.before[step], e)
		case Notice:
			if e.Kind == NoticeToolsOff {
				p.before[step] = append(p.before[step], e)
			}
		}
	}
	return p
}

// over reports whether the record ends before a step.
func (p *replay) over(step int) bool { return step >= len(p.messages) }

// check compares what the model wrote with what it had written, and returns the latter.
func (p *replay) check(step int, got Message) (Message, error) {
	want := p.messages[step]
	differs := func(what, want, got string) (Message, error) {
		return Message{}, &ReplayError{p.turn, step, what, want, got}
	}
	if want.StopReason == prompts.StopReasonCancelled {
		if !strings.HasPrefix(got.Message.Content, want.Message.Content) {
			return differs("the beginning of the text", want.Message.Content, got.Message.Content)
		}
		return want, nil
	}
	w, g := want.Message, got.Message
	if w.Content != g.Content {
		return differs("the text", w.Content, g.Content)
	}
	if !slices.EqualFunc(w.ToolCalls, g.ToolCalls, sameCall) {
		return differs("the calls", fmt.Sprintf("%s", w.ToolCalls), fmt.Sprintf("%s", g.ToolCalls))
	}
	if w.Tokens != nil && g.Tokens != nil && !slices.Equal(w.Tokens, g.Tokens) {
		return differs("the list of tokens", fmt.Sprint(w.Tokens), fmt.Sprint(g.Tokens))
	}
	if len(w.ToolCalls) > 0 && want.Malformed == "" {
		got.Malformed = "" // logs of earlier versions leave it out there
	}
	if want.Malformed != got.Malformed {
		return differs("the error of a call", want.Malformed, got.Malformed)
	}
	if want.StopReason != got.StopReason {
		return differs("the stop reason", string(want.StopReason), string(got.StopReason))
	}
	return got, nil
}

func sameCall(a, b prompts.ToolCall) bool {
	return a.ID == b.ID && a.Name == b.Name && bytes.Equal(a.Arguments, b.Arguments)
}

// result is the recorded result of a call.
func (p *replay) result(call prompts.ToolCall) (ToolResult, error) {
	result, ok := p.results[call.ID]
	if !ok {
		return ToolResult{}, errRecordEnds
	}
	return result, nil
}

// said returns the messages that the user put in before a step.
func (p *replay) said(step int) (texts []string) {
	for _, event := range p.before[step] {
		if e, ok := event.(UserMessage); ok {
			texts = append(texts, e.Text)
		}
	}
	return texts
}

// switchToolsOff does so where the record does.
func (p *replay) switchToolsOff(ctx context.Context, r *run, step int) error {
	for _, event := range p.before[step] {
		if e, ok := event.(Notice); ok && !r.turn.toolsOff {
			if err := r.emit(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// compact shortens the conversation where the record does.
func (p *replay) compact(ctx context.Context, r *run, step int) error {
	for _, event := range p.before[step] {
		if e, ok := event.(Compaction); ok {
			if err := r.emit(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}
