package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/drover-ai/drover/llm/grammar"
	"github.com/drover-ai/drover/prompts"
)

// form is how a model writes calls under its template.
type form uint8

const (
	formParsed   form = iota // in some way that is read, and not held to a grammar
	formJSON                 // {"name": "f", "parameters": {"a": 1}}; {"name": "g", "parameters": {}}
	formPythonic             // [f(a=1), g()]
	formMarked               // MARKER{"name":"f","parameters":{"a":1}}MARKER{"name":"g","parameters":{}}
)

// findForm says in which form calls are written.
func (m *Model) findForm() {
	switch {
	case m.markers != nil:
		m.form = formMarked
	case m.template.Name() == prompts.Llama32().Name():
		m.form = formJSON
	case m.template.Name() == prompts.Llama32Pythonic().Name():
		m.form = formPythonic
	}
}

// defaultMaxCalls is how many calls one message has at most where the request does not say: small models that began a list
// may not end it. Llama 3.2's JSON form was trained, and its template renders, with one call a message; so was the embedded
// model.
func (f form) defaultMaxCalls() int {
	if f == formPythonic {
		return 8
	}
	return 1
}

// offered is a tool that may be called, and its place among the request's, which says what its marker is.
type offered struct {
	prompts.ToolDefinition
	index int
}

// callsGrammar is what calls of the tools are written under: one, or up to most one after another, and the end of the
// message. Tools are told apart by what they are called, so no name may come twice.
func (m *Model) callsGrammar(tools []offered, most int) (*grammar.Grammar, error) {
	var key strings.Builder
	fmt.Fprintf(&key, "calls %d", most)
	for _, d := range tools {
		fmt.Fprintf(&key, "\x00%d %s\x00%s", d.index, d.Name, d.Parameters)
	}
	return m.grammars.Compile(key.String(), func() (*grammar.Grammar, error) { return m.compileCalls(tools, most) })
}

func (m *Model) compileCalls(tools []offered, most int) (*grammar.Grammar, error) {
	g, err := m.compileCallsOf(tools, most)
	if err == nil {
		return g, nil
	}
	tools = slices.Clone(tools)
	for i := range tools { // whose fault it is
		if m.loose != nil {
			if tools[i], err = m.loosen(tools[i]); err != nil {
				return nil, err
			}
		} else if _, err := m.compileCall(tools[i]); err != nil {
			return nil, err
		}
	}
	if m.loose == nil {
		return nil, err
	}
	return m.compileCallsOf(tools, most)
}

func (m *Model) compileCallsOf(tools []offered, most int) (*grammar.Grammar, error) {
	var calls []grammar.Part
	for _, d := range tools {
		part, err := m.callPart(d)
		if err != nil {
			return nil, err
		}
		calls = append(calls, part)
	}
	call := grammar.NewRule("call") // compiled once, used twice
	call.Define(grammar.OneOf(calls...))
	var opening, separator, closing grammar.Part
	switch m.form {
	case formPythonic:
		opening, separator, closing = grammar.Literal("["), grammar.Literal(", "), grammar.Literal(closingBracket)
	case formJSON:
		separator = grammar.OneOf(grammar.Literal("; "), grammar.Literal("\n"))
	}
	more := grammar.Repeat(grammar.Sequence(separator, call.Part()), 0, most-1)
	end := grammar.Special(m.llm.Tokenizer().StopTokens()...)
	return grammar.Compile(grammar.Sequence(opening, call.Part(), more, closing, end))
}

// closingBracket ends a list of calls in pythonic form.
const closingBracket = "]"

// pythonicName is what a function may be called in Python's notation.
var pythonicName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)

// callPart is one call of a tool. Arguments that its schema does not name are not written.
func (m *Model) callPart(d offered) (grammar.Part, error) {
	schema, err := objectSchema(d.Parameters)
	if err != nil {
		return grammar.Part{}, fmt.Errorf("tool %q: its parameters: %w", d.Name, err)
	}
	if m.form == formPythonic {
		if !pythonicName.MatchString(d.Name) {
			return grammar.Part{}, fmt.Errorf("tool %q: the name is none in Python's notation; rename it, or use the template in JSON form", d.Name)
		}
		arguments := grammar.Arguments(schema, grammar.Options{Spaced: true, Closed: true})
		return grammar.Sequence(grammar.Literal(d.Name+"("), arguments, grammar.Literal(")")), nil
	}
	name, err := compactJSON(d.Name)
	if err != nil {
		return grammar.Part{}, fmt.Errorf("tool %q: its name: %w", d.Name, err)
	}
	// The embedded model learned arguments in the order of the schema.
	options := grammar.Options{Spaced: m.spaced(), Ordered: m.form == formMarked, Closed: true}
	comma, colon := ",", ":"
	if options.Spaced {
		comma, colon = ", ", ": "
	}
	head := `{"name"` + colon + string(name) + comma + `"parameters"` + colon
	call := grammar.Sequence(grammar.Literal(head), grammar.Schema(schema, options), grammar.Literal("}"))
	if m.form == formMarked {
		call = grammar.Sequence(grammar.Special(m.markers[d.index]), call)
	}
	return call, nil
}

// objectSchema is a tool's schema, of which arguments are always an object.
func objectSchema(parameters json.RawMessage) (json.RawMessage, error) {
	if len(parameters) == 0 {
		return json.RawMessage(`{"type":"object","properties":{}}`), nil
	}
	var keywords map[string]json.RawMessage
	if err := json.Unmarshal(parameters, &keywords); err != nil {
		return nil, err
	}
	if _, ok := keywords["type"]; ok {
		return parameters, nil
	}
	rest := strings.TrimSpace(strings.TrimSpace(string(parameters))[1:])
	if len(keywords) > 0 {
		rest = "," + rest
	}
	return json.RawMessage(`{"type":"object"` + rest), nil
}

// compactJSON is a string as JSON, with all characters as they are.
func compactJSON(text string) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(text)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
