package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/prompts"
)

// callWriter is the constraint under which calls are written. It takes each call as it is complete, and ends the message
// before one that was written before: a small model that says the same thing twice has nothing more to say, and forbidding
// it the last character would only make it invent arguments.
type callWriter struct {
	constraint
	model *Model
	tools []prompts.ToolDefinition
	first []llm.Token // what comes first, by choice and not by the grammar: a marker

	text     []byte // what was written, special tokens not
	scanner  callScanner
	calls    []prompts.ToolCall
	ends     []int    // in text, of each of calls
	known    []string // what each of calls comes to, for comparing
	repeated bool     // the call that was written last had been written before
	broken   error    // the call that was written last cannot be read

	whole int // calls that were complete when the rest was closed because tokens ran out
}

func (m *Model) newCallWriter(tools []prompts.ToolDefinition, listed []offered, most int) (*callWriter, error) {
	g, err := m.callsGrammar(listed, most)
	if err != nil {
		return nil, err
	}
	w := &callWriter{constraint: *m.constraint(g), model: m, tools: tools, text: make([]byte, 0, 512)}
	if m.form == formPythonic {
		w.scanner.outside = 1
	}
	return w, nil
}

// Forced implements [llm.Constraint].
func (w *callWriter) Forced(dst []llm.Token) []llm.Token {
	if len(w.first) > 0 {
		return append(dst, w.first...)
	}
	closed := w.closed
	dst = w.constraint.Forced(dst)
	if w.closed && !closed {
		w.whole = len(w.calls)
	}
	return dst
}

// Accept implements [llm.Constraint].
func (w *callWriter) Accept(t llm.Token) error {
	if err := w.constraint.Accept(t); err != nil {
		return err
	}
	w.first = w.first[min(1, len(w.first)):]
	for _, b := range w.model.llm.Tokenizer().Piece(t) {
		w.text = append(w.text, b)
		if begin, end := w.scanner.next(b, len(w.text)-1); end {
			w.take(w.text[begin:])
		}
	}
	return nil
}

// Done implements [llm.Constraint].
func (w *callWriter) Done() bool { return w.repeated || w.broken != nil || w.constraint.Done() }

// take takes a call that is complete.
func (w *callWriter) take(text []byte) {
	if w.repeated {
		return
	}
	call, err := w.model.readCall(text, w.tools)
	if err != nil {
		w.broken = fmt.Errorf("the call %q cannot be read: %w", text, err)
		return
	}
	same := sameCall(call)
	if slices.Contains(w.known, same) {
		w.repeated = true
		return
	}
	w.calls, w.ends, w.known = append(w.calls, call), append(w.ends, len(w.text)), append(w.known, same)
}

// cutOff reports whether there is a call that the model did not end, or none at all.
func (w *callWriter) cutOff() bool {
	forced := w.closed && len(w.calls) > w.whole
	return forced || w.scanner.inside || len(w.calls) == 0
}

// forcedCall is the call that was closed because tokens ran out.
func (w *callWriter) forcedCall() *prompts.ToolCall {
	if !w.closed || len(w.calls) <= w.whole {
		return nil
	}
	return &w.calls[w.whole]
}

// written are the calls that the model ended itself.
func (w *callWriter) written() []prompts.ToolCall {
	if w.closed {
		return w.calls[:w.whole]
	}
	return w.calls
}

// trim is tokens that were written, without a call that had been written before, and ended as the form wants it.
func (w *callWriter) trim(tokens []llm.Token) []llm.Token {
	end, n := w.ends[len(w.ends)-1], 0
	for i, t := range tokens {
		if n == end && n > 0 {
			tokens = tokens[:i]
			break
		}
		size := len(w.model.llm.Tokenizer().Piece(t))
		if n+size > end {
			tokens = tokens[:i]
			break
		}
		n += size
	}
	rest := string(w.text[n:end])
	if w.model.form == formPythonic {
		rest += closingBracket
	}
	return w.model.llm.Tokenizer().Encode(slices.Clone(tokens), rest)
}

// readCall reads one call that was written under the grammar of calls.
func (m *Model) readCall(text []byte, tools []prompts.ToolDefinition) (prompts.ToolCall, error) {
	if m.form == formPythonic {
		reply, err := m.template.Parser().Parse("["+string(text)+"]", tools)
		if err == nil && len(reply.ToolCalls) != 1 {
			err = fmt.Errorf("it has %d calls, want 1", len(reply.ToolCalls))
		}
		if err != nil {
			return prompts.ToolCall{}, err
		}
		return reply.ToolCalls[0], nil
	}
	var call struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
	}
	err := json.Unmarshal(text, &call)
	return prompts.ToolCall{Name: call.Name, Arguments: call.Parameters}, err
}

// sameCall is equal for calls of one tool with the same arguments, however they are spelled and ordered.
func sameCall(call prompts.ToolCall) string {
	var arguments any
	decoder := json.NewDecoder(bytes.NewReader(call.Arguments))
	decoder.UseNumber()
	if err := decoder.Decode(&arguments); err != nil {
		return call.Name + "\x00" + string(call.Arguments)
	}
	sorted, err := json.Marshal(arguments)
	if err != nil {
		sorted = call.Arguments
	}
	return call.Name + "\x00" + string(sorted)
}

// callScanner finds where calls begin and end in what is written under a grammar of calls, byte by byte: they are what
// stands at a depth of brackets, and brackets in strings do not count.
type callScanner struct {
	outside int  // the depth between calls: 1 in pythonic form, inside the list's brackets
	depth   int  // brackets that are open
	quote   byte // that closes the string at hand, or 0
	escaped bool
	inside  bool // a call has begun
	begin   int
}

// next goes on by the byte b at place at, and reports a call that ends with it.
func (s *callScanner) next(b byte, at int) (begin int, end bool) {
	switch {
	case s.escaped:
		s.escaped = false
		return 0, false
	case s.quote != 0:
		switch b {
		case '\\':
			s.escaped = true
		case s.quote:
			s.quote = 0
		}
		return 0, false
	}
	if !s.inside && s.depth == s.outside && !bytes.ContainsRune([]byte(" ,;\n]"), rune(b)) {
		s.inside, s.begin = true, at
	}
	switch b {
	case '"', '\'':
		s.quote = b
	case '{', '[', '(':
		s.depth++
	case '}', ']', ')':
		if s.depth--; s.inside && s.depth == s.outside {
			s.inside = false
			return s.begin, true
		}
	}
	return 0, false
}
