package arithmetic

import (
	"fmt"

	"github.com/cockroachdb/apd/v3"
)

const (
	maxFactorial = 3_000 // 3000! has 9,131 digits
	maxChoose    = 3_000
)

// raise computes base^exponent. 0^0 is 1.
func (e *evaluation) raise(at int, base, exponent value) (value, error) {
	x, y := &base.number, &exponent.number
	switch {
	case y.IsZero():
		return whole(1), nil
	case x.IsZero() && y.Sign() < 0:
		return value{}, &Error{at, "division by zero: 0 to a negative power"}
	case x.IsZero():
		return whole(0), nil
	case x.Sign() < 0 && !isInteger(y):
		return value{}, &Error{at, "a negative number to a power that is not an integer is not a real number; for the third root use cbrt"}
	}
	if !isInteger(y) && y.Cmp(apd.New(5, -1)) == 0 {
		return e.compute(at, 20, "^", func(d *apd.Decimal) (apd.Condition, error) { return decimals.Sqrt(d, x) })
	}
	// A power is large when its logarithm is: one comparison of sizes saves computing what cannot be shown.
	if size := exponentOf(y); size > 12 && x.Cmp(apd.New(1, 0)) != 0 && x.Cmp(apd.New(-1, 0)) != 0 {
		return value{}, &Error{at, fmt.Sprintf("^: the exponent has %d digits, want at most 13", size+1)}
	}
	return e.compute(at, 600, "^", func(d *apd.Decimal) (apd.Condition, error) {
		var clean apd.Decimal
		clean.Reduce(x) // fewer digits to multiply: 2.000 is 2
		return decimals.Pow(d, &clean, y)
	})
}

// modulo computes the remainder that has the sign of the divisor: -7 mod 3 is 2.
func (e *evaluation) modulo(at int, x, y value) (value, error) {
	remainder, err := e.compute(at, 2, "mod", func(d *apd.Decimal) (apd.Condition, error) {
		if y.number.IsZero() {
			return apd.DivisionByZero, nil
		}
		return decimals.Rem(d, &x.number, &y.number)
	})
	if err != nil || remainder.number.IsZero() || remainder.number.Negative == y.number.Negative {
		return remainder, err
	}
	return e.compute(at, 1, "mod", func(d *apd.Decimal) (apd.Condition, error) {
		return decimals.Add(d, &remainder.number, &y.number)
	})
}

// floorQuotient divides and rounds down.
func (e *evaluation) floorQuotient(at int, x, y value) (value, error) {
	remainder, err := e.modulo(at, x, y)
	if err != nil {
		return value{}, err
	}
	difference, err := e.compute(at, 1, "//", func(d *apd.Decimal) (apd.Condition, error) {
		return decimals.Sub(d, &x.number, &remainder.number)
	})
	if err != nil {
		return value{}, err
	}
	return e.compute(at, 2, "//", func(d *apd.Decimal) (apd.Condition, error) {
		return decimals.Quo(d, &difference.number, &y.number)
	})
}

// factorial multiplies 1 to n.
func (e *evaluation) factorial(at int, v value) (value, error) {
	n, ok := count(&v.number, maxFactorial)
	if !ok {
		return value{}, &Error{at, fmt.Sprintf("a factorial wants an integer from 0 to %d before it", maxFactorial)}
	}
	return e.compute(at, n+1, "factorial", func(d *apd.Decimal) (apd.Condition, error) {
		return product(d, 2, n)
	})
}

// product sets d to the product of the integers from first to last.
func product(d *apd.Decimal, first, last int) (apd.Condition, error) {
	d.SetInt64(1)
	var all apd.Condition
	for i := first; i <= last; i++ {
		condition, err := decimals.Mul(d, d, apd.New(int64(i), 0))
		if all |= condition; err != nil {
			return all, err
		}
	}
	return all, nil
}

// choose counts the ways to take k of n things: combinations, or permutations where order matters.
func choose(combinations bool) func(*evaluation, int, []value) (value, error) {
	return func(e *evaluation, at int, a []value) (value, error) {
		n, okN := count(&a[0].number, maxChoose)
		k, okK := count(&a[1].number, maxChoose)
		if !okN || !okK {
			return value{}, &Error{at, fmt.Sprintf("want two integers from 0 to %d, how many there are and how many are taken", maxChoose)}
		}
		if k > n {
			return whole(0), nil
		}
		if combinations {
			k = min(k, n-k)
		}
		ways, err := e.compute(at, k+1, "ncr", func(d *apd.Decimal) (apd.Condition, error) { return product(d, n-k+1, n) })
		if err != nil || !combinations {
			return ways, err
		}
		orders, err := e.factorial(at, whole(int64(k)))
		if err != nil {
			return value{}, err
		}
		return e.compute(at, 2, "ncr", func(d *apd.Decimal) (apd.Condition, error) {
			return decimals.Quo(d, &ways.number, &orders.number)
		})
	}
}

// fold applies a function of two integers to a list of them.
func fold(apply func(a, b *apd.BigInt)) func(*evaluation, int, []value) (value, error) {
	return func(e *evaluation, at int, list []value) (value, error) {
		var all apd.BigInt
		for i, v := range list {
			if !isInteger(&v.number) || exponentOf(&v.number) >= precision/2 {
				return value{}, &Error{at, fmt.Sprintf("want integers of at most %d digits", precision/2)}
			}
			var integer, fraction apd.Decimal
			v.number.Modf(&integer, &fraction)
			_, _ = decimals.Quantize(&integer, &integer, 0)
			n := new(apd.BigInt).Abs(&integer.Coeff)
			if i == 0 {
				all.Set(n)
			} else {
				apply(&all, n)
			}
			if err := e.spend(at, 4); err != nil {
				return value{}, err
			}
		}
		return e.compute(at, 1, "gcd", func(d *apd.Decimal) (apd.Condition, error) {
			return decimals.Round(d, apd.NewWithBigInt(&all, 0))
		})
	}
}

func greatestCommonDivisor(a, b *apd.BigInt) { a.GCD(nil, nil, a, b) }

func leastCommonMultiple(a, b *apd.BigInt) {
	if a.Sign() == 0 || b.Sign() == 0 {
		a.SetInt64(0)
		return
	}
	divisor := new(apd.BigInt).GCD(nil, nil, a, b)
	a.Mul(a, new(apd.BigInt).Quo(b, divisor))
}
