package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/drover-ai/drover/prompts"
)

// eventHead is how every event begins in JSON.
type eventHead struct {
	Type EventType `json:"type"`
	Time time.Time `json:"time"`
}

func head(e Event) eventHead { return eventHead{e.Type(), e.Time().UTC()} }

func (h eventHead) header() Header { return Header{h.Time} }

// marshal is json.Marshal without the escapes for HTML pages, which make <, > and & unreadable.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// milliseconds prints a duration as scripts read it: with a fraction, no unit.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func fromMilliseconds(ms float64) time.Duration { return time.Duration(ms*1000+0.5) * time.Microsecond }

// nullable is the string, or JSON's null when it is empty.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func fromNullable(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// The JSON forms, each as a struct that both directions use.
type (
	startJSON struct {
		eventHead
		Prompt     string              `json:"prompt"`
		Model      string              `json:"model"`
		Sampling   *prompts.Sampling   `json:"sampling,omitempty"`
		ToolChoice *prompts.ToolChoice `json:"tool_choice,omitempty"`
		Schema     json.RawMessage     `json:"schema,omitempty"`
		Tools      []string            `json:"tools,omitempty"`
	}
	textJSON struct { // of a text delta and of a user's message
		eventHead
		Text string `json:"text"`
	}
	messageJSON struct {
		eventHead
		Message    prompts.Message    `json:"message"`
		StopReason prompts.StopReason `json:"stop_reason"`
		Malformed  string             `json:"malformed,omitempty"`
		Usage      usageFields        `json:"usage"`
	}
	toolCallJSON struct {
		eventHead
		ID        string          `json:"id"`
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}
	approvalJSON struct {
		eventHead
		ID       string `json:"id"`
		Name     string `json:"name"`
		Approved bool   `json:"approved"`
		Reason   string `json:"reason"`
	}
	toolStartJSON struct {
		eventHead
		ID      string `json:"id"`
		Name    string `json:"name"`
		Attempt int    `json:"attempt"`
		Key     string `json:"key"`
	}
	toolResultJSON struct {
		eventHead
		ID     string       `json:"id"`
		Name   string       `json:"name"`
		Result string       `json:"result"`
		Error  *string      `json:"error"`
		Elided int          `json:"elided,omitempty"`
		MS     float64      `json:"ms"`
		Usage  *usageFields `json:"usage,omitempty"`
	}
	usageJSON struct {
		eventHead
		Step int `json:"step"`
		usageFields
	}
	compactionJSON struct {
		eventHead
		Elided   []int        `json:"elided,omitempty"`
		Replaced int          `json:"replaced,omitempty"`
		Summary  string       `json:"summary,omitempty"`
		Before   int          `json:"tokens_before"`
		After    int          `json:"tokens_after"`
		Usage    *usageFields `json:"usage,omitempty"`
	}
	noticeJSON struct {
		eventHead
		Kind NoticeKind `json:"kind"`
		Text string     `json:"text"`
		Stop StopReason `json:"stop_reason,omitempty"`
	}
	doneJSON struct {
		eventHead
		resultFields
	}
	rewindJSON struct {
		eventHead
		Turns int `json:"turns"`
	}
)

// MarshalJSON implements [json.Marshaler].
func (e Start) MarshalJSON() ([]byte, error) {
	out := startJSON{eventHead: head(e), Prompt: e.Prompt, Model: e.Model, Schema: e.Schema, Tools: e.Tools}
	if e.Sampling != (prompts.Sampling{}) {
		out.Sampling = &e.Sampling
	}
	if e.ToolChoice != (prompts.ToolChoice{}) {
		out.ToolChoice = &e.ToolChoice
	}
	return marshal(out)
}

// MarshalJSON implements [json.Marshaler].
func (e UserMessage) MarshalJSON() ([]byte, error) { return marshal(textJSON{head(e), e.Text}) }

// MarshalJSON implements [json.Marshaler].
func (e TextDelta) MarshalJSON() ([]byte, error) { return marshal(textJSON{head(e), e.Text}) }

// MarshalJSON implements [json.Marshaler].
func (e Message) MarshalJSON() ([]byte, error) {
	return marshal(messageJSON{head(e), e.Message, e.StopReason, e.Malformed, e.Usage.fields()})
}

// MarshalJSON implements [json.Marshaler].
func (e ToolCall) MarshalJSON() ([]byte, error) {
	return marshal(toolCallJSON{head(e), e.ID, e.Name, e.Arguments})
}

// MarshalJSON implements [json.Marshaler].
func (e Approval) MarshalJSON() ([]byte, error) {
	return marshal(approvalJSON{head(e), e.ID, e.Name, e.Approved, e.Reason})
}

// MarshalJSON implements [json.Marshaler].
func (e ToolStart) MarshalJSON() ([]byte, error) {
	return marshal(toolStartJSON{head(e), e.ID, e.Name, e.Attempt, e.Key})
}

// MarshalJSON implements [json.Marshaler].
func (e ToolResult) MarshalJSON() ([]byte, error) {
	return marshal(toolResultJSON{head(e), e.ID, e.Name, e.Result, nullable(e.Error), e.Elided,
		milliseconds(e.Duration), e.Usage.optional()})
}

// MarshalJSON implements [json.Marshaler].
func (e UsageReport) MarshalJSON() ([]byte, error) {
	return marshal(usageJSON{head(e), e.Step, e.fields()})
}

// MarshalJSON implements [json.Marshaler].
func (e Compaction) MarshalJSON() ([]byte, error) {
	return marshal(compactionJSON{head(e), e.Elided, e.Replaced, e.Summary, e.Before, e.After, e.Usage.optional()})
}

// MarshalJSON implements [json.Marshaler].
func (e Notice) MarshalJSON() ([]byte, error) {
	return marshal(noticeJSON{head(e), e.Kind, e.Text, e.Stop})
}

// MarshalJSON implements [json.Marshaler]: the result's fields stand beside type and time.
func (e Done) MarshalJSON() ([]byte, error) {
	return marshal(doneJSON{head(e), e.Result.fields()})
}

// MarshalJSON implements [json.Marshaler].
func (e Rewind) MarshalJSON() ([]byte, error) { return marshal(rewindJSON{head(e), e.Turns}) }

// UnknownEventError is what [DecodeEvent] returns for an event of a type that this version does not know.
type UnknownEventError struct{ Type EventType }

func (e *UnknownEventError) Error() string {
	return fmt.Sprintf("unknown event type %q; it may come from a newer version of this program", string(e.Type))
}

// decoders read the JSON form of each type.
var decoders = map[EventType]func([]byte) (Event, error){
	EventStart: decoder(func(f startJSON) Event {
		e := Start{Header: f.header(), Prompt: f.Prompt, Model: f.Model, Schema: f.Schema, Tools: f.Tools}
		if f.Sampling != nil {
			e.Sampling = *f.Sampling
		}
		if f.ToolChoice != nil {
			e.ToolChoice = *f.ToolChoice
		}
		return e
	}),
	EventUserMessage: decoder(func(f textJSON) Event { return UserMessage{f.header(), f.Text} }),
	EventTextDelta:   decoder(func(f textJSON) Event { return TextDelta{f.header(), f.Text} }),
	EventMessage: decoder(func(f messageJSON) Event {
		return Message{f.header(), f.Message, f.StopReason, f.Malformed, f.Usage.usage()}
	}),
	EventToolCall: decoder(func(f toolCallJSON) Event { return ToolCall{f.header(), f.ID, f.Name, f.Arguments} }),
	EventApproval: decoder(func(f approvalJSON) Event {
		return Approval{f.header(), f.ID, f.Name, f.Approved, f.Reason}
	}),
	EventToolStart: decoder(func(f toolStartJSON) Event { return ToolStart{f.header(), f.ID, f.Name, f.Attempt, f.Key} }),
	EventToolResult: decoder(func(f toolResultJSON) Event {
		return ToolResult{f.header(), f.ID, f.Name, f.Result, fromNullable(f.Error), f.Elided, fromMilliseconds(f.MS), f.Usage.usage()}
	}),
	EventUsage: decoder(func(f usageJSON) Event { return UsageReport{f.header(), f.Step, f.usage()} }),
	EventCompaction: decoder(func(f compactionJSON) Event {
		return Compaction{f.header(), f.Elided, f.Replaced, f.Summary, f.Before, f.After, f.Usage.usage()}
	}),
	EventNotice: decoder(func(f noticeJSON) Event { return Notice{f.header(), f.Kind, f.Text, f.Stop} }),
	EventDone:   decoder(func(f doneJSON) Event { return Done{f.header(), f.result()} }),
	EventRewind: decoder(func(f rewindJSON) Event { return Rewind{f.header(), f.Turns} }),
}

func decoder[T any](event func(T) Event) func([]byte) (Event, error) {
	return func(data []byte) (Event, error) {
		var fields T
		if err := json.Unmarshal(data, &fields); err != nil {
			return nil, err
		}
		return event(fields), nil
	}
}

// DecodeEvent reads one event from its JSON form. It returns an [*UnknownEventError] for a type that it does not know.
// Of [Done], the result's messages are not in the JSON form.
func DecodeEvent(data []byte) (Event, error) {
	var h eventHead
	if err := json.Unmarshal(data, &h); err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	decode, ok := decoders[h.Type]
	if !ok {
		return nil, &UnknownEventError{h.Type}
	}
	event, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("event of type %s: %w", h.Type, err)
	}
	return event, nil
}
