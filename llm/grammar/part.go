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
		g.repeats[loop] = repeat{once, uint32(least)}
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
		at, err := newCompiler(g, options).document(schema)
		return g.emit(opValue, at, next), err
	}}
}

// Arguments is what stands between the parentheses of a call in Python's notation: name=value for the
// properties of an object's schema, in any order unless options fix it. Undeclared arguments are not written.
func Arguments(schema []byte, options Options) Part {
	return Part{func(g *Grammar, next uint32) (uint32, error) {
		options.Python = true
		list, err := newCompiler(g, options).arguments(schema)
		var out []uint32
		for _, at := range list {
			out = append(out, g.emit(opArguments, at, next))
		}
		return g.either(out...), err
	}}
}

// Regexp is any text that expression matches as a whole. The syntax is that of ECMA-262, without references
// back, looking behind and word borders.
func Regexp(expression string) Part {
	return Part{func(g *Grammar, next uint32) (uint32, error) {
		at, ok := g.regular[expression]
		if !ok {
			p := newLanguages()
			l, err := p.pattern(expression, false)
			if err != nil {
				return 0, fmt.Errorf("grammar: %w", err)
			}
			chars, err := p.automaton([]language{l}, wanted)
			if err != nil {
				return 0, fmt.Errorf("grammar: expression %.200q: %w", expression, err)
			}
			if len(chars.edges[0]) == 0 && !wanted(chars.label[0]) {
				return 0, fmt.Errorf("grammar: expression %.200q matches nothing", expression)
			}
			at = uint32(len(g.values.scalars))
			g.values.scalars = append(g.values.scalars, chars.spelled(&spelling{raw: true}, wanted))
			g.regular[expression] = at
		}
		return g.emit(opTable, at, next), nil
	}}
}

// CompileRegexp compiles an expression over the whole text: see [Regexp].
func CompileRegexp(expression string) (*Grammar, error) { return Compile(Regexp(expression)) }

// Choices is any one of the texts, of which none is empty.
func Choices(texts ...string) Part {
	return Part{func(g *Grammar, next uint32) (uint32, error) {
		if len(texts) == 0 || len(texts) > maxEnum {
			return 0, fmt.Errorf("grammar: a list of %d choices; it has 1 to %d", len(texts), maxEnum)
		}
		for _, s := range texts {
			if s == "" {
				return 0, fmt.Errorf("grammar: a choice is empty")
			}
		}
		g.values.scalars = append(g.values.scalars, wordTable(texts))
		return g.emit(opTable, uint32(len(g.values.scalars)-1), next), nil
	}}
}

// CompileChoices compiles a list of texts of which one is to be written.
func CompileChoices(choices []string) (*Grammar, error) { return Compile(Choices(choices...)) }

// Text is any text, also none.
func Text() Part { return Regexp(`[^]*`) }

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
