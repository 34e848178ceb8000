package agent

import (
	"context"
	"iter"

	"github.com/drover-ai/drover/prompts"
)

// Model is what an agent needs of a language model: messages and tool definitions in, typed deltas out. The in-process
// runtime (package llm/chat) is one; any langchaingo provider becomes one through llm/langchain. Whoever writes another
// can check it with agenttest.TestModel.
type Model interface {
	// Name identifies the model in results and logs.
	Name() string
	// Generate writes the assistant's next message and runs no tool. It yields text as it is written, each tool call once
	// it is complete, and last of all, unless there was an error, a delta whose Done is set. It stops within 50 ms when ctx
	// ends or the caller stops reading. Several goroutines may call it at once.
	Generate(ctx context.Context, req prompts.Request) iter.Seq2[prompts.Delta, error]
}

// ContextLengther is an optional capability of a [Model]: how many tokens a conversation may have. With it, long tool
// results are cut to what fits; without it, to [Limits].ToolResultBytes.
type ContextLengther interface {
	ContextLength() int
}

// TokenCounter is an optional capability of a [Model]: how many tokens a text takes. Without it a token is taken to be
// three bytes, which errs on the safe side for English.
type TokenCounter interface {
	CountTokens(text string) int
}

// RequestCounter is an optional capability of a [Model]: how many tokens a whole request takes, template and tools
// included. Without it, the tokens of the texts are added up, with a little for what stands around them.
type RequestCounter interface {
	CountRequest(req prompts.Request) (int, error)
}

// ToolLimiter is an optional capability of a [Model]: how many tools a request may show it; 0 for no limit.
type ToolLimiter interface {
	MaxTools() int
}

// Constrainer is an optional capability of a [Model]: whether it can only write what [prompts.Request].Schema allows.
// A model that does not say so is told the schema in words as well; one that refuses a schema does so with an error that is
// [errors.ErrUnsupported]. See [Into].
type Constrainer interface {
	ConstrainsAnswers() bool
}

// StateKeeper is an optional capability of a [Model]: what was computed for a conversation can be stored in a file, so that
// another process goes on with the conversation without computing it again. See [StateLog].
type StateKeeper interface {
	// SaveState stores what was computed for the messages of a request. A path that has an earlier state of the same
	// conversation is brought up to date.
	SaveState(req prompts.Request, path string) error
	// RestoreState reads what SaveState stored. After an error everything is computed as if nothing had been stored.
	RestoreState(path string) error
}
