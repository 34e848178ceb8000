package arithmetic

import (
	"fmt"
	"strconv"
	"sync"

	"github.com/cockroachdb/apd/v3"
)

// function is a named function of least to most arguments; most 0 is any number.
type function struct {
	least, most int
	apply       func(e *evaluation, position int, arguments []value) (value, error)
}

func (f function) arity() string {
	switch {
	case f.least == f.most:
		return strconv.Itoa(f.least)
	case f.most == 0:
		return fmt.Sprintf("at least %d", f.least)
	default:
		return fmt.Sprintf("%d or %d", f.least, f.most)
	}
}

// The constants to 75 digits, more than a calculation keeps.
var constants = map[string]string{
	"pi":  "3.14159265358979323846264338327950288419716939937510582097494459230781640629",
	"π":   "3.14159265358979323846264338327950288419716939937510582097494459230781640629",
	"tau": "6.28318530717958647692528676655900576839433879875021164194988918461563281257",
	"e":   "2.71828182845904523536028747135266249775724709369995957496696762772407663035",
}

// functions by name, in lower case.
var functions = map[string]function{
	"sqrt":      {1, 1, unary("sqrt", 20, decimals.Sqrt)},
	"cbrt":      {1, 1, unary("cbrt", 50, cubeRoot)},
	"abs":       {1, 1, unary("abs", 1, decimals.Abs)},
	"exp":       {1, 1, unary("exp", 300, exponential)},
	"ln":        {1, 1, logarithm(decimals.Ln)},
	"log10":     {1, 1, logarithm(decimals.Log10)},
	"log2":      {1, 1, func(e *evaluation, at int, a []value) (value, error) { return e.logarithmTo(at, a[0], whole(2)) }},
	"log":       {1, 2, log},
	"round":     {1, 2, round},
	"floor":     {1, 1, integral(decimals.Floor)},
	"ceil":      {1, 1, integral(decimals.Ceil)},
	"ceiling":   {1, 1, integral(decimals.Ceil)},
	"trunc":     {1, 1, integral(truncate)},
	"min":       {1, 0, extreme(-1)},
	"max":       {1, 0, extreme(1)},
	"sum":       {1, 0, func(e *evaluation, at int, a []value) (value, error) { return e.total(at, a) }},
	"avg":       {1, 0, average},
	"average":   {1, 0, average},
	"mean":      {1, 0, average},
	"pow":       {2, 2, func(e *evaluation, at int, a []value) (value, error) { return e.raise(at, a[0], a[1]) }},
	"mod":       {2, 2, func(e *evaluation, at int, a []value) (value, error) { return e.modulo(at, a[0], a[1]) }},
	"factorial": {1, 1, func(e *evaluation, at int, a []value) (value, error) { return e.factorial(at, a[0]) }},
	"gcd":       {2, 0, fold(greatestCommonDivisor)},
	"lcm":       {2, 0, fold(leastCommonMultiple)},
	"ncr":       {2, 2, choose(true)},
	"npr":       {2, 2, choose(false)},
	"sin":       {1, 1, trigonometric(sine)},
	"cos":       {1, 1, trigonometric(cosine)},
	"tan":       {1, 1, tangent},
	"asin":      {1, 1, inverse(arcsine)},
	"acos":      {1, 1, inverse(arccosine)},
	"atan":      {1, 1, inverse(arctangent)},
	"radians":   {1, 1, func(e *evaluation, at int, a []value) (value, error) { return e.radians(at, a[0]) }},
	"degrees":   {1, 1, func(e *evaluation, at int, a []value) (value, error) { return e.degrees(at, a[0]) }},
}

func whole(n int64) value {
	var v value
	v.number.SetInt64(n)
	return v
}

// unary makes a function of an operation of the decimal context.
func unary(name string, work int, op func(d, x *apd.Decimal) (apd.Condition, error)) func(*evaluation, int, []value) (value, error) {
	return func(e *evaluation, at int, a []value) (value, error) {
		if name == "sqrt" && a[0].number.Sign() < 0 {
			return value{}, &Error{at, "sqrt: the square root of a negative number is not a real number"}
		}
		return e.compute(at, work, name, func(d *apd.Decimal) (apd.Condition, error) { return op(d, &a[0].number) })
	}
}

// cubeRoot takes the root of a number near 1, and a third of the power of ten: very large and very small numbers cost
// no more than others.
func cubeRoot(d, x *apd.Decimal) (apd.Condition, error) {
	var near apd.Decimal
	near.Set(x)
	third := int32(exponentOf(x)) / 3
	near.Exponent -= 3 * third
	condition, err := decimals.Cbrt(d, &near)
	d.Exponent += third
	return condition, err
}

// wide computes what is rounded to working precision afterwards.
var wide = apd.Context{Precision: precision + 16, MaxExponent: maxExponent, MinExponent: -maxExponent, Rounding: apd.RoundHalfEven}

// logarithmOfTen is ln 10 with the digits that taking multiples of it off loses.
var logarithmOfTen = sync.OnceValue(func() *apd.Decimal {
	var out apd.Decimal
	if _, err := wide.Ln(&out, apd.New(10, 0)); err != nil {
		panic(err) // the logarithm of a constant
	}
	return &out
})

// exponential is e^x as e^(x − n·ln 10) times 10^n, so that large powers cost no more than others. Beyond what n may be, apd
// says what is wrong.
func exponential(d, x *apd.Decimal) (apd.Condition, error) {
	if size := exponentOf(x); size < 0 || size > 5 {
		return decimals.Exp(d, x)
	}
	var n, part, rest apd.Decimal
	for _, step := range []func() (apd.Condition, error){
		func() (apd.Condition, error) { return wide.Quo(&part, x, logarithmOfTen()) },
		func() (apd.Condition, error) { return wide.RoundToIntegralValue(&n, &part) },
		func() (apd.Condition, error) { return wide.Mul(&part, &n, logarithmOfTen()) },
		func() (apd.Condition, error) { return wide.Sub(&rest, x, &part) },
	} {
		if condition, err := step(); err != nil {
			return condition, err
		}
	}
	tens, err := n.Int64()
	if err != nil || tens > maxExponent+1 || tens < -maxExponent-1 {
		return decimals.Exp(d, x)
	}
	if _, err := wide.Exp(&part, &rest); err != nil {
		return 0, err
	}
	part.Exponent += int32(tens)
	condition, err := decimals.Round(d, &part)
	return condition | apd.Inexact, err
}

// logarithm checks that there is one.
func logarithm(op func(d, x *apd.Decimal) (apd.Condition, error)) func(*evaluation, int, []value) (value, error) {
	return func(e *evaluation, at int, a []value) (value, error) {
		if a[0].number.Sign() <= 0 {
			return value{}, &Error{at, "a logarithm is only defined for numbers above zero"}
		}
		return e.compute(at, 400, "logarithm", func(d *apd.Decimal) (apd.Condition, error) { return op(d, &a[0].number) })
	}
}

// log is the logarithm to base ten, or to the base that is its second argument.
func log(e *evaluation, at int, a []value) (value, error) {
	if len(a) == 1 {
		return logarithm(decimals.Log10)(e, at, a)
	}
	return e.logarithmTo(at, a[0], a[1])
}

func (e *evaluation) logarithmTo(at int, x, base value) (value, error) {
	natural := logarithm(decimals.Ln)
	numerator, err := natural(e, at, []value{x})
	if err != nil {
		return value{}, err
	}
	denominator, err := natural(e, at, []value{base})
	if err != nil {
		return value{}, err
	}
	if denominator.number.IsZero() {
		return value{}, &Error{at, "a logarithm to base 1 does not exist"}
	}
	return e.compute(at, 2, "log", func(d *apd.Decimal) (apd.Condition, error) {
		return decimals.Quo(d, &numerator.number, &denominator.number)
	})
}

// truncate drops what is behind the point.
func truncate(d, x *apd.Decimal) (apd.Condition, error) {
	var fraction apd.Decimal
	x.Modf(d, &fraction)
	return 0, nil
}

// integral makes a function that yields integers.
func integral(op func(d, x *apd.Decimal) (apd.Condition, error)) func(*evaluation, int, []value) (value, error) {
	return func(e *evaluation, at int, a []value) (value, error) {
		if a[0].number.Exponent >= 0 {
			return value{number: a[0].number}, nil
		}
		return e.compute(at, 1, "rounding", func(d *apd.Decimal) (apd.Condition, error) {
			_, err := op(d, e.nudged(&a[0].number))
			return 0, err
		})
	}
}

// nudged rounds away the error of earlier steps, if there was one, so that floor(3*(1/3)) is 1.
func (e *evaluation) nudged(x *apd.Decimal) *apd.Decimal {
	if !e.inexact {
		return x
	}
	var clean apd.Decimal
	_, _ = decimals.WithPrecision(precision-10).Round(&clean, x)
	return &clean
}

// round rounds to an integer, or to as many places behind the point as its second argument says; halves away from zero.
func round(e *evaluation, at int, a []value) (value, error) {
	places := int64(0)
	if len(a) == 2 {
		n, err := a[1].number.Int64()
		if err != nil || n < -30 || n > 30 {
			return value{}, &Error{at, "round: the number of places must be an integer from -30 to 30"}
		}
		places = n
	}
	x := e.nudged(&a[0].number)
	if int64(x.Exponent) >= -places {
		return value{number: *x}, nil
	}
	return e.compute(at, 1, "round", func(d *apd.Decimal) (apd.Condition, error) {
		halfUp := decimals.WithPrecision(precision + 40)
		halfUp.Rounding = apd.RoundHalfUp
		_, err := halfUp.Quantize(d, x, int32(-places))
		return 0, err
	})
}

// extreme makes min (-1) and max (1).
func extreme(sign int) func(*evaluation, int, []value) (value, error) {
	return func(_ *evaluation, _ int, a []value) (value, error) {
		best := a[0]
		for _, v := range a[1:] {
			if v.number.Cmp(&best.number) == sign {
				best = v
			}
		}
		return value{number: best.number}, nil
	}
}

func (e *evaluation) total(at int, list []value) (value, error) {
	sum := whole(0)
	for _, v := range list {
		next, err := e.compute(at, 1, "sum", func(d *apd.Decimal) (apd.Condition, error) {
			return decimals.Add(d, &sum.number, &v.number)
		})
		if err != nil {
			return value{}, err
		}
		sum = next
	}
	return sum, nil
}

func average(e *evaluation, at int, list []value) (value, error) {
	sum, err := e.total(at, list)
	if err != nil {
		return value{}, err
	}
	return e.compute(at, 1, "average", func(d *apd.Decimal) (apd.Condition, error) {
		return decimals.Quo(d, &sum.number, apd.New(int64(len(list)), 0))
	})
}
