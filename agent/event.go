package agent

import (
	"encoding/json"
	"time"

	"github.com/drover-ai/drover/prompts"
)

// EventType names what an [Event] is about. The values are the "type" fields of the JSON form.
type EventType string

// The types of events that a run shows, in the order in which it can first show them.
const (
	EventUserMessage EventType = "user_message"
	EventCompaction  EventType = "compaction"
	EventTextDelta   EventType = "text_delta"
	EventToolCall    EventType = "tool_call"
	EventApproval    EventType = "approval"
	EventToolResult  EventType = "tool_result"
	EventUsage       EventType = "usage"
	EventNotice      EventType = "notice"
	EventDone        EventType = "done"
)

// The types of events that are only in a session's log.
const (
	EventStart     EventType = "start"
	EventMessage   EventType = "message"
	EventToolStart EventType = "tool_start"
	EventRewind    EventType = "rewind"
)

// Event is one thing that happened in a run: [TextDelta], [ToolCall], [Approval], [ToolResult], [UsageReport], [Notice],
// [UserMessage], [Compaction] or [Done]; in the log of a session also [Start], [Message], [ToolStart] and [Rewind]. Switch
// on the concrete type. Every event marshals to the JSON object that `agent ask --stream-json` prints, and [DecodeEvent]
// reads it back.
//
// New types may be added: a switch should ignore what it does not know.
type Event interface {
	// Type names the event for logs and JSON.
	Type() EventType
	// Time is when it happened.
	Time() time.Time
}

// Header is what every event carries.
type Header struct {
	At time.Time // when it happened
}

// Time implements [Event].
func (h Header) Time() time.Time { return h.At }

// Start begins a turn in a session's log: what was asked, and what the answer depends on.
type Start struct {
	Header
	Prompt     string
	Model      string
	Sampling   prompts.Sampling // with the seed that was drawn if none was set
	ToolChoice prompts.ToolChoice
	Schema     json.RawMessage // of the answer; nil for text
	Tools      []string        // that the model is shown, when there are more than it can be shown
}

// UserMessage is a message that the user put into a running turn; see [Steering].
type UserMessage struct {
	Header
	Text string
}

// TextDelta is a piece of what the model writes to the user: valid UTF-8, never part of a tool call.
type TextDelta struct {
	Header
	Text string
}

// Message is, in a session's log, all that the model wrote in one step.
type Message struct {
	Header
	Message    prompts.Message // its calls have their final ids
	StopReason prompts.StopReason
	Malformed  string // why a call could not be read, or what is missing after those that could; empty if nothing is wrong
	Usage      Usage
}

// ToolCall says that the model called a tool. It comes before the tool runs, and before any approval is asked.
type ToolCall struct {
	Header
	ID        string          // unique within the run; the result carries it too
	Name      string          // the tool
	Arguments json.RawMessage // a JSON object, valid under the tool's schema unless the result says otherwise
}

// Approval says that a call needed approval and what was decided.
type Approval struct {
	Header
	ID       string // of the call
	Name     string // the tool
	Approved bool
	Reason   string // why it was asked, or what the user said to a denial
}

// ToolStart says, in a session's log, that a tool is about to run. A start without a result means that it may have run. That of
// a tool that may be repeated is stored as soon as it is called.
type ToolStart struct {
	Header
	ID      string // of the call
	Name    string
	Attempt int    // 1 for the first
	Key     string // the idempotency key, the same for every attempt
}

// ToolResult is what a call returned. The model reads Result, or Error when the call did not succeed.
type ToolResult struct {
	Header
	ID       string
	Name     string
	Result   string
	Error    string        // empty when the call succeeded
	Elided   int           // bytes of the result that were cut so that it fits the model's context
	Duration time.Duration // how long the tool ran, all attempts together
	Usage    Usage         // of the models that the tool ran, such as a sub-agent's
}

// UsageReport counts one model call.
type UsageReport struct {
	Header
	Step int // 0 for the first model call of the run
	Usage
}

// Compaction says that the conversation was made shorter because the model's context was full. Message numbers count from
// 0, without the system prompt.
type Compaction struct {
	Header
	Elided   []int  // messages with old tool results that were replaced by a note
	Replaced int    // so many of the first messages were replaced by Summary
	Summary  string // what they were about, as the model reads it
	Before   int    // tokens of the conversation
	After    int
	Usage    Usage // of writing the summary
}

// Notice tells of something that the run did on its own: a malformed call handed back to the model, a repeated call
// stopped, tools switched off for the last answer, a model call that is made again.
type Notice struct {
	Header
	Kind NoticeKind
	Text string     // one line for a person
	Stop StopReason // what the run will end with because of it; only for [NoticeToolsOff]
}

// NoticeKind says what a [Notice] is about.
type NoticeKind string

// The kinds of notices.
const (
	NoticeMalformedCall NoticeKind = "malformed_call" // the model wrote a call that could not be read
	NoticeCutOff        NoticeKind = "cut_off"        // the token limit cut off a message after complete calls, which are made
	NoticeRepeatedCall  NoticeKind = "repeated_call"  // the same call gave the same result again
	NoticeToolsOff      NoticeKind = "tools_off"      // a limit was reached; the model answers with what it has
	NoticeInterrupted   NoticeKind = "interrupted"    // the turn before was never finished and has been closed
	NoticeRetry         NoticeKind = "retry"          // a model call failed for a reason that may pass and is made again
	NoticeResumed       NoticeKind = "resumed"        // an interrupted turn goes on; text of the step at hand comes again
)

// Done is the last event of a run.
type Done struct {
	Header
	Result *Result
}

// Rewind says, in a session's log, that only the first turns count from here on.
type Rewind struct {
	Header
	Turns int // that are kept
}

// Type implements [Event].
func (Start) Type() EventType { return EventStart }

// Type implements [Event].
func (UserMessage) Type() EventType { return EventUserMessage }

// Type implements [Event].
func (TextDelta) Type() EventType { return EventTextDelta }

// Type implements [Event].
func (Message) Type() EventType { return EventMessage }

// Type implements [Event].
func (ToolCall) Type() EventType { return EventToolCall }

// Type implements [Event].
func (Approval) Type() EventType { return EventApproval }

// Type implements [Event].
func (ToolStart) Type() EventType { return EventToolStart }

// Type implements [Event].
func (ToolResult) Type() EventType { return EventToolResult }

// Type implements [Event].
func (UsageReport) Type() EventType { return EventUsage }

// Type implements [Event].
func (Compaction) Type() EventType { return EventCompaction }

// Type implements [Event].
func (Notice) Type() EventType { return EventNotice }

// Type implements [Event].
func (Done) Type() EventType { return EventDone }

// Type implements [Event].
func (Rewind) Type() EventType { return EventRewind }
