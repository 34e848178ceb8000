package arithmetic

import (
	"fmt"
	"strings"
	"unicode"
)

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenNumber
	tokenWord
	tokenOperator // an operator, a parenthesis or a comma
)

// token is a piece of the expression.
type token struct {
	kind     tokenKind
	text     string // numbers without grouping, words in lower case
	position int    // of its first character, counted from 1
}

func (t token) is(kind tokenKind, text string) bool { return t.kind == kind && t.text == text }

// String names the token in errors.
func (t token) String() string {
	if t.kind == tokenEnd {
		return "the end"
	}
	return fmt.Sprintf("%q", t.text)
}

// commas says what a comma means where the scanner is.
type commas int

const (
	commasGroup    commas = iota // digits: 2,340
	commasSeparate               // arguments, none followed by a space: max(2,340)
	commasSpaced                 // arguments, at least one followed by a space: max(2, 340)
)

// scanner cuts the text into tokens, one at a time, because what a comma means depends on what stands around it.
type scanner struct {
	text   []rune
	next   int // the first character not yet read
	commas commas
	after  bool // a value ends here, so that x is a multiplication sign
}

// sameAs are characters that mean the same as others.
var sameAs = map[rune]rune{
	'×': '*', '·': '*', '⋅': '*', '∙': '*', '∗': '*', '•': '*', '÷': '/', '∕': '/', '⁄': '/', '−': '-', '–': '-', '—': '-', '﹣': '-', '－': '-', '＋': '+', '＊': '*', '／': '/',
	'（': '(', '）': ')', '［': '(', '］': ')', '[': '(', ']': ')', '{': '(', '}': ')', '，': ',', '．': '.', '％': '%', '＾': '^', '’': '\'', 'º': '°', 'Π': 'π',
}

// normalize replaces such characters, one by one so that positions stay.
func normalize(text []rune) []rune {
	normal := make([]rune, len(text))
	for i, r := range text {
		switch same, ok := sameAs[r]; {
		case ok:
			r = same
		case '０' <= r && r <= '９':
			r += '0' - '０'
		case unicode.IsSpace(r) && !isThinSpace(r):
			r = ' '
		}
		normal[i] = r
	}
	return normal
}

// isThinSpace reports whether r is one of the spaces that group digits in print. They count as spaces elsewhere too.
func isThinSpace(r rune) bool { return r == '\u00a0' || r == '\u2009' || r == '\u202f' }

const currencies = "$€£¥₹₽₩₪₫₴₺₦฿"

// at returns the character at position i, 0 beyond the end.
func (s *scanner) at(i int) rune {
	if i < 0 || i >= len(s.text) {
		return 0
	}
	return s.text[i]
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

func (s *scanner) skipSpace() {
	for r := s.at(s.next); r == ' ' || isThinSpace(r); r = s.at(s.next) {
		s.next++
	}
}

// scan reads the next token.
func (s *scanner) scan() (token, error) {
	s.skipSpace()
	if err := s.skipCurrency(); err != nil {
		return token{}, err
	}
	start, r := s.next, s.at(s.next)
	made := func(kind tokenKind, length int) (token, error) {
		s.next += length
		return token{kind, strings.ToLower(string(s.text[start:s.next])), start + 1}, nil
	}
	switch {
	case s.next >= len(s.text):
		return token{tokenEnd, "", len(s.text) + 1}, nil
	case isDigit(r), r == '.' && isDigit(s.at(s.next+1)):
		return s.number()
	case (r == 'x' || r == 'X') && s.after && !unicode.IsLetter(s.at(s.next+1)):
		s.next++
		return token{tokenOperator, "*", start + 1}, nil
	case unicode.IsLetter(r):
		length := 1
		for unicode.IsLetter(s.at(start+length)) || s.at(start+length) == '_' {
			length++
		}
		// log2, log10: digits belong to the name only where there is such a name.
		digits := 0
		for isDigit(s.at(start + length + digits)) {
			digits++
		}
		if _, known := functions[strings.ToLower(string(s.text[start:start+length+digits]))]; known {
			length += digits
		}
		return made(tokenWord, length)
	case r == '*' && s.at(start+1) == '*':
		s.next += 2
		return token{tokenOperator, "^", start + 1}, nil
	case r == '/' && s.at(start+1) == '/':
		return made(tokenOperator, 2)
	case strings.ContainsRune("+-*/^!%(),=?°√²³", r):
		return made(tokenOperator, 1)
	}
	return token{}, &Error{start + 1, fmt.Sprintf("unexpected %q", r)}
}

// skipCurrency skips a currency sign beside a number.
func (s *scanner) skipCurrency() error {
	if !strings.ContainsRune(currencies, s.at(s.next)) || s.next >= len(s.text) {
		return nil
	}
	position := s.next + 1
	s.next++
	s.skipSpace()
	beside := s.at(s.next)
	if !s.after && !isDigit(beside) && beside != '.' && beside != '-' {
		return &Error{position, fmt.Sprintf("%q without a number beside it", s.at(position-1))}
	}
	return nil
}
