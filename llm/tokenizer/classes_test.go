package tokenizer

import (
	"testing"
	"unicode"
)

func TestClasses(t *testing.T) {
	for r := rune(0); r <= badByte; r++ {
		if isLetter(r) != unicode.IsLetter(r) || isNumber(r) != unicode.IsNumber(r) || isSpace(r) != unicode.IsSpace(r) {
			t.Fatalf("%U: letter %v, number %v, space %v", r, isLetter(r), isNumber(r), isSpace(r))
		}
	}
}
