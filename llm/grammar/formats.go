package grammar

// format is a named format: an expression over the whole text, minus another one.
type format struct {
	expression string
	without    string
	most       uint32 // characters; 0 is no limit
	exact      bool   // the expression is all of the format; otherwise a part, which cannot be negated
}

const (
	dateExpression     = `((\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8])))|((\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29))`
	timeExpression     = `(([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)|23:59:60(\.\d{1,9})?([Zz]|[+-]00:00))`
	byteExpression     = `(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`
	addressExpression  = byteExpression + `(\.` + byteExpression + `){3}`
	labelExpression    = `[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?`
	hostExpression     = labelExpression + `(\.` + labelExpression + `)*`
	atomExpression     = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
	durationTime       = `T(\d{1,9}H(\d{1,9}M(\d{1,9}S)?)?|\d{1,9}M(\d{1,9}S)?|\d{1,9}S)`
	durationDate       = `(\d{1,9}D|\d{1,9}M(\d{1,9}D)?|\d{1,9}Y(\d{1,9}M(\d{1,9}D)?)?)`
	pointerExpression  = `(/([^~/]|~[01])*)*`
	groupExpression    = `[0-9A-Fa-f]{1,4}`
	lastExpression     = `(` + groupExpression + `:` + groupExpression + `|` + addressExpression + `)`
	hostnameWithout    = `(^|\.)..--`
	percentExpression  = `%[0-9A-Fa-f]{2}`
	pathCharacter      = `([A-Za-z0-9._~!$&'()*+,;=:@-]|` + percentExpression + `)`
	uriTail            = `(\?([A-Za-z0-9._~!$&'()*+,;=:@/?-]|` + percentExpression + `)*)?(#([A-Za-z0-9._~!$&'()*+,;=:@/?-]|` + percentExpression + `)*)?`
	uriAuthority       = `//(([A-Za-z0-9._~!$&'()*+,;=:-]|` + percentExpression + `)*@)?(\[` + ipv6Expression + `\]|([A-Za-z0-9._~!$&'()*+,;=-]|%[89A-Fa-f][0-9A-Fa-f])*)(:\d{0,5})?(/` + pathCharacter + `*)*`
	uriRooted          = `(` + uriAuthority + `|/(` + pathCharacter + `+(/` + pathCharacter + `*)*)?`
	uriExpression      = `[A-Za-z][A-Za-z0-9+.-]*:` + uriRooted + `|` + pathCharacter + `+(/` + pathCharacter + `*)*|)` + uriTail
	relativeExpression = uriRooted + `|([A-Za-z0-9._~!$&'()*+,;=@-]|` + percentExpression + `)+(/` + pathCharacter + `*)*|)` + uriTail
)

// ipv6Expression has one line for each number of groups before the gap.
const ipv6Expression = `((` + groupExpression + `:){6}` + lastExpression +
	`|::(` + groupExpression + `:){5}` + lastExpression +
	`|(` + groupExpression + `)?::(` + groupExpression + `:){4}` + lastExpression +
	`|((` + groupExpression + `:){0,1}` + groupExpression + `)?::(` + groupExpression + `:){3}` + lastExpression +
	`|((` + groupExpression + `:){0,2}` + groupExpression + `)?::(` + groupExpression + `:){2}` + lastExpression +
	`|((` + groupExpression + `:){0,3}` + groupExpression + `)?::` + groupExpression + `:` + lastExpression +
	`|((` + groupExpression + `:){0,4}` + groupExpression + `)?::` + lastExpression +
	`|((` + groupExpression + `:){0,5}` + groupExpression + `)?::` + groupExpression +
	`|((` + groupExpression + `:){0,6}` + groupExpression + `)?::)`

// formats that are enforced. Those that are not exact allow a part of what their RFC does, never more.
var formats = map[string]format{
	"date":                  {expression: dateExpression, exact: true},
	"time":                  {expression: timeExpression},
	"date-time":             {expression: dateExpression + "[Tt]" + timeExpression},
	"duration":              {expression: `P(` + durationDate + `(` + durationTime + `)?|` + durationTime + `|\d{1,9}W)`},
	"uuid":                  {expression: `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`, exact: true},
	"ipv4":                  {expression: addressExpression, exact: true},
	"ipv6":                  {expression: ipv6Expression, exact: true},
	"hostname":              {expression: hostExpression, without: hostnameWithout, most: 253},
	"idn-hostname":          {expression: hostExpression, without: hostnameWithout, most: 253},
	"email":                 {expression: atomExpression + `(\.` + atomExpression + `)*@` + hostExpression, without: `(@|\.)..--|^[^@]{65}`, most: 254},
	"idn-email":             {expression: atomExpression + `(\.` + atomExpression + `)*@` + hostExpression, without: `(@|\.)..--|^[^@]{65}`, most: 254},
	"uri":                   {expression: uriExpression},
	"iri":                   {expression: uriExpression},
	"uri-reference":         {expression: `(` + uriExpression + `|` + relativeExpression + `)`},
	"iri-reference":         {expression: `(` + uriExpression + `|` + relativeExpression + `)`},
	"uri-template":          {expression: `([A-Za-z0-9._~:/?#\[\]@!$&()*+,;=-]|` + percentExpression + `|\{[+#./;?&]?[A-Za-z0-9_]+(\*|:[1-9]\d{0,3})?(,[A-Za-z0-9_]+(\*|:[1-9]\d{0,3})?)*\})*`},
	"json-pointer":          {expression: pointerExpression, exact: true},
	"relative-json-pointer": {expression: `(0|[1-9]\d*)(#|` + pointerExpression + `)`, exact: true},
}

// assertsFormat tells whether format v says anything about values.
func (c *compiler) assertsFormat(v value) bool {
	name, _ := v.(string)
	_, known := formats[name]
	return !c.options.IgnoreFormat && (known || name == "regex")
}

func (k *keywordReader) format(key, name string) {
	if !k.assertsFormat(name) {
		return
	}
	f, ok := formats[name]
	if !ok {
		k.fail("format", "format %q is not enforced", name)
		return
	}
	negative := key == "!format"
	if negative && !f.exact {
		k.fail("format", "the opposite of format %q is not enforced", name)
		return
	}
	l, err := k.formatLanguage(name, f)
	if err != nil {
		k.fail("format", "%v", err)
		return
	}
	if negative {
		l = k.langs.not(l)
	} else if f.most > 0 {
		k.q.most = min(k.q.most, f.most)
	}
	k.q.text = k.langs.both(k.q.text, l)
	k.q.pointer = k.pointer + "/format"
}

func (c *compiler) formatLanguage(name string, f format) (language, error) {
	key := "format " + name
	if l, ok := c.patterns[key]; ok {
		return l, nil
	}
	l, err := c.langs.pattern(f.expression, false)
	if err == nil && f.without != "" {
		var w language
		w, err = c.langs.pattern(f.without, true)
		l = c.langs.both(l, c.langs.not(w))
	}
	c.patterns[key] = l
	return l, err
}
