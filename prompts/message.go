package prompts

import "encoding/json"

// Role says who speaks in a message. The values are the words that Llama 3 writes into its headers.
type Role string

// The roles of Llama 3. Tool results have the role "ipython"; conversations in OpenAI's form call it "tool",
// which the reader and the templates take for the same.
const (
	RoleSystem    Role = "system"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "ipython"
)

// roleToolAlias is what OpenAI's form calls RoleTool.
const roleToolAlias Role = "tool"

// isToolResult reports whether messages of this role carry a tool's result.
func (r Role) isToolResult() bool { return r == RoleTool || r == roleToolAlias }

// Message is one message of a conversation.
//
// An assistant message either says something (Content) or calls tools (ToolCalls); templates drop the content
// of a message that calls tools, as Meta's does. A tool result names the call that it answers in ToolCallID.
// Messages are values: nothing in this package changes one that it was given.
type Message struct {
	Role    Role   `json:"role"`
	Content string `json:"content"`
	// Data is the content when it is JSON and not text, such as a tool result that is an object. Templates
	// that write results as JSON render Data and ignore Content; all others use Content, so whoever sets
	// Data puts its text form into Content as well. Nil for text.
	Data json.RawMessage `json:"data,omitempty"`
	// ToolCalls is nil when the message calls no tool. An empty list that is not nil is kept as such, because
	// Llama 3.2's template refuses it.
	ToolCalls []ToolCall `json:"tool_calls,omitempty"`
	// ToolCallID is, in a tool result, the ID of the call that it answers.
	ToolCallID string `json:"tool_call_id,omitempty"`
	// Tokens are the ids of the tokens that a model wrote for an assistant message, without the one that ended it. Runtimes
	// that can use them instead of encoding the text again do so, as long as they say what the message says. Nil: not known.
	Tokens []int32 `json:"tokens,omitempty"`
	// Name is the tool's name in a tool result, or a speaker's name. Llama 3 does not render it.
	Name string `json:"name,omitempty"`
}

// System returns a system message.
func System(text string) Message { return Message{Role: RoleSystem, Content: text} }

// User returns a user message.
func User(text string) Message { return Message{Role: RoleUser, Content: text} }

// Assistant returns an assistant message that says text.
func Assistant(text string) Message { return Message{Role: RoleAssistant, Content: text} }

// AssistantCalls returns an assistant message that calls tools.
func AssistantCalls(calls ...ToolCall) Message {
	return Message{Role: RoleAssistant, ToolCalls: calls}
}

// ToolResult returns the message that answers call with text.
func ToolResult(call ToolCall, text string) Message {
	return Message{Role: RoleTool, Content: text, ToolCallID: call.ID, Name: call.Name}
}
