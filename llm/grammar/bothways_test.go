package grammar

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// dice makes the choices of a generator out of bytes that a fuzzer has found, and goes on at random behind them.
type dice struct {
	data []byte
	rest *rand.Rand
}

func newDice(data []byte) *dice {
	seed := uint64(len(data))
	for _, b := range data {
		seed = seed*1099511628211 + uint64(b)
	}
	return &dice{data, rand.New(rand.NewPCG(seed, 1))}
}

func (d *dice) n(n int) int {
	if len(d.data) > 0 {
		b := d.data[0]
		d.data = d.data[1:]
		return int(b) % n
	}
	return d.rest.IntN(n)
}

func (d *dice) one(in int) bool { return d.n(in) == 0 }

func pick[T any](d *dice, list []T) T { return list[d.n(len(list))] }

type jsonObject = map[string]any

var (
	someStrings  = []string{"", "a", "b", "ab", "ba", "aab", "abc", "c1", "é", "\"", "\\n", "\n", "日本", "2024-02-29", "2023-02-29", "127.0.0.1", "a-b", " "}
	someNames    = []string{"a", "b", "c", "ab", "c1", "", "\"q"}
	somePatterns = []string{"a", "^a", "b$", "^[ab]*$", "^.$", "^(a|ba)+$", "[0-9]", "^\\w*$", "^a?b?c?$", "^.{2,}$", "^[^a]", "^(?!ab)", "é|\"", "^\\S+$", "(^a)|(b$)", "^(?=.*b)a", "^x{2}$", "."}
	someNumbers  = []string{"0", "1", "-1", "2", "3", "5", "0.5", "1.5", "-0.5", "10", "2.0", "100", "0.25", "7", "-3", "1e1"}
	someFormats  = []string{"date", "ipv4", "uuid", "nonsense"}
)

// schema makes a random schema; all keywords that are enforced come.
func (d *dice) schema(depth int) any {
	if depth <= 0 || d.one(12) {
		switch d.n(7) {
		case 0:
			return d.one(3)
		case 1:
			return jsonObject{"const": d.value(1)}
		case 2:
			return jsonObject{}
		}
		return jsonObject{"type": pick(d, []any{"null", "boolean", "number", "integer", "string", "array", "object"})}
	}
	s := jsonObject{}
	for range 1 + d.n(4) {
		d.keyword(s, depth-1)
	}
	return s
}

func (d *dice) schemas(depth int) []any {
	var out []any
	for range 1 + d.n(3) {
		out = append(out, d.schema(depth))
	}
	return out
}

func (d *dice) named(names []string, depth int) jsonObject {
	out := jsonObject{}
	for range 1 + d.n(3) {
		out[pick(d, names)] = d.schema(depth)
	}
	return out
}

func (d *dice) keyword(s jsonObject, depth int) {
	count := func() any { return d.n(4) }
	number := func() any { return json.Number(pick(d, someNumbers)) }
	names := func() any {
		list := []any{}
		for _, n := range someNames {
			if d.one(3) {
				list = append(list, n)
			}
		}
		return list
	}
	switch d.n(40) {
	case 0, 1, 2, 3:
		s["type"] = pick(d, []any{"null", "boolean", "number", "integer", "string", "array", "object", []any{"string", "object"}, []any{"array", "null"}, []any{"integer", "string"}})
	case 4:
		var list []any
		for range 1 + d.n(4) {
			list = append(list, d.value(2))
		}
		s["enum"] = list
	case 5:
		s["const"] = d.value(2)
	case 6, 7:
		s["properties"] = d.named(someNames, depth)
	case 8:
		s["required"] = names()
	case 9:
		s["additionalProperties"] = d.schema(depth)
	case 10:
		s["patternProperties"] = d.named(somePatterns, depth)
	case 11:
		s["propertyNames"] = d.schema(min(depth, 1))
	case 12:
		s["minProperties"] = count()
	case 13:
		s["maxProperties"] = count()
	case 14, 15:
		s["items"] = d.schema(depth)
	case 16:
		s["prefixItems"] = d.schemas(depth)
	case 17:
		s["contains"] = d.schema(depth)
		if d.one(2) {
			s["minContains"] = count()
		}
		if d.one(2) {
			s["maxContains"] = count()
		}
	case 18:
		s["minItems"] = count()
	case 19:
		s["maxItems"] = count()
	case 20:
		s["uniqueItems"] = true
	case 21:
		s["minLength"] = count()
	case 22:
		s["maxLength"] = count()
	case 23, 24:
		s["pattern"] = pick(d, somePatterns)
	case 25:
		s["format"] = pick(d, someFormats)
	case 26:
		s[pick(d, []string{"minimum", "exclusiveMinimum"})] = number()
	case 27:
		s[pick(d, []string{"maximum", "exclusiveMaximum"})] = number()
	case 28:
		s["multipleOf"] = json.Number(pick(d, []string{"1", "2", "3", "0.5", "1.5", "7", "0.25"}))
	case 29, 30:
		s["anyOf"] = d.schemas(depth)
	case 31:
		s["oneOf"] = d.schemas(depth)
	case 32, 33:
		s["allOf"] = d.schemas(depth)
	case 34:
		s["not"] = d.schema(depth)
	case 35:
		s["if"] = d.schema(depth)
		s["then"], s["else"] = d.schema(depth), d.schema(depth)
	case 36:
		s["dependentRequired"] = jsonObject{pick(d, someNames): names()}
	case 37:
		s["dependentSchemas"] = d.named(someNames, depth)
	case 38:
		s["$ref"] = pick(d, []string{"#/$defs/one", "#/$defs/two", "#"})
	case 39:
		s[pick(d, []string{"unevaluatedProperties", "unevaluatedItems"})] = d.schema(min(depth, 1))
	}
}

// value makes a random document.
func (d *dice) value(depth int) any {
	most := 8
	if depth <= 0 {
		most = 5
	}
	switch d.n(most) {
	case 0:
		return pick(d, []any{nil, true, false})
	case 1:
		return json.Number(pick(d, someNumbers))
	case 2, 3, 4:
		return pick(d, someStrings)
	case 5:
		list := []any{}
		for range d.n(5) {
			list = append(list, d.value(depth-1))
		}
		return list
	}
	o := jsonObject{}
	for range d.n(5) {
		o[pick(d, someNames)] = d.value(depth - 1)
	}
	return o
}

// like makes a document that a schema may accept: half of what it asks for is followed.
func (d *dice) like(schema any, depth int) any {
	s, ok := schema.(jsonObject)
	if !ok || depth <= 0 || d.one(8) {
		return d.value(depth)
	}
	for _, key := range []string{"anyOf", "oneOf", "allOf"} {
		if list, ok := s[key].([]any); ok && d.one(2) {
			return d.like(pick(d, list), depth-1)
		}
	}
	if list, ok := s["enum"].([]any); ok && !d.one(6) {
		return pick(d, list)
	}
	if v, ok := s["const"]; ok && !d.one(6) {
		return v
	}
	kind, _ := s["type"].(string)
	if list, ok := s["type"].([]any); ok {
		kind, _ = pick(d, list).(string)
	}
	properties, _ := s["properties"].(jsonObject)
	required, _ := s["required"].([]any)
	switch {
	case kind == "object" || kind == "" && (properties != nil || required != nil || s["additionalProperties"] != nil):
		o, _ := d.value(1).(jsonObject)
		if o == nil {
			o = jsonObject{}
		}
		for _, name := range required {
			o[name.(string)] = d.value(1)
		}
		for _, name := range someNames { // in a fixed order: a map has none
			if p, ok := properties[name]; ok && !d.one(3) {
				o[name] = d.like(p, depth-1)
			}
		}
		return o
	case kind == "array" || kind == "" && (s["items"] != nil || s["prefixItems"] != nil):
		list := []any{}
		for range d.n(5) {
			list = append(list, d.like(s["items"], depth-1))
		}
		return list
	case kind == "integer" || kind == "number":
		return json.Number(pick(d, someNumbers))
	}
	return d.value(depth)
}

type bothWays struct{ schemas, refused, empty, valid, invalid, babbled int }

// try compiles one random schema both ways and compares.
func (b *bothWays) try(t *testing.T, data []byte) {
	d := newDice(data)
	root, ok := d.schema(3).(jsonObject)
	if !ok {
		root = jsonObject{"not": jsonObject{}}
	}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$defs"] = jsonObject{"one": d.schema(2), "two": d.schema(1)}
	schema, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(schema)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", document); err != nil {
		return // not a schema for it
	}
	validator, err := c.Compile("schema.json")
	if err != nil {
		return // such as a cycle of references, or an expression that Go does not know
	}
	b.schemas++
	var refused *SchemaError
	g, err := CompileSchema(schema, Options{})
	empty := false
	if err != nil {
		if !errors.As(err, &refused) {
			t.Fatalf("%s: %v is not a refusal", schema, err)
		}
		if empty = strings.HasPrefix(refused.Reason, "no value satisfies"); !empty {
			b.refused++
			return
		}
		b.empty++
	}
	for i := range 24 {
		var v any
		if i%2 == 0 {
			v = d.like(root, 3)
		} else {
			v = d.value(3)
		}
		b.document(t, g, validator, schema, v)
	}
	if g != nil {
		for range 4 {
			b.babble(t, d, g, validator, schema)
		}
	}
}

func (b *bothWays) document(t *testing.T, g *Grammar, validator *jsonschema.Schema, schema []byte, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	valid := validator.Validate(instance) == nil
	if valid {
		b.valid++
	} else {
		b.invalid++
	}
	if g == nil {
		if valid {
			t.Fatalf("%s: said to have no value, but %s is one", schema, text)
		}
		return
	}
	spelled, err := Respell(schema, text, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if accepted, at, why := Match(g, spelled); accepted != valid {
		t.Fatalf("%s: %s: valid %v, accepted %v (byte %d of %s: %s)", schema, text, valid, accepted, at, spelled, why)
	}
}

// babble writes random bytes under the grammar, closes, and validates.
func (b *bothWays) babble(t *testing.T, d *dice, g *Grammar, validator *jsonschema.Schema, schema []byte) {
	m := NewMatcher(g, byteVocabulary, bytesAsTokens)
	mask := make([]uint64, byteVocabulary.Words())
	for range d.n(60) {
		if err := m.Allowed(mask); err != nil {
			return // too ambiguous
		}
		var live []Token
		for id := range Token(256) {
			if hasBit(mask, int(id)) {
				live = append(live, id)
			}
		}
		if len(live) == 0 {
			if !m.Complete() {
				t.Fatalf("%s: a dead end behind %q", schema, m.text)
			}
			break
		}
		if err := m.Accept(live[d.rest.IntN(len(live))]); err != nil {
			t.Fatalf("%s: behind %q: %v", schema, m.text, err)
		}
	}
	tokens, err := m.Closing(nil)
	if err != nil {
		t.Fatalf("%s: behind %q: %v", schema, m.text, err)
	}
	for _, id := range tokens {
		if err := m.Accept(id); err != nil {
			t.Fatalf("%s: closing behind %q: %v", schema, m.text, err)
		}
	}
	b.babbled++
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(m.text)))
	if err != nil {
		t.Fatalf("%s: wrote %q: %v", schema, m.text, err)
	}
	if err := validator.Validate(instance); err != nil {
		t.Fatalf("%s: wrote %s: %v", schema, m.text, err)
	}
}

var byteVocabulary = func() *Vocabulary {
	var pieces [][]byte
	for b := range 256 {
		pieces = append(pieces, []byte{byte(b)})
	}
	return NewVocabulary(pieces, nil)
}()

// TestBothWays compares random schemas with an independent validator: a document is writable if and only if it is valid, and
// what is written is valid. DROVER_FUZZ_TIME, such as 10m, goes on for so long with other seeds.
func TestBothWays(t *testing.T) {
	var b bothWays
	n, first, end := 2000, uint64(0), time.Time{}
	if testing.Short() {
		n = 400
	}
	if text := os.Getenv("DROVER_FUZZ_TIME"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("DROVER_FUZZ_TIME: %v", err)
		}
		n, first, end = 1<<40, uint64(time.Now().UnixNano()), time.Now().Add(d)
	}
	for i := range n {
		if !end.IsZero() && time.Now().After(end) {
			break
		}
		b.try(t, []byte(strconv.FormatUint(first+uint64(i), 36)))
	}
	t.Logf("%d schemas, %d of them refused, %d without values; %d valid and %d invalid documents, %d texts written", b.schemas, b.refused, b.empty, b.valid, b.invalid, b.babbled)
	if b.schemas < n/3 && end.IsZero() || b.valid*20 < b.invalid || b.refused*4 > b.schemas {
		t.Error("the generator has lost its balance")
	}
}

// FuzzBothWays is TestBothWays with choices that a fuzzer makes.
func FuzzBothWays(f *testing.F) {
	for _, s := range []string{"", "0", "schema", "\x05\x06\x07\x08\x09\x0a\x0b\x0c"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var b bothWays
		b.try(t, data)
	})
}
