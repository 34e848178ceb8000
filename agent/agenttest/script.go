package agenttest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/drover-ai/drover/prompts"
)

// Reply is one message that a [Script] writes. Make it with [Say], [Call], [Calls], [Malformed], [Fail] or [Block].
type Reply struct {
	text      string
	calls     []prompts.ToolCall
	malformed error
	err       error
	block     bool
	length    bool
	once      string // what the message comes to, if the text repeats it
}

// Say answers with text, streamed word by word.
func Say(text string) Reply { return Reply{text: text} }

// CutOff answers with text that ends because the token limit is reached.
func CutOff(text string) Reply { return Reply{text: text, length: true} }

// Repeating is a text that was ended because it repeats itself, and what is left of it in the message.
func Repeating(text, once string) Reply { return Reply{text: text, once: once} }

// Call calls one tool. arguments is a JSON object as text.
func Call(name, arguments string) Reply {
	return Reply{calls: []prompts.ToolCall{{Name: name, Arguments: json.RawMessage(arguments)}}}
}

// Calls calls several tools in one message.
func Calls(calls ...prompts.ToolCall) Reply { return Reply{calls: calls} }

// Calling is the reply with complete calls before its end: before the token limit of [CutOff], before what [Malformed] cannot read.
func (r Reply) Calling(calls ...prompts.ToolCall) Reply {
	r.calls = append(r.calls[:len(r.calls):len(r.calls)], calls...)
	return r
}

// Failing is the reply with a call that cannot be read, after the complete ones.
func (r Reply) Failing(reason error) Reply {
	r.malformed = reason
	return r
}

// Malformed writes a call that cannot be read, for the reason given.
func Malformed(reason error) Reply { return Reply{malformed: reason} }

// Fail breaks with an error, after having written text.
func Fail(text string, err error) Reply { return Reply{text: text, err: err} }

// Block writes text and then nothing more until the context ends.
func Block(text string) Reply { return Reply{text: text, block: true} }

// Script is a model that gives prepared replies, one a call, and remembers what it was asked ([NewFunc] makes one that
// remembers nothing). It counts words as tokens.
// It is safe for concurrent use.
type Script struct {
	mu       sync.Mutex
	replies  []Reply
	answer   func(prompts.Request) Reply // instead of replies
	requests []prompts.Request
	// Length, if not 0, is the context length that the script claims to have.
	Length int
}

// NewScript returns a model that gives these replies in turn. A further call is an error.
func NewScript(replies ...Reply) *Script { return &Script{replies: replies} }

// NewFunc returns a model whose replies a function makes from what it is asked. It must be safe for concurrent use.
func NewFunc(answer func(req prompts.Request) Reply) *Script { return &Script{answer: answer} }

// Name implements agent.Model.
func (s *Script) Name() string { return "script" }

// ContextLength implements agent.ContextLengther.
func (s *Script) ContextLength() int { return s.Length }

// CountTokens implements agent.TokenCounter: a word is a token.
func (s *Script) CountTokens(text string) int {
	n := 0
	for range strings.FieldsSeq(text) {
		n++
	}
	return n
}

// Requests returns what the model was asked so far.
func (s *Script) Requests() []prompts.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]prompts.Request(nil), s.requests...)
}

// next records the request and takes the next reply.
func (s *Script) next(req prompts.Request) (Reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer != nil {
		return s.answer(req), nil // nothing is remembered: such models may be asked a million times
	}
	req.Messages = append([]prompts.Message(nil), req.Messages...) // the caller's slice grows
	s.requests = append(s.requests, req)
	if len(s.replies) == 0 {
		return Reply{}, fmt.Errorf("the script has no reply to request %d", len(s.requests))
	}
	reply := s.replies[0]
	s.replies = s.replies[1:]
	return reply, nil
}

// Generate implements agent.Model.
func (s *Script) Generate(ctx context.Context, req prompts.Request) iter.Seq2[prompts.Delta, error] {
	return func(yield func(prompts.Delta, error) bool) {
		reply, err := s.next(req)
		if err != nil {
			yield(prompts.Delta{}, err)
			return
		}
		done := prompts.Completion{StopReason: prompts.StopReasonStop, Message: prompts.Assistant(reply.text)}
		for _, word := range strings.SplitAfter(reply.text, " ") {
			if ctx.Err() != nil {
				yield(prompts.Delta{}, ctx.Err())
				return
			}
			if word != "" && !yield(prompts.Delta{Text: word}, nil) {
				return
			}
		}
		if reply.block {
			<-ctx.Done()
			yield(prompts.Delta{}, ctx.Err())
			return
		}
		if reply.err != nil {
			yield(prompts.Delta{}, reply.err)
			return
		}
		for i := range reply.calls {
			if !yield(prompts.Delta{ToolCall: &reply.calls[i]}, nil) {
				return
			}
		}
		if reply.malformed != nil && !yield(prompts.Delta{CallError: reply.malformed}, nil) {
			return
		}
		if reply.length {
			done.StopReason = prompts.StopReasonLength
		}
		if reply.once != "" {
			done.StopReason, done.Message.Content = prompts.StopReasonRepetition, reply.once
		}
		if done.Message.ToolCalls = reply.calls; len(reply.calls) > 0 && !reply.length {
			done.StopReason = prompts.StopReasonToolCalls
		}
		for _, m := range req.Messages {
			done.Usage.PromptTokens += s.CountTokens(m.Content)
		}
		done.Usage.CompletionTokens = max(s.CountTokens(reply.text), 1)
		yield(prompts.Delta{Done: &done}, nil)
	}
}
