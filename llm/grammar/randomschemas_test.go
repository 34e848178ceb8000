package grammar

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math/rand/v2"
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

// seeded makes choices that have nothing in common with those of the next seed, unlike the bytes of the number itself.
func seeded(seed uint64) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, seed))
	return sum[:]
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
		if list, _ := s[key].([]any); len(list) > 0 && d.one(2) {
			return d.like(pick(d, list), depth-1)
		}
	}
	if list, _ := s["enum"].([]any); len(list) > 0 && !d.one(6) {
		return pick(d, list)
	}
	if v, ok := s["const"]; ok && !d.one(6) {
		return v
	}
	kind, _ := s["type"].(string)
	if list, _ := s["type"].([]any); len(list) > 0 {
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

// goesRound tells whether a reference leads to itself without a step into the document. Such a schema has no meaning: what
// it says of a document depends on what it says of it.
func goesRound(root jsonObject) bool {
	definitions, _ := root["$defs"].(jsonObject)
	to := map[string]map[string]bool{"#": {}, "#/$defs/one": {}, "#/$defs/two": {}}
	references(to["#"], root)
	references(to["#/$defs/one"], definitions["one"])
	references(to["#/$defs/two"], definitions["two"])
	for range to { // as many steps as there are places
		for from := range to {
			for next := range to[from] {
				maps.Copy(to[from], to[next])
			}
		}
	}
	return to["#"]["#"] || to["#/$defs/one"]["#/$defs/one"] || to["#/$defs/two"]["#/$defs/two"]
}

// references adds the references that speak of the same document as the schema.
func references(out map[string]bool, schema any) {
	s, _ := schema.(jsonObject)
	for key, v := range s {
		switch key {
		case "$ref":
			out[v.(string)] = true
		case "allOf", "anyOf", "oneOf":
			for _, sub := range v.([]any) {
				references(out, sub)
			}
		case "not", "if", "then", "else":
			references(out, v)
		case "dependentSchemas":
			for _, sub := range v.(jsonObject) {
				references(out, sub)
			}
		}
	}
}
