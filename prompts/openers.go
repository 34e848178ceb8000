package prompts

import "strings"

// openers is what stands in front of a call.
type openers struct {
	end       int  // where the call would begin
	dropped   int  // the end of the special tokens and headers at the very front
	marks     int  // code fences and <tool_call> tags among them: text when no call follows
	pythonTag bool // <|python_tag|> was the last special token
}

// openers reads what may stand in front of a call: special tokens, a header, code fences, <tool_call>. It is
// false when the text ends within it and may go on.
func (s *scanner) openers(start int, final bool) (openers, bool) {
	o := openers{end: start, dropped: start}
	for o.end < len(s.text) {
		rest := s.text[o.end:]
		size, partial := 0, false
		switch rest[0] {
		case '<':
			var name string
			if name, size, partial = readSpecial(rest); size > 0 {
				o.pythonTag = name == pythonTag
			} else if !partial && !s.textOnly() {
				if size, partial = readTag(rest, "<tool_call>"); size > 0 {
					o.marks++
				}
			}
		case '`':
			if !s.textOnly() {
				if size, partial = readFence(rest); size > 0 {
					o.marks++
				}
			}
		case ' ', '\t', '\n', '\r':
			if o.end > start {
				size = len(rest) - len(strings.TrimLeft(rest, " \t\n\r"))
			}
		}
		if partial && !final {
			return o, false
		}
		if size == 0 {
			break
		}
		o.end += size
		if o.marks == 0 {
			o.dropped = o.end
		}
	}
	return o, true
}

// readSpecial reads a special token, or a whole header, at the beginning of text. partial is true when text
// ends inside of one.
func readSpecial(text string) (name string, size int, partial bool) {
	const longest = len("reserved_special_token_247")
	if !strings.HasPrefix(text, "<|") {
		return "", 0, text == "<"
	}
	word := 0
	for word <= longest && 2+word < len(text) && isNameByte(text[2+word]) && text[2+word] < 0x80 {
		word++
	}
	if word > longest {
		return "", 0, false
	}
	name = text[:2+word]
	switch text[2+word:] {
	case "", "|":
		return "", 0, true
	}
	if !strings.HasPrefix(text[2+word:], "|>") || !isSpecial(name[2:]) {
		return "", 0, false
	}
	name += "|>"
	size = len(name)
	if name == startHeader {
		// The header's role goes with it.
		const longestHeader = 64
		header := text[size:]
		end := strings.Index(header[:min(len(header), longestHeader)], "<|end_header_id|>")
		if end < 0 {
			return name, size, len(header) < longestHeader
		}
		size += end + len("<|end_header_id|>")
	}
	return name, size, false
}

// isSpecial reports whether a special token of Llama 3 has this name between its bars.
func isSpecial(name string) bool {
	if number, ok := strings.CutPrefix(name, "reserved_special_token_"); ok {
		return number != "" && strings.Trim(number, "0123456789") == ""
	}
	switch name {
	case "begin_of_text", "end_of_text", "start_header_id", "end_header_id", "eot_id", "eom_id", "python_tag",
		"finetune_right_pad_id", "step_id", "image":
		return true
	}
	return false
}

// readTag reads tag at the beginning of text.
func readTag(text, tag string) (size int, partial bool) {
	if strings.HasPrefix(text, tag) {
		return len(tag), false
	}
	return 0, strings.HasPrefix(tag, text)
}

// readFence reads one to three backticks and, behind three, a language word and the line's end.
func readFence(text string) (size int, partial bool) {
	for size < len(text) && size < 4 && text[size] == '`' {
		size++
	}
	switch {
	case size == len(text):
		return size, true
	case size < 3:
		return size, false
	case size > 3:
		return 0, false
	}
	word := size
	for word < len(text) && word < 24 && (isNameByte(text[word]) && text[word] < 0x80) {
		word++
	}
	for line := word; ; line++ {
		switch {
		case line >= len(text):
			return size, true
		case text[line] == '\n':
			return line + 1, false
		case text[line] != ' ' && text[line] != '\r' || line > word+8:
			return size, false // a call on the fence's own line, or text
		}
	}
}

// skipClosers returns the end of the marks that may follow a call: white space, separators, stray closing
// brackets, closing tags, code fences and special tokens. more is true when the text ends there and may go on.
func skipClosers(text string, pos int, final bool) (end int, more bool) {
	for pos < len(text) {
		size, partial := 0, false
		switch rest := text[pos:]; rest[0] {
		case ' ', '\t', '\n', '\r', ';', ',', '}', ']', ')', '`':
			size = 1
		case '<':
			var name string
			name, size, partial = readSpecial(rest)
			if name == pythonTag {
				return pos, false // another call follows
			}
			for _, tag := range []string{"</tool_call>", "</function>"} {
				if size == 0 {
					var unfinished bool
					size, unfinished = readTag(rest, tag)
					partial = partial || unfinished
				}
			}
		}
		if partial && !final {
			return pos, true
		}
		if size == 0 {
			return pos, false
		}
		pos += size
	}
	return pos, !final
}

// trimSpecial removes white space and special tokens from the end of text.
func trimSpecial(text string) string {
	for {
		text = strings.TrimRightFunc(text, isPythonSpace)
		at := strings.LastIndex(text, "<|")
		if at < 0 {
			return text
		}
		if _, size, _ := readSpecial(text[at:]); size != len(text)-at {
			return text
		}
		text = text[:at]
	}
}
