package prompts

import (
	"encoding/json"
	"time"
)

// Request asks a model for the assistant's next message.
type Request struct {
	Messages   []Message
	Tools      []ToolDefinition // nil: no tools
	ToolChoice ToolChoice
	// Schema is a JSON Schema that the answer's text must match. Nil: any text.
	Schema json.RawMessage
	// Free lets a model that could be held to the tools' schemas write calls as it likes: for comparing. What it writes is
	// parsed, and may be no call.
	Free bool
	// AllowRepetition lets a model write the same span again and again. Without it such a message is ended, where the model
	// runs in this process, with StopReasonRepetition: 256 tokens in a row that repeat a span of at most 64.
	AllowRepetition bool
	// MaxTokens bounds the answer. 0: as many as fit into the context.
	MaxTokens int
	// Stop lists stop sequences: the answer ends before the first of them.
	Stop     []string
	Sampling Sampling
	// Date is the date that the template shows to the model, such as "26 Jul 2024". It belongs to the
	// conversation: a date that changes between two requests makes the model read everything again.
	// Empty: the template's default.
	Date string
	// ToolsInUserMessage shows the tools in the first user message and not in the system message, where a
	// template knows the difference.
	ToolsInUserMessage bool
}

// Sampling holds the sampling settings of one request. A nil field means the model's default; zero is a
// setting like any other (Temperature 0 is greedy). Set makes the pointers.
type Sampling struct {
	Temperature       *float64 `json:"temperature,omitempty"`
	TopK              *int     `json:"top_k,omitempty"`
	TopP              *float64 `json:"top_p,omitempty"`
	MinP              *float64 `json:"min_p,omitempty"`
	RepetitionPenalty *float64 `json:"repetition_penalty,omitempty"`
	PresencePenalty   *float64 `json:"presence_penalty,omitempty"`
	FrequencyPenalty  *float64 `json:"frequency_penalty,omitempty"`
	Seed              *uint64  `json:"seed,omitempty"`
}

// Set returns a pointer to a copy of value, for the fields of [Sampling]:
//
//	prompts.Sampling{Temperature: prompts.Set(0.6), TopP: prompts.Set(0.9)}
func Set[T any](value T) *T { return &value }

// Greedy returns sampling settings that always take the most probable token.
func Greedy() Sampling { return Sampling{Temperature: Set(0.0)} }

// Delta is one piece of a streamed answer. Exactly one field is set; the Delta with Done is the last.
type Delta struct {
	// Text is a piece of the answer's text, never empty, valid UTF-8.
	Text string
	// ToolCall is a complete call, after the model wrote its end.
	ToolCall *ToolCall
	// CallError says why what the model wrote as a call is none: a *ParseError as a rule. Its text is fit
	// to go back to the model as a tool result.
	CallError error
	// Done closes the answer.
	Done *Completion
}

// StopReason says why an answer ended.
type StopReason string

// The stop reasons of one model call.
const (
	StopReasonStop      StopReason = "stop"       // the model ended its turn, or a stop sequence came
	StopReasonLength    StopReason = "length"     // MaxTokens or the context length was reached, maybe after complete calls
	StopReasonToolCalls StopReason = "tool_calls" // the message calls tools
	StopReasonCancelled StopReason = "cancelled"  // the context was cancelled
	// StopReasonRepetition: the model wrote the same again and again. The message has it once.
	StopReasonRepetition StopReason = "repetition"
)

// Completion is the end of an answer: the whole message and what it cost.
type Completion struct {
	StopReason StopReason
	Usage      Usage
	// Message is the assistant's message: the text of all Text deltas, and all tool calls. After
	// StopReasonRepetition its text may be only the beginning of theirs.
	Message Message
}

// Usage counts the tokens and the time of model calls.
type Usage struct {
	PromptTokens     int           `json:"prompt_tokens"`     // tokens of the prompt, cached ones included
	CachedTokens     int           `json:"cached_tokens"`     // of these, tokens whose KV cache was reused
	CompletionTokens int           `json:"completion_tokens"` // tokens of the answer, the stop token included
	ForwardPasses    int           `json:"forward_passes"`    // of the model for the answer: fewer than tokens where a grammar forced several at once
	PrefillTime      time.Duration `json:"prefill_time"`      // reading the prompt
	DecodeTime       time.Duration `json:"decode_time"`       // writing the answer
}

// Add returns the sum of two usages.
func (u Usage) Add(other Usage) Usage {
	return Usage{
		PromptTokens:     u.PromptTokens + other.PromptTokens,
		CachedTokens:     u.CachedTokens + other.CachedTokens,
		CompletionTokens: u.CompletionTokens + other.CompletionTokens,
		ForwardPasses:    u.ForwardPasses + other.ForwardPasses,
		PrefillTime:      u.PrefillTime + other.PrefillTime,
		DecodeTime:       u.DecodeTime + other.DecodeTime,
	}
}
