package arithmetic

import (
	"context"
	"fmt"
	"math"

	"github.com/cockroachdb/apd/v3"
)

const (
	maxLength   = 10_000  // characters of an expression
	maxDepth    = 4_000   // parentheses, signs and powers inside each other
	maxWork     = 400_000 // about as many multiplications
	precision   = 60      // significant digits of every step
	maxExponent = 10_000  // powers of ten
)

// Error is an error with a place in the expression.
type Error struct {
	Position int // of the character it is about, counted from 1
	Text     string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("at character %d: %s", e.Position, e.Text) }

// Evaluate returns the value of an expression in plain digits: no zeros at the end, no grouping; a power of ten
// ("1.5e30") only for numbers that are very large or very small. Errors about the expression are of type [*Error].
// The time it takes is bounded, and it stops early when ctx ends. It is safe for concurrent use.
func Evaluate(ctx context.Context, expression string) (string, error) {
	return (&evaluation{ctx: ctx, allowance: maxWork}).run(expression)
}

func (e *evaluation) run(expression string) (string, error) {
	runes := []rune(expression)
	if len(runes) > maxLength {
		return "", &Error{maxLength + 1, fmt.Sprintf("the expression is too long: %d characters, want at most %d", len(runes), maxLength)}
	}
	p := &parser{evaluation: e, scanner: scanner{text: normalize(runes)}}
	result, err := p.parse()
	if err != nil {
		return "", err
	}
	return format(&result.number, e.inexact), nil
}

// value is a number on the way. percent says that it was written as a percentage and nothing was done to it since.
type value struct {
	number  apd.Decimal
	percent bool
}

// evaluation is the state of one Evaluate: what it has cost and whether anything was rounded.
type evaluation struct {
	ctx       context.Context
	work      int
	allowance int // work that may be done
	inexact   bool
}

// decimals computes at working precision. Conditions are looked at in settle, so none is an error by itself.
var decimals = apd.Context{Precision: precision, MaxExponent: maxExponent, MinExponent: -maxExponent, Rounding: apd.RoundHalfEven}

// operation is a function of the decimal context with its result as the first argument.
type operation func(d *apd.Decimal) (apd.Condition, error)

// compute runs op, which costs about work multiplications, and checks what came out. name is for errors.
func (e *evaluation) compute(position, work int, name string, op operation) (value, error) {
	if err := e.spend(position, work); err != nil {
		return value{}, err
	}
	var v value
	condition, err := op(&v.number)
	switch {
	case condition.DivisionByZero() || condition.DivisionUndefined():
		return value{}, &Error{position, "division by zero"}
	case condition.Overflow() || condition.SystemOverflow():
		return value{}, &Error{position, fmt.Sprintf("%s: the result is larger than 10^%d", name, maxExponent)}
	case condition.Underflow() || condition.SystemUnderflow() || condition.Subnormal():
		return value{}, &Error{position, fmt.Sprintf("%s: the result is closer to zero than 10^-%d", name, maxExponent)}
	case err != nil || condition.InvalidOperation() || condition.DivisionImpossible() || v.number.Form != apd.Finite:
		return value{}, &Error{position, name + ": not defined for these numbers"}
	}
	if size := exponentOf(&v.number); size > maxExponent || size < -maxExponent {
		return value{}, &Error{position, fmt.Sprintf("%s: the result has a power of ten beyond %d", name, maxExponent)}
	}
	e.inexact = e.inexact || condition.Inexact()
	return v, nil
}

// spend counts work and returns an error when it is too much or ctx ended.
func (e *evaluation) spend(position, work int) error {
	e.work += work
	if e.work > e.allowance {
		return &Error{position, "the expression takes too long to evaluate"}
	}
	return e.ctx.Err()
}

// exponentOf is the power of ten of d's first digit; 0 has 0.
func exponentOf(d *apd.Decimal) int64 {
	if d.IsZero() {
		return 0
	}
	return int64(d.Exponent) + d.NumDigits() - 1
}

func isInteger(d *apd.Decimal) bool {
	var whole, fraction apd.Decimal
	d.Modf(&whole, &fraction)
	return fraction.IsZero()
}

// count returns d as an int between 0 and limit.
func count(d *apd.Decimal, limit int) (int, bool) {
	if d.Negative && !d.IsZero() || !isInteger(d) || exponentOf(d) > int64(math.Log10(float64(limit)))+1 {
		return 0, false
	}
	n, err := d.Int64()
	return int(n), err == nil && n <= int64(limit)
}
