package grammar

import (
	"errors"
	"strings"
	"testing"
)

// What cannot be ended is not begun.
func TestDeadEnds(t *testing.T) {
	for _, c := range []struct{ name, schema, begun, not string }{
		{"a name of which only surrogates could be made", `{"patternProperties":{".":false}}`, `{"\n`, `{"/`},
		{"an item that uses up the places of two contains", `{"type":"array","maxItems":2,"allOf":[{"contains":{"const":1}},{"contains":{"const":2}}]}`, `[2,1`, `[3`},
		{"more items that match than may", `{"type":"array","prefixItems":[{},{},{"const":1}],"minItems":3,"contains":{"const":1},"maxContains":1}`, `[2,3,1]`, `[1,`},
		{"a text of an odd length", `{"type":"object","properties":{"a":{"pattern":"^(ab)*$"},"b":{"pattern":"^(ab)*$","maxLength":3}}}`, `{"a":"","b":"ab"`, `{"b":"aba`},
		{"as many items as there can be before the last that has to match", `{"type":"array","maxItems":1000,"contains":{"const":1},"minContains":2,"items":{"enum":[1,2]}}`,
			"[" + strings.Repeat("2,", 998) + "1,1]", "[" + strings.Repeat("2,", 999)},
	} {
		g, err := CompileSchema([]byte(c.schema), Options{})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if _, err := NewMatcher(g, nil, nil).readAll([]byte(c.begun)); err != nil {
			t.Errorf("%s: %.60s may not begin", c.name, c.begun)
		}
		if _, err := NewMatcher(g, nil, nil).readAll([]byte(c.not)); err == nil {
			t.Errorf("%s: %.60s may begin", c.name, c.not)
		}
	}
}

// What has no value is refused.
func TestNoValue(t *testing.T) {
	for _, schema := range []string{
		`{"const":["ba","2024-02-29","127.0.0.1"],"contains":{},"maxContains":2}`,
		`{"type":"array","contains":{"type":"string"},"maxContains":0,"minContains":0,"minItems":1,"items":{"type":"string"}}`,
		`{"type":"object","not":{"maxProperties":2},"propertyNames":{"const":"a-b"}}`,
		`{"type":"object","minProperties":3,"propertyNames":{"enum":["c1","d"],"maxLength":3}}`,
		`{"type":"object","minProperties":2,"properties":{"a":{"type":"string"}},"additionalProperties":false}`,
	} {
		var refused *SchemaError
		if _, err := CompileSchema([]byte(schema), Options{}); !errors.As(err, &refused) || !strings.HasPrefix(refused.Reason, "no value satisfies") {
			t.Errorf("%s: %v, want a refusal: nothing satisfies it", schema, err)
		}
	}
}

// The refusal points at the property that is at fault.
func TestNoValuePointsAtTheProperty(t *testing.T) {
	for schema, want := range map[string]string{
		`{"type":"object","properties":{"a":{"type":"string"},"metrics":{"type":"array","items":{"type":"string"},"enum":["trust","buzz"]}},"required":["a","metrics"]}`: "/properties/metrics",
		`{"type":"object","properties":{"a":{"type":"object","properties":{"b/c":false},"required":["b/c"]}},"required":["a"]}`:                                          "/properties/a/properties/b~1c",
		`{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}`:                                                                                             "/properties/a",
		`{"type":"string","enum":[1]}`: "",
	} {
		var refused *SchemaError
		if _, err := CompileSchema([]byte(schema), Options{}); !errors.As(err, &refused) || refused.Pointer != want {
			t.Errorf("%s: %v, want a refusal at %q", schema, err, want)
		}
	}
}

// Texts are closed with the shortest values that there are, and the distance is their length, or a little more.
func TestClosingIsShort(t *testing.T) {
	for _, c := range []struct{ schema, begun, want string }{
		{`{"type":"number"}`, `12`, ``},
		{`{"type":"number"}`, `-`, `0`},
		{`{"type":"object","patternProperties":{"^[^]{2,}$":{"enum":["long value"]}}}`, `{"ab`, `":"long value"}`},
		{`{"type":"object","patternProperties":{"^[^]{2,}$":{"enum":["long value"]}}}`, `{"`, `":0}`},
		{`{"type":"object","additionalProperties":{"type":"null"},"minProperties":3}`, `{"":null,`, `" ":null,"!":null}`},
		{`{"type":"object","propertyNames":{"pattern":"^a*$"},"minProperties":3,"additionalProperties":{"type":"integer"}}`, `{"a":1,`, `"":0,"aa":0}`},
		{`{"type":"object","properties":{"long name":{"type":"integer"},"b":{"type":"integer"},"c":{"type":"integer"}},"additionalProperties":false,"minProperties":2}`, `{`, `"b":0,"c":0}`},
		{`{"type":"string","minLength":3,"pattern":"^é*$"}`, `"é`, `éé"`},
		{`{"type":"array","items":{"type":"string"},"uniqueItems":true,"minItems":3}`, `["",`, `" ","!"]`},
		{`{"type":"array","items":{"enum":["long","a","bb"]},"uniqueItems":true,"minItems":2}`, `["a",`, `"bb"]`},
		{`{"type":"array","items":{"enum":[1,"longer"]},"contains":{"type":"string"},"minItems":2}`, `[`, `1,"longer"]`},
	} {
		g, err := CompileSchema([]byte(c.schema), Options{})
		if err != nil {
			t.Fatalf("%s: %v", c.schema, err)
		}
		m := NewMatcher(g, byteVocabulary, bytesAsTokens)
		for i := range len(c.begun) {
			if err := m.Accept(Token(c.begun[i])); err != nil {
				t.Fatalf("%s: %v", c.schema, err)
			}
		}
		tokens, err := m.Closing(nil)
		if err != nil {
			t.Errorf("%s: %v", c.schema, err)
		}
		var text []byte
		for _, id := range tokens {
			text = append(text, byte(id))
		}
		if len(text) != len(c.want) {
			t.Errorf("%s: %s is closed with %s, want %s or one as short", c.schema, c.begun, text, c.want)
		}
		if d := m.Distance(); d < len(text) || d > len(text)+2 {
			t.Errorf("%s: behind %s the distance is %d, want that of %s, or 2 more", c.schema, c.begun, d, text)
		}
	}
}

// A repetition that has to come several times is part of the distance.
func TestDistanceOfRepetitions(t *testing.T) {
	g, err := Compile(Sequence(Literal("<"), Repeat(Literal("abc;"), 3, 5), Literal(">")))
	if err != nil {
		t.Fatal(err)
	}
	m := NewMatcher(g, byteVocabulary, bytesAsTokens)
	text := "<abc;abc;abc;>"
	for i := range len(text) {
		if got, want := m.Distance(), len(text)-i; got != want {
			t.Errorf("behind %q the distance is %d, want %d", text[:i], got, want)
		}
		if err := m.Accept(Token(text[i])); err != nil {
			t.Fatal(err)
		}
	}
}
