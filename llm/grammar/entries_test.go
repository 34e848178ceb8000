package grammar

import (
	"fmt"
	"strings"
	"testing"
)

func matchAll(t *testing.T, name string, g *Grammar, yes, no []string) {
	t.Helper()
	for _, text := range yes {
		if ok, at, why := Match(g, text); !ok {
			t.Errorf("%s: %q refused at %d: %s", name, text, at, why)
		}
	}
	for _, text := range no {
		if ok, _, _ := Match(g, text); ok {
			t.Errorf("%s: %q accepted", name, text)
		}
	}
}

func TestArguments(t *testing.T) {
	schema := `{"type":"object","properties":{"city":{"type":"string"},"n":{"type":"integer"},"deep":{"type":"object","properties":{"ok":{"type":["boolean","null"]}},"required":["ok"]},"list":{"type":"array","items":{"enum":["a'b","c"]}}},"required":["city"]}`
	g, err := Compile(Sequence(Literal("[f("), Arguments([]byte(schema), Options{Spaced: true}), Literal(")]")))
	if err != nil {
		t.Fatal(err)
	}
	matchAll(t, "arguments", g,
		[]string{`[f(city='Oslo')]`, `[f(n=3, city="it's")]`, `[f(city='it\'s "x"\n', deep={'ok': True}, list=["a'b", 'a\'b', 'c'])]`, `[f(city='', deep={'ok': None})]`},
		[]string{`[f()]`, `[f(n=3)]`, `[f(city='Oslo',n=3)]`, `[f(city='Oslo', city='x')]`, `[f(city='Oslo', x=1)]`, `[f('Oslo')]`, `[f(city='it's')]`, `[f(city='Oslo', deep={'ok': true})]`, `[f(city='a', )]`})
	g, err = Compile(Sequence(Literal("f("), Arguments([]byte(`{"type":"object","properties":{"a":{},"b":{"type":"null"}},"required":["a","b"]}`), Options{Ordered: true}), Literal(")")))
	if err != nil {
		t.Fatal(err)
	}
	matchAll(t, "in order", g, []string{`f(a=1,b=None)`}, []string{`f(b=None,a=1)`})
	g, err = Compile(Sequence(Literal("f("), Arguments([]byte(`{"type":"object","properties":{}}`), Options{}), Literal(")")))
	if err != nil {
		t.Fatal(err)
	}
	matchAll(t, "no arguments", g, []string{`f()`}, []string{`f(a=1)`})
	for _, schema := range []string{`{"type":"object","properties":{"a-b":{}}}`, `{"type":"object","properties":{"class":{}}}`, `{"type":"string"}`} {
		if _, err := Compile(Arguments([]byte(schema), Options{})); err == nil {
			t.Errorf("%s: compiled", schema)
		}
	}
}

func TestEBNF(t *testing.T) {
	g, err := CompileEBNF(`
		list   ::= "[" ( item ( "," item )* )? "]"   # a comment
		item   ::= number | list | /[a-z]{2,8}/ | 'it\'s'
		number ::= "-"? [0-9]{1,3}
	`)
	if err != nil {
		t.Fatal(err)
	}
	matchAll(t, "list", g, []string{"[]", "[1]", "[-12,[ab,[]],it's]"}, []string{"[1,]", "[1234]", "[a]", "", "[", "[1]x"})
	for source, reason := range map[string]string{
		``:                              "no rule",
		`a ::= "x`:                      "line 1",
		"a ::= \"x\"\nb ::= ^":          "line 2",
		`a ::= b`:                       "not defined",
		`a ::= a "x"`:                   "without reading",
		`a ::= "x" a ::= "y"`:           "twice",
		`a ::= ("x"`:                    "not closed",
		`a ::= b* b ::= "x"*`:           "without reading",
		`a ::= [z-a]`:                   "out of order",
		strings.Repeat("(", 200) + `"x`: "a rule begins",
	} {
		if _, err := CompileEBNF(source); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%q: got %v, want an error with %q", source, err, reason)
		}
	}
}

func TestFlexibleSpace(t *testing.T) {
	g, err := CompileSchema([]byte(`{"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}}},"required":["a"]}`), Options{Flexible: true})
	if err != nil {
		t.Fatal(err)
	}
	matchAll(t, "flexible", g, []string{`{"a":[1,2]}`, "{\n  \"a\": [\n    1,\n    2\n  ]\n}", `{ "a" : [ ] }`}, []string{` {"a":[]}`, `{"a":[]} `, `{"a":[1 2]}`, `{"a":[` + strings.Repeat(" ", 100) + `]}`})
}

func TestCacheKeepsTheLastUsed(t *testing.T) {
	c := NewCache(2)
	built := 0
	get := func(key string) {
		if _, err := c.Compile(key, func() (*Grammar, error) { built++; return Compile(Literal(key)) }); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range strings.Fields("a b a c a b") {
		get(key)
	}
	if built != 4 {
		t.Errorf("%d grammars built, want a, b, c and b again", built)
	}
	a, _ := c.Schema([]byte(`{"type":"null"}`), Options{})
	b, _ := c.Schema([]byte(`{"type":"null"}`), Options{})
	if a == nil || a != b {
		t.Error("the same schema was compiled twice")
	}
}

func ExampleCompileEBNF() {
	g, err := CompileEBNF(`answer ::= "yes" | "no" ( " because " [a-z ]+ )?`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"yes", "no because it rains", "maybe"} {
		ok, _, _ := Match(g, text)
		fmt.Println(ok)
	}
	// Output:
	// true
	// true
	// false
}
