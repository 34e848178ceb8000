package prompts

import "strings"

// Stream reads a reply while it is written. It gives text away as soon as that is certainly text, and holds
// back what may still become a call. However the reply is cut into pieces, what Write and Close give away
// together is the same, and Close returns what [Parser.Parse] returns for the whole reply.
//
// A Stream is for one reply and one goroutine.
type Stream struct {
	scanner  *scanner
	waiting  strings.Builder // written and not yet looked at
	released int             // bytes of the content that were given away
}

// Stream begins to read a reply.
func (p Parser) Stream(tools []ToolDefinition) *Stream {
	return &Stream{scanner: newScanner(tools)}
}

// Write takes the reply's next piece, valid UTF-8, and returns text that can be shown, often "".
func (s *Stream) Write(piece string) string {
	s.waiting.WriteString(piece)
	// What is held back is read again from its beginning. While it is long, look at it more rarely, so that
	// the work stays in proportion to the reply's length.
	if held := len(s.scanner.text) - s.scanner.pos; held > 4096 && s.waiting.Len() < held/4 {
		return ""
	}
	s.take()
	s.scanner.advance(false)
	if len(s.scanner.calls) > 0 || s.scanner.failure != nil {
		return ""
	}
	return s.release()
}

// Holding reports whether something is held back that may become, or is, a call.
func (s *Stream) Holding() bool {
	c := s.scanner
	return s.waiting.Len() > 0 || c.pos < len(c.text) || len(c.calls) > 0 || c.failure != nil
}

// Close says that the reply is complete. rest is the text that was not given away yet; the other results are
// those of [Parser.Parse].
func (s *Stream) Close() (rest string, reply ParsedReply, err error) {
	s.take()
	s.scanner.advance(true)
	reply, err = s.scanner.reply()
	return reply.Content[s.released:], reply, err
}

// take moves what waits into the scanner, and lets go of what is decided.
func (s *Stream) take() {
	s.scanner.text = s.scanner.text[s.scanner.pos:] + s.waiting.String()
	s.scanner.pos = 0
	s.waiting.Reset()
}

// release gives away the decided text, except for white space at its end, which the content may end with.
func (s *Stream) release() string {
	text := s.scanner.content.String()[s.released:s.scanner.solid]
	s.released = s.scanner.solid
	return text
}
