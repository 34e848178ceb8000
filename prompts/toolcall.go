package prompts

import "encoding/json"

// ToolCall is a model's wish to run a tool.
type ToolCall struct {
	// ID ties the result to the call. It is unique in a conversation; models do not write it, runtimes make it.
	ID string `json:"id"`
	// Name is the tool's name, exactly as its definition has it.
	Name string `json:"name"`
	// Arguments is a JSON object. Its keys are unique and keep the order in which the model wrote them.
	Arguments json.RawMessage `json:"arguments"`
}

// ToolDefinition is what a model is told about a tool.
type ToolDefinition struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Parameters is the JSON Schema of the arguments, an object schema. Nil means no parameters.
	Parameters json.RawMessage `json:"parameters,omitempty"`
	// Source is the tool object exactly as it was given, in OpenAI's form
	// {"type": "function", "function": {"name": …}}. Templates that show tools as JSON render it as it is.
	// When it is nil, they build the same form from the other fields.
	Source json.RawMessage `json:"-"`
}

// ToolChoiceMode says whether the model may, must or must not call tools.
type ToolChoiceMode string

// The tool choices. The zero value of [ToolChoice] means the same as ToolChoiceAuto.
const (
	ToolChoiceAuto     ToolChoiceMode = "auto"     // the model decides
	ToolChoiceNone     ToolChoiceMode = "none"     // answer in text
	ToolChoiceRequired ToolChoiceMode = "required" // call one of the tools
	ToolChoiceNamed    ToolChoiceMode = "named"    // call the tool ToolChoice.Name
)

// ToolChoice is a request's tool choice.
type ToolChoice struct {
	Mode ToolChoiceMode `json:"mode,omitempty"`
	Name string         `json:"name,omitempty"` // for ToolChoiceNamed only
	// MaxCalls is how many calls one message may have where models can be held to it: 1 for no parallel calls, 0 for as many as
	// the template's models are made for, which is 1 for those that were trained on one call a message. A tool that is named is
	// called once.
	MaxCalls int `json:"max_calls,omitempty"`
	// Threshold is how likely a call must be, 0 to 1, for one to be made where the model decides. Nil: the model's own.
	Threshold *float64 `json:"threshold,omitempty"`
}
