package agent

import (
	"encoding/json"
	"time"
)

// EventType names what an [Event] is about. The values are the "type" fields of the JSON form.
type EventType string

// The types of events, in the order in which a run can first show them.
const (
	EventTextDelta  EventType = "text_delta"
	EventToolCall   EventType = "tool_call"
	EventApproval   EventType = "approval"
	EventToolResult EventType = "tool_result"
	EventUsage      EventType = "usage"
	EventNotice     EventType = "notice"
	EventDone       EventType = "done"
)

// Event is one thing that happened in a run: [TextDelta], [ToolCall], [Approval], [ToolResult], [UsageReport], [Notice] or
// [Done]. Switch on the concrete type. Every event marshals to the JSON object that `agent ask --stream-json` prints.
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

// TextDelta is a piece of what the model writes to the user: valid UTF-8, never part of a tool call.
type TextDelta struct {
	Header
	Text string
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

// ToolResult is what a call returned. The model reads Result, or Error when the call did not succeed.
type ToolResult struct {
	Header
	ID       string
	Name     string
	Result   string
	Error    string        // empty when the call succeeded
	Elided   int           // bytes of the result that were cut so that it fits the model's context
	Duration time.Duration // how long the tool ran
}

// UsageReport counts one model call.
type UsageReport struct {
	Header
	Step int // 0 for the first model call of the run
	Usage
}

// Notice tells of something that the run did on its own: a malformed call handed back to the model, a repeated call
// stopped, tools switched off for the last answer.
type Notice struct {
	Header
	Kind NoticeKind
	Text string // one line for a person
}

// NoticeKind says what a [Notice] is about.
type NoticeKind string

// The kinds of notices.
const (
	NoticeMalformedCall NoticeKind = "malformed_call" // the model wrote a call that could not be read
	NoticeRepeatedCall  NoticeKind = "repeated_call"  // the same call gave the same result again
	NoticeToolsOff      NoticeKind = "tools_off"      // a limit was reached; the model answers with what it has
)

// Done is the last event of a run.
type Done struct {
	Header
	Result *Result
}

// Type implements [Event].
func (TextDelta) Type() EventType { return EventTextDelta }

// Type implements [Event].
func (ToolCall) Type() EventType { return EventToolCall }

// Type implements [Event].
func (Approval) Type() EventType { return EventApproval }

// Type implements [Event].
func (ToolResult) Type() EventType { return EventToolResult }

// Type implements [Event].
func (UsageReport) Type() EventType { return EventUsage }

// Type implements [Event].
func (Notice) Type() EventType { return EventNotice }

// Type implements [Event].
func (Done) Type() EventType { return EventDone }
