package grammar

import (
	"encoding/json"
	"fmt"
)

// Tool is what a turn may call.
type Tool struct {
	Name       string
	Parameters json.RawMessage // JSON Schema of the arguments; nil means no arguments
	Opener     Token           // special token before the call if Turn.Marked
}

// Turn describes an assistant turn: calls, or an answer, or calls and then an answer.
type Turn struct {
	Tools    []Tool
	Marked   bool // each call follows its tool's Opener token
	Spaced   bool // ", " and ": " in calls and in a schema's answer
	MinCalls int  // 1 or more: a call is required and there is no answer
	MaxCalls int  // 0 means 1
	// Separator stands between calls that are not marked; "; " if empty, as Llama 3 writes it.
	Separator string
	Answer    json.RawMessage // schema of the answer; nil means free text
	End       []Token         // special tokens that end the turn; at least one
}

// CompileTurn makes one grammar of a turn. Every tool's schema is closed: undeclared arguments are not
// written. Free text may not begin with "{" unless calls are marked, so that text and call differ at the
// first byte. One tool whose schema is refused fails the turn with its name in the error.
func CompileTurn(turn Turn) (*Grammar, error) {
	g := newGrammar()
	if len(turn.End) == 0 {
		return nil, fmt.Errorf("grammar: a turn needs a token to end with")
	}
	if turn.Answer != nil && turn.MinCalls == 0 && len(turn.Tools) > 0 && !turn.Marked {
		return nil, fmt.Errorf("grammar: a schema's answer beside calls without markers is ambiguous at the first byte; require a call or offer no tools")
	}
	calls := max(turn.MaxCalls, turn.MinCalls, 1)
	separator := turn.Separator
	if separator == "" {
		separator = "; "
	}
	end := g.emit(opEnd, 0, 0)
	var ends []uint32
	for _, id := range turn.End {
		ends = append(ends, g.emit(opToken, uint32(id), end))
	}
	stop := g.either(ends...)
	var entry uint32
	if len(turn.Tools) > 0 {
		var err error
		if entry, err = turn.call(g); err != nil {
			return nil, err
		}
	} else if turn.MinCalls > 0 {
		return nil, fmt.Errorf("grammar: a call is required but the turn has no tools")
	}
	next := stop
	for i := calls; i > 0 && len(turn.Tools) > 0; i-- {
		if i < calls {
			between := next
			if !turn.Marked {
				between = g.literal(separator, next)
			}
			if next = between; i >= turn.MinCalls {
				next = g.either(stop, between)
			}
		}
		next = g.emit(opCall, entry, next)
	}
	if turn.MinCalls > 0 {
		return g.finish(next)
	}
	answer, err := turn.answer(g, stop)
	if err != nil {
		return nil, err
	}
	if len(turn.Tools) == 0 {
		return g.finish(answer)
	}
	return g.finish(g.either(next, answer))
}

// call returns the entry of a subroutine that reads one call of any tool.
func (turn Turn) call(g *Grammar) (uint32, error) {
	c := newCompiler(g, Options{Spaced: turn.Spaced, Closed: true})
	back := g.emit(opReturn, 0, 0)
	seen := map[string]bool{}
	var out []uint32
	for _, t := range turn.Tools {
		if seen[t.Name] {
			return 0, fmt.Errorf("grammar: two tools are named %q", t.Name)
		}
		seen[t.Name] = true
		schema := t.Parameters
		if len(schema) == 0 {
			schema = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		at, err := c.document(schema)
		if err != nil {
			return 0, fmt.Errorf("tool %q: %w", t.Name, err)
		}
		head := `{"name"` + c.spelling.colon + quote(t.Name) + c.spelling.comma + `"parameters"` + c.spelling.colon
		one := g.literal(head, g.emit(opValue, at, g.bytes('}', '}', back)))
		if turn.Marked {
			one = g.emit(opToken, uint32(t.Opener), one)
		}
		out = append(out, one)
	}
	return g.either(out...), nil
}

func (turn Turn) answer(g *Grammar, stop uint32) (uint32, error) {
	if turn.Answer != nil {
		c := newCompiler(g, Options{Spaced: turn.Spaced})
		at, err := c.document(turn.Answer)
		return g.emit(opValue, at, stop), err
	}
	loop := g.emit(opJump, 0, 0)
	one := g.runes(0, 0x10ffff, loop)
	g.code[loop].x = g.either(one, stop)
	if turn.Marked || len(turn.Tools) == 0 {
		return one, nil
	}
	return g.either(g.runes(0, '{'-1, loop), g.runes('{'+1, 0x10ffff, loop)), nil
}
