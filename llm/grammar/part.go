package grammar

import "fmt"

// Part is a piece of a grammar: text, special tokens, a schema's value, or a combination of parts. Parts
// are immutable and may be used several times; [Compile] makes a grammar of one.
//
// The zero Part is empty text.
type Part struct {
	// emit adds the part's code so that it goes on at next, and returns its entry.
	emit func(g *Grammar, next uint32) (uint32, error)
}

func (p Part) compile(g *Grammar, next uint32) (uint32, error) {
	if p.emit == nil {
		return next, nil
	}
	return p.emit(g, next)
}

// Compile makes a grammar of the texts that part describes.
func Compile(part Part) (*Grammar, error) {
	g := newGrammar()
	at, err := part.compile(g, g.emit(opEnd, 0, 0))
	if err != nil {
		return nil, err
	}
	return g.finish(at)
}

// Literal is exactly text.
func Literal(text string) Part {
	return Part{func(g *Grammar, next uint32) (uint32, error) { return g.literal(text, next), nil }}
}

// Special is one of the tokens, which text never spells.
func Special(ids ...Token) Part {
	return Part{func(g *Grammar, next uint32) (uint32, error) {
		var out []uint32
		for _, id := range ids {
			out = append(out, g.emit(opToken, uint32(id), next))
		}
		return g.either(out...), nil
	}}
}

// Sequence is all parts, one after the other.
func Sequence(parts ...Part) Part {
	return Part{func(g *Grammar, next uint32) (uint32, error) {
		for i := len(parts) - 1; i >= 0; i-- {
			var err error
			if next, err = parts[i].compile(g, next); err != nil {
				return 0, err
			}
		}
		return next, nil
	}}
}

// OneOf is any one of the parts. Parts that begin alike are followed side by side until they differ.
func OneOf(parts ...Part) Part {
	return Part{func(g *Grammar, next uint32) (uint32, error) {
		var out []uint32
		for _, p := range parts {
			at, err := p.compile(g, next)
			if err != nil {
				return 0, err
			}
			out = append(out, at)
		}
		return g.either(out...), nil
	}}
}

// Unbounded is the most of a [Repeat] without an end.
const Unbounded = -1

// Repeat is part, at least least and at most most times (or [Unbounded]). Repetitions are counted, not
// unrolled. part must not be able to be empty.
func Repeat(part Part, least, most int) Part {
	return Part{func(g *Grammar, next uint32) (uint32, error) {
		if least < 0 || most != Unbounded && (most < least || most > maxRepeat) || least > maxRepeat {
			return 0, fmt.Errorf("grammar: a repetition from %d to %d times; at most %d are counted", least, most, maxRepeat)
		}
		once, err := part.compile(g, g.emit(opReturn, 0, 0))
		if err != nil {
			return 0, err
		}
		loop := g.emit(opJump, 0, 0)
		saturate := uint32(least)
		if most != Unbounded {
			saturate = uint32(most)
		}
		more := g.emit(opCall, once, g.emit(opCount, saturate, loop))
		if most != Unbounded {
			more = g.emit(opLess, uint32(most), more)
		}
		g.code[loop].x = g.either(more, g.emit(opAtLeast, uint32(least), g.emit(opReturn, 0, 0)))
		return g.emit(opCall, loop, next), nil
	}}
}

const maxRepeat = 1 << 30

// Optional is part or nothing.
func Optional(part Part) Part { return OneOf(part, Part{}) }

// Schema is a value of a JSON Schema, spelled as options say.
func Schema(schema []byte, options Options) Part {
	return Part{func(g *Grammar, next uint32) (uint32, error) {
		at, err := newCompiler(g, options).document(schema, "")
		return g.emit(opCall, at, next), err
	}}
}

// Regexp is any text that expression matches as a whole.
func Regexp(expression string) Part {
	return Part{func(g *Grammar, next uint32) (uint32, error) {
		at, err := (&regex{g: g, runes: g.runes}).compile(expression, false, next)
		if err != nil {
			return 0, fmt.Errorf("grammar: %w", err)
		}
		return at, nil
	}}
}

// Text is any text, also none.
func Text() Part {
	return Part{func(g *Grammar, next uint32) (uint32, error) {
		loop := g.emit(opJump, 0, 0)
		g.code[loop].x = g.either(g.runes(0, 0x10ffff, loop), next)
		return loop, nil
	}}
}

// Rule is a part with a name that may be used before it is defined, also inside itself.
type Rule struct {
	name string
	part Part
	set  bool
}

// NewRule returns a rule that is still to be defined with [Rule.Define].
func NewRule(name string) *Rule { return &Rule{name: name} }

// Define says what the rule stands for.
func (r *Rule) Define(part Part) { r.part, r.set = part, true }

// Part uses the rule. A rule that leads to itself before it has read anything is refused by Compile.
func (r *Rule) Part() Part {
	return Part{func(g *Grammar, next uint32) (uint32, error) {
		if !r.set {
			return 0, fmt.Errorf("grammar: rule %q is used but not defined", r.name)
		}
		entry, ok := g.rules[r]
		if !ok {
			entry = g.emit(opJump, 0, 0)
			g.rules[r] = entry
			at, err := r.part.compile(g, g.emit(opReturn, 0, 0))
			if err != nil {
				return 0, err
			}
			g.code[entry].x = at
		}
		return g.emit(opCall, entry, next), nil
	}}
}
