package prompts

import (
	"fmt"
	"strings"
)

// longestName bounds names in bytes, so that a reply is walked over only once.
const longestName = 128

// list reads [f(…), g(…)], or a JSON array of calls.
func (s *scanner) list(at int, anchored, final bool) outcome {
	rest := strings.TrimLeft(s.text[at+1:], " \t\r\n")
	noList := outcome{kind: outcomeText, end: at + 1}
	first := len(s.text) - len(rest)
	switch {
	case rest == "":
		if final {
			return noList
		}
		return outcome{kind: outcomeMore}
	case rest[0] == '{':
		maybe, more := callStart(s.text, first)
		if maybe {
			return s.jsonCalls(at, anchored, final)
		}
		if more && !final {
			return outcome{kind: outcomeMore}
		}
		return noList
	case !isNameByte(rest[0]):
		return noList
	}
	size := nameLength(rest)
	name := rest[:size]
	if size == len(rest) {
		if final || size > longestName || !anchored && !s.tools.mayBecomeKnown(name) {
			return noList
		}
		return outcome{kind: outcomeMore}
	}
	if size > longestName || rest[size] != '(' || !s.tools.known(name) && !anchored {
		return noList
	}
	return s.callList(at, anchored, final)
}

// callList reads a Python list of calls whose first name is there.
func (s *scanner) callList(at int, anchored, final bool) outcome {
	r := literalReader{text: s.text, pos: at}
	calls, err := r.callList()
	if err == nil && r.pos >= len(s.text) && !final {
		return outcome{kind: outcomeMore} // a Markdown link goes on with ( behind ]
	}
	if err == nil && (len(calls) == 0 || s.byteAt(r.pos) == '(') {
		return outcome{kind: outcomeText, end: r.pos}
	}
	if err != nil {
		return s.brokenCalls(calls, asSyntaxError(err), r.pos, anchored, final)
	}
	return s.pythonCalls(calls, r.pos, anchored)
}

// pythonCalls makes calls of what was written in Python.
func (s *scanner) pythonCalls(written []pythonCall, end int, anchored bool) outcome {
	var calls []ToolCall
	for _, w := range written {
		name, ok := s.callable(w.name)
		if !ok {
			if anchored && len(w.keywords) > 0 {
				return outcome{kind: outcomeFail, err: &ParseError{Problem: ProblemUnknownTool, Tool: w.name, Known: s.tools.nearest(w.name)}}
			}
			return outcome{kind: outcomeText, end: end}
		}
		arguments, failure := s.keywords(name, w)
		if failure != nil {
			if !anchored {
				return outcome{kind: outcomeText, end: end}
			}
			return outcome{kind: outcomeFail, err: failure}
		}
		call, failure := s.call(name, arguments)
		if failure != nil {
			return outcome{kind: outcomeFail, err: failure}
		}
		calls = append(calls, call)
	}
	return outcome{kind: outcomeCall, end: end, calls: calls}
}

// callable returns the tool that a written name stands for; f.call is f.
func (s *scanner) callable(name string) (string, bool) {
	if !s.tools.any && s.tools.known(name) {
		return name, true
	}
	name = strings.TrimSuffix(name, ".call")
	return name, s.tools.known(name)
}

// keywords returns a call's arguments as an object. One argument without a name goes to the only parameter of
// a tool that has one; any other has no certain meaning.
func (s *scanner) keywords(name string, w pythonCall) (value, *ParseError) {
	arguments := value{kind: kindObject, object: w.keywords}
	if len(w.positional) == 0 {
		return arguments, nil
	}
	properties, _ := s.tools.schema(name).member("properties")
	if len(w.positional) == 1 && len(w.keywords) == 0 && len(properties.object) == 1 {
		arguments.object = []member{{properties.object[0].key, w.positional[0]}}
		return arguments, nil
	}
	var names []string
	for _, p := range properties.object {
		names = append(names, p.key)
	}
	detail := "an argument has no name; write name=value"
	if len(names) > 0 {
		detail += fmt.Sprintf(" with the names %s", shorten(strings.Join(names, ", "), 500))
	}
	return value{}, badArguments(name, detail)
}

// brokenCalls decides what a list of calls is that could not be read to its end.
func (s *scanner) brokenCalls(calls []pythonCall, err *syntaxError, pos int, anchored, final bool) outcome {
	cut := err.missing != "" || err.offset >= len(s.text)
	if cut && !final {
		return outcome{kind: outcomeMore}
	}
	asText := outcome{kind: outcomeText, end: pos}
	if cut {
		asText.end = len(s.text)
	}
	if len(calls) == 0 {
		return asText
	}
	last := calls[len(calls)-1]
	name, known := s.callable(last.name)
	if _, ok := s.callable(calls[0].name); !ok || s.tools.any && len(calls[0].keywords) == 0 {
		return asText
	}
	failure := &ParseError{Problem: ProblemMalformed, Detail: err.problem}
	switch {
	case cut:
		failure.Problem, failure.Missing = ProblemCutOff, missingText(err.missing)
	case !anchored:
		return asText
	case strings.HasSuffix(err.problem, "comes twice"):
		failure.Problem = ProblemBadArguments
	}
	if known {
		failure.Tool = name
	}
	return outcome{kind: outcomeFail, err: failure}
}

// nameCandidate reports whether the word that begins at i may be a call without brackets: f.call(… anywhere,
// f(… at the beginning of the reply.
func (s *scanner) nameCandidate(i int, final bool) bool {
	rest := s.text[i:]
	size := nameLength(rest[:min(len(rest), longestName+1)])
	name := rest[:size]
	if size == len(rest) {
		return !final && size <= longestName && s.tools.mayBecomeCall(name)
	}
	if rest[size] != '(' {
		return false
	}
	if base, ok := strings.CutSuffix(name, ".call"); ok && s.tools.known(base) {
		return true
	}
	return s.atStart() && !s.tools.any && s.tools.known(name)
}

// nameCall reads f.call(…), or when bare is true the calls f(…) g(…) that are the whole rest of the reply.
func (s *scanner) nameCall(at int, bare, final bool) outcome {
	size := nameLength(s.text[at:min(len(s.text), at+longestName+1)])
	asText := outcome{kind: outcomeText, end: at + max(size, 1)}
	if at+size >= len(s.text) && !final && s.nameCandidate(at, false) {
		return outcome{kind: outcomeMore}
	}
	base, builtin := strings.CutSuffix(s.text[at:at+size], ".call")
	if size > longestName || s.byteAt(at+size) != '(' {
		return asText
	}
	if builtin && s.tools.known(base) {
		r := literalReader{text: s.text, pos: at}
		call, err := r.call()
		if err != nil {
			return s.brokenCalls([]pythonCall{call}, asSyntaxError(err), r.pos, true, final)
		}
		return s.pythonCalls([]pythonCall{call}, r.pos, true)
	}
	if !bare || s.tools.any || !s.tools.known(s.text[at:at+size]) {
		return asText
	}
	return s.bareCalls(at, final)
}

// bareCalls reads calls of known tools that are all there is up to the end of the reply.
func (s *scanner) bareCalls(at int, final bool) outcome {
	var calls []pythonCall
	r := literalReader{text: s.text, pos: at}
	for {
		call, err := r.call()
		calls = append(calls, call)
		if err != nil {
			if len(call.keywords) > 0 {
				return s.brokenCalls(calls, asSyntaxError(err), r.pos, true, final)
			}
			return s.bareProse(calls, asSyntaxError(err), r.pos, final)
		}
		end, more := skipClosers(s.text, r.pos, final)
		switch {
		case more:
			return outcome{kind: outcomeMore}
		case end >= len(s.text):
			return s.pythonCalls(calls, end, true)
		}
		size := nameLength(s.text[end:])
		if end+size >= len(s.text) && size <= longestName && !final && s.tools.mayBecomeKnown(s.text[end:]) {
			return outcome{kind: outcomeMore}
		}
		if s.byteAt(end+size) != '(' || !s.tools.known(s.text[end:end+size]) {
			return outcome{kind: outcomeText, end: end}
		}
		r.pos = end
	}
}

// bareProse decides what a reply is that begins with a tool's name and a bracket, and does not go on as a call
// does: a wrong call if that is all there is, else prose.
func (s *scanner) bareProse(calls []pythonCall, err *syntaxError, pos int, final bool) outcome {
	if !final {
		return outcome{kind: outcomeMore}
	}
	if rest := trimSpecial(s.text[s.pos:]); strings.HasSuffix(rest, ")") && !strings.Contains(rest, "\n") {
		return s.brokenCalls(calls, err, pos, true, true)
	}
	return outcome{kind: outcomeText, end: pos}
}

// functionTag reads <function=f>{…}</function>.
func (s *scanner) functionTag(at int, final bool) outcome {
	const tag = "<function="
	asText := outcome{kind: outcomeText, end: at + 1}
	rest := s.text[at:]
	size, partial := readTag(rest, tag)
	if size == 0 {
		if partial && !final {
			return outcome{kind: outcomeMore}
		}
		return asText
	}
	head := rest[size:min(len(rest), size+longestName)]
	end := strings.IndexAny(head, ">\n{")
	switch {
	case end < 0 && size+len(head) == len(rest) && !final:
		return outcome{kind: outcomeMore}
	case end <= 0 || head[end] != '>':
		return asText
	}
	name := strings.TrimSpace(head[:end])
	r := jsonReader{text: s.text, pos: at + size + end + 1, lenient: true, maxDepth: maxReplyDepth}
	r.skipSpace()
	if r.pos >= len(s.text) && !final {
		return outcome{kind: outcomeMore}
	}
	v, err := r.value()
	if err != nil {
		syntax := asSyntaxError(err)
		failure := &ParseError{Problem: ProblemMalformed, Tool: name, Detail: syntax.problem}
		if syntax.missing != "" || syntax.offset >= len(s.text) {
			if !final {
				return outcome{kind: outcomeMore}
			}
			failure.Problem, failure.Missing = ProblemCutOff, missingText(syntax.missing)
		} else if strings.HasSuffix(syntax.problem, "comes twice") {
			failure.Problem = ProblemBadArguments
		}
		return outcome{kind: outcomeFail, err: failure}
	}
	if !s.tools.known(name) {
		return outcome{kind: outcomeFail, err: &ParseError{Problem: ProblemUnknownTool, Tool: name, Known: s.tools.nearest(name)}}
	}
	call, failure := s.call(name, v)
	if failure != nil {
		return outcome{kind: outcomeFail, err: failure}
	}
	return outcome{kind: outcomeCall, end: r.pos, calls: []ToolCall{call}}
}
