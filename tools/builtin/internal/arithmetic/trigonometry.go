package arithmetic

import "github.com/cockroachdb/apd/v3"

const (
	circlePrecision = 110 // digits while the argument is brought into one turn
	maxTurns        = 18  // digits before the point of an argument
	zeroPlaces      = 50  // places behind the point below which a sine is an error of rounding
)

var (
	circle  = *decimals.WithPrecision(circlePrecision)
	pi      = parsed("3.141592653589793238462643383279502884197169399375105820974944592307816406286208998628034825342117067982148086513282306647093844609550582231725359408128481117450284102701938521105559644622948954930382")
	halfPi  = divided(pi, 2)
	twoPi   = multiplied(pi, 2)
	one     = apd.New(1, 0)
	epsilon = apd.New(1, -circlePrecision)
)

func parsed(digits string) *apd.Decimal {
	d, _, err := apd.NewFromString(digits)
	if err != nil {
		panic(err)
	}
	return d
}

func divided(d *apd.Decimal, n int64) *apd.Decimal {
	var q apd.Decimal
	_, _ = decimals.WithPrecision(220).Quo(&q, d, apd.New(n, 0))
	return &q
}

func multiplied(d *apd.Decimal, n int64) *apd.Decimal {
	var q apd.Decimal
	_, _ = decimals.WithPrecision(220).Mul(&q, d, apd.New(n, 0))
	return &q
}

// trigonometric makes a function of an angle in radians.
func trigonometric(series func(x *apd.Decimal) *apd.Decimal) func(*evaluation, int, []value) (value, error) {
	return func(e *evaluation, at int, a []value) (value, error) {
		x := &a[0].number
		if exponentOf(x) >= maxTurns {
			return value{}, &Error{at, "the angle is too large: want at most 18 digits before the point"}
		}
		return e.compute(at, 200, "angle", func(d *apd.Decimal) (apd.Condition, error) {
			y := series(x)
			if exponentOf(x) > -zeroPlaces/2 && exponentOf(y) < -zeroPlaces {
				d.SetInt64(0)
				return apd.Inexact, nil
			}
			condition, err := decimals.Round(d, y)
			return condition | apd.Inexact, err
		})
	}
}

// sine is Σ (-1)^k x^(2k+1)/(2k+1)!, of x brought into -π…π.
func sine(x *apd.Decimal) *apd.Decimal {
	x = withinTurn(x)
	sum, term, square := new(apd.Decimal).Set(x), new(apd.Decimal).Set(x), new(apd.Decimal)
	_, _ = circle.Mul(square, x, x)
	return series(sum, term, square, 1)
}

// cosine is Σ (-1)^k x^2k/(2k)!, of x brought into -π…π.
func cosine(x *apd.Decimal) *apd.Decimal {
	x = withinTurn(x)
	sum, term, square := apd.New(1, 0), apd.New(1, 0), new(apd.Decimal)
	_, _ = circle.Mul(square, x, x)
	return series(sum, term, square, 0)
}

// series adds to sum the terms that follow term, whose power of x is n, until they no longer count.
func series(sum, term, square *apd.Decimal, n int64) *apd.Decimal {
	var limit apd.Decimal
	for !term.IsZero() {
		_, _ = circle.Mul(term, term, square)
		_, _ = circle.Quo(term, term, apd.New(-(n+1)*(n+2), 0))
		n += 2
		_, _ = circle.Add(sum, sum, term)
		_, _ = circle.Mul(&limit, epsilon, sum)
		if limit.Abs(&limit); new(apd.Decimal).Abs(term).Cmp(&limit) < 0 {
			break
		}
	}
	return sum
}

// withinTurn subtracts full turns: the result is between -π and π.
func withinTurn(x *apd.Decimal) *apd.Decimal {
	if new(apd.Decimal).Abs(x).Cmp(pi) <= 0 {
		return x
	}
	wide := decimals.WithPrecision(circlePrecision + 2*maxTurns)
	var turns, rest apd.Decimal
	_, _ = wide.Quo(&turns, x, twoPi)
	_, _ = wide.RoundToIntegralValue(&turns, &turns)
	_, _ = wide.Mul(&rest, &turns, twoPi)
	_, _ = wide.Sub(&rest, x, &rest)
	return &rest
}

func tangent(e *evaluation, at int, a []value) (value, error) {
	s, err := trigonometric(sine)(e, at, a)
	if err != nil {
		return value{}, err
	}
	c, err := trigonometric(cosine)(e, at, a)
	if err != nil {
		return value{}, err
	}
	if c.number.IsZero() {
		return value{}, &Error{at, "tan is not defined at odd multiples of pi/2"}
	}
	return e.compute(at, 2, "tan", func(d *apd.Decimal) (apd.Condition, error) {
		return decimals.Quo(d, &s.number, &c.number)
	})
}

// inverse makes a function that yields an angle in radians; f returns nil where it is not defined.
func inverse(f func(x *apd.Decimal) *apd.Decimal) func(*evaluation, int, []value) (value, error) {
	return func(e *evaluation, at int, a []value) (value, error) {
		y := f(&a[0].number)
		if y == nil {
			return value{}, &Error{at, "want a number from -1 to 1"}
		}
		return e.compute(at, 800, "angle", func(d *apd.Decimal) (apd.Condition, error) {
			if exponentOf(y) < -zeroPlaces && exponentOf(&a[0].number) > -zeroPlaces/2 {
				d.SetInt64(0)
				return apd.Inexact, nil
			}
			return decimals.Round(d, y)
		})
	}
}

// arctangent halves the angle until the series Σ (-1)^k x^(2k+1)/(2k+1) is short: atan x = 2 atan(x/(1+√(1+x²))).
func arctangent(x *apd.Decimal) *apd.Decimal {
	if new(apd.Decimal).Abs(x).Cmp(one) > 0 { // atan x = ±π/2 - atan 1/x
		var reciprocal, rest apd.Decimal
		_, _ = circle.Quo(&reciprocal, one, x)
		quarter := new(apd.Decimal).Set(halfPi)
		quarter.Negative = x.Negative
		_, _ = circle.Sub(&rest, quarter, arctangent(&reciprocal))
		return &rest
	}
	small := new(apd.Decimal).Set(x)
	const halvings = 8
	var square, root apd.Decimal
	for range halvings {
		_, _ = circle.Mul(&square, small, small)
		_, _ = circle.Add(&root, &square, one)
		_, _ = circle.Sqrt(&root, &root)
		_, _ = circle.Add(&root, &root, one)
		_, _ = circle.Quo(small, small, &root)
	}
	_, _ = circle.Mul(&square, small, small)
	sum, power := new(apd.Decimal).Set(small), new(apd.Decimal).Set(small)
	var term, limit apd.Decimal
	for n := int64(3); !power.IsZero(); n += 2 {
		_, _ = circle.Mul(power, power, &square)
		power.Negative = !power.Negative
		_, _ = circle.Quo(&term, power, apd.New(n, 0))
		_, _ = circle.Add(sum, sum, &term)
		_, _ = circle.Mul(&limit, epsilon, sum)
		if limit.Abs(&limit); term.Abs(&term).Cmp(&limit) < 0 {
			break
		}
	}
	_, _ = circle.Mul(sum, sum, apd.New(1<<halvings, 0))
	return sum
}

// arcsine is atan(x/√(1-x²)).
func arcsine(x *apd.Decimal) *apd.Decimal {
	switch new(apd.Decimal).Abs(x).Cmp(one) {
	case 1:
		return nil
	case 0:
		quarter := new(apd.Decimal).Set(halfPi)
		quarter.Negative = x.Negative
		return quarter
	}
	var root, ratio apd.Decimal
	_, _ = circle.Mul(&root, x, x)
	_, _ = circle.Sub(&root, one, &root)
	_, _ = circle.Sqrt(&root, &root)
	_, _ = circle.Quo(&ratio, x, &root)
	return arctangent(&ratio)
}

// arccosine is π/2 - asin x.
func arccosine(x *apd.Decimal) *apd.Decimal {
	angle := arcsine(x)
	if angle == nil {
		return nil
	}
	var rest apd.Decimal
	_, _ = circle.Sub(&rest, halfPi, angle)
	return &rest
}

// radians turns degrees into radians.
func (e *evaluation) radians(at int, v value) (value, error) {
	return e.compute(at, 2, "°", func(d *apd.Decimal) (apd.Condition, error) {
		var product apd.Decimal
		_, _ = circle.Mul(&product, &v.number, pi)
		return decimals.Quo(d, &product, apd.New(180, 0))
	})
}

// degrees turns radians into degrees.
func (e *evaluation) degrees(at int, v value) (value, error) {
	return e.compute(at, 2, "degrees", func(d *apd.Decimal) (apd.Condition, error) {
		var product apd.Decimal
		_, _ = circle.Mul(&product, &v.number, apd.New(180, 0))
		return decimals.Quo(d, &product, pi)
	})
}
