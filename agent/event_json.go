package agent

import (
	"encoding/json"
	"time"
)

// eventHead is how every event begins in JSON.
type eventHead struct {
	Type EventType `json:"type"`
	Time time.Time `json:"time"`
}

func head(e Event) eventHead { return eventHead{e.Type(), e.Time().UTC()} }

// milliseconds prints a duration as scripts read it: with a fraction, no unit.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// nullable is the string, or JSON's null when it is empty.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// MarshalJSON implements [json.Marshaler].
func (e TextDelta) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		eventHead
		Text string `json:"text"`
	}{head(e), e.Text})
}

// MarshalJSON implements [json.Marshaler].
func (e ToolCall) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		eventHead
		ID        string          `json:"id"`
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}{head(e), e.ID, e.Name, e.Arguments})
}

// MarshalJSON implements [json.Marshaler].
func (e Approval) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		eventHead
		ID       string `json:"id"`
		Name     string `json:"name"`
		Approved bool   `json:"approved"`
		Reason   string `json:"reason"`
	}{head(e), e.ID, e.Name, e.Approved, e.Reason})
}

// MarshalJSON implements [json.Marshaler].
func (e ToolResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		eventHead
		ID     string  `json:"id"`
		Name   string  `json:"name"`
		Result string  `json:"result"`
		Error  *string `json:"error"`
		Elided int     `json:"elided,omitempty"`
		MS     float64 `json:"ms"`
	}{head(e), e.ID, e.Name, e.Result, nullable(e.Error), e.Elided, milliseconds(e.Duration)})
}

// MarshalJSON implements [json.Marshaler].
func (e UsageReport) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		eventHead
		Step int `json:"step"`
		usageFields
	}{head(e), e.Step, e.fields()})
}

// MarshalJSON implements [json.Marshaler].
func (e Notice) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		eventHead
		Kind NoticeKind `json:"kind"`
		Text string     `json:"text"`
	}{head(e), e.Kind, e.Text})
}

// MarshalJSON implements [json.Marshaler]: the result's fields stand beside type and time.
func (e Done) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		eventHead
		resultFields
	}{head(e), e.Result.fields()})
}
