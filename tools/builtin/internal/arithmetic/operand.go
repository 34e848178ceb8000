package arithmetic

import (
	"fmt"
	"slices"

	"github.com/cockroachdb/apd/v3"

	"github.com/drover-ai/drover/tools/internal/nearest"
)

// postfix reads operand {"!" | "%" | "²" | "³" | "°"}.
func (p *parser) postfix() (value, error) {
	v, err := p.operand()
	for err == nil {
		operator := p.token
		switch {
		case operator.is(tokenOperator, "!"):
			v, err = p.factorial(operator.position, v)
		case operator.is(tokenOperator, "%"):
			var modulo bool
			if modulo, err = p.percentIsModulo(); err != nil || modulo {
				return v, err
			}
			if v, err = p.scale(operator.position, v, -2); err == nil {
				v.percent = true
			}
		case operator.is(tokenOperator, "°"):
			v, err = p.radians(operator.position, v)
		case operator.is(tokenOperator, "²"), operator.is(tokenWord, "squared"):
			v, err = p.raise(operator.position, v, whole(2))
		case operator.is(tokenOperator, "³"), operator.is(tokenWord, "cubed"):
			v, err = p.raise(operator.position, v, whole(3))
		default:
			return v, nil
		}
		if err == nil {
			err = p.advance()
		}
	}
	return value{}, err
}

// percentIsModulo looks behind a %: with a value there it is the remainder (10 % 3), otherwise a percentage.
func (p *parser) percentIsModulo() (bool, error) {
	ahead := *p
	if err := ahead.advance(); err != nil {
		return false, err
	}
	return ahead.token.kind == tokenNumber || ahead.startsFactor(), nil
}

// operand reads a number, a constant, a function's call or a sum in parentheses.
func (p *parser) operand() (value, error) {
	first := p.token
	switch {
	case first.kind == tokenNumber:
		return p.number()
	case first.is(tokenOperator, "("):
		v, err := p.parenthesized(commasGroup, func() (value, error) { return p.sum() })
		return v, err
	case first.is(tokenOperator, "√"):
		return p.call("sqrt")
	case first.kind == tokenWord:
		if _, ok := functions[first.text]; ok {
			return p.call(first.text)
		}
		if digits, ok := constants[first.text]; ok {
			var v value
			_, _, err := decimals.SetString(&v.number, digits)
			p.inexact = true
			if err != nil {
				return value{}, err
			}
			return v, p.advance()
		}
	}
	return value{}, p.unexpected("a number, a function or \"(\"")
}

// number reads a number and the magnitude behind it.
func (p *parser) number() (value, error) {
	literal := p.token
	v, err := p.compute(literal.position, 1, "number", func(d *apd.Decimal) (apd.Condition, error) {
		_, condition, err := decimals.SetString(d, literal.text)
		return condition, err
	})
	if err != nil {
		return value{}, err
	}
	if err := p.advance(); err != nil {
		return value{}, err
	}
	for p.token.kind == tokenWord {
		power, ok := magnitudes[p.token.text]
		if !ok {
			break
		}
		if v, err = p.scale(p.token.position, v, power); err != nil {
			return value{}, err
		}
		if err := p.advance(); err != nil {
			return value{}, err
		}
	}
	return v, nil
}

// scale multiplies v by a power of ten.
func (p *parser) scale(position int, v value, power int32) (value, error) {
	return p.compute(position, 1, "number", func(d *apd.Decimal) (apd.Condition, error) {
		return decimals.Mul(d, &v.number, apd.New(1, power))
	})
}

// parenthesized reads "(" content ")", in which commas mean what is said.
func (p *parser) parenthesized(inside commas, content func() (value, error)) (value, error) {
	if err := p.deeper(); err != nil {
		return value{}, err
	}
	defer func() { p.depth-- }()
	opened := p.token.position
	outside := p.scanner.commas
	p.scanner.commas = inside
	if err := p.advance(); err != nil {
		return value{}, err
	}
	v, err := content()
	if err != nil {
		return value{}, err
	}
	if !p.token.is(tokenOperator, ")") {
		if p.token.kind == tokenEnd {
			return value{}, &Error{opened, "this \"(\" is never closed"}
		}
		return value{}, p.unexpected("an operator or \")\"")
	}
	p.scanner.commas = outside
	return v, p.advance()
}

// call reads a function's arguments and applies it. A function of one argument needs no parentheses: sqrt 16.
func (p *parser) call(name string) (value, error) {
	f, at := functions[name], p.token.position
	if err := p.advance(); err != nil {
		return value{}, err
	}
	if p.token.is(tokenWord, "of") { // sqrt of 16
		if err := p.advance(); err != nil {
			return value{}, err
		}
	}
	if !p.token.is(tokenOperator, "(") {
		if f.most == 1 && p.token.kind != tokenEnd {
			argument, err := p.sign()
			if err != nil {
				return value{}, err
			}
			return f.apply(p.evaluation, at, []value{argument})
		}
		return value{}, p.unexpected(fmt.Sprintf("\"(\" after %s", name))
	}
	inside := commasGroup
	if f.most != 1 {
		inside = p.scanner.argumentCommas()
	}
	return p.parenthesized(inside, func() (value, error) {
		arguments, err := p.arguments()
		if err != nil {
			return value{}, err
		}
		if len(arguments) < f.least || f.most > 0 && len(arguments) > f.most {
			return value{}, &Error{at, fmt.Sprintf("%s: got %s, want %s", name, plural(len(arguments), "argument"), f.arity())}
		}
		return f.apply(p.evaluation, at, arguments)
	})
}

// arguments reads [sum {"," sum}].
func (p *parser) arguments() ([]value, error) {
	var list []value
	if p.token.is(tokenOperator, ")") {
		return nil, nil
	}
	for {
		v, err := p.sum()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if !p.token.is(tokenOperator, ",") {
			return list, nil
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}

// unknownWord is the error for a word that means nothing here.
func (p *parser) unknownWord(want string) error {
	word := p.token.text
	if _, known := functions[word]; known {
		return &Error{p.token.position, fmt.Sprintf("got %q, want %s", word, want)}
	}
	names := make([]string, 0, len(functions)+len(constants)+len(symbols))
	for name := range functions {
		names = append(names, name)
	}
	for name := range constants {
		names = append(names, name)
	}
	for name := range symbols {
		names = append(names, name)
	}
	slices.Sort(names)
	text := fmt.Sprintf("unknown word %q", word)
	if near := nearest.Names(word, names, 1); len(near) > 0 {
		text += fmt.Sprintf("; did you mean %q?", near[0])
	}
	return &Error{p.token.position, text}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
