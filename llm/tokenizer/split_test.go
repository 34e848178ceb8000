package tokenizer_test

import (
	"unicode"
	"unicode/utf8"
)

// split is a second opinion on how text is cut: it walks Llama 3's expression literally, alternative by alternative, with
// greedy repetition and backtracking, on decoded characters. It is slow and shares no code with the tokenizer.
func split(text string) []string {
	type char struct {
		r    rune
		size int
	}
	var chars []char
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			r = -1 // a byte that is no character: in no class
		}
		chars = append(chars, char{r, size})
		i += size
	}
	letter := func(r rune) bool { return r >= 0 && unicode.IsLetter(r) }
	number := func(r rune) bool { return r >= 0 && unicode.IsNumber(r) }
	space := func(r rune) bool { return r >= 0 && unicode.IsSpace(r) }
	lineEnd := func(r rune) bool { return r == '\r' || r == '\n' }
	run := func(i int, class func(rune) bool) int { // class*
		for i < len(chars) && class(chars[i].r) {
			i++
		}
		return i
	}
	same := func(i int, word string) bool { // ignoring case
		for _, w := range word {
			if i >= len(chars) || unicode.SimpleFold(w) != chars[i].r && w != chars[i].r &&
				unicode.SimpleFold(unicode.SimpleFold(w)) != chars[i].r {
				return false
			}
			i++
		}
		return true
	}
	match := func(i int) int {
		if chars[i].r == '\'' { // (?i:'s|'t|'re|'ve|'m|'ll|'d)
			for _, word := range []string{"s", "t", "re", "ve", "m", "ll", "d"} {
				if same(i+1, word) {
					return i + 1 + len(word)
				}
			}
		}
		j := i // [^\r\n\p{L}\p{N}]?\p{L}+
		if r := chars[i].r; !lineEnd(r) && !letter(r) && !number(r) {
			j++
		}
		if end := run(j, letter); end > j {
			return end
		}
		if end := run(i, number); end > i { // \p{N}{1,3}
			return min(end, i+3)
		}
		j = i //  ?[^\s\p{L}\p{N}]+[\r\n]*
		if chars[i].r == ' ' {
			j++
		}
		if end := run(j, func(r rune) bool { return !space(r) && !letter(r) && !number(r) }); end > j {
			return run(end, lineEnd)
		}
		whole := run(i, space)
		for end := whole; end > i; end-- { // \s*[\r\n]+
			if lineEnd(chars[end-1].r) {
				return end
			}
		}
		for end := whole; end > i; end-- { // \s+(?!\S)
			if end == len(chars) || space(chars[end].r) {
				return end
			}
		}
		return whole // \s+
	}
	var pieces []string
	at := 0
	for i := 0; i < len(chars); {
		end, size := match(i), 0
		for ; i < end; i++ {
			size += chars[i].size
		}
		pieces = append(pieces, text[at:at+size])
		at += size
	}
	return pieces
}
