package grammar

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

type bothWays struct {
	schemas, refused, empty, valid, invalid, babbled int

	shapes   map[string]bool // the keywords of each schema, without what is below them
	keywords map[string]int  // in how many schemas each is, anywhere
}

// count notes what there is in a schema.
func (b *bothWays) count(root jsonObject) {
	b.schemas++
	if b.shapes == nil {
		b.shapes, b.keywords = map[string]bool{}, map[string]int{}
	}
	b.shapes[strings.Join(slices.Sorted(maps.Keys(root)), " ")] = true
	here := map[string]bool{}
	keywordsOf(here, root)
	for key := range here {
		b.keywords[key]++
	}
}

// keywordsOf adds the keywords that a schema and those below it have. What only has the name of one, such as a property, is
// none.
func keywordsOf(here map[string]bool, schema any) {
	switch s := schema.(type) {
	case []any:
		for _, sub := range s {
			keywordsOf(here, sub)
		}
	case jsonObject:
		for key, v := range s {
			here[key] = true
			switch key {
			case "properties", "patternProperties", "dependentSchemas", "$defs":
				for _, sub := range v.(jsonObject) {
					keywordsOf(here, sub)
				}
			case "enum", "const", "required", "dependentRequired":
			default:
				keywordsOf(here, v)
			}
		}
	}
}

// someKeywords are those that the generator has to reach.
var someKeywords = []string{
	"type", "enum", "const", "properties", "required", "additionalProperties", "patternProperties", "propertyNames",
	"minProperties", "maxProperties", "items", "prefixItems", "contains", "minContains", "maxContains", "minItems", "maxItems",
	"uniqueItems", "minLength", "maxLength", "pattern", "format", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum",
	"multipleOf", "anyOf", "oneOf", "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "$ref",
	"unevaluatedProperties", "unevaluatedItems",
}

// try compiles one random schema both ways and compares. The error says in what they differ.
func (b *bothWays) try(data []byte) error {
	d := newDice(data)
	root, ok := d.schema(3).(jsonObject)
	if !ok {
		root = jsonObject{"not": jsonObject{}}
	}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$defs"] = jsonObject{"one": d.schema(2), "two": d.schema(1)}
	err := b.compare(d, root)
	if err == nil {
		return nil
	}
	smallest := err // of a schema that has no more than it takes
	shrink(root, func(root jsonObject) bool {
		for i := range byte(8) {
			var other bothWays
			if err := other.compare(newDice(append(slices.Clone(data), i)), root); err != nil {
				smallest = err
				return true
			}
		}
		return false
	})
	return smallest
}

// compare compares what a grammar and a validator make of a schema.
func (b *bothWays) compare(d *dice, root jsonObject) error {
	if goesRound(root) {
		return nil
	}
	schema, err := json.Marshal(root)
	if err != nil {
		return err
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(schema)))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseRegexpEngine(ecmaRegexp)
	if err := c.AddResource("schema.json", document); err != nil {
		return nil // not a schema for it
	}
	validator, err := c.Compile("schema.json")
	if err != nil {
		return nil // such as a cycle of references, or an expression that Go does not know
	}
	b.count(root)
	var refused *SchemaError
	options := Options{Spaced: d.one(2)}
	g, err := CompileSchema(schema, options)
	empty := false
	if err != nil {
		if !errors.As(err, &refused) {
			return fmt.Errorf("%s: %w is not a refusal", schema, err)
		}
		if empty = strings.HasPrefix(refused.Reason, "no value satisfies"); !empty {
			b.refused++
			return nil
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
		if err := b.document(g, options, validator, schema, v); err != nil {
			return err
		}
	}
	if g != nil {
		options.Ordered = true // there are fewer texts, and all are still valid
		ordered, err := CompileSchema(schema, options)
		if err != nil {
			return fmt.Errorf("%s: in the order of properties: %w", schema, err)
		}
		for range 2 {
			for _, g := range []*Grammar{g, ordered} {
				if err := b.babble(d, g, validator, schema); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (b *bothWays) document(g *Grammar, options Options, validator *jsonschema.Schema, schema []byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	valid := validator.Validate(instance) == nil
	if valid {
		b.valid++
	} else {
		b.invalid++
	}
	if g == nil {
		if valid {
			return fmt.Errorf("%s: said to have no value, but %s is one", schema, text)
		}
		return nil
	}
	spelled, err := Respell(schema, text, options)
	if err != nil {
		return err
	}
	if accepted, at, why := Match(g, spelled); accepted != valid {
		return fmt.Errorf("%s: %s: valid %v, accepted %v (byte %d of %s: %s)", schema, text, valid, accepted, at, spelled, why)
	}
	return nil
}

// babble writes random bytes under the grammar, closes, and validates.
func (b *bothWays) babble(d *dice, g *Grammar, validator *jsonschema.Schema, schema []byte) error {
	m := NewMatcher(g, byteVocabulary, bytesAsTokens)
	mask := make([]uint64, byteVocabulary.Words())
	for range d.n(60) {
		if err := m.Allowed(mask); err != nil {
			return nil // too ambiguous
		}
		var live []Token
		for id := range Token(256) {
			if hasBit(mask, int(id)) {
				live = append(live, id)
			}
		}
		if len(live) == 0 {
			if !m.Complete() {
				return fmt.Errorf("%s: a dead end behind %q", schema, m.text)
			}
			break
		}
		if err := m.Accept(live[d.rest.IntN(len(live))]); err != nil {
			return fmt.Errorf("%s: behind %q: %w", schema, m.text, err)
		}
	}
	distance := m.Distance()
	tokens, err := m.Closing(nil)
	if err == nil && len(tokens) > distance {
		err = fmt.Errorf("closing takes %q, of more than %d bytes", tokens, distance)
	}
	if err != nil {
		return fmt.Errorf("%s: behind %q: %w", schema, m.text, err)
	}
	for _, id := range tokens {
		if err := m.Accept(id); err != nil {
			return fmt.Errorf("%s: closing behind %q: %w", schema, m.text, err)
		}
	}
	b.babbled++
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(m.text)))
	if err != nil {
		return fmt.Errorf("%s: wrote %q: %w", schema, m.text, err)
	}
	if err := validator.Validate(instance); err != nil {
		return fmt.Errorf("%s: wrote %s: %w", schema, m.text, err)
	}
	return nil
}

var byteVocabulary = func() *Vocabulary {
	var pieces [][]byte
	for b := range 256 {
		pieces = append(pieces, []byte{byte(b)})
	}
	return NewVocabulary(pieces, nil)
}()

// ecmaRegexp gives Go's engine the meaning that a dot and white space have in ECMA-262.
func ecmaRegexp(expression string) (jsonschema.Regexp, error) {
	const ends = `\n\r\x{2028}\x{2029}`
	const space = `\t\v\f \x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}\x{feff}` + ends
	expression = strings.NewReplacer(`\S`, "[^"+space+"]", ".", "[^"+ends+"]").Replace(expression) // somePatterns has both outside of classes only
	return regexp.Compile(expression)
}

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
	for i := range uint64(n) {
		if !end.IsZero() && time.Now().After(end) {
			break
		}
		if err := b.try(seeded(first + i)); err != nil {
			t.Errorf("seed %d: %v", first+i, err)
		}
	}
	t.Logf("%d schemas, of %d shapes, %d of them refused, %d without values; %d valid and %d invalid documents, %d texts written",
		b.schemas, len(b.shapes), b.refused, b.empty, b.valid, b.invalid, b.babbled)
	if b.schemas < n/3 && end.IsZero() || b.valid*20 < b.invalid || b.refused*4 > b.schemas {
		t.Error("the generator has lost its balance")
	}
	for _, key := range someKeywords {
		if b.keywords[key]*100 < b.schemas {
			t.Errorf("%s is in %d of %d schemas only", key, b.keywords[key], b.schemas)
		}
	}
	if few := min(b.schemas/3, 1000); len(b.shapes) < few {
		t.Errorf("the %d schemas have %d sets of keywords, want %d or more: they are too much alike", b.schemas, len(b.shapes), few)
	}
}

// FuzzBothWays is TestBothWays with choices that a fuzzer makes.
func FuzzBothWays(f *testing.F) {
	for _, s := range []string{"", "0", "schema", "\x05\x06\x07\x08\x09\x0a\x0b\x0c", string(seeded(1)), string(seeded(2))} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var b bothWays
		if err := b.try(data); err != nil {
			t.Fatal(err)
		}
	})
}
