package grammar

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// hostileSchema asks for too much, or nearly. It compiles, or is refused at a pointer.
type hostileSchema struct {
	name, schema string
	refused      bool
	pointer      string // of the refusal; a schema that is nested too deep is only tested for the beginning
}

// listed writes format n times, between commas, with the number for each @.
func listed(n int, format string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strings.ReplaceAll(format, "@", strconv.Itoa(i)))
	}
	return b.String()
}

func hostilePattern(name, pattern string, refused bool) hostileSchema {
	return hostileSchema{"pattern: " + name, `{"type":"string","pattern":"` + pattern + `"}`, refused, "/pattern"}
}

func hostileSchemas() []hostileSchema {
	nested := func(n int, open, end string) string { return strings.Repeat(open, n) + "{}" + strings.Repeat(end, n) }
	names := listed(10000, `"property@"`)
	chain := ""
	for i := range 2000 {
		chain += `"n` + strconv.Itoa(i) + `":{"$ref":"#/$defs/n` + strconv.Itoa(i+1) + `"},`
	}
	return []hostileSchema{
		{"10,000 properties", `{"properties":{` + listed(10000, `"property@":{"type":"string"}`) + `}}`, false, ""},
		{"10,000 properties, closed", `{"additionalProperties":false,"properties":{` + listed(10000, `"property@":{"type":"string"}`) + `}}`, false, ""},
		{"10,000 properties, all required", `{"type":"object","properties":{` + listed(10000, `"property@":{}`) + `},"required":[` + names + `]}`, false, ""},
		{"10,000 objects of 20 properties", `{"properties":{` + listed(1000, `"property@":{"type":"object","properties":{`+listed(20, `"p@":{"type":"integer"}`)+`}}`) + `}}`, false, ""},
		{"a name of 500,000 bytes", `{"properties":{"` + strings.Repeat("k", 500_000) + `":{}}}`, false, ""},
		{"2 MB", `{"description":"` + strings.Repeat("x", 2<<20) + `"}`, true, ""},
		{"63 deep", nested(60, `{"items":`, `}`), false, ""},
		{"1,000 deep", nested(1000, `{"items":`, `}`), true, "/items/items/items"},
		{"100,000 brackets", strings.Repeat(`[`, 100_000), true, "/0/0/0"},
		{"a cycle", `{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}`, true, "/$defs/b/$ref"},
		{"a cycle through anyOf", `{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"},{"type":"string"}]},"b":{"allOf":[{"$ref":"#/$defs/a"},{"minLength":2}]}}}`, true, "/$defs/b/allOf/0/$ref"},
		{"a value without end", `{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}`, true, "/properties/a"},
		{"2,000 references in a row", `{"$ref":"#/$defs/n0","$defs":{` + chain + `"n2000":{"type":"null"}}}`, false, ""},
		{"20,000 words", `{"enum":[` + listed(20000, `"value number @"`) + `]}`, false, ""},
		{"30,000 words", `{"enum":[` + listed(30000, `"value number @"`) + `]}`, true, "/enum"},
		{"10,000 numbers", `{"enum":[` + listed(10000, `@.5`) + `]}`, false, ""},
		{"5,000 constant objects", `{"enum":[` + listed(5000, `{"a":@}`) + `]}`, true, ""},
		{"all but 10,000 words", `{"type":"string","not":{"enum":[` + listed(10000, `"value number @"`) + `]}}`, false, ""},
		{"two lists of 10,000 numbers", `{"allOf":[{"enum":[` + listed(10000, `@`) + `]},{"enum":[` + listed(10000, `1@`) + `]}]}`, false, ""},
		{"two words of 500,000 bytes", `{"enum":["` + strings.Repeat("k", 500_000) + `","` + strings.Repeat("j", 400_000) + `"]}`, true, ""},
		{"oneOf of 300 constants", `{"oneOf":[` + listed(300, `{"const":"v@"}`) + `]}`, false, ""},
		{"oneOf of 390 tagged objects", `{"oneOf":[` + listed(390, `{"type":"object","properties":{"kind":{"const":"v@"},"x@":{"type":"integer"}},"required":["kind"]}`) + `]}`, false, ""},
		{"oneOf of 300 kinds of objects", `{"oneOf":[` + listed(300, `{"properties":{"kind":{"const":"v@"}},"required":["kind"]}`) + `]}`, true, "/oneOf/96/properties/kind"},
		{"oneOf of 60 open objects", `{"oneOf":[` + listed(60, `{"properties":{"p@":{"type":"string"}},"required":["p@"]}`) + `]}`, true, ""},
		{"anyOf of 5,000", `{"anyOf":[` + listed(5000, `{"type":"object","properties":{"p@":{}}}`) + `]}`, true, ""},
		{"2^30 ways by names", `{"allOf":[` + listed(30, `{"anyOf":[{"required":["a@"]},{"required":["b@"]}]}`) + `]}`, true, ""},
		{"2^30 ways by types", `{"allOf":[` + listed(30, `{"anyOf":[{"minLength":@},{"maximum":@}]}`) + `]}`, true, ""},
		{"2^30 ways by patterns", `{"type":"string","allOf":[` + listed(30, `{"anyOf":[{"pattern":"a@b"},{"pattern":"b@a"}]}`) + `]}`, true, ""},
		{"anyOf in anyOf", nested(15, `{"anyOf":[{"type":"object","properties":{"a":`, `}},{"type":"object","required":["b"]}]}`), false, ""},
		{"60 conditions", `{"allOf":[` + listed(60, `{"if":{"properties":{"a":{"const":@}}},"then":{"required":["b@"]},"else":{"required":["c@"]}}`) + `]}`, true, "/allOf/9/if/properties/a"},
		{"40 dependencies", `{"dependentRequired":{` + listed(40, `"a@":["b@"]`) + `}}`, true, ""},
		{"200 patterns of names", `{"patternProperties":{` + listed(200, `"x@.*y":{"minimum":@}`) + `}}`, true, ""},
		{"12 patterns of names", `{"patternProperties":{` + listed(12, `"x@":{"minimum":@}`) + `}}`, true, ""},
		{"20 patterns at once", `{"type":"string","allOf":[` + listed(20, `{"pattern":"x@"}`) + `]}`, true, "/allOf/0/pattern"},
		{"a million characters", `{"type":"string","minLength":1000000,"maxLength":2000000}`, false, ""},
		{"a billion items", `{"type":"array","items":{"type":"integer"},"minItems":1000000000}`, false, ""},
		{"a billion properties", `{"type":"object","minProperties":1000000000}`, false, ""},
		{"20,000 items told apart", `{"prefixItems":[` + listed(20000, `{"type":"integer"}`) + `]}`, true, "/prefixItems"},
		{"5,000 items that differ", `{"type":"array","uniqueItems":true,"items":{"enum":[` + listed(5000, `@`) + `]}}`, false, ""},
		{"multiples of four primes", `{"allOf":[{"multipleOf":997},{"multipleOf":991},{"multipleOf":983},{"not":{"multipleOf":977}}]}`, true, "/allOf/0"},
		{"a large exponent", `{"minimum":1e999999999}`, true, "/minimum"},
		{"100,000 digits", `{"minimum":` + strings.Repeat("9", 100_000) + `}`, true, "/minimum"},
		{"all but 500 numbers", `{"allOf":[` + listed(500, `{"not":{"const":1@}}`) + `]}`, true, "/allOf/0/not"},
		hostilePattern("a look back of 20", `(a|b)*a(a|b){20}`, true),
		hostilePattern("a look back of 8", `(a|b)*a(a|b){8}`, false),
		hostilePattern("a million times", `((a{1000}){1000})`, true),
		hostilePattern("up to a billion times", `((a{1,1000}){1,1000}){1,1000}`, false),
		hostilePattern("counts of counts", `((a|b){0,500}c){0,500}`, false),
		hostilePattern("large classes", `[\\u0000-\\uffff]{1,1000}[a-z]{1,1000}`, true),
		hostilePattern("all letters", `^\\p{L}{1,200}\\p{N}{1,200}$`, false),
		hostilePattern("may be, 64 times", `^(a?){64}a{64}$`, false),
		hostilePattern("stars", `^(((a*)*)*)*b$`, false),
		hostilePattern("distances", `.*a.{12}b.{12}c`, true),
		hostilePattern("100,000 bytes", strings.Repeat("a", 100_000), true),
		hostilePattern("10,000 groups", strings.Repeat("(", 10_000)+strings.Repeat(")", 10_000), true),
		hostilePattern("30 looks ahead", `^`+strings.Repeat("(?=.*x)", 30)+`.*$`, false),
		hostilePattern("a look ahead at counts", `^(?!.*(a|b)c{1,50}d).{0,400}$`, true),
	}
}

// hostileBytes bounds what compiling one schema allocates, all together. See the limits in the package's comment.
const hostileBytes = 256 << 20

// TestHostileSchemas compiles or refuses what would take forever without limits. The limits count steps, states and bytes, so
// the outcome is the same on any machine; BenchmarkHostileSchemas gives times.
func TestHostileSchemas(t *testing.T) {
	for _, h := range hostileSchemas() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := CompileSchema([]byte(h.schema), Options{})
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > hostileBytes {
			t.Errorf("%s: %d MB were allocated, want at most %d", h.name, n>>20, hostileBytes>>20)
		}
		var refused *SchemaError
		switch {
		case !h.refused && err != nil:
			t.Errorf("%s: %.300v", h.name, err)
		case !h.refused:
		case !errors.As(err, &refused):
			t.Errorf("%s: %v, want a refusal", h.name, err)
		case refused.Pointer != h.pointer && (len(refused.Pointer) < 100 || !strings.HasPrefix(refused.Pointer, h.pointer)):
			t.Errorf("%s: refused at %q, want %q: %.200s", h.name, refused.Pointer, h.pointer, refused.Reason)
		}
	}
}

func BenchmarkHostileSchemas(b *testing.B) {
	for _, h := range hostileSchemas() {
		b.Run(strings.ReplaceAll(h.name, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = CompileSchema([]byte(h.schema), Options{}) // most are refused
			}
		})
	}
}
