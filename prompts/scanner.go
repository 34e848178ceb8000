package prompts

import "strings"

// scanner walks once over a reply and decides, piece by piece, what is text and what is a call. It decides as
// soon as what it has seen allows only one answer, so that a reply can be given to it in any pieces: what it
// decided never depends on where a piece ended.
type scanner struct {
	tools *toolIndex
	text  string // what is not decided yet begins at pos
	pos   int

	content   strings.Builder // decided text
	solid     int             // length of the content without white space at its end
	calls     []ToolCall
	failure   *ParseError
	afterCall bool // closing marks may follow, and are dropped
	lineStart bool // only blanks since the last line break
	inWord    bool // the last byte of decided text can be inside a name
	begun     bool // the very beginning was looked at
}

func newScanner(tools []ToolDefinition) *scanner {
	return &scanner{tools: newToolIndex(tools), lineStart: true}
}

// outcome is what became of a candidate for a call that began at some place.
type outcome struct {
	kind  outcomeKind
	end   int // text up to here is decided
	calls []ToolCall
	err   *ParseError
}

type outcomeKind uint8

const (
	outcomeText outcomeKind = iota // no call: text up to end
	outcomeCall                    // calls up to end
	outcomeDrop                    // up to end nothing that anybody should see
	outcomeMore                    // cannot be told from what there is
	outcomeFail                    // a call, and a wrong one
)

// advance decides as much of the text as can be decided; all of it when final, because nothing follows.
func (s *scanner) advance(final bool) {
	if !s.begun && !s.skipStrayHeader(final) {
		return
	}
	for s.failure == nil {
		if s.afterCall {
			end, more := skipClosers(s.text, s.pos, final)
			s.pos = end
			if more {
				return
			}
			s.afterCall, s.lineStart, s.inWord = false, true, false
		}
		start := s.nextCandidate(final)
		s.emit(start)
		if start >= len(s.text) {
			return
		}
		switch o := s.attempt(start, final); o.kind {
		case outcomeText:
			s.emit(max(o.end, start+1))
		case outcomeCall:
			s.calls = append(s.calls, o.calls...)
			s.pos, s.afterCall = o.end, true
		case outcomeDrop:
			s.pos = o.end
		case outcomeMore:
			return
		case outcomeFail:
			s.failure = o.err
		}
	}
}

// skipStrayHeader drops what is left of the reply's own header when its special tokens are gone. It is false
// when the text may still become such a rest.
func (s *scanner) skipStrayHeader(final bool) bool {
	const header = "assistant\n\n"
	start := strings.TrimLeft(s.text[s.pos:], " \t\r\n")
	if !final && strings.HasPrefix(header, start) {
		return false
	}
	if strings.HasPrefix(start, header) {
		s.pos = len(s.text) - len(start) + len(header)
	}
	s.begun = true
	return true
}

// emit decides that the text up to end is text.
func (s *scanner) emit(end int) {
	if end <= s.pos {
		return
	}
	part := s.text[s.pos:end]
	s.pos = end
	if s.content.Len() == 0 {
		if part = strings.TrimLeftFunc(part, isPythonSpace); part == "" {
			return
		}
	}
	if trimmed := strings.TrimRightFunc(part, isPythonSpace); trimmed != "" {
		s.solid = s.content.Len() + len(trimmed)
	}
	s.content.WriteString(part)
	if i := strings.LastIndexByte(part, '\n'); i >= 0 {
		s.lineStart = true
		part = part[i+1:]
	}
	s.lineStart = s.lineStart && strings.Trim(part, " \t") == ""
	s.inWord = part != "" && isNameByte(part[len(part)-1])
}

// atStart reports whether nothing was said so far.
func (s *scanner) atStart() bool { return s.content.Len() == 0 && len(s.calls) == 0 }

// textOnly reports whether no tool can be called.
func (s *scanner) textOnly() bool { return !s.tools.any && len(s.tools.tools) == 0 }

// nextCandidate returns the first place from pos on where a call, or something to be dropped, may begin.
func (s *scanner) nextCandidate(final bool) int {
	inWord := s.inWord
	for i := s.pos; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '<':
			return i
		case c == '{' || c == '[' || c == '`':
			if !s.textOnly() {
				return i
			}
			inWord = false
		case isNameByte(c):
			if !inWord && !s.textOnly() && s.nameCandidate(i, final) {
				return i
			}
			inWord = true
		default:
			inWord = false
		}
	}
	return len(s.text)
}

// attempt tries to read a call at start: first what may stand in front of it, then the call in one of its
// notations, told by its first character.
func (s *scanner) attempt(start int, final bool) outcome {
	o, ok := s.openers(start, final)
	if !ok {
		return outcome{kind: outcomeMore}
	}
	at := o.end
	switch {
	case at >= len(s.text) && !final:
		return outcome{kind: outcomeMore}
	case at >= len(s.text) && o.marks == 0 && at > start:
		return outcome{kind: outcomeDrop, end: at} // special tokens at the end of the reply
	case at >= len(s.text) && !o.pythonTag:
		return outcome{kind: outcomeText, end: at}
	case s.textOnly():
		return s.noCall(start, o)
	}
	anchored := s.lineStart || at > start
	var result outcome
	switch c := s.byteAt(at); {
	case c == '{':
		result = s.jsonObject(at, anchored, final)
	case c == '[':
		result = s.list(at, anchored, final)
	case c == '<':
		result = s.functionTag(at, final)
	case isNameByte(c):
		result = s.nameCall(at, s.atStart() || o.pythonTag, final)
	default:
		result = outcome{kind: outcomeText, end: at}
	}
	if result.kind != outcomeText {
		return result
	}
	if o.pythonTag {
		return s.code(at, final)
	}
	if result.end > at {
		o.end = result.end
	}
	return s.noCall(start, o)
}

// noCall is the outcome when no call follows the openers: special tokens in front of a reply are dropped,
// everything else is text.
func (s *scanner) noCall(start int, o openers) outcome {
	if o.dropped > start && s.atStart() {
		return outcome{kind: outcomeDrop, end: o.dropped}
	}
	return outcome{kind: outcomeText, end: o.end}
}

// code takes everything from at on for code behind <|python_tag|>.
func (s *scanner) code(at int, final bool) outcome {
	if !final {
		return outcome{kind: outcomeMore}
	}
	text := trimSpecial(s.text[at:])
	if !s.tools.known(codeToolName) {
		return outcome{kind: outcomeFail, err: &ParseError{Problem: ProblemNoCodeTool}}
	}
	arguments := value{kind: kindObject, object: []member{{"code", stringValue(text)}}}
	call := ToolCall{Name: codeToolName, Arguments: arguments.compact()}
	return outcome{kind: outcomeCall, end: len(s.text), calls: []ToolCall{call}}
}

// byteAt returns the byte at i, 0 behind the end.
func (s *scanner) byteAt(i int) byte {
	if i >= len(s.text) {
		return 0
	}
	return s.text[i]
}

// reply returns what was decided.
func (s *scanner) reply() (ParsedReply, error) {
	reply := ParsedReply{Content: s.content.String()[:s.solid]}
	if s.failure != nil {
		s.failure.Text = s.text[s.pos:]
		return reply, s.failure
	}
	reply.ToolCalls = s.calls
	return reply, nil
}

// isNameByte reports whether a tool's name can contain c; other characters than ASCII count as letters.
func isNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
