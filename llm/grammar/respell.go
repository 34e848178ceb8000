package grammar

import (
	"bytes"
	"encoding/json"
	"sort"
	"strconv"
	"strings"
)

// Respell writes a JSON instance in the spelling that the schema's grammar uses: compact or spaced as
// options say, properties in the schema's order, numbers without exponent. Each object follows the
// properties of the schema that names most of its keys, which is a guess where several do. A decimal
// like 1.0 stays under draft 4, where it is not an integer. Respell does not validate.
func Respell(schema, instance []byte, options Options) (string, error) {
	s, err := readOrdered(schema)
	if err != nil {
		return "", err
	}
	v, err := readOrdered(instance)
	if err != nil {
		return "", err
	}
	w := respeller{decimals: bytes.Contains(schema, []byte("draft-04"))}
	w.collect(s)
	how := options.spelling()
	return spell(w.reorder(v), how.comma, how.colon), nil
}

type respeller struct {
	orders   []map[string]int
	decimals bool
}

// collect gathers the order of names of every schema that states properties or required.
func (w *respeller) collect(v value) {
	switch v := v.(type) {
	case []value:
		for _, e := range v {
			w.collect(e)
		}
	case *object:
		order := map[string]int{}
		if p, ok := v.get("properties"); ok {
			if names, ok := p.(*object); ok {
				for _, m := range names.members {
					order[m.key] = len(order)
				}
			}
		}
		if p, ok := v.get("required"); ok {
			if names, ok := p.([]value); ok {
				for _, n := range names {
					if s, ok := n.(string); ok {
						if _, there := order[s]; !there {
							order[s] = len(order)
						}
					}
				}
			}
		}
		if len(order) > 0 {
			w.orders = append(w.orders, order)
		}
		for _, m := range v.members {
			w.collect(m.value)
		}
	}
}

// order picks the order that names most members of o, then the shortest, then the first.
func (w *respeller) order(o *object) map[string]int {
	var best map[string]int
	most := 0
	for _, order := range w.orders {
		n := 0
		for _, m := range o.members {
			if _, ok := order[m.key]; ok {
				n++
			}
		}
		if n > most || n == most && n > 0 && len(order) < len(best) {
			best, most = order, n
		}
	}
	return best
}

func (w *respeller) reorder(v value) value {
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") || w.decimals && !strings.ContainsAny(v.String(), "eE") {
			return v
		}
		f, err := v.Float64()
		if err != nil {
			return v
		}
		return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
	case []value:
		for i := range v {
			v[i] = w.reorder(v[i])
		}
	case *object:
		for i := range v.members {
			v.members[i].value = w.reorder(v.members[i].value)
		}
		rank := w.order(v)
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
