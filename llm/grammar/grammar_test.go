package grammar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// smallVocabulary has every byte, common pieces of JSON, broken UTF-8, duplicates, and two special tokens.
func smallVocabulary() *Vocabulary {
	var pieces [][]byte
	for i := 0; i < 256; i++ {
		pieces = append(pieces, []byte{byte(i)})
	}
	for _, s := range []string{`{"`, `":`, `":"`, `","`, `"}`, `"]`, `],`, `}}`, `true`, `false`, `null`, `name`, `city`, ` the`, `abc`, `abcdef`,
		`12`, `123`, `0.`, `é`, "\xc3", "\xa9\"", `\n`, `\"`, `\u00`, `"a`, `abc`, `[[`, `,"`, "日本", "\n"} {
		pieces = append(pieces, []byte(s))
	}
	n := len(pieces)
	pieces = append(pieces, []byte("<end>"), []byte("<call>"))
	return NewVocabulary(pieces, func(id Token) bool { return int(id) >= n })
}

func TestMatch(t *testing.T) {
	for _, test := range []struct{ schema, yes, no string }{
		{`{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["b"]}`, `{"b":"x"}|{"a":-3,"b":""}|{"a":0,"b":"","c":[1,{}]}`, `{}|{"a":1}|{"a":1.5,"b":""}|{"a":01,"b":""}`},
		{`{"properties":{"a":{"type":"integer"},"b":{}},"required":["b"]}`, `{"b":"x","a":1}|{"z":0,"b":1}|3`, `{"b":"x","a":1,"a":2}|{"b":1,"z":1,"z":2}`},
		{`{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":false}`, `{}|{"a":12}`, `{"b":1}|{"a":1,}|{,"a":1}`},
		{`{"type":"object","properties":{"ab":{},"é":{}},"additionalProperties":{"type":"null"}}`, `{"a":null}|{"abc":null}|{"ab":1,"é":2,"è":null}|{"\n":null,"":null}`, `{"è":1}|{"a":1}`},
		{`{"type":"string","minLength":2,"maxLength":3}`, `"ab"|"a\n"|"日本語"|"\u0001x"`, `"a"|"abcd"|"日本語x"|"\u000ax"|"a\/"`},
		{`{"type":"array","items":{"type":"boolean"},"minItems":1,"maxItems":2}`, `[true]|[true,false]`, `[]|[true,true,true]|[true,]|[1]`},
		{`{"type":"array","maxItems":0}`, `[]`, `[1]`},
		{`{"enum":["a","ab",1,null,{"x":[1]}]}`, `"a"|"ab"|1|null|{"x":[1]}`, `"abc"|2|{"x":[2]}`},
		{`{"enum":["a",1],"type":"string"}`, `"a"`, `1`},
		{`{"const":"q\"\n"}`, `"q\"\n"`, `"q"`},
		{`{"anyOf":[{"type":"null"},{"type":"number"}]}`, `null|-1.25|0|1e5|2.5E-3`, `true|.5|1.|1e`},
		{`{"type":["string","null"]}`, `null|"x"`, `1`},
		{`{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"}},"additionalProperties":false}}}`, `{}|{"next":{"next":{}}}`, `{"next":1}`},
		{`{"type":"object","properties":{"no":false},"required":["x"]}`, `{"x":1}|{"x":1,"y":2}`, `{}|{"no":1,"x":1}`},
		{`{"type":"string","pattern":"^a[^b]+\\d{2}$"}`, `"axy12"|"a\n12"|"a\"é00"`, `"ab12"|"a12"|"ax123 "`},
		{`{"type":"string","pattern":"b"}`, `"b"|"abc"|"\nb"`, `"ac"|""`},
		{`{"type":"string","format":"date"}`, `"2024-02-29"|"1999-12-31"`, `"2023-02-29"|"2024-04-31"|"2024-1-01"`},
		{`{"type":"string","format":"uuid"}`, `"123e4567-e89b-12d3-a456-426614174000"`, `"123e4567"`},
		{`{"oneOf":[{"type":"string"},{"type":"integer"}]}`, `"x"|3`, `3.5|null`},
		{`{"type":"boolean","x-note":{"not":1},"format":"colour"}`, `true`, `1`},
		{`{"type":"integer","minimum":-12,"maximum":105}`, `-12|-9|0|7|99|100|105`, `-13|106|-0|01|-20`},
		{`{"type":"integer","exclusiveMinimum":0}`, `1|10|123456`, `0|-1`},
		{`{"type":"integer","maximum":-3}`, `-3|-40`, `-2|0|3`},
		{`{"type":"number","minimum":0}`, `0|0.5|12`, `-1|-0.5`},
		{`{"type":"object","anyOf":[{"properties":{"a":{"type":"null"}},"required":["a"],"additionalProperties":false},{"type":["object","string"],"required":["b"]}]}`, `{"a":null}|{"b":1}`, `"x"|1|{}|{"a":1}`},
		{`{"type":"integer","anyOf":[{"type":"number","minimum":5},{"enum":[1,"x"]}]}`, `5|1|77`, `4|"x"|5.5`},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","oneOf":[{"$ref":"#/definitions/a","type":"string"},{"type":"integer"}],"definitions":{"a":{"type":["integer","null"]}}}`, `null`, `3|"x"`},
		{`{"oneOf":[{"type":"object","properties":{"k":{"const":1}},"required":["k"]},{"type":"object","properties":{"k":{"enum":[2,"x"]}},"required":["k"]},{"type":"object","properties":{"k":{"enum":["x",3]}}}]}`, `{"k":1}|{"k":2}|{"k":3}|{}`, `{"k":"x"}|{"k":4}`},
		{`true`, `1|"x"|[1,[2,{"a":null}]]`, `|tru|[1`},
	} {
		g, err := CompileSchema([]byte(test.schema), Options{})
		if err != nil {
			t.Errorf("%s: %v", test.schema, err)
			continue
		}
		for _, text := range strings.Split(test.yes, "|") {
			if ok, at, why := Match(g, text); !ok {
				t.Errorf("%s: %s refused at %d: %s", test.schema, text, at, why)
			}
		}
		for _, text := range strings.Split(test.no, "|") {
			if ok, _, _ := Match(g, text); ok {
				t.Errorf("%s: %s accepted", test.schema, text)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for schema, pointer := range map[string]string{
		`{"properties":{"a/b":{"not":{"propertyNames":{"const":"x"}}}}}`: "/properties/a~1b/not/propertyNames",
		`{"type":"string","minLength":3,"maxLength":2}`:                  "",
		`{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}}`:        "/$defs/a/$ref",
		`{"$ref":"http://example.com/x"}`:                                "/$ref",
		`{"oneOf":[{"type":"array"},{"uniqueItems":true}]}`:              "/oneOf/0",
		`{"type":"string","pattern":"a(?<=a)"}`:                          "/pattern",
		`{"type":"string","format":"regex"}`:                             "/format",
		`{"type":"text"}`:                                                "/type",
		`false`:                                                          "",
		`{"type":"object","properties":{"a":false},"required":["a"]}`:    "/properties/a",
	} {
		_, err := CompileSchema([]byte(schema), Options{})
		var refused *SchemaError
		if !errors.As(err, &refused) || refused.Pointer != pointer {
			t.Errorf("%s: got %v, want a refusal at %q", schema, err, pointer)
		}
	}
	deep := strings.Repeat(`{"items":`, 200) + `{}` + strings.Repeat(`}`, 200)
	if _, err := CompileSchema([]byte(deep), Options{}); err == nil {
		t.Error("a schema 200 deep compiled")
	}
}

var sampled = []string{
	`{"type":"object","properties":{"city":{"type":"string"},"n":{"type":"integer"},"unit":{"enum":["c","f","celsius"]}},"required":["city"]}`,
	`{"type":"array","items":{"type":["number","boolean","null"]},"minItems":2,"maxItems":5}`,
	`{"anyOf":[{"type":"string","maxLength":5},{"type":"object","properties":{"a":{"type":"string","minLength":1,"maxLength":40}},"additionalProperties":{"type":"boolean"}}]}`,
	`{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#"},"maxItems":2}},"additionalProperties":false}`,
}

// draw picks an allowed token, and checks the mask against Accept for every id.
func draw(t *testing.T, m *Matcher, r *rand.Rand, exact bool) Token {
	t.Helper()
	mask := make([]uint64, m.vocabulary.Words())
	if err := m.Allowed(mask); err != nil {
		t.Fatal(err)
	}
	var ids []Token
	for id := 0; id < m.vocabulary.Len(); id++ {
		allowed := hasBit(mask, id)
		if exact {
			if err := m.Fork().Accept(Token(id)); (err == nil) != allowed {
				t.Fatalf("token %d %q: mask %v, accept %v", id, m.vocabulary.pieces[id], allowed, err)
			}
		}
		if allowed {
			ids = append(ids, Token(id))
		}
	}
	if len(ids) == 0 {
		return -1
	}
	return ids[r.IntN(len(ids))]
}

func TestRandomSamplesValidate(t *testing.T) {
	v := smallVocabulary()
	finished := 0
	for i, schema := range sampled {
		g, err := CompileSchema([]byte(schema), Options{})
		if err != nil {
			t.Fatal(err)
		}
		validator := compileValidator(t, schema)
		for seed := range uint64(60) {
			r := rand.New(rand.NewPCG(uint64(i), seed))
			m := NewMatcher(g, v, nil)
			var text []byte
			for step := 0; step < 150 && !m.Done(); step++ {
				id := draw(t, m, r, seed < 3 && step < 40)
				if id < 0 {
					t.Fatalf("%s: dead end after %q", schema, text)
				}
				if err := m.Accept(id); err != nil {
					t.Fatal(err)
				}
				text = append(text, v.pieces[id]...)
			}
			if !m.Complete() {
				continue
			}
			finished++
			validate(t, validator, text)
		}
	}
	if finished < 40 {
		t.Errorf("only %d samples finished", finished)
	}
}

func compileValidator(t *testing.T, schema string) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text []byte) {
	t.Helper()
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if err := s.Validate(instance); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
}

func TestTurn(t *testing.T) {
	v := smallVocabulary()
	end, opener := Token(v.Len()-2), Token(v.Len()-1)
	call := func(name, schema string) Part {
		return Sequence(Literal(`{"name":"`+name+`","parameters":`), Schema([]byte(schema), Options{Closed: true}), Literal("}"))
	}
	calls := OneOf(call("get", `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`), call("get_all", `{"type":"object","properties":{}}`))
	bytesOf := func(dst []Token, text string) []Token {
		for i := range len(text) {
			dst = append(dst, Token(text[i]))
		}
		return dst
	}
	marked := NewRule("call")
	marked.Define(Sequence(Special(opener), calls))
	g, err := Compile(Sequence(marked.Part(), Optional(marked.Part()), Special(end)))
	if err != nil {
		t.Fatal(err)
	}
	m := NewMatcher(g, v, bytesOf)
	if got := m.Forced(nil); len(got) != 1 || got[0] != opener {
		t.Fatalf("forced %v, want the opener %d", got, opener)
	}
	steps := append([]Token{opener}, bytesOf(nil, `{"name":"get_all","parameters":{}}`)...)
	steps = append(append(steps, opener), bytesOf(nil, `{"name":"get","parameters":{"city":"x"}}`)...)
	for i, id := range steps {
		// The turn may end between the calls, and nowhere else before the last.
		if ends := m.Fork().Accept(end) == nil; ends != (i == 35) {
			t.Fatalf("before token %d: the end accepted %v", i, ends)
		}
		if err := m.Accept(id); err != nil {
			t.Fatalf("token %d: %v", i, err)
		}
	}
	if m.Accept(opener) == nil {
		t.Error("a third call was accepted")
	}
	if err := m.Accept(end); err != nil || !m.Done() {
		t.Errorf("the end was refused: %v", err)
	}

	answer := Optional(Sequence(Regexp(`[^{]`), Text()))
	g, err = Compile(Sequence(OneOf(calls, answer), Special(end)))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"hello": true, `{"name":"get","parameters":{"city":"x"}}`: true, `{"name":"gets"`: false, `{"x`: false, "日": true} {
		m := NewMatcher(g, v, bytesOf)
		var err error
		for _, id := range bytesOf(nil, text) {
			if err = m.Accept(id); err != nil {
				break
			}
		}
		if (err == nil) != want {
			t.Errorf("%s: got %v, want accepted %v", text, err, want)
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	v := smallVocabulary()
	g, err := CompileSchema([]byte(`{"type":"string"}`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := NewMatcher(g, v, nil)
	mask := make([]uint64, v.Words())
	step := func() {
		if err := m.Allowed(mask); err != nil {
			t.Fatal(err)
		}
		if err := m.Accept('a'); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Accept('"'); err != nil {
		t.Fatal(err)
	}
	step()
	step()
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations a token, want 0", n)
	}
}

func TestUTF8RangesCoverTheirRange(t *testing.T) {
	for _, r := range [][2]rune{{0, 0x10ffff}, {0x80, 0x10ffff}, {0x7a, 0x2029}, {0xd000, 0xe000}, {0x123, 0x10123}} {
		g := newGrammar()
		end := g.emit(opEnd, 0, 0)
		var ways []uint32
		for _, way := range utf8Ranges(r[0], r[1]) {
			at := end
			for i := len(way) - 1; i >= 0; i-- {
				at = g.bytes(way[i][0], way[i][1], at)
			}
			ways = append(ways, at)
		}
		g, err := g.finish(g.either(ways...))
		if err != nil {
			t.Fatal(err)
		}
		for c := rune(0); c <= 0x10ffff; c += 1 + c/97 {
			if c >= 0xd800 && c < 0xe000 {
				continue
			}
			if ok, _, _ := Match(g, string(c)); ok != (c >= r[0] && c <= r[1]) {
				t.Fatalf("[%x, %x]: %x gives %v", r[0], r[1], c, ok)
			}
		}
	}
}

func ExampleMatch() {
	g, err := CompileSchema([]byte(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`), Options{Closed: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{`{"city":"Oslo"}`, `{"town":"Oslo"}`} {
		accepted, at, _ := Match(g, text)
		fmt.Println(accepted, at)
	}
	// Output:
	// true 15
	// false 2
}

func TestNumbersMatchTheirConditions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() *big.Rat { return big.NewRat(r.Int64N(4000)-2000, []int64{1, 1, 2, 10, 100, 8}[r.IntN(6)]) }
	tried := 0
	defer func() {
		if tried < 200 {
			t.Errorf("only %d of 300 sets of conditions were tried", tried)
		}
	}()
	for range 300 {
		var atoms []numberAtom
		for range 1 + r.IntN(3) {
			a := numberAtom{rule: numberRule(r.IntN(9))}
			switch a.rule {
			case numberMultiple, numberNotMultiple:
				a.value = big.NewRat(1+r.Int64N(30), []int64{1, 1, 10, 100}[r.IntN(4)])
			case numberWhole, numberBroken:
			default:
				a.value = random()
			}
			atoms = append(atoms, a)
		}
		table, err := numberTable(atoms)
		if err != nil {
			continue // too many states
		}
		tried++
		for range 400 {
			x := random()
			text, _ := spellNumber(x)
			want := true
			for _, a := range atoms {
				want = want && a.holds(x)
			}
			state := int32(-1)
			if table != nil {
				state = 0
				for i := 0; i < len(text) && state >= 0; i++ {
					state = table.step(state, text[i])
				}
			}
			if got := state >= 0 && table.accept[state]; got != want {
				t.Fatalf("%v: %s gives %v, want %v", atoms, text, got, want)
			}
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range sampled {
		f.Add([]byte(s), `{"city":"x"}`)
	}
	f.Fuzz(func(t *testing.T, schema []byte, text string) {
		g, err := CompileSchema(schema, Options{})
		if err != nil {
			return
		}
		if ok, _, _ := Match(g, text); ok && !json.Valid([]byte(text)) {
			t.Fatalf("%s: accepted %q", schema, text)
		}
	})
}
