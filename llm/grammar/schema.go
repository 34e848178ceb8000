package grammar

import (
	"encoding/json"
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// SchemaError says which part of a schema is not enforced, or is wrong. Nothing was compiled.
type SchemaError struct {
	Pointer string // JSON pointer to the schema or keyword
	Reason  string
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("grammar: schema at %q: %s", e.Pointer, e.Reason)
}

// Options select the spelling of a schema's values.
type Options struct {
	// Spaced writes ", " and ": " between members; otherwise JSON is compact.
	Spaced bool
	// Closed treats an absent additionalProperties as false: what tool arguments want. It departs from
	// the specification, where absent means that any property is allowed.
	Closed bool
}

const maxInstructions = 2_000_000

type compiler struct {
	g            *Grammar
	root         value
	base         string
	closed       bool
	comma, colon string
	nodes        map[string]uint32 // by pointer: entry of a compiled schema
	anyValue     uint32
	hasAny       bool
}

// CompileSchema compiles a JSON Schema (draft 2020-12) to a grammar of the texts of its values.
func CompileSchema(schema []byte, options Options) (*Grammar, error) {
	g := newGrammar()
	c := newCompiler(g, options)
	at, err := c.document(schema, "")
	if err != nil {
		return nil, err
	}
	return g.finish(g.emit(opCall, at, g.emit(opEnd, 0, 0)))
}

func newCompiler(g *Grammar, options Options) *compiler {
	c := &compiler{g: g, closed: options.Closed, comma: ",", colon: ":"}
	if options.Spaced {
		c.comma, c.colon = ", ", ": "
	}
	return c
}

// document compiles one schema with its own root; errors carry base before the pointer.
func (c *compiler) document(schema []byte, base string) (uint32, error) {
	root, err := readOrdered(schema)
	if err != nil {
		return 0, &SchemaError{base, err.Error()}
	}
	c.root, c.base, c.nodes = root, base, map[string]uint32{}
	return c.schema(root, "")
}

func (c *compiler) refuse(pointer, format string, arguments ...any) error {
	return &SchemaError{c.base + pointer, fmt.Sprintf(format, arguments...)}
}

// enforced keywords; those of refused are in the specification (this draft or an older one) and are not.
// Any other key is an annotation, as the specification has it.
var enforced = words("type properties required additionalProperties items enum const anyOf oneOf $ref minLength maxLength minItems maxItems pattern format minimum maximum exclusiveMinimum exclusiveMaximum")

var refused = words("allOf not if then else dependentSchemas dependentRequired dependencies prefixItems additionalItems contains minContains maxContains " +
	"uniqueItems patternProperties propertyNames minProperties maxProperties unevaluatedItems unevaluatedProperties multipleOf " +
	"$dynamicRef $recursiveRef extends disallow divisibleBy nullable")

func words(list string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(list) {
		out[w] = true
	}
	return out
}

// schema returns the entry of a subroutine that reads one value and returns.
func (c *compiler) schema(v value, pointer string) (uint32, error) {
	if at, ok := c.nodes[pointer]; ok {
		return at, nil
	}
	entry := c.g.emit(opJump, 0, 0)
	c.nodes[pointer] = entry
	if len(c.g.code) > maxInstructions {
		return 0, c.refuse(pointer, "the schema needs more than %d instructions", maxInstructions)
	}
	at, err := c.node(v, pointer)
	if err != nil {
		return 0, err
	}
	c.g.code[entry].x = at
	return entry, nil
}

func (c *compiler) node(v value, pointer string) (uint32, error) {
	if b, ok := v.(bool); ok {
		if b {
			return c.any(), nil
		}
		return c.g.emit(opFail, 0, 0), nil
	}
	o, ok := v.(*object)
	if !ok {
		return 0, c.refuse(pointer, "a schema is an object, true or false; got %T", v)
	}
	var used []string
	for _, m := range o.members {
		if refused[m.key] && !c.idle(o, m) {
			return 0, c.refuse(pointer+"/"+escape(m.key), "keyword %q is not enforced", m.key)
		}
		if !enforced[m.key] {
			continue
		}
		used = append(used, m.key)
	}
	if _, ok := o.get("$id"); ok && pointer != "" {
		return 0, c.refuse(pointer+"/$id", "an embedded schema resource is not resolved")
	}
	alone := func(key string, beside ...string) error {
		for _, k := range used {
			found := k == key
			for _, b := range beside {
				found = found || k == b
			}
			if !found {
				return c.refuse(pointer+"/"+escape(k), "keyword %q beside %q is not enforced", k, key)
			}
		}
		return nil
	}
	if ref, ok := o.get("$ref"); ok {
		if err := alone("$ref"); err != nil {
			return 0, err
		}
		return c.reference(ref, pointer)
	}
	for _, key := range []string{"const", "enum"} {
		if list, ok := o.get(key); ok {
			if err := alone(key, "type"); err != nil {
				return 0, err
			}
			return c.values(o, key, list, pointer)
		}
	}
	if list, ok := o.get("anyOf"); ok {
		if err := alone("anyOf", "type"); err != nil {
			return 0, err
		}
		list, err := c.typedBranches(o, list, pointer)
		if err != nil {
			return 0, err
		}
		return c.anyOf(list, pointer+"/anyOf")
	}
	if list, ok := o.get("oneOf"); ok {
		if err := alone("oneOf", "type"); err != nil {
			return 0, err
		}
		list, err := c.typedBranches(o, list, pointer)
		if err != nil {
			return 0, err
		}
		return c.oneOf(list, pointer+"/oneOf")
	}
	return c.typed(o, pointer)
}

// idle tells whether a keyword cannot change anything: uniqueItems false, minProperties 0, and
// multipleOf where no number is allowed.
func (c *compiler) idle(o *object, m member) bool {
	switch m.key {
	case "uniqueItems", "nullable":
		return m.value == false
	case "minProperties", "minContains":
		return m.value == json.Number("0")
	case "multipleOf":
		types, err := c.types(o, "")
		return err == nil && !types["number"] && !types["integer"]
	case "additionalItems":
		_, ok := o.get("items")
		return ok
	case "then", "else":
		_, ok := o.get("if")
		return !ok
	}
	return false
}

// oneOf is enforced if the branches state types that exclude each other.
func (c *compiler) oneOf(list value, pointer string) (uint32, error) {
	branches, _ := list.([]value)
	seen := map[string]bool{}
	for i, b := range branches {
		o, ok := b.(*object)
		if ok {
			_, ok = o.get("type")
		}
		if !ok && len(branches) > 1 {
			return 0, c.refuse(pointer+"/"+strconv.Itoa(i), "a branch of oneOf without a type is not enforced")
		}
		if len(branches) == 1 {
			break
		}
		types, err := c.types(o, pointer)
		if err != nil {
			return 0, err
		}
		for t := range types {
			if seen[t] || t == "integer" && seen["number"] || t == "number" && seen["integer"] {
				return 0, c.refuse(pointer+"/"+strconv.Itoa(i), "two branches of oneOf allow %s", t)
			}
		}
		for t := range types {
			seen[t] = true
		}
	}
	return c.anyOf(list, pointer)
}

func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func (c *compiler) anyOf(list value, pointer string) (uint32, error) {
	branches, ok := list.([]value)
	if !ok || len(branches) == 0 {
		return 0, c.refuse(pointer, "anyOf is a list of one schema or more")
	}
	var out []uint32
	for i, b := range branches {
		// Not by pointer: a branch may carry the type beside it, which a reference to the branch does not.
		at, err := c.node(b, pointer+"/"+strconv.Itoa(i))
		if err != nil {
			return 0, err
		}
		out = append(out, at)
	}
	return c.g.either(out...), nil
}

func (c *compiler) reference(ref value, pointer string) (uint32, error) {
	s, ok := ref.(string)
	if !ok || s != "#" && !strings.HasPrefix(s, "#/") {
		return 0, c.refuse(pointer+"/$ref", "reference %v is not a pointer into this schema", ref)
	}
	path, err := url.PathUnescape(s[1:])
	if err != nil {
		return 0, c.refuse(pointer+"/$ref", "reference %q: %v", s, err)
	}
	at := c.root
	canonical := ""
	for _, part := range strings.Split(path, "/")[1:] {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		found := false
		switch v := at.(type) {
		case *object:
			at, found = v.get(part)
		case []value:
			if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(v) {
				at, found = v[i], true
			}
		}
		if !found {
			return 0, c.refuse(pointer+"/$ref", "reference %q leads nowhere", s)
		}
		canonical += "/" + escape(part)
	}
	return c.schema(at, canonical)
}

var typeNames = []string{"object", "array", "string", "number", "integer", "boolean", "null"}

func (c *compiler) types(o *object, pointer string) (map[string]bool, error) {
	out := map[string]bool{}
	v, ok := o.get("type")
	if !ok {
		for _, t := range typeNames {
			out[t] = true
		}
		delete(out, "integer")
		return out, nil
	}
	list, ok := v.([]value)
	if !ok {
		list = []value{v}
	}
	for _, t := range list {
		name, _ := t.(string)
		known := false
		for _, n := range typeNames {
			known = known || n == name
		}
		if !known {
			return nil, c.refuse(pointer+"/type", "type %v is not one of %s", t, strings.Join(typeNames, ", "))
		}
		out[name] = true
	}
	if out["number"] {
		delete(out, "integer")
	}
	return out, nil
}

func typeOf(v value) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			return "integer"
		}
		if f, err := v.Float64(); err == nil && f == float64(int64(f)) {
			return "integer"
		}
		return "number"
	case []value:
		return "array"
	}
	return "object"
}

func (c *compiler) values(o *object, key string, v value, pointer string) (uint32, error) {
	list := []value{v}
	if key == "enum" {
		l, ok := v.([]value)
		if !ok {
			return 0, c.refuse(pointer+"/enum", "enum is a list")
		}
		list = l
	}
	if len(list) > 10_000 {
		return 0, c.refuse(pointer+"/enum", "%d values, at most 10000 are enforced", len(list))
	}
	types, err := c.types(o, pointer)
	if err != nil {
		return 0, err
	}
	var words []string
	for _, v := range list {
		t := typeOf(v)
		if types[t] || t == "integer" && types["number"] {
			words = append(words, spell(v, c.comma, c.colon))
		}
	}
	return c.g.words(words, c.g.emit(opReturn, 0, 0)), nil
}

// words reads one of the words: a byte trie in code.
func (g *Grammar) words(words []string, next uint32) uint32 {
	words = append([]string(nil), words...)
	sort.Strings(words)
	var build func(words []string, depth int) uint32
	build = func(words []string, depth int) uint32 {
		var out []uint32
		for i := 0; i < len(words); {
			if len(words[i]) == depth {
				if i == 0 {
					out = append(out, next)
				}
				i++
				continue
			}
			j := i
			for j < len(words) && words[j][depth] == words[i][depth] {
				j++
			}
			if j == i+1 {
				out = append(out, g.literal(words[i][depth:], next))
			} else {
				out = append(out, g.bytes(words[i][depth], words[i][depth], build(words[i:j], depth+1)))
			}
			i = j
		}
		return g.either(out...)
	}
	return build(words, 0)
}

// check refuses references that go round without reading a byte.
func (g *Grammar) check() error {
	state := make([]uint8, len(g.code))
	type frame struct {
		pc    uint32
		edges [2]uint32
		left  int
	}
	edges := func(pc uint32) (f frame) {
		f.pc = pc
		switch in := g.code[pc]; in.op {
		case opJump, opCall:
			f.edges[0], f.left = in.x, 1
		case opSplit:
			f.edges, f.left = [2]uint32{in.x, in.y}, 2
		case opLess, opAtLeast, opCount:
			f.edges[0], f.left = in.y, 1
		}
		return f
	}
	for start := range g.code {
		if state[start] != 0 {
			continue
		}
		stack := []frame{edges(uint32(start))}
		state[start] = 1
		for len(stack) > 0 {
			f := &stack[len(stack)-1]
			if f.left == 0 {
				state[f.pc] = 2
				stack = stack[:len(stack)-1]
				continue
			}
			f.left--
			switch to := f.edges[f.left]; state[to] {
			case 1:
				return &SchemaError{"", "a reference leads back to itself without a value between"}
			case 0:
				state[to] = 1
				stack = append(stack, edges(to))
			}
		}
	}
	return nil
}
