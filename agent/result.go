package agent

import (
	"encoding/json"
	"time"

	"github.com/drover-ai/drover/prompts"
)

// StopReason says why a run ended.
type StopReason string

// Why a run ended.
const (
	StopDone   StopReason = "stop"   // the model finished its answer
	StopLength StopReason = "length" // the answer hit the token limit of one model call
	// StopRepetition: the model wrote the same again and again in its answer, which has it once.
	StopRepetition StopReason = "repetition"
	StopToolLimit  StopReason = "tool_limit" // the step limit was reached; the answer was written without further tools
	StopGuard      StopReason = "guard"      // a guard ended the run
	StopBudget     StopReason = "budget"     // the token or time budget was used up
	StopCanceled   StopReason = "cancelled"  // the context ended; spelled as scripts expect it
)

// Result is what a run comes to. Its JSON form is what `agent ask --json` prints.
type Result struct {
	Answer     string
	StopReason StopReason
	Steps      []Step
	Usage      Usage   // of the run's model and of the sub-agents that it called
	Cost       float64 // in the currency of [WithPrices]; 0 without it
	Model      string
	// Messages are the messages that the run added: the user's, the model's, the tools'. Append them to the history of
	// the next run to go on with the conversation. They are not part of the JSON form.
	Messages []prompts.Message
}

// Step is one model call and the tools that it called. The last step of a run calls none.
type Step struct {
	ToolCalls []CallRecord `json:"tool_calls"`
}

// CallRecord is a tool call with its outcome.
type CallRecord struct {
	ID        string
	Name      string
	Arguments json.RawMessage
	Result    string
	Error     string // empty when the call succeeded
	Duration  time.Duration
}

type callRecordJSON struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
	Result    string          `json:"result"`
	Error     *string         `json:"error"`
	MS        float64         `json:"ms"`
}

// MarshalJSON implements [json.Marshaler].
func (c CallRecord) MarshalJSON() ([]byte, error) {
	return marshal(callRecordJSON{c.ID, c.Name, c.Arguments, c.Result, nullable(c.Error), milliseconds(c.Duration)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (c *CallRecord) UnmarshalJSON(data []byte) error {
	var f callRecordJSON
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	*c = CallRecord{f.ID, f.Name, f.Arguments, f.Result, fromNullable(f.Error), fromMilliseconds(f.MS)}
	return nil
}

// Usage counts tokens and the time that the model spent on them.
type Usage struct {
	PromptTokens     int           // tokens sent, cached or not
	CachedTokens     int           // of these, already computed in an earlier call
	CompletionTokens int           // tokens written
	ForwardPasses    int           // of the model for the completion: fewer than tokens where a grammar forced several at once; 0 if not told
	PrefillTime      time.Duration // reading the prompt
	DecodeTime       time.Duration // writing the completion
}

// MarshalJSON implements [json.Marshaler].
func (u Usage) MarshalJSON() ([]byte, error) {
	return marshal(u.fields())
}

type usageFields struct {
	PromptTokens     int     `json:"prompt_tokens"`
	CachedTokens     int     `json:"cached_tokens"`
	CompletionTokens int     `json:"completion_tokens"`
	PrefillSeconds   float64 `json:"prefill_seconds"`
	DecodeSeconds    float64 `json:"decode_seconds"`
	ForwardPasses    int     `json:"forward_passes,omitempty"`
}

func (u Usage) fields() usageFields {
	return usageFields{u.PromptTokens, u.CachedTokens, u.CompletionTokens, u.PrefillTime.Seconds(), u.DecodeTime.Seconds(), u.ForwardPasses}
}

// optional is the JSON form, or nil if nothing was counted.
func (u Usage) optional() *usageFields {
	if u == (Usage{}) {
		return nil
	}
	f := u.fields()
	return &f
}

// usage is the other way of fields. Times keep microseconds.
func (f *usageFields) usage() Usage {
	if f == nil {
		return Usage{}
	}
	return Usage{f.PromptTokens, f.CachedTokens, f.CompletionTokens, f.ForwardPasses,
		fromMilliseconds(f.PrefillSeconds * 1000), fromMilliseconds(f.DecodeSeconds * 1000)}
}

func (u *Usage) sum(v Usage) {
	u.add(prompts.Usage(v))
}

func (u *Usage) add(v prompts.Usage) {
	u.PromptTokens += v.PromptTokens
	u.CachedTokens += v.CachedTokens
	u.CompletionTokens += v.CompletionTokens
	u.ForwardPasses += v.ForwardPasses
	u.PrefillTime += v.PrefillTime
	u.DecodeTime += v.DecodeTime
}

// resultFields is the JSON form of a [Result].
type resultFields struct {
	Answer     string      `json:"answer"`
	StopReason StopReason  `json:"stop_reason"`
	Steps      []Step      `json:"steps"`
	Citations  []struct{}  `json:"citations"`
	Guard      []struct{}  `json:"guard"`
	Usage      usageFields `json:"usage"`
	Cost       float64     `json:"cost,omitempty"`
	Model      string      `json:"model"`
}

func (f resultFields) result() *Result {
	return &Result{
		Answer: f.Answer, StopReason: f.StopReason, Steps: f.Steps, Usage: f.Usage.usage(), Cost: f.Cost, Model: f.Model,
	}
}

func (r *Result) fields() resultFields {
	f := resultFields{
		Answer: r.Answer, StopReason: r.StopReason, Steps: r.Steps,
		Citations: []struct{}{}, Guard: []struct{}{}, Usage: r.Usage.fields(), Cost: r.Cost, Model: r.Model,
	}
	if f.Steps == nil {
		f.Steps = []Step{}
	}
	for i := range f.Steps {
		if f.Steps[i].ToolCalls == nil {
			f.Steps[i].ToolCalls = []CallRecord{}
		}
	}
	return f
}

// MarshalJSON implements [json.Marshaler].
func (r *Result) MarshalJSON() ([]byte, error) { return marshal(r.fields()) }
