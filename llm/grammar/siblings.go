package grammar

// typedBranches gives every branch of a combinator the type that stands beside it: both must hold. A
// branch that is not an object of keywords is refused by the caller's own check or needs no type.
func (c *compiler) typedBranches(o *object, list value, pointer string) (value, error) {
	stated, ok := o.get("type")
	branches, isList := list.([]value)
	if !ok || !isList {
		return list, nil
	}
	outer, err := c.types(o, pointer)
	if err != nil {
		return nil, err
	}
	var out []value
	for _, b := range branches {
		branch, ok := b.(*object)
		if !ok {
			if b == true {
				b = &object{members: []member{{"type", stated}}}
			}
			out = append(out, b)
			continue
		}
		joined := &object{}
		for _, m := range branch.members {
			if m.key != "type" {
				joined.members = append(joined.members, m)
			}
		}
		inner, err := c.types(branch, pointer)
		if err != nil {
			return nil, err
		}
		var both []value
		for _, t := range typeNames {
			if inner[t] && outer[t] || t == "integer" && (inner[t] && outer["number"] || outer[t] && inner["number"]) {
				both = append(both, t)
			}
		}
		if len(both) == 0 {
			out = append(out, false)
			continue
		}
		joined.members = append(joined.members, member{"type", both})
		out = append(out, joined)
	}
	return out, nil
}
