package grammar

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
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

// Options select the spelling of a schema's values. The zero value is compact JSON, properties in any order.
type Options struct {
	// Spaced writes ", " and ": " between members; otherwise JSON is compact.
	Spaced bool
	// Flexible allows white space between members: up to maxSpace characters at one place. It goes before Spaced.
	Flexible bool
	// Ordered fixes the order of properties to the schema's, undeclared ones last, so that more of the
	// text is forced; otherwise they may come in any order.
	Ordered bool
	// Closed treats an absent additionalProperties as false where properties are declared: what tool
	// arguments want. It departs from the specification, where absent means that any property is allowed.
	Closed bool
	// Python writes values as Python does: True, False, None, strings between single or double quotes,
	// names of dictionaries between single ones.
	Python bool
	// IgnoreFormat: formats are not enforced but taken as annotations, as draft 2020-12 has it
	// by default.
	IgnoreFormat bool
}

// maxSpace is the most white space at one place if the spelling is flexible.
const maxSpace = 40

func (o Options) spelling() *spelling {
	s := &spelling{quote: '"', comma: ",", colon: ":"}
	switch {
	case o.Flexible:
		s.space = maxSpace
	case o.Spaced:
		s.comma, s.colon = ", ", ": "
	}
	if o.Python {
		s.python, s.quote = true, '\''
	}
	return s
}

// Limits of a compilation. A schema that needs more is refused with the pointer to what was too much.
const (
	maxSchemaNodes  = 60_000 // sets of schemas that a value satisfies together
	maxBranches     = 400    // ways to satisfy one of them
	maxSchemaSteps  = 50_000
	maxEnum         = 20_000
	maxProperties   = 20_000
	maxMaterialized = 4_000_000 // bytes of tries and tables
)

// literal is an index into compiler.schemas: a schema that a value has to satisfy.
type literal int32

const (
	literalTrue literal = iota
	literalFalse
)

type schemaNode struct {
	o       *object
	pointer string
	scope   *resource
	not     literal // its negation, 0 if not made yet
	object  *objectRow
	array   *arrayRow
}

type compiler struct {
	g         *Grammar
	options   Options
	spelling  *spelling
	langs     *languages
	base      string // before every pointer of an error
	root      *resource
	draft     int
	stated    bool // the schema names its draft
	resources []*resource
	dynamic   map[string]int
	checked   map[literal]uint8
	places    map[*object]place
	schemas   []schemaNode
	literals  map[*object]literal
	outlines  map[literal]outline
	tags      map[literal][]tag
	nodes     []*node
	byKey     map[string]int32
	patterns  map[string]language
	excluded  map[*value]language // by the first of a list of values, the texts that are not among them
	tables    map[stringKey]*stringTable
	numbers   map[string]uint32
	steps     int
	bytes     int
	bare      bool // objects are the arguments of a call
}

// CompileSchema compiles a JSON Schema (draft 2020-12, and what older drafts wrote otherwise) to a grammar
// of the texts of its values.
func CompileSchema(schema []byte, options Options) (*Grammar, error) {
	return Compile(Schema(schema, options))
}

func newCompiler(g *Grammar, options Options) *compiler {
	return &compiler{g: g, options: options, spelling: options.spelling(), langs: newLanguages(), places: map[*object]place{}, dynamic: map[string]int{}, checked: map[literal]uint8{}, literals: map[*object]literal{}, outlines: map[literal]outline{}, tags: map[literal][]tag{},
		schemas: make([]schemaNode, 2), byKey: map[string]int32{}, patterns: map[string]language{}, excluded: map[*value]language{}, tables: map[stringKey]*stringTable{}, numbers: map[string]uint32{}}
}

func (c *compiler) refuse(pointer, format string, arguments ...any) error {
	return &SchemaError{c.base + pointer, fmt.Sprintf(format, arguments...)}
}

// document compiles one schema and returns the index of its value in the grammar.
func (c *compiler) document(schema []byte) (uint32, error) {
	n, err := c.top(schema)
	if err != nil {
		return 0, err
	}
	return c.build(n)
}

// top reads a schema and returns the node of its values.
func (c *compiler) top(schema []byte) (int32, error) {
	root, err := readOrdered(schema)
	if err != nil {
		return 0, err
	}
	if err := c.locate(root); err != nil {
		return 0, err
	}
	l, err := c.literal(root, "", c.root)
	if err != nil {
		return 0, err
	}
	return c.node([]literal{l})
}

// literal interns a schema.
func (c *compiler) literal(v value, pointer string, scope *resource) (literal, error) {
	if b, ok := v.(bool); ok {
		if b {
			return literalTrue, nil
		}
		return literalFalse, nil
	}
	o, ok := v.(*object)
	if !ok {
		return 0, c.refuse(pointer, "a schema is an object, true or false; got %s", typeOf(v))
	}
	if l, ok := c.literals[o]; ok {
		return l, nil
	}
	if p, ok := c.places[o]; ok {
		pointer, scope = p.pointer, p.scope
	}
	l := literal(len(c.schemas))
	if !c.constrains(o) {
		l = literalTrue
	} else {
		c.schemas = append(c.schemas, schemaNode{o: o, pointer: pointer, scope: scope})
	}
	c.literals[o] = l
	return l, nil
}

// keywords of schemas that are enforced; "!…" are our own, for negations. All others annotate.
var keywords = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`type enum const allOf anyOf oneOf not if then else $ref $dynamicRef $recursiveRef
		multipleOf minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength pattern format
		prefixItems items additionalItems contains minContains maxContains minItems maxItems uniqueItems unevaluatedItems
		properties patternProperties additionalProperties propertyNames required minProperties maxProperties
		dependentRequired dependentSchemas dependencies unevaluatedProperties
		!pattern !format !enum !multipleOf !broken !from`) {
		out[w] = true
	}
	return out
}()

func (c *compiler) constrains(o *object) bool {
	for _, m := range o.members {
		if keywords[m.key] {
			return true
		}
	}
	return false
}

// kinds is a set of types of JSON; integer is a number with a condition.
type kinds uint8

const (
	kindNull kinds = 1 << iota
	kindBoolean
	kindNumber
	kindString
	kindArray
	kindObject
	kindAll kinds = 1<<iota - 1
)

var kindNames = map[string]kinds{"null": kindNull, "boolean": kindBoolean, "number": kindNumber, "integer": kindNumber, "string": kindString, "array": kindArray, "object": kindObject}

// conj is what a value has to satisfy in one way of satisfying a set of schemas.
type conj struct {
	kinds      kinds
	booleans   uint8 // bit 0: false, bit 1: true
	restricted bool
	words      []value // the only scalars, if restricted
	atoms      []numberAtom
	text       language
	least      uint32 // characters
	most       uint32
	pointer    string // of what last said something about text or numbers

	objects  []*objectRow
	required []string
	names    []literal // of propertyNames
	fewest   uint32    // properties
	greatest uint32
	arrays   []*arrayRow
	contains []*containsAtom
	shortest uint32 // items
	longest  uint32
	unique   bool
	uniqueAt string
}

func (c *compiler) everything() conj {
	return conj{kinds: kindAll, booleans: 3, text: c.langs.all, most: noLimit, greatest: noLimit, longest: noLimit}
}

// fork copies q so that appending to one does not show in the other.
func (q conj) fork() conj {
	q.words, q.atoms = slices.Clip(q.words), slices.Clip(q.atoms)
	q.objects, q.required, q.names = slices.Clip(q.objects), slices.Clip(q.required), slices.Clip(q.names)
	q.arrays, q.contains = slices.Clip(q.arrays), slices.Clip(q.contains)
	return q
}

// objectRow holds the keywords that look at each other: additionalProperties is for the names that the
// same schema does not declare.
type objectRow struct {
	names      []string
	properties map[string]literal
	patterns   []patternRow
	additional literal // -1 if absent
	declares   bool    // has properties
}

type patternRow struct {
	names language
	value literal
}

type arrayRow struct {
	prefix []literal
	rest   literal
}

// containsAtom asks for least to most items of value, from an index on.
type containsAtom struct {
	value, not  literal // not is literalTrue if most is unlimited
	from        int
	least, most uint32
}

// node is a set of schemas that one value satisfies together.
type node struct {
	literals   []literal
	pointer    string
	state      uint8 // 0 new, 1 being expanded, 2 expanded
	branches   []conj
	shapes     []*objectPlan
	lists      []*arrayPlan
	at         uint32 // its valueNode, if built
	cost       uint32 // fewest bytes, noLimit if there is no value
	scalarCost uint32
	strings    []*stringTable
	numbers    []uint32 // scalar tables
	words      []string // other scalars, spelled
	empty      uint8    // by the quick check: 0 unknown, 1 being checked, 2 empty, 3 may have values
}

// node interns a set of schemas.
func (c *compiler) node(list []literal) (int32, error) {
	list = slices.Clone(list)
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) > 0 && list[0] == literalTrue {
		list = list[1:]
	}
	if slices.Contains(list, literalFalse) {
		list = []literal{literalFalse}
	}
	key := make([]byte, 0, 4*len(list))
	for _, l := range list {
		key = append(key, byte(l), byte(l>>8), byte(l>>16), byte(l>>24))
	}
	if n, ok := c.byKey[string(key)]; ok {
		return n, nil
	}
	n := int32(len(c.nodes))
	pointer := ""
	if len(list) > 0 {
		pointer = c.schemas[list[len(list)-1]].pointer
	}
	if n >= maxSchemaNodes {
		return 0, c.refuse(pointer, "the schema has more than %d different values", maxSchemaNodes)
	}
	c.nodes = append(c.nodes, &node{literals: list, pointer: pointer, cost: noLimit})
	c.byKey[string(key)] = n
	return n, nil
}

func (c *compiler) valueOf(l literal) value {
	switch l {
	case literalTrue:
		return true
	case literalFalse:
		return false
	}
	return c.schemas[l].o
}

func typeOf(v value) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	case []value:
		return "array"
	}
	return "object"
}

func whole(v value) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, false
	}
	r, err := parseNumber(n.String())
	return r, err == nil
}
