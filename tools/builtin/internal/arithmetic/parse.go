package arithmetic

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// parser evaluates while it reads, by recursive descent: sum, product, sign, power, postfix, operand.
type parser struct {
	*evaluation
	scanner scanner
	token   token // the next one, not yet consumed
	depth   int
}

// symbols are words that mean an operator.
var symbols = map[string]string{
	"plus": "+", "minus": "-", "times": "*", "over": "/", "modulo": "mod", "percent": "%", "pct": "%", "degree": "°", "degrees": "°", "deg": "°",
}

// phrases are operators and functions of several words.
var phrases = []struct {
	words []string
	token token
}{
	{[]string{"multiplied", "by"}, token{kind: tokenOperator, text: "*"}},
	{[]string{"divided", "by"}, token{kind: tokenOperator, text: "/"}},
	{[]string{"to", "the", "power", "of"}, token{kind: tokenOperator, text: "^"}},
	{[]string{"raised", "to", "the", "power", "of"}, token{kind: tokenOperator, text: "^"}},
	{[]string{"raised", "to"}, token{kind: tokenOperator, text: "^"}},
	{[]string{"per", "cent"}, token{kind: tokenOperator, text: "%"}},
	{[]string{"the", "square", "root", "of"}, token{kind: tokenWord, text: "sqrt"}},
	{[]string{"square", "root", "of"}, token{kind: tokenWord, text: "sqrt"}},
	{[]string{"cube", "root", "of"}, token{kind: tokenWord, text: "cbrt"}},
}

// magnitudes are words that multiply the number before them.
var magnitudes = map[string]int32{"hundred": 2, "thousand": 3, "k": 3, "million": 6, "billion": 9, "trillion": 12}

// parse reads the whole expression.
func (p *parser) parse() (value, error) {
	if err := p.advance(); err != nil {
		return value{}, err
	}
	if p.token.is(tokenOperator, "=") { // as in a spreadsheet
		if err := p.advance(); err != nil {
			return value{}, err
		}
	}
	if p.token.kind == tokenEnd {
		return value{}, &Error{p.token.position, "nothing to evaluate: want an expression like 2 + 3"}
	}
	v, err := p.sum()
	if err != nil {
		return value{}, err
	}
	for p.token.is(tokenOperator, "=") || p.token.is(tokenOperator, "?") { // "2 + 2 = ?"
		if err := p.advance(); err != nil {
			return value{}, err
		}
	}
	if p.token.kind != tokenEnd {
		return value{}, p.unexpected("an operator or the end")
	}
	return v, nil
}

// advance consumes the token and reads the next.
func (p *parser) advance() error {
	p.scanner.after = p.endsValue()
	next, err := p.scanner.scan()
	if err != nil {
		return err
	}
	p.token = next
	if next.kind == tokenWord {
		p.readPhrase()
	}
	return nil
}

// readPhrase replaces words that stand for an operator.
func (p *parser) readPhrase() {
	if symbol, ok := symbols[p.token.text]; ok {
		if _, isFunction := functions[p.token.text]; !isFunction || p.scanner.after {
			p.token = token{tokenOperator, symbol, p.token.position}
		}
		return
	}
	if p.token.text == "mod" && p.scanner.after {
		p.token.kind = tokenOperator
		return
	}
	for _, phrase := range phrases {
		if p.token.text != phrase.words[0] {
			continue
		}
		ahead, matches := p.scanner, true
		for _, word := range phrase.words[1:] {
			next, err := ahead.scan()
			matches = matches && err == nil && next.is(tokenWord, word)
		}
		if matches {
			p.scanner = ahead
			p.token = token{phrase.token.kind, phrase.token.text, p.token.position}
			return
		}
	}
}

// endsValue reports whether a value may end with the token.
func (p *parser) endsValue() bool {
	switch p.token.kind {
	case tokenNumber:
		return true
	case tokenOperator:
		return strings.Contains(")!%°²³", p.token.text)
	case tokenWord:
		_, constant := constants[p.token.text]
		_, magnitude := magnitudes[p.token.text]
		return constant || magnitude || p.token.text == "squared" || p.token.text == "cubed"
	default:
		return false
	}
}

// startsFactor reports whether the token begins something that may be written right behind a value to be multiplied.
func (p *parser) startsFactor() bool {
	if p.token.kind == tokenWord {
		_, function := functions[p.token.text]
		_, constant := constants[p.token.text]
		return function || constant
	}
	return p.token.is(tokenOperator, "(") || p.token.is(tokenOperator, "√")
}

func (p *parser) unexpected(want string) error {
	if p.token.kind == tokenWord {
		switch p.token.text {
		case "of", "off":
		default:
			return p.unknownWord(want)
		}
	}
	return &Error{p.token.position, fmt.Sprintf("got %v, want %s", p.token, want)}
}

// deeper guards the recursion; the caller must call p.depth-- afterwards.
func (p *parser) deeper() error {
	if p.depth++; p.depth > maxDepth {
		return &Error{p.token.position, fmt.Sprintf("more than %d parentheses, signs or powers inside each other", maxDepth)}
	}
	return nil
}

// sum reads product {("+" | "-") product}.
func (p *parser) sum() (value, error) {
	left, err := p.product()
	for err == nil && (p.token.is(tokenOperator, "+") || p.token.is(tokenOperator, "-")) {
		operator := p.token
		if err = p.advance(); err != nil {
			break
		}
		var right value
		if right, err = p.product(); err != nil {
			break
		}
		left, err = p.add(operator, left, right)
	}
	return left, err
}

// add adds or subtracts. A percentage is one of the left side, unless that is a percentage too.
func (p *parser) add(operator token, left, right value) (value, error) {
	percent := left.percent && right.percent
	if right.percent && !left.percent {
		share, err := p.multiply(operator.position, left, right)
		if err != nil {
			return value{}, err
		}
		right = share
	}
	v, err := p.compute(operator.position, 1, operator.text, func(d *apd.Decimal) (apd.Condition, error) {
		if operator.text == "-" {
			return decimals.Sub(d, &left.number, &right.number)
		}
		return decimals.Add(d, &left.number, &right.number)
	})
	v.percent = percent
	return v, err
}

func (p *parser) multiply(position int, left, right value) (value, error) {
	return p.compute(position, 1, "*", func(d *apd.Decimal) (apd.Condition, error) {
		return decimals.Mul(d, &left.number, &right.number)
	})
}

// productOperators are the operators of the strength of multiplication, besides the words "of" and "off".
var productOperators = []string{"*", "/", "//", "mod", "%"}

// product reads sign {operator sign | factor}, with the operators of [evaluation.combine].
func (p *parser) product() (value, error) {
	left, err := p.sign()
	for err == nil {
		operator := p.token
		switch { // every case leaves the first token of the right side
		case p.startsFactor():
			operator.text = "*"
		case operator.kind == tokenOperator && slices.Contains(productOperators, operator.text):
			err = p.advance()
		case operator.is(tokenWord, "of"), operator.is(tokenWord, "off"):
			err = p.advance()
		default:
			return left, nil
		}
		if err != nil {
			break
		}
		var right value
		if right, err = p.sign(); err != nil {
			break
		}
		left, err = p.combine(operator, left, right)
	}
	return left, err
}

// combine applies an operator of the strength of multiplication.
func (e *evaluation) combine(operator token, left, right value) (value, error) {
	at := operator.position
	switch operator.text {
	case "/":
		return e.compute(at, 2, "/", func(d *apd.Decimal) (apd.Condition, error) {
			return decimals.Quo(d, &left.number, &right.number)
		})
	case "//":
		return e.floorQuotient(at, left, right)
	case "mod", "%":
		return e.modulo(at, left, right)
	case "off":
		if !left.percent {
			return value{}, &Error{at, "\"off\" wants a percentage before it, as in 20% off 80"}
		}
		share, err := e.compute(at, 1, "off", func(d *apd.Decimal) (apd.Condition, error) {
			return decimals.Mul(d, &left.number, &right.number)
		})
		if err != nil {
			return value{}, err
		}
		return e.compute(at, 1, "off", func(d *apd.Decimal) (apd.Condition, error) {
			return decimals.Sub(d, &right.number, &share.number)
		})
	default: // "*" and "of"
		return e.compute(at, 1, operator.text, func(d *apd.Decimal) (apd.Condition, error) {
			return decimals.Mul(d, &left.number, &right.number)
		})
	}
}

// sign reads {"+" | "-"} power.
func (p *parser) sign() (value, error) {
	if err := p.deeper(); err != nil {
		return value{}, err
	}
	defer func() { p.depth-- }()
	if !p.token.is(tokenOperator, "-") && !p.token.is(tokenOperator, "+") {
		return p.power()
	}
	negative := p.token.text == "-"
	if err := p.advance(); err != nil {
		return value{}, err
	}
	v, err := p.sign()
	if err == nil && negative && !v.number.IsZero() {
		v.number.Negative = !v.number.Negative
	}
	return v, err
}

// power reads postfix ["^" sign]: powers are taken from right to left.
func (p *parser) power() (value, error) {
	base, err := p.postfix()
	if err != nil || !p.token.is(tokenOperator, "^") {
		return base, err
	}
	at := p.token.position
	if err := p.advance(); err != nil {
		return value{}, err
	}
	exponent, err := p.sign()
	if err != nil {
		return value{}, err
	}
	return p.raise(at, base, exponent)
}
