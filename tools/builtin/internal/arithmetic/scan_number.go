package arithmetic

import (
	"fmt"
	"strings"
)

// number reads a number: digits, perhaps grouped, a fraction, a power of ten. Its text has no grouping.
func (s *scanner) number() (token, error) {
	start := s.next
	whole, err := s.wholePart()
	if err != nil {
		return token{}, err
	}
	text := whole
	if s.at(s.next) == '.' {
		s.next++
		text += "." + s.digits()
		if s.at(s.next) == '.' {
			return token{}, &Error{s.next + 1, "a second point in a number; write 1,234,567.89"}
		}
	}
	if s.at(s.next) == ',' && isDigit(s.at(s.next+1)) && s.commas == commasGroup {
		return token{}, &Error{s.next + 1, "a comma that does not group digits in threes; write decimals with a point, as in 3.5"}
	}
	if r := s.at(s.next); r == 'e' || r == 'E' {
		sign := s.next + 1
		if r := s.at(sign); r == '+' || r == '-' {
			sign++
		}
		if isDigit(s.at(sign)) {
			from := s.next
			s.next = sign
			power := s.digits()
			text += "e" + string(s.text[from+1:sign]) + power
		}
	}
	if r := s.at(s.next); text == "0" && (r == 'x' || r == 'X') && s.at(s.next+1) != ' ' {
		return token{}, &Error{s.next + 1, "hexadecimal numbers are not supported; to multiply, write 0 * 10"}
	}
	if strings.HasPrefix(text, ".") {
		text = "0" + text
	}
	return token{tokenNumber, text, start + 1}, nil
}

// digits reads digits, which may have single underscores between them.
func (s *scanner) digits() string {
	var b strings.Builder
	for {
		switch r := s.at(s.next); {
		case isDigit(r):
			b.WriteRune(r)
		case r == '_' && isDigit(s.at(s.next-1)) && isDigit(s.at(s.next+1)):
		default:
			return b.String()
		}
		s.next++
	}
}

// wholePart reads the digits before the point with the groups behind them: three digits after each separator, which is
// the same all along, or the Indian way (12,34,567).
func (s *scanner) wholePart() (string, error) {
	start := s.next
	whole := s.digits()
	separator := s.at(s.next)
	if len(whole) == 0 || len(whole) > 3 || whole[0] == '0' || s.next-start != len(whole) {
		return whole, nil
	}
	switch {
	case separator == ',':
	case separator == ' ' || separator == '\'' || isThinSpace(separator):
		groups, next := s.groups(separator, 3)
		if next > s.next {
			s.next = next
			return whole + groups, nil
		}
		return whole, nil
	default:
		return whole, nil
	}
	groups, next := s.groups(',', 3)
	if next == s.next && len(whole) <= 2 {
		groups, next = s.indianGroups()
	}
	switch {
	case next == s.next || s.commas == commasSeparate:
		return whole, nil
	case s.commas == commasSpaced:
		text := string(s.text[start:next])
		return "", &Error{start + 1, fmt.Sprintf("%q may be one number or several; write %s or %s", text, whole+groups, strings.ReplaceAll(text, ",", ", "))}
	}
	s.next = next
	return whole + groups, nil
}

// groups reads as many groups of size digits, each after a separator, as there are, without moving on. A group with
// more digits behind it is none, and then none of the others is either.
func (s *scanner) groups(separator rune, size int) (digits string, next int) {
	next = s.next
	for s.at(next) == separator && s.isGroup(next+1, size) {
		digits += string(s.text[next+1 : next+1+size])
		next += 1 + size
	}
	if isDigit(s.at(next)) || s.at(next) == separator && separator == ',' && isDigit(s.at(next+1)) {
		return "", s.next
	}
	return digits, next
}

// indianGroups reads groups of two digits and a last one of three.
func (s *scanner) indianGroups() (digits string, next int) {
	next = s.next
	for s.at(next) == ',' && s.isGroup(next+1, 2) && s.at(next+3) == ',' {
		digits += string(s.text[next+1 : next+3])
		next += 3
	}
	if digits == "" || s.at(next) != ',' || !s.isGroup(next+1, 3) || isDigit(s.at(next+4)) || s.at(next+4) == ',' && isDigit(s.at(next+5)) {
		return "", s.next
	}
	return digits + string(s.text[next+1:next+4]), next + 4
}

// isGroup reports whether size digits stand at i.
func (s *scanner) isGroup(i, size int) bool {
	for j := range size {
		if !isDigit(s.at(i + j)) {
			return false
		}
	}
	return true
}

// argumentCommas looks ahead from behind the opening parenthesis of an argument list: whether one of its commas has a
// space behind it.
func (s *scanner) argumentCommas() commas {
	depth := 0
	for i := s.next; i < len(s.text); i++ {
		switch s.text[i] {
		case '(':
			depth++
		case ')':
			if depth == 0 {
				return commasSeparate
			}
			depth--
		case ',':
			if depth == 0 && (s.at(i+1) == ' ' || s.at(i-1) == ' ') {
				return commasSpaced
			}
		}
	}
	return commasSeparate
}
