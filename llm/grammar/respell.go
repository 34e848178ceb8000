package grammar

import (
	"encoding/json"
	"sort"
	"strconv"
	"strings"
)

// Respell writes a JSON instance in the spelling that the schema's grammar uses: compact or spaced as
// options say, properties in the schema's order, numbers without exponent. Where two objects of the schema
// name the same properties in different orders, the first order is taken. It does not validate.
func Respell(schema, instance []byte, options Options) (string, error) {
	s, err := readOrdered(schema)
	if err != nil {
		return "", err
	}
	v, err := readOrdered(instance)
	if err != nil {
		return "", err
	}
	rank := map[string]int{}
	rankNames(s, "properties", rank)
	rankNames(s, "required", rank)
	c := newCompiler(nil, options)
	return spell(reorder(v, rank), c.comma, c.colon), nil
}

func rankNames(v value, keyword string, rank map[string]int) {
	name := func(s string) {
		if _, ok := rank[s]; !ok {
			rank[s] = len(rank)
		}
	}
	switch v := v.(type) {
	case []value:
		for _, e := range v {
			rankNames(e, keyword, rank)
		}
	case *object:
		for _, m := range v.members {
			if m.key == keyword {
				switch names := m.value.(type) {
				case *object:
					for _, n := range names.members {
						name(n.key)
					}
				case []value:
					for _, n := range names {
						if s, ok := n.(string); ok {
							name(s)
						}
					}
				}
			}
			rankNames(m.value, keyword, rank)
		}
	}
}

func reorder(v value, rank map[string]int) value {
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			return v
		}
		f, err := v.Float64()
		if err != nil {
			return v
		}
		return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
	case []value:
		for i := range v {
			v[i] = reorder(v[i], rank)
		}
	case *object:
		for i := range v.members {
			v.members[i].value = reorder(v.members[i].value, rank)
		}
		place := func(key string) int {
			if r, ok := rank[key]; ok {
				return r
			}
			return len(rank)
		}
		sort.SliceStable(v.members, func(a, b int) bool { return place(v.members[a].key) < place(v.members[b].key) })
	}
	return v
}
