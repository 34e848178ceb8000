package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// next returns the length of the first piece of text, which is not empty. Pieces are what Llama 3's expression matches:
//
//	(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//
// (meta-llama/llama-models, models/llama3/tokenizer.py). The first alternative that matches wins, not the longest. A byte
// that is not UTF-8 is neither letter, number nor space.
func next(text string) int {
	first, size := decode(text)
	if first == '\'' {
		if n := contraction(text); n > 0 {
			return n
		}
	}
	if isLetter(first) {
		return letters(text, size)
	}
	if first != '\r' && first != '\n' && !isNumber(first) && size < len(text) {
		if r, n := decode(text[size:]); isLetter(r) {
			return letters(text, size+n)
		}
	}
	if isNumber(first) {
		end := size
		for count := 1; count < 3 && end < len(text); count++ {
			r, n := decode(text[end:])
			if !isNumber(r) {
				break
			}
			end += n
		}
		return end
	}
	if n := symbols(text); n > 0 {
		return n
	}
	return spaces(text)
}

// contraction matches 's 't 're 've 'm 'll 'd in any case.
func contraction(text string) int {
	if len(text) < 2 {
		return 0
	}
	second := lower(text[1])
	switch second {
	case 's', 't', 'm', 'd':
		return 2
	}
	if len(text) > 2 {
		switch third := lower(text[2]); {
		case second == 'r' && third == 'e', second == 'v' && third == 'e', second == 'l' && third == 'l':
			return 3
		}
	}
	if len(text) > 2 && text[1:3] == "\u017f" { // long s folds to s
		return 3
	}
	return 0
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// letters extends a piece over letters from end on.
func letters(text string, end int) int {
	for end < len(text) {
		if b := text[end]; b < utf8.RuneSelf {
			if classes[b]&letterClass == 0 {
				break
			}
			end++
			continue
		}
		r, n := decode(text[end:])
		if !isLetter(r) {
			break
		}
		end += n
	}
	return end
}

// symbols matches " ?[^\s\p{L}\p{N}]+[\r\n]*".
func symbols(text string) int {
	end := 0
	if text[0] == ' ' {
		end = 1
	}
	start := end
	for end < len(text) {
		r, n := decode(text[end:])
		if isSpace(r) || isLetter(r) || isNumber(r) {
			break
		}
		end += n
	}
	if end == start {
		return 0
	}
	for end < len(text) && (text[end] == '\r' || text[end] == '\n') {
		end++
	}
	return end
}

// spaces matches "\s*[\r\n]+|\s+(?!\S)|\s+": up to the last line end in a run of spaces; else all of the run but its last
// character if something follows; else the run.
func spaces(text string) int {
	end, lineEnd, last := 0, 0, 0
	for end < len(text) {
		r, n := decode(text[end:])
		if !isSpace(r) {
			break
		}
		last = end
		end += n
		if r == '\r' || r == '\n' {
			lineEnd = end
		}
	}
	switch {
	case lineEnd > 0:
		return lineEnd
	case end == len(text) || last == 0:
		return end
	}
	return last
}

// badByte stands for a byte that is not UTF-8. It is outside of Unicode, so no class contains it.
const badByte = unicode.MaxRune + 1

func decode(text string) (rune, int) {
	if b := text[0]; b < utf8.RuneSelf {
		return rune(b), 1
	}
	r, n := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && n == 1 {
		return badByte, 1
	}
	return r, n
}

// Classes of characters. No character is in two of them.
const (
	letterClass = 1 << iota
	numberClass
	spaceClass
)

// classes are those of the characters below U+10000, looked up for every character of every text.
var classes = func() *[1 << 16]uint8 {
	var table [1 << 16]uint8
	for class, ranges := range map[uint8]*unicode.RangeTable{
		letterClass: unicode.Letter, numberClass: unicode.Number, spaceClass: unicode.White_Space,
	} {
		for _, r := range ranges.R16 {
			for c := int(r.Lo); c <= int(r.Hi); c += int(r.Stride) {
				table[c] |= class
			}
		}
	}
	return &table
}()

func isLetter(r rune) bool {
	if r < 1<<16 {
		return classes[r]&letterClass != 0
	}
	return unicode.IsLetter(r)
}

func isNumber(r rune) bool {
	if r < 1<<16 {
		return classes[r]&numberClass != 0
	}
	return unicode.IsNumber(r)
}

func isSpace(r rune) bool { return r < 1<<16 && classes[r]&spaceClass != 0 }
