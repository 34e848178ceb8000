package grammar

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Respell writes a JSON instance in the spelling that grammars of options use: compact or spaced, numbers
// without exponent, strings with the fewest escapes. If options fix the order of properties, each object
// follows the properties of the schema that names most of its keys, which is a guess where several do. A
// decimal like 1.0 stays under draft 4, where it is not an integer. Respell does not validate.
func Respell(schema, instance []byte, options Options) (string, error) {
	v, err := readOrdered(instance)
	if err != nil {
		return "", err
	}
	w := respeller{decimals: bytes.Contains(schema, []byte("draft-04"))}
	if options.Ordered {
		s, err := readOrdered(schema)
		if err != nil {
			return "", err
		}
		w.collect(s)
	}
	how := options.spelling()
	return spell(w.respell(v), how.comma, how.colon), nil
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

func (w *respeller) respell(v value) value {
	switch v := v.(type) {
	case json.Number:
		if w.decimals && !strings.ContainsAny(v.String(), "eE") {
			return v
		}
		if r, ok := whole(v); ok {
			if s, ok := spellNumber(r); ok {
				return json.Number(s)
			}
		}
		return v
	case []value:
		for i := range v {
			v[i] = w.respell(v[i])
		}
	case *object:
		for i := range v.members {
			v.members[i].value = w.respell(v.members[i].value)
		}
		if len(w.orders) == 0 {
			return v
		}
		rank := w.order(v)
		place := func(m member) int {
			if r, ok := rank[m.key]; ok {
				return r
			}
			return len(rank)
		}
		slices.SortStableFunc(v.members, func(a, b member) int { return place(a) - place(b) })
	}
	return v
}
