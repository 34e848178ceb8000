package prompts

import (
	"fmt"
	"slices"
	"strings"
)

// callKeys are the keys with which an object that is a call begins.
var callKeys = []string{"name", "type", "function", "parameters", "arguments", "tool_calls", "function_call", "id"}

// callStart looks at the first key of the object that begins at text[at]. It reports whether the object may be
// a call, and whether the text ends before that can be told.
func callStart(text string, at int) (maybe, more bool) {
	rest := strings.TrimLeft(text[at+1:], " \t\r\n")
	if rest == "" {
		return false, true
	}
	if rest[0] != '"' && rest[0] != '\'' {
		return false, false
	}
	for _, key := range callKeys {
		quoted := key + rest[:1]
		if strings.HasPrefix(rest[1:], quoted) {
			return true, false
		}
		if strings.HasPrefix(quoted, rest[1:]) {
			more = true
		}
	}
	return false, more
}

// jsonObject reads a call written as a JSON object.
func (s *scanner) jsonObject(at int, anchored, final bool) outcome {
	maybe, more := callStart(s.text, at)
	switch {
	case maybe:
		return s.jsonCalls(at, anchored, final)
	case more && !final:
		return outcome{kind: outcomeMore}
	case more && anchored && strings.TrimLeft(s.text[at+1:], " \t\r\n\"'") != "":
		return s.jsonCalls(at, anchored, final) // cut off inside its first key
	default:
		return outcome{kind: outcomeText, end: at + 1}
	}
}

// jsonCalls reads an object, or an array of objects, and takes the calls out of it.
func (s *scanner) jsonCalls(at int, anchored, final bool) outcome {
	r := jsonReader{text: s.text, pos: at, lenient: true, maxDepth: maxReplyDepth}
	v, err := r.value()
	if err != nil {
		return s.brokenJSON(v, asSyntaxError(err), r.pos, anchored, final)
	}
	objects := []value{v}
	if v.kind == kindArray {
		objects = v.list
	}
	var calls []ToolCall
	for _, object := range objects {
		found, failure := s.callsIn(object, 0)
		if failure != nil {
			return outcome{kind: outcomeFail, err: failure}
		}
		if len(found) == 0 && len(calls) == 0 {
			return outcome{kind: outcomeText, end: r.pos}
		}
		if len(found) == 0 {
			return outcome{kind: outcomeFail, err: &ParseError{
				Problem: ProblemMalformed, Detail: "the list of calls has an element that is none",
			}}
		}
		calls = append(calls, found...)
	}
	if len(calls) == 0 {
		return outcome{kind: outcomeText, end: r.pos}
	}
	return outcome{kind: outcomeCall, end: r.pos, calls: calls}
}

// callsIn returns the calls that an object stands for, none when it is not about a call at all.
func (s *scanner) callsIn(object value, depth int) ([]ToolCall, *ParseError) {
	if list, ok := object.member("tool_calls"); ok && list.kind == kindArray && depth == 0 {
		var calls []ToolCall
		for _, inner := range list.list {
			found, failure := s.callsIn(inner, depth+1)
			if failure != nil {
				return nil, failure
			}
			calls = append(calls, found...)
		}
		return calls, nil
	}
	function := unwrap(object)
	name, isCall := callName(function)
	arguments, count := callArguments(function)
	switch {
	case !isCall:
		return nil, nil
	case !s.tools.known(name):
		if count == 0 || hasOtherKeys(function) || (arguments.kind != kindObject && arguments.kind != kindString && arguments.kind != kindNull) {
			return nil, nil // an object about somebody with a name
		}
		return nil, &ParseError{Problem: ProblemUnknownTool, Tool: name, Known: s.tools.nearest(name)}
	case count > 1:
		return nil, badArguments(name, `there are "parameters" and "arguments"; write one of them`)
	case count == 0:
		for _, m := range function.object {
			if m.key != "name" && m.key != "type" && m.key != "id" && m.key != "function" {
				if s.tools.any {
					return nil, nil
				}
				return nil, badArguments(name, fmt.Sprintf(`the key %q stands outside of "parameters"`, shorten(m.key, 60)))
			}
		}
		if s.tools.any {
			return nil, nil // a name alone says nothing when every name is known
		}
	}
	call, failure := s.call(name, arguments)
	if failure != nil {
		return nil, failure
	}
	return []ToolCall{call}, nil
}

// unwrap returns the object that has the name: the one inside "function" or "function_call", if that is one.
func unwrap(object value) value {
	for _, key := range []string{"function", "function_call"} {
		if inner, ok := object.member(key); ok && inner.kind == kindObject {
			return inner
		}
	}
	return object
}

// callName returns the name that an object calls. It is false for objects of some other kind.
func callName(function value) (name string, ok bool) {
	if t, ok := function.member("type"); ok && t.text != "function" {
		return "", false
	}
	for _, key := range []string{"name", "function"} {
		if n, ok := function.member(key); ok && n.kind == kindString {
			return n.text, true
		}
	}
	return "", false
}

// hasOtherKeys reports whether an object has keys that a call does not have.
func hasOtherKeys(function value) bool {
	for _, m := range function.object {
		if !slices.Contains(callKeys, m.key) {
			return true
		}
	}
	return false
}

// callArguments returns the value of "parameters" or "arguments", and how many of them there are.
func callArguments(function value) (arguments value, count int) {
	for _, key := range []string{"parameters", "arguments"} {
		if a, ok := function.member(key); ok {
			arguments = a
			count++
		}
	}
	return arguments, count
}

// call makes a call of a known tool.
func (s *scanner) call(name string, arguments value) (ToolCall, *ParseError) {
	if arguments.kind == kindString && strings.TrimSpace(arguments.text) != "" {
		r := jsonReader{text: strings.TrimSpace(arguments.text), lenient: true, maxDepth: maxReplyDepth}
		inner, err := r.value()
		if err == nil && r.pos < len(r.text) {
			err = r.fail("%s after the end of the arguments", r.found())
		}
		if err != nil {
			return ToolCall{}, badArguments(name, "they are a string that is no JSON: "+err.Error())
		}
		arguments = inner
	} else if arguments.kind == kindNull || arguments.kind == kindString {
		arguments = value{kind: kindObject}
	}
	if arguments.kind != kindObject {
		return ToolCall{}, badArguments(name, fmt.Sprintf("got %s, want an object", arguments.kind))
	}
	return ToolCall{Name: name, Arguments: coerce(arguments, s.tools.schema(name)).compact()}, nil
}

func badArguments(name, detail string) *ParseError {
	return &ParseError{Problem: ProblemBadArguments, Tool: name, Detail: detail}
}

// brokenJSON decides what an object is that could not be read to its end; partial is what was read.
func (s *scanner) brokenJSON(partial value, err *syntaxError, pos int, anchored, final bool) outcome {
	cut := err.missing != "" || err.offset >= len(s.text)
	if cut && !final {
		return outcome{kind: outcomeMore}
	}
	if partial.kind == kindArray {
		if len(partial.list) == 0 {
			return outcome{kind: outcomeText, end: pos}
		}
		partial = partial.list[len(partial.list)-1]
	}
	function := unwrap(partial)
	name, named := callName(function)
	_, count := callArguments(function)
	failure := &ParseError{Problem: ProblemMalformed, Tool: name, Detail: err.problem}
	if cut {
		failure.Problem, failure.Missing = ProblemCutOff, missingText(err.missing)
	} else if strings.HasSuffix(err.problem, "comes twice") {
		failure.Problem = ProblemBadArguments
	}
	switch {
	case !named && cut && anchored && mayBeCall(function):
		return outcome{kind: outcomeFail, err: failure}
	case named && s.tools.known(name) && (!s.tools.any || count > 0 || cut && len(function.object) < 3):
		return outcome{kind: outcomeFail, err: failure}
	case named && count > 0:
		return outcome{kind: outcomeFail, err: &ParseError{Problem: ProblemUnknownTool, Tool: name, Known: s.tools.nearest(name)}}
	case named && cut && len(function.object) < 3 && s.tools.mayBecomeKnown(name):
		return outcome{kind: outcomeFail, err: failure}
	case cut:
		return outcome{kind: outcomeText, end: len(s.text)}
	default:
		return outcome{kind: outcomeText, end: pos}
	}
}

// mayBeCall reports whether an object that was cut off before its name has only what a call has.
func mayBeCall(function value) bool {
	for _, m := range function.object {
		switch {
		case m.key == "type" && m.value.kind == kindString && strings.HasPrefix("function", m.value.text):
		case m.key == "type" || m.key == "id":
			if m.key == "type" && m.value.kind == kindString || m.value.kind == kindNumber {
				return false
			}
		case m.key == "name" || m.key == "parameters" || m.key == "arguments" || m.key == "function" || m.key == "tool_calls" || m.key == "function_call":
		default:
			return false
		}
	}
	return true
}
