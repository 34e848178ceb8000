package arithmetic

import (
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

const (
	shownDigits  = 20 // significant digits of a rounded result
	shownExact   = 40 // significant digits of an exact result
	plainBelow   = 21 // digits before the point of a rounded result that is shown without a power of ten
	plainZeros   = 20 // zeros after the point before the first digit that are shown without a power of ten
	maxPlainText = 42 // digits of an exact result without a power of ten
)

// format writes d for people: rounded if it was computed inexactly or has very many digits, without zeros at its end.
func format(d *apd.Decimal, inexact bool) string {
	digits := shownExact
	if inexact || d.NumDigits() > shownExact {
		digits = shownDigits
	}
	var shown apd.Decimal
	context := decimals.WithPrecision(uint32(digits))
	if condition, _ := context.Round(&shown, d); condition.Inexact() {
		inexact = true
		_, _ = context.WithPrecision(shownDigits).Round(&shown, d)
	}
	shown.Reduce(&shown)
	if shown.IsZero() {
		return "0"
	}
	coefficient, exponent := shown.Coeff.String(), int(exponentOf(&shown))
	sign := ""
	if shown.Negative {
		sign = "-"
	}
	limit := maxPlainText
	if inexact {
		limit = plainBelow
	}
	switch {
	case exponent < 0 && exponent >= -plainZeros-1:
		return sign + "0." + strings.Repeat("0", -exponent-1) + coefficient
	case exponent >= 0 && exponent < limit && len(coefficient) <= exponent+1:
		return sign + coefficient + strings.Repeat("0", exponent+1-len(coefficient))
	case exponent >= 0 && exponent < limit:
		return sign + coefficient[:exponent+1] + "." + coefficient[exponent+1:]
	}
	if len(coefficient) > 1 {
		coefficient = coefficient[:1] + "." + coefficient[1:]
	}
	return sign + coefficient + "e" + strconv.Itoa(exponent)
}
