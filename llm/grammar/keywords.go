package grammar

import (
	"encoding/json"
	"math/big"
	"strconv"
)

// schema adds the keywords of one schema to q. more are schemas that hold as well; each of branches is a
// choice between sets of schemas.
func (x *expansion) schema(q *conj, l literal) (more []literal, branches [][][]literal, err error) {
	s := x.schemas[l]
	if err := x.acyclic(l); err != nil {
		return nil, nil, err
	}
	k := &keywordReader{expansion: x, q: q, o: s.o, pointer: s.pointer, scope: s.scope, self: l}
	if ref, ok := s.o.get("$ref"); ok && x.draft < 2019 {
		k.reference("$ref", ref)
		return k.more, k.branches, k.err
	}
	for _, m := range s.o.members {
		if keywords[m.key] {
			k.keyword(m.key, m.value)
		}
		if k.err != nil {
			return nil, nil, k.err
		}
	}
	return k.more, k.branches, k.err
}

type keywordReader struct {
	*expansion
	q        *conj
	o        *object
	pointer  string
	scope    *resource
	self     literal
	more     []literal
	branches [][][]literal
	err      error
}

func (k *keywordReader) fail(key, format string, arguments ...any) {
	if k.err == nil {
		k.err = k.refuse(k.pointer+"/"+escape(key), format, arguments...)
	}
}

// sub interns the schema below a keyword.
func (k *keywordReader) sub(v value, path string) literal {
	if k.err != nil {
		return literalTrue
	}
	l, err := k.literal(v, k.pointer+"/"+path, k.scope)
	k.err = err
	return l
}

func (k *keywordReader) negation(l literal) literal {
	if k.err != nil {
		return literalTrue
	}
	n, err := k.negate(l)
	k.err = err
	return n
}

func (k *keywordReader) list(key string, v value) []literal {
	list, ok := v.([]value)
	if !ok || len(list) == 0 {
		k.fail(key, "%s is a list of one schema or more", key)
	}
	out := make([]literal, len(list))
	for i, e := range list {
		out[i] = k.sub(e, key+"/"+strconv.Itoa(i))
	}
	return out
}

func (k *keywordReader) count(key string, v value) uint32 {
	r, ok := whole(v)
	if !ok || !r.IsInt() || r.Sign() < 0 {
		k.fail(key, "%v is not a whole number from 0 on", v)
		return 0
	}
	if !r.Num().IsInt64() || r.Num().Int64() > 1<<31-1 {
		if key[:3] == "max" {
			return noLimit
		}
		k.fail(key, "%v is above 2147483647", v)
		return 0
	}
	return uint32(r.Num().Int64())
}

func (k *keywordReader) number(key string, v value) *big.Rat {
	n, ok := v.(json.Number)
	if !ok {
		k.fail(key, "%s is a number, got %s", key, typeOf(v))
		return new(big.Rat)
	}
	r, err := parseNumber(n.String())
	if err != nil {
		k.fail(key, "%v", err)
		return new(big.Rat)
	}
	return r
}

func (k *keywordReader) atom(rule numberRule, value *big.Rat) {
	k.q.atoms = append(k.q.atoms, numberAtom{rule, value})
	k.q.pointer = k.pointer
}

func (k *keywordReader) either(options ...[]literal) { k.branches = append(k.branches, options) }

func (k *keywordReader) keyword(key string, v value) {
	q := k.q
	switch key {
	case "$ref", "$dynamicRef", "$recursiveRef":
		k.reference(key, v)
	case "type":
		k.typeKeyword(v)
	case "enum", "const":
		k.values(key, v)
	case "!enum":
		k.excludes(v.([]value))
	case "allOf":
		k.more = append(k.more, k.list(key, v)...)
	case "anyOf":
		var options [][]literal
		for _, l := range k.list(key, v) {
			options = append(options, []literal{l})
		}
		k.either(options...)
	case "oneOf":
		k.oneOf(v)
	case "not":
		k.more = append(k.more, k.negation(k.sub(v, "not")))
	case "if":
		k.conditional(v)
	case "multipleOf", "!multipleOf":
		r := k.number("multipleOf", v)
		if k.err == nil && r.Sign() <= 0 {
			k.fail(key, "multipleOf is above zero")
			return
		}
		if key == "multipleOf" {
			k.atom(numberMultiple, r)
		} else {
			k.atom(numberNotMultiple, r)
		}
	case "!broken":
		k.atom(numberBroken, nil)
	case "minimum", "maximum":
		r := k.number(key, v)
		exclusive, _ := k.o.get("exclusive" + map[string]string{"minimum": "Minimum", "maximum": "Maximum"}[key])
		rule := map[string][2]numberRule{"minimum": {numberAtLeast, numberAbove}, "maximum": {numberAtMost, numberBelow}}[key]
		if exclusive == true {
			k.atom(rule[1], r)
		} else {
			k.atom(rule[0], r)
		}
	case "exclusiveMinimum", "exclusiveMaximum":
		if _, ok := v.(bool); ok {
			return // draft 4: says how minimum and maximum are meant
		}
		r := k.number(key, v)
		if key == "exclusiveMinimum" {
			k.atom(numberAbove, r)
		} else {
			k.atom(numberBelow, r)
		}
	case "minLength":
		q.least = max(q.least, k.count(key, v))
		q.pointer = k.pointer
	case "maxLength":
		q.most = min(q.most, k.count(key, v))
		q.pointer = k.pointer
	case "pattern", "!pattern", "format", "!format":
		k.text(key, v)
	default:
		k.container(key, v)
	}
}

func (k *keywordReader) reference(key string, v value) {
	s, ok := v.(string)
	if !ok {
		k.fail(key, "a reference is a string, got %s", typeOf(v))
		return
	}
	o, err := k.resolve(s, k.scope, key != "$ref")
	if err != nil {
		k.fail(key, "%v", err)
		return
	}
	k.more = append(k.more, k.sub(o, key))
}

func (k *keywordReader) typeKeyword(v value) {
	list, ok := v.([]value)
	if !ok {
		list = []value{v}
	}
	allowed, number := kinds(0), false
	for _, t := range list {
		name, _ := t.(string)
		kind, ok := kindNames[name]
		if !ok {
			k.fail("type", "type %v is not one of null, boolean, number, integer, string, array, object", t)
			return
		}
		allowed |= kind
		number = number || name == "number"
	}
	k.q.kinds &= allowed
	if allowed&kindNumber != 0 && !number {
		k.atom(numberWhole, nil)
	}
}

// values restricts to the scalars of an enum, or to one of its arrays and objects, which are schemas of
// their own.
func (k *keywordReader) values(key string, v value) {
	list := []value{v}
	if key == "enum" {
		l, ok := v.([]value)
		if !ok {
			k.fail(key, "enum is a list, got %s", typeOf(v))
			return
		}
		list = l
	}
	if len(list) > maxEnum {
		k.fail(key, "%d values, at most %d are enforced", len(list), maxEnum)
		return
	}
	var scalars []value
	var options [][]literal
	for i, e := range list {
		switch e.(type) {
		case []value, *object:
			path := key
			if key == "enum" {
				path += "/" + strconv.Itoa(i)
			}
			options = append(options, []literal{k.sub(constantSchema(e), path)})
		default:
			scalars = append(scalars, e)
		}
	}
	if len(options) == 0 {
		k.restrict(scalars)
		return
	}
	if len(scalars) > 0 {
		options = append([][]literal{{k.sub(&object{members: []member{{"enum", scalars}}}, key)}}, options...)
	}
	k.either(options...)
}

func (k *keywordReader) restrict(scalars []value) {
	q := k.q
	q.kinds &= kindNull | kindBoolean | kindNumber | kindString
	if q.restricted {
		var both []value
		listed := map[value]bool{}
		for _, v := range scalars {
			listed[scalarKey(v)] = true
		}
		for _, v := range q.words {
			if listed[scalarKey(v)] {
				both = append(both, v)
			}
		}
		scalars = both
	}
	q.restricted, q.words = true, scalars
	stated := kinds(0)
	for _, v := range scalars {
		stated |= kindNames[typeOf(v)]
	}
	q.kinds &= stated
}

// scalarKey is equal for equal scalars, however a number is written.
func scalarKey(v value) value {
	if r, ok := whole(v); ok {
		return json.Number(r.RatString())
	}
	return v
}

// constantSchema is the schema of one value, written with other keywords.
func constantSchema(v value) value {
	switch v := v.(type) {
	case []value:
		var items []value
		for _, e := range v {
			items = append(items, constantSchema(e))
		}
		n := json.Number(strconv.Itoa(len(v)))
		o := &object{members: []member{{"type", "array"}, {"minItems", n}, {"maxItems", n}}}
		if len(items) > 0 {
			o.members = append(o.members, member{"prefixItems", items})
		}
		return o
	case *object:
		p := &object{}
		var names []value
		for _, m := range v.members {
			p.members = append(p.members, member{m.key, constantSchema(m.value)})
			names = append(names, m.key)
		}
		return &object{members: []member{{"type", "object"}, {"properties", p}, {"required", names}, {"maxProperties", json.Number(strconv.Itoa(len(v.members)))}}}
	}
	return &object{members: []member{{"const", v}}}
}

// excludes takes values away.
func (k *keywordReader) excludes(list []value) {
	q := k.q
	var words []string
	for _, e := range list {
		switch e := e.(type) {
		case nil:
			q.kinds &^= kindNull
		case bool:
			if e {
				q.booleans &^= 2
			} else {
				q.booleans &^= 1
			}
			if q.booleans == 0 {
				q.kinds &^= kindBoolean
			}
		case string:
			words = append(words, e)
		case json.Number:
			k.atom(numberNot, k.number("enum", e))
		default:
			k.more = append(k.more, k.negation(k.sub(constantSchema(e), "enum")))
		}
	}
	if len(words) > 0 {
		// The negation of one enum comes again in every way that leaves its branch out.
		others, ok := k.excluded[&list[0]]
		if !ok {
			others = k.langs.not(k.langs.oneOf(words))
			k.excluded[&list[0]] = others
		}
		q.text = k.langs.both(q.text, others)
		q.pointer = k.pointer
	}
}

func (k *keywordReader) conditional(v value) {
	yes, hasYes := k.o.get("then")
	no, hasNo := k.o.get("else")
	if !hasYes && !hasNo {
		return
	}
	condition := k.sub(v, "if")
	holds, fails := []literal{condition}, []literal{}
	if hasYes {
		holds = append(holds, k.sub(yes, "then"))
	}
	fails = append(fails, k.negation(condition))
	if hasNo {
		fails = append(fails, k.sub(no, "else"))
	}
	k.either(holds, fails)
}

func (k *keywordReader) text(key string, v value) {
	s, ok := v.(string)
	if !ok {
		k.fail(key, "%s is a string, got %s", key, typeOf(v))
		return
	}
	if key == "format" || key == "!format" {
		k.format(key, s)
		return
	}
	l, err := k.searched(s)
	if err != nil {
		k.fail("pattern", "%v", err)
		return
	}
	if key == "!pattern" {
		l = k.langs.not(l)
	}
	k.q.text = k.langs.both(k.q.text, l)
	k.q.pointer = k.pointer + "/pattern"
}

// searched is the language of the texts in which expression is found.
func (c *compiler) searched(expression string) (language, error) {
	if l, ok := c.patterns[expression]; ok {
		return l, nil
	}
	l, err := c.langs.pattern(expression, true)
	if err == nil {
		c.patterns[expression] = l
	}
	return l, err
}
