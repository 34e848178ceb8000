package grammar

import (
	"math/rand/v2"
	"testing"
)

func bytesAsTokens(dst []Token, text string) []Token {
	for i := range len(text) {
		dst = append(dst, Token(text[i]))
	}
	return dst
}

// TestClosingFromAnywhere babbles for a while and then closes: the text must be whole and valid.
func TestClosingFromAnywhere(t *testing.T) {
	v := smallVocabulary()
	for i, schema := range append(sampled, closed...) {
		g, err := CompileSchema([]byte(schema), Options{Spaced: i%2 == 0, Ordered: i%3 == 0})
		if err != nil {
			t.Fatal(err)
		}
		validator := compileValidator(t, schema)
		for seed := range uint64(40) {
			r := rand.New(rand.NewPCG(uint64(i), seed))
			m := NewMatcher(g, v, bytesAsTokens)
			var text []byte
			for step := uint64(0); step < seed && !m.Done(); step++ {
				id := draw(t, m, r, false)
				if err := m.Accept(id); err != nil {
					t.Fatal(err)
				}
				text = append(text, v.pieces[id]...)
			}
			distance := m.Distance()
			tokens, err := m.Closing(nil)
			if err != nil {
				t.Fatalf("%s: %v after %q", schema, err, text)
			}
			if len(tokens) > distance {
				t.Errorf("%s: %d bytes to close after %q, estimated %d", schema, len(tokens), text, distance)
			}
			for _, id := range tokens {
				if err := m.Accept(id); err != nil {
					t.Fatalf("%s: after %q: %v", schema, text, err)
				}
				text = append(text, v.pieces[id]...)
			}
			if !m.Complete() {
				t.Fatalf("%s: %q is not complete", schema, text)
			}
			validate(t, validator, text)
		}
	}
}

var closed = []string{
	`{"type":"object","properties":{"a":{"type":"string","minLength":5},"b":{"type":"array","items":{"type":"integer","minimum":100},"minItems":3},"c":{"const":"fixed"}},"required":["a","b","c"],"minProperties":4}`,
	`{"type":"array","contains":{"type":"boolean"},"minContains":2,"maxItems":4,"items":{"type":["boolean","string"],"maxLength":3}}`,
	`{"type":"array","items":{"enum":["a","bb","ccc"]},"uniqueItems":true,"minItems":2}`,
	`{"type":"object","propertyNames":{"pattern":"^[a-z]{2,3}$"},"minProperties":2,"maxProperties":3,"additionalProperties":{"type":"number","multipleOf":0.5}}`,
	`{"type":"string","format":"date-time"}`,
	`{"type":"string","pattern":"^(ab|cde)+x?$","minLength":4}`,
}
