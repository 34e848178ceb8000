package agent

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drover-ai/drover/prompts"
)

// state is what a conversation has come to: the fold of its events. A run changes it only by applying the events that it
// records, so that a conversation read from its log is the one that was, wherever it broke off.
type state struct {
	messages []prompts.Message // without the system message
	rebuilt  int               // how often earlier messages were changed; in between, messages only grows
	context  int               // tokens that the conversation takes, as the last model call counted them
	tools    []string          // that the model is shown; nil for all
	turns    int               // begun so far
	ids      map[string]bool   // of the calls in messages, kept from turn to turn; nil: to be collected
	turn     *turnState        // the one that is not done; nil
}

// turnState is a turn that is not done.
type turnState struct {
	start     Start
	first     int // index of the prompt in messages
	steps     []Step
	calls     []callState // of the last step
	settled   int         // so many of calls are in messages
	wrong     string      // with the rest of the message that has the calls; the model reads it after their results
	text      strings.Builder
	answered  bool // the last message calls nothing: it is the answer
	answer    string
	cut       bool // the answer hit a token limit
	looped    bool // the answer repeats itself
	stop      StopReason
	toolsOff  bool
	usage     Usage
	malformed int             // calls in a row that could not be read
	repeated  map[string]int  // by call and result
	ids       map[string]bool // the state's, as the turn began
}

// callState is a call of the step at hand.
type callState struct {
	call      prompts.ToolCall
	announced *ToolCall
	approval  *Approval
	attempts  int
	begun     bool // the last attempt is stored, and this process has yet to make it
	result    *ToolResult
}

// begins returns the state in which a conversation with a history starts.
func begins(history []prompts.Message) state {
	return state{messages: slices.Clone(history)}
}

// apply changes the state by one event. Events that only report change nothing.
func (s *state) apply(event Event) {
	if start, ok := event.(Start); ok {
		s.begin(start)
		return
	}
	t := s.turn
	if t == nil {
		return
	}
	switch e := event.(type) {
	case UserMessage:
		s.messages = append(s.messages, prompts.User(e.Text))
		t.answered = false
	case TextDelta:
		t.text.WriteString(e.Text)
	case Message:
		s.applyMessage(e)
	case ToolCall:
		if c := t.call(e.ID); c != nil {
			c.announced = &e
		}
	case Approval:
		if c := t.call(e.ID); c != nil {
			c.approval = &e
		}
	case ToolStart:
		if c := t.call(e.ID); c != nil {
			c.attempts = max(c.attempts, e.Attempt)
		}
	case ToolResult:
		if c := t.call(e.ID); c != nil && c.result == nil {
			c.result = &e
			s.settle()
		}
	case Compaction:
		s.applyCompaction(e)
	case Notice:
		if e.Kind == NoticeToolsOff {
			t.toolsOff, t.stop = true, e.Stop
		}
		if e.Kind == NoticeResumed {
			t.text.Reset()
		}
	case Done:
		s.turn = nil
	}
}

func (s *state) begin(start Start) {
	if s.ids == nil {
		s.ids = map[string]bool{}
		for _, m := range s.messages {
			for _, c := range m.ToolCalls {
				s.ids[c.ID] = true
			}
		}
	}
	s.turn = &turnState{start: start, first: len(s.messages), repeated: map[string]int{}, ids: s.ids}
	s.turns++
	if start.Tools != nil {
		s.tools = start.Tools
	}
	s.messages = append(s.messages, prompts.User(start.Prompt))
}

func (s *state) applyMessage(e Message) {
	t := s.turn
	t.text.Reset()
	t.usage.sum(e.Usage)
	if e.Usage.PromptTokens > 0 {
		s.context = e.Usage.PromptTokens + e.Usage.CompletionTokens
	}
	s.messages = append(s.messages, e.Message)
	t.steps = append(t.steps, Step{ToolCalls: []CallRecord{}})
	t.calls, t.settled, t.wrong = nil, 0, ""
	for _, call := range e.Message.ToolCalls {
		t.ids[call.ID] = true
		t.calls = append(t.calls, callState{call: call})
	}
	switch {
	case len(t.calls) > 0:
		t.malformed, t.wrong = 0, e.Malformed
	case e.Malformed != "":
		t.malformed++
		s.messages = append(s.messages, noCall(e.Malformed))
	default:
		t.answered, t.answer = true, e.Message.Content
		t.cut = e.StopReason == prompts.StopReasonLength
		t.looped = e.StopReason == prompts.StopReasonRepetition
	}
}

// settle puts the results that are there into the conversation, in the order of the calls.
func (s *state) settle() {
	t := s.turn
	step := &t.steps[len(t.steps)-1]
	for ; t.settled < len(t.calls) && t.calls[t.settled].result != nil; t.settled++ {
		c := t.calls[t.settled]
		s.messages = append(s.messages, prompts.Message{
			Role: prompts.RoleTool, Content: c.result.shown(), ToolCallID: c.call.ID, Name: c.call.Name,
		})
		step.ToolCalls = append(step.ToolCalls, CallRecord{
			c.call.ID, c.call.Name, c.call.Arguments, c.result.Result, c.result.Error, c.result.Duration,
		})
		t.usage.sum(c.result.Usage)
		t.repeated[c.signature()]++
	}
	if !t.pending() && t.wrong != "" {
		s.messages = append(s.messages, noCall(t.wrong))
		t.wrong = ""
	}
}

// noCall tells the model what is wrong with what it wrote as a call.
func noCall(what string) prompts.Message {
	return prompts.Message{Role: prompts.RoleTool, Content: "error: " + what}
}

// signature is the same for calls that say and give the same.
func (c *callState) signature() string {
	return c.call.Name + "\x00" + string(c.call.Arguments) + "\x00" + c.result.Result + "\x00" + c.result.Error
}

// call finds a call of the step at hand.
func (t *turnState) call(id string) *callState {
	for i := range t.calls {
		if t.calls[i].call.ID == id {
			return &t.calls[i]
		}
	}
	return nil
}

// pending reports whether calls have no result yet.
func (t *turnState) pending() bool { return t.settled < len(t.calls) }

// newID keeps the model's id for a call, or makes one where it has none or an earlier call has it already.
func (t *turnState) newID(id string) string {
	for n := len(t.ids) + 1; id == "" || t.ids[id]; n++ {
		id = fmt.Sprintf("call_%d", n)
	}
	return id
}

func (s *state) applyCompaction(e Compaction) {
	s.rebuilt++
	s.ids = nil // calls are gone: the next turn collects what is left
	s.messages, s.turn.first = compacted(s.messages, e, s.turn.first)
	s.context = e.After
	s.turn.usage.sum(e.Usage)
}

// compacted returns the messages after a compaction, and where the turn at hand then begins. The slice is a copy: others
// may hold the old one.
func compacted(messages []prompts.Message, e Compaction, first int) ([]prompts.Message, int) {
	messages = slices.Clone(messages)
	for _, i := range e.Elided {
		if i >= 0 && i < len(messages) {
			messages[i].Content, messages[i].Data = elidedResult, nil
		}
	}
	if n := e.Replaced; n > 0 && n <= first {
		return append([]prompts.Message{prompts.User(e.Summary)}, messages[n:]...), first - n + 1
	}
	return messages, first
}

// elidedResult stands where an old tool result was.
const elidedResult = "[result removed to save room; call the tool again if it is needed]"

// shown is what the model reads of a result.
func (e *ToolResult) shown() string {
	text := e.Result
	if e.Error != "" {
		text = "error: " + e.Error
	}
	if e.Elided <= 0 || e.Elided > len(text) {
		return text
	}
	return fmt.Sprintf("%s\n[%d more bytes cut: they do not fit]", text[:len(text)-e.Elided], e.Elided)
}
