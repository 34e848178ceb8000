package grammar

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// maskSchemas reach every way of making a mask: ready tables, endings by their tails, counted strings, names that are
// declared, used, undeclared or like a pattern, several readings at once, unique items, numbers and literals.
var maskSchemas = []string{
	`{"type":"object","properties":{"name":{"type":"string"},"na":{"type":"integer"},"age":{"type":"number"}},"required":["age"]}`,
	`{"type":"object","properties":{"name":{"enum":["a","ab","b\"c"]},"n":{"const":null}},"additionalProperties":false}`,
	`{"type":"object","properties":{"name":{"type":"string","maxLength":9},"age":{"type":"string","minLength":2,"maxLength":40}},"additionalProperties":{"type":"string","minLength":3}}`,
	`{"type":"object","patternProperties":{"^n":{"type":"integer"},"a$":{"type":"string"}},"additionalProperties":{"type":"boolean"},"maxProperties":3}`,
	`{"oneOf":[{"properties":{"name":{"enum":["a"]}},"required":["age"]},{"properties":{"name":{"enum":["b"]},"age":{"type":"string"}}},{"type":"array","items":{"type":"string"}}]}`,
	`{"type":"array","items":{"type":"string"},"uniqueItems":true}`,
	`{"type":"array","items":{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"type":"object","properties":{"b":{"type":"integer"}}},{"type":"string","pattern":"^[a-c]+$"}]},"minItems":1}`,
	`{"type":"array","items":{"enum":["a","b",1,2,null]},"uniqueItems":true,"maxItems":4}`,
	`{"type":"array","prefixItems":[{"type":"number"},{"format":"date"}],"contains":{"type":"string"},"items":{"type":["string","integer"]}}`,
	`{"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"n":{"$ref":"#/$defs/t"},"a":{"type":"string","format":"uri"}},"propertyNames":{"pattern":"^[a-z]*$"}}}}`,
	`{"type":"string","pattern":"^(a|b\"|c\\\\)*$","minLength":2,"maxLength":5}`,
	`{}`,
	`{"type":"string","pattern":"^\\S+( \\S+){0,5}$","maxLength":12}`,
	`{"type":"string","pattern":"^[a-c]+(-[0-9]{2})?$","minLength":3,"maxLength":8}`,
	`{"type":"string","pattern":"^[A-Zan][a-z0-9é]{0,9}$","minLength":5}`,
	`{"type":"array","items":{"type":"string","pattern":"^([^,]|,[^,])*$","maxLength":40}}`,
	`{"type":"object","patternProperties":{"^[a-z1]{1,2}$":{"type":"integer"}},"additionalProperties":false,"minProperties":2,"maxProperties":5}`,
	`{"type":"object","properties":{"na":true},"patternProperties":{"^[a-z1]{1,2}$":{"type":"integer"},"^:.*$":{"type":"string"}},"additionalProperties":false}`,
	`{"type":"object","properties":{"a1":{"type":"null"},"n":true,"xyz":true},"patternProperties":{"^[a1n]{1,7}$":{"type":"integer"}},"additionalProperties":false,"minProperties":3}`,
	`{"type":"object","properties":{"age":{"type":"null"},"name":true},"propertyNames":{"pattern":"^[^:]{0,9}$"},"minProperties":3}`,
	`{"type":"object","properties":{"a":{"type":"null"}},"patternProperties":{"^[ab1]{1,6}$":{"type":"integer"},"^e{1,9}$":{"type":"null"}},"additionalProperties":false,"maxProperties":4}`,
	`{"type":"array","items":{"type":"string","maxLength":4},"uniqueItems":true}`,
	`{"type":"string","pattern":"a"}`, // and the same automaton with lengths beside it
	`{"type":"string","pattern":"a","maxLength":2}`,
	`{"type":"string","pattern":"a","minLength":2,"maxLength":4}`,
	`{"type":"array","items":{"type":"integer","minimum":-10,"maximum":1001}}`,
	`{"type":["object","array","string","number","null"],"items":{"type":"array","items":{"type":"number"}},"maxLength":3,"required":["a","b"]}`,
}

// awkwardVocabulary has all bytes, and tokens that cross every border there is inside JSON.
func awkwardVocabulary(r *rand.Rand) *Vocabulary {
	var pieces [][]byte
	for b := range 256 {
		pieces = append(pieces, []byte{byte(b)})
	}
	parts := []string{`"`, `"`, `"`, `,`, `:`, `{`, `}`, `[`, `]`, `\`, `\"`, `\\`, `\n`, `'`, ` `, `, `, `: `, "a", "b", "n", "na", "name", "age", "1", "-", "0", ".", "e", "true", "null", "é", "\xe2\x82", "xyz", "a long stretch of plain text"}
	for range 2500 {
		var p []byte
		for range 1 + r.IntN(5) {
			p = append(p, parts[r.IntN(len(parts))]...)
		}
		pieces = append(pieces, p)
	}
	pieces = append(pieces, []byte("<end>"), nil)
	return NewVocabulary(pieces, func(t Token) bool { return int(t) == len(pieces)-2 })
}

// TestMaskIsWhatAcceptTakes compares each mask along random texts with trying all tokens one by one.
func TestMaskIsWhatAcceptTakes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	v := awkwardVocabulary(r)
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	mask := make([]uint64, v.Words())
	for _, schema := range maskSchemas {
		for _, options := range []Options{{}, {Flexible: true}, {Spaced: true, Ordered: true}, {Python: true, Closed: true}} {
			g, err := CompileSchema([]byte(schema), options)
			if err != nil {
				continue // not every schema can be written in every way
			}
			for range rounds {
				m := NewMatcher(g, v, nil)
				for range 25 {
					if err := m.Allowed(mask); err != nil {
						t.Fatal(err)
					}
					var live []Token
					for id := range Token(v.Len()) {
						ok := m.Accept(id) == nil
						if ok {
							live = append(live, id)
							if err := m.Rewind(1); err != nil {
								t.Fatal(err)
							}
						}
						if hasBit(mask, int(id)) != ok {
							t.Fatalf("%s %+v: behind %q token %q: accepted %v, mask %v", schema, options, m.text, v.pieces[id], ok, !ok)
						}
					}
					if len(live) == 0 {
						break
					}
					// Long tokens are rare among all bytes, and reach more states.
					id := live[r.IntN(len(live))]
					for range 3 {
						if other := live[r.IntN(len(live))]; len(v.pieces[other]) > len(v.pieces[id]) {
							id = other
						}
					}
					if err := m.Accept(id); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

// TestMasksAllocateNothing makes the masks of many kinds of states anew, without the cache.
func TestMasksAllocateNothing(t *testing.T) {
	v := awkwardVocabulary(rand.New(rand.NewPCG(1, 1)))
	mask := make([]uint64, v.Words())
	for _, c := range []struct{ schema, text string }{
		{maskSchemas[0], `{"name":"x","n`},
		{maskSchemas[0], `{"name":"x`},
		{maskSchemas[0], `{"age":1`},
		{maskSchemas[0], `{"age":`},
		{maskSchemas[1], `{"name":"a`},
		{maskSchemas[2], `{"name":"abcde`},
		{maskSchemas[3], `{"nb":1,"nc`},
		{maskSchemas[4], `{"name":"a","age":"`},
		{maskSchemas[6], `[{"a":"x"},`},
		{maskSchemas[7], `["a",1,`},
		{maskSchemas[8], `[1,"2020-01`},
		{maskSchemas[11], `{"x":{"y":[1,2,{"z":"`},
	} {
		g, err := CompileSchema([]byte(c.schema), Options{})
		if err != nil {
			t.Fatal(err)
		}
		m := NewMatcher(g, v, nil)
		for i := range len(c.text) {
			if err := m.Accept(Token(c.text[i])); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Allowed(mask); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(20, func() { m.fill(mask) }); n != 0 {
			t.Errorf("%s behind %s: %v allocations, want 0", c.schema, c.text, n)
		}
	}
}

// TestMasksAtOnce makes the same masks in several goroutines, each from the beginning, so that what is ready for a state is
// made and found at once.
func TestMasksAtOnce(t *testing.T) {
	v := awkwardVocabulary(rand.New(rand.NewPCG(4, 4)))
	for _, schema := range maskSchemas {
		g, err := CompileSchema([]byte(schema), Options{})
		if err != nil {
			t.Fatal(err)
		}
		const at = 4
		var texts [at]string
		var masks [at][][]uint64
		var wait sync.WaitGroup
		for i := range at {
			wait.Go(func() {
				r := rand.New(rand.NewPCG(8, 8))
				m := NewMatcher(g, v, nil)
				for range 12 {
					mask := make([]uint64, v.Words())
					if m.Allowed(mask) != nil {
						return
					}
					masks[i] = append(masks[i], mask)
					id := Token(r.IntN(v.Len()))
					for n := 0; n < v.Len() && !hasBit(mask, int(id)); n++ {
						id = (id + 1) % Token(v.Len())
					}
					if m.Accept(id) != nil {
						break
					}
				}
				texts[i] = string(m.text)
			})
		}
		wait.Wait()
		for i := 1; i < at; i++ {
			if texts[i] != texts[0] || !slices.EqualFunc(masks[i], masks[0], slices.Equal) {
				t.Errorf("%s: masks behind %q and %q differ", schema, texts[i], texts[0])
			}
		}
	}
}
