package agenttest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"encoding/json"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/prompts"
)

// TestModel checks that model keeps the contract of [agent.Model]: how the stream is made, that it stops when it is told
// to, that several goroutines may use it. It says nothing about how clever the model is. The model should be ready to
// write at least a few tokens; it may be tiny.
func TestModel(t *testing.T, model agent.Model) {
	t.Run("Name", func(t *testing.T) {
		if model.Name() == "" {
			t.Error("Name is empty")
		}
	})
	t.Run("Stream", func(t *testing.T) { checkStream(t, model, request()) })
	t.Run("Tools", func(t *testing.T) { checkStream(t, model, requestWithTool()) })
	t.Run("NoToolCallsWhenNone", func(t *testing.T) {
		req := requestWithTool()
		req.ToolChoice = prompts.ToolChoice{Mode: prompts.ToolChoiceNone}
		if s := checkStream(t, model, req); s != nil && len(s.calls) > 0 {
			t.Errorf("tool choice is none, and %d calls came", len(s.calls))
		}
	})
	t.Run("MaxTokens", func(t *testing.T) {
		req := request()
		req.MaxTokens = 3
		s := checkStream(t, model, req)
		if s != nil && s.done.Usage.CompletionTokens > 3 {
			t.Errorf("%d tokens written, 3 allowed", s.done.Usage.CompletionTokens)
		}
	})
	t.Run("Greedy", func(t *testing.T) {
		a, b := checkStream(t, model, request()), checkStream(t, model, request())
		if a != nil && b != nil && a.text != b.text {
			t.Errorf("greedy sampling gave %q, then %q", a.text, b.text)
		}
	})
	t.Run("CanceledBefore", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := collect(model.Generate(ctx, request()))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v, want context.Canceled", err)
		}
	})
	t.Run("CanceledWhileWriting", func(t *testing.T) { checkCancel(t, model) })
	t.Run("StopReading", func(t *testing.T) {
		for range model.Generate(context.Background(), request()) {
			break
		}
		checkStream(t, model, request()) // and nothing is stuck
	})
	t.Run("Concurrent", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				checkStream(t, model, requestWithTool())
			}()
		}
		wg.Wait()
	})
}

func request() prompts.Request {
	return prompts.Request{
		Messages:  []prompts.Message{prompts.User("Say hello.")},
		MaxTokens: 24,
		Sampling:  prompts.Greedy(),
	}
}

func requestWithTool() prompts.Request {
	req := request()
	req.Messages = []prompts.Message{prompts.User("What is 2 + 3?")}
	req.MaxTokens = 64
	req.Tools = []prompts.ToolDefinition{{
		Name: "add", Description: "Add two numbers.",
		Parameters: json.RawMessage(`{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"]}`),
	}}
	return req
}

// stream is what a model yielded.
type stream struct {
	text  string
	calls []prompts.ToolCall
	bad   int
	done  *prompts.Completion
}

// collect reads a stream and checks that each delta has one field and that Done is the last.
func collect(seq iter.Seq2[prompts.Delta, error]) (*stream, error) {
	var s stream
	for d, err := range seq {
		switch {
		case err != nil:
			return &s, err
		case s.done != nil:
			return &s, errors.New("a delta came after Done")
		case d.Text != "":
			if !utf8.ValidString(d.Text) {
				return &s, errors.New("a text delta is not valid UTF-8")
			}
			s.text += d.Text
		case d.ToolCall != nil:
			s.calls = append(s.calls, *d.ToolCall)
		case d.CallError != nil:
			s.bad++
		case d.Done != nil:
			s.done = d.Done
		default:
			return &s, errors.New("a delta is empty")
		}
	}
	return &s, nil
}

// checkStream reads one whole answer and checks what holds for every one. It is nil if the answer broke off.
func checkStream(t *testing.T, model agent.Model, req prompts.Request) *stream {
	t.Helper()
	s, err := collect(model.Generate(context.Background(), req))
	if err != nil {
		t.Errorf("Generate: %v", err)
		return nil
	}
	if s.done == nil {
		t.Error("the stream ended without Done and without an error")
		return nil
	}
	reasons := []prompts.StopReason{prompts.StopReasonStop, prompts.StopReasonLength, prompts.StopReasonToolCalls, prompts.StopReasonRepetition}
	if !slices.Contains(reasons, s.done.StopReason) {
		t.Errorf("stop reason is %q", s.done.StopReason)
	}
	if s.done.Message.Role != prompts.RoleAssistant {
		t.Errorf("role of the message is %q", s.done.Message.Role)
	}
	if len(s.calls) != len(s.done.Message.ToolCalls) {
		t.Errorf("%d calls streamed, %d in the message", len(s.calls), len(s.done.Message.ToolCalls))
	}
	for _, call := range s.calls {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(call.Arguments, &object); err != nil || object == nil {
			t.Errorf("arguments of %s are %s, not a JSON object", call.Name, call.Arguments)
		}
		if !slices.ContainsFunc(req.Tools, func(d prompts.ToolDefinition) bool { return d.Name == call.Name }) {
			t.Errorf("tool %q was called; it was not offered", call.Name)
		}
	}
	if u := s.done.Usage; u.PromptTokens <= 0 || u.CompletionTokens <= 0 || u.CachedTokens > u.PromptTokens {
		t.Errorf("usage is %+v", u)
	}
	return s
}

// checkCancel cancels after the first delta, wherever the model is then.
func checkCancel(t *testing.T, model agent.Model) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	req := request()
	req.MaxTokens = 0
	var canceled time.Time
	var last error
	finished := false
	for d, err := range model.Generate(ctx, req) {
		if canceled.IsZero() {
			canceled = time.Now()
			cancel()
		}
		last, finished = err, finished || d.Done != nil
	}
	if !finished && !errors.Is(last, context.Canceled) {
		t.Errorf("after cancel the stream ended with %v, want context.Canceled", last)
	}
	if wait := time.Since(canceled); wait > 5*time.Second { // far above the 50 ms of the contract: machines stall
		t.Errorf("the stream went on for %v after cancel", wait)
	}
}
