package arithmetic_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/drover-ai/drover/tools/builtin/internal/arithmetic"
)

func Example() {
	for _, expression := range []string{"17.5% of 2,340", "0.1 + 0.2", "20% off $80", "sqrt(2)^2", "1/0"} {
		fmt.Println(arithmetic.Evaluate(context.Background(), expression))
	}
	// Output:
	// 409.5 <nil>
	// 0.3 <nil>
	// 64 <nil>
	// 2 <nil>
	//  at character 2: division by zero
}

func TestEvaluate(t *testing.T) {
	for _, test := range []struct{ expression, want string }{
		// Exact decimals, and rounded results.
		{"0.1 + 0.2", "0.3"},
		{"0.1+0.2-0.3", "0"},
		{"1.10 * 3", "3.3"},
		{"100 * 1.1", "110"},
		{"1/3", "0.33333333333333333333"},
		{"2/3", "0.66666666666666666667"},
		{"10/3", "3.3333333333333333333"},
		{"1/3*3", "1"},
		{"1/8", "0.125"},
		{"22/7", "3.1428571428571428571"},
		{"1/3 + 1/3 + 1/3", "1"},
		{"2.50", "2.5"},
		{"-0", "0"},
		{"-0.00", "0"},
		{"5.", "5"},
		{".5", "0.5"},
		{"1e3", "1000"},
		{"1.5E-3", "0.0015"},
		{"2e3x2", "4000"},
		{"123456789 * 987654321", "121932631112635269"},
		{"2^64", "18446744073709551616"},
		{"2^128", "340282366920938463463374607431768211456"},
		{"99999999999999999999 + 1", "100000000000000000000"},
		{"30!", "265252859812191058636308480000000"},
		{"1e20", "100000000000000000000"},
		{"1e41", "100000000000000000000000000000000000000000"},
		{"1e42", "1e42"},
		{"2^200", "1.6069380442589902755e60"},
		{"1/7*10^15", "142857142857142.85714"},
		{"1/7*10^25", "1.4285714285714285714e24"},
		{"1/10^21", "0.000000000000000000001"},
		{"1/10^22", "1e-22"},
		{"-1.5e-30", "-1.5e-30"},
		{"0.1^20", "0.00000000000000000001"},

		// Operators and their strength.
		{"2+3*4", "14"},
		{"(2+3)*4", "20"},
		{"[2+3]*{4}", "20"},
		{"10-4-3", "3"},
		{"100/10/2", "5"},
		{"2^3^2", "512"},
		{"2**3", "8"},
		{"-2^2", "-4"},
		{"(-2)^2", "4"},
		{"2^-2", "0.25"},
		{"--3", "3"},
		{"5 - -3", "8"},
		{"3 * -2", "-6"},
		{"+7", "7"},
		{"2 × 3 ÷ 4", "1.5"},
		{"7 − 2", "5"},
		{"3 x 4", "12"},
		{"3x4", "12"},
		{"3X4x2", "24"},
		{"(1+2)x(3+4)", "21"},
		{"50% x 8", "4"},
		{"3 times 4 plus 5 minus 1", "16"},
		{"10 divided by 4", "2.5"},
		{"6 multiplied by 7", "42"},
		{"10 over 4", "2.5"},
		{"2 to the power of 10", "1024"},
		{"2 raised to 3", "8"},
		{"5 squared", "25"},
		{"2 cubed + 1", "9"},
		{"3² + 4²", "25"},
		{"2³", "8"},
		{"10 mod 3", "1"},
		{"10 % 3", "1"},
		{"10%3", "1"},
		{"-7 mod 3", "2"},
		{"7 mod -3", "-2"},
		{"mod(17, 5)", "2"},
		{"10.5 modulo 3", "1.5"},
		{"7 // 2", "3"},
		{"-7 // 2", "-4"},
		{"5!", "120"},
		{"0!", "1"},
		{"3!!", "720"},
		{"2^3!", "64"},
		{"-3!", "-6"},
		{"0^0", "1"},
		{"0^5", "0"},
		{"(-2)^3", "-8"},
		{"4^0.5", "2"},
		{"8^(1/3)", "2"},
		{"27^(2/3)", "9"},
		{"1.0000001^1000000000", "2.6881037012649238105e43"},
		{"1^99999999999999999999", "1"},
		{"(-1)^99999999999999999999", "-1"},

		// Values written side by side.
		{"2(3+4)", "14"},
		{"(1+2)(3+4)", "21"},
		{"2sqrt(16)", "8"},
		{"2pi", "6.2831853071795864769"},
		{"1/2(4)", "2"},
		{"2(3)^2", "18"},
		{"3(2)!", "6"},

		// Percentages.
		{"17.5% of 2,340", "409.5"},
		{"17.5 percent of 2340", "409.5"},
		{"17.5 per cent of 2340", "409.5"},
		{"15%", "0.15"},
		{"80 + 15%", "92"},
		{"80 - 15%", "68"},
		{"80 + (15%)", "92"},
		{"80 * 15%", "12"},
		{"80 / 20%", "400"},
		{"100 + 10% + 10%", "121"},
		{"10% + 10%", "0.2"},
		{"100 + 10% * 2", "100.2"},
		{"100 + 10% of 50", "105"},
		{"100 + -10%", "90"},
		{"80 * (1 + 15%)", "92"},
		{"20% off 80", "64"},
		{"20% off $80 + 5", "69"},
		{"50% of 50% of 80", "20"},
		{"3/4 of 20", "15"},
		{"200%", "2"},
		{"5%%", "0.0005"},
		{"8% of (100 + 50)", "12"},

		// Numbers as people write them.
		{"2,340", "2340"},
		{"1,234,567.89", "1234567.89"},
		{"1,00,000", "100000"},
		{"12,34,567", "1234567"},
		{"1 000 000", "1000000"},
		{"2\u202f340,5"[:7], "2340"},
		{"1'000'000", "1000000"},
		{"1_000", "1000"},
		{"$45.50", "45.5"},
		{"$ 45.50 * 3", "136.5"},
		{"-$45.50", "-45.5"},
		{"$-45.50", "-45.5"},
		{"45 € + 5 €", "50"},
		{"£1,200 / 12", "100"},
		{"3 million / 4", "750000"},
		{"2.5 billion", "2500000000"},
		{"2 hundred thousand", "200000"},
		{"45k", "45000"},
		{"６ ＋ ７", "13"},
		{"= 2 + 2", "4"},
		{"2 + 2 =", "4"},
		{"2 + 2 = ?", "4"},
		{"  3\t+\n4 ", "7"},

		// Functions and what commas mean in them.
		{"sqrt(16)", "4"},
		{"sqrt 16 + 9", "13"},
		{"√16", "4"},
		{"√(9+16)", "5"},
		{"square root of 81", "9"},
		{"the square root of 2", "1.4142135623730950488"},
		{"sqrt of 16", "4"},
		{"cbrt(27)", "3"},
		{"cbrt(-8)", "-2"},
		{"cbrt(1e9999)", "1e3333"},
		{"cbrt(2e-9999)", "1.2599210498948731648e-3333"},
		{"cbrt(0)", "0"},
		{"sqrt(1,024)", "32"},
		{"abs(-3.5)", "3.5"},
		{"round(2.5)", "3"},
		{"round(-2.5)", "-3"},
		{"round(3.14159, 2)", "3.14"},
		{"round(1234.5, -2)", "1200"},
		{"round(2/3, 4)", "0.6667"},
		{"round(1e50)", "1e50"},
		{"round(0.1, 20)", "0.1"},
		{"floor(-1.5)", "-2"},
		{"ceil(1.2)", "2"},
		{"trunc(-1.9)", "-1"},
		{"floor(3*(1/3))", "1"},
		{"ceil((1/3)*3)", "1"},
		{"floor(1e30 + 0.5)", "1000000000000000000000000000000"},
		{"min(3, 1, 2)", "1"},
		{"max(3,1,2)", "3"},
		{"max(100,200)", "200"},
		{"max(2340, 1)", "2340"},
		{"max((1,234), 5)", "1234"},
		{"max(sqrt(1,024), 5)", "32"},
		{"sum(1, 2, 3.5)", "6.5"},
		{"average(1, 2, 4)", "2.3333333333333333333"},
		{"mean(80, 90)", "85"},
		{"ln(e)", "1"},
		{"log(1000)", "3"},
		{"log(8, 2)", "3"},
		{"log2(1024)", "10"},
		{"log10(0.001)", "-3"},
		{"exp(1)", "2.7182818284590452354"},
		{"pow(2, 0.5)", "1.4142135623730950488"},
		{"gcd(12, 18, 27)", "3"},
		{"lcm(4, 6)", "12"},
		{"lcm(0, 6)", "0"},
		{"ncr(49, 6)", "13983816"},
		{"nCr(5, 7)", "0"},
		{"npr(5, 2)", "20"},
		{"factorial(6)", "720"},
		{"SQRT(16) * Pi", "12.566370614359172954"},

		// Angles.
		{"pi", "3.1415926535897932385"},
		{"π", "3.1415926535897932385"},
		{"tau/2 - pi", "0"},
		{"e", "2.7182818284590452354"},
		{"sin(0)", "0"},
		{"sin(pi)", "0"},
		{"sin(pi/6)", "0.5"},
		{"cos(pi/2)", "0"},
		{"cos(2pi)", "1"},
		{"sin(30°)", "0.5"},
		{"sin 30 degrees", "0.5"},
		{"cos(60 deg)", "0.5"},
		{"tan(45°)", "1"},
		{"sin(1)", "0.84147098480789650665"},
		{"cos(1)", "0.54030230586813971740"[:21]},
		{"tan(1)", "1.5574077246549022305"},
		{"sin(1e-30)", "1e-30"},
		{"sin(100000)", "0.035748797972016509316"},
		{"asin(1)*2 - pi", "0"},
		{"asin(0.5)", "0.52359877559829887308"},
		{"acos(0)", "1.5707963267948966192"},
		{"acos(1)", "0"},
		{"acos(-1)", "3.1415926535897932385"},
		{"atan(1)*4", "3.1415926535897932385"},
		{"atan(-1e9)", "-1.5707963257948966192"},
		{"atan(0)", "0"},
		{"degrees(pi)", "180"},
		{"radians(180)", "3.1415926535897932385"},
		{"degrees(asin(0.5))", "30"},
	} {
		got, err := arithmetic.Evaluate(t.Context(), test.expression)
		if want := strings.TrimRight(test.want, "\x00"); err != nil || got != want {
			t.Errorf("%s = %s, %v, want %s", test.expression, got, err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		expression string
		want       string
	}{
		{"", "at character 1: nothing to evaluate: want an expression like 2 + 3"},
		{"   ", "at character 4: nothing to evaluate: want an expression like 2 + 3"},
		{"=", "at character 2: nothing to evaluate: want an expression like 2 + 3"},
		{"1/0", "at character 2: division by zero"},
		{"5 + 0/0", "at character 6: division by zero"},
		{"1 mod 0", "at character 3: division by zero"},
		{"1 // 0", "at character 3: division by zero"},
		{"0^-1", "at character 2: division by zero: 0 to a negative power"},
		{"2 +", "at character 4: got the end, want a number, a function or \"(\""},
		{"2 + * 3", "at character 5: got \"*\", want a number, a function or \"(\""},
		{"2 3", "at character 3: got \"3\", want an operator or the end"},
		{"(2)3", "at character 4: got \"3\", want an operator or the end"},
		{"2 + 3)", "at character 6: got \")\", want an operator or the end"},
		{"2 * (3 + 4", "at character 5: this \"(\" is never closed"},
		{"(2 + 3 4)", "at character 8: got \"4\", want an operator or \")\""},
		{"()", "at character 2: got \")\", want a number, a function or \"(\""},
		{"2 + apples", "at character 5: unknown word \"apples\""},
		{"sqr(4)", "at character 1: unknown word \"sqr\"; did you mean \"sqrt\"?"},
		{"2 plsu 3", "at character 3: unknown word \"plsu\"; did you mean \"plus\"?"},
		{"x + 1", "at character 1: unknown word \"x\""},
		{"2 & 3", "at character 3: unexpected '&'"},
		{"$ + 3", "at character 1: '$' without a number beside it"},
		{"1 + 1 = 3", "at character 9: got \"3\", want an operator or the end"},
		{"3,5 * 2", "at character 2: a comma that does not group digits in threes; write decimals with a point, as in 3.5"},
		{"0,125", "at character 2: a comma that does not group digits in threes; write decimals with a point, as in 3.5"},
		{"1,2345", "at character 2: a comma that does not group digits in threes; write decimals with a point, as in 3.5"},
		{"1.234,56", "at character 6: a comma that does not group digits in threes; write decimals with a point, as in 3.5"},
		{"1.234.567", "at character 6: a second point in a number; write 1,234,567.89"},
		{"0x1F", "at character 2: hexadecimal numbers are not supported; to multiply, write 0 * 10"},
		{"max(1,200, 7)", "at character 5: \"1,200\" may be one number or several; write 1200 or 1, 200"},
		{"max()", "at character 1: max: got 0 arguments, want at least 1"},
		{"round(1, 2, 3)", "at character 1: round: got 3 arguments, want 1 or 2"},
		{"gcd(4)", "at character 1: gcd: got 1 argument, want at least 2"},
		{"pow(2)", "at character 1: pow: got 1 argument, want 2"},
		{"max 3", "at character 5: got \"3\", want \"(\" after max"},
		{"sqrt", "at character 5: got the end, want \"(\" after sqrt"},
		{"sqrt(-1)", "at character 1: sqrt: the square root of a negative number is not a real number"},
		{"(-8)^(1/3)", "at character 5: a negative number to a power that is not an integer is not a real number; for the third root use cbrt"},
		{"ln(0)", "at character 1: a logarithm is only defined for numbers above zero"},
		{"log(-5)", "at character 1: a logarithm is only defined for numbers above zero"},
		{"log(5, 1)", "at character 1: a logarithm to base 1 does not exist"},
		{"asin(2)", "at character 1: want a number from -1 to 1"},
		{"tan(pi/2)", "at character 1: tan is not defined at odd multiples of pi/2"},
		{"sin(1e20)", "at character 1: the angle is too large: want at most 18 digits before the point"},
		{"(-3)!", "at character 5: a factorial wants an integer from 0 to 3000 before it"},
		{"2.5!", "at character 4: a factorial wants an integer from 0 to 3000 before it"},
		{"5000!", "at character 5: a factorial wants an integer from 0 to 3000 before it"},
		{"1e9999!", "at character 7: a factorial wants an integer from 0 to 3000 before it"},
		{"3!!!!", "at character 4: a factorial wants an integer from 0 to 3000 before it"[:0] + "at character 5: a factorial wants an integer from 0 to 3000 before it"},
		{"9^9^9", "at character 2: ^: the result is larger than 10^10000"},
		{"9^-9^9", "at character 2: ^: the result is closer to zero than 10^-10000"},
		{"2^1e50", "at character 2: ^: the exponent has 51 digits, want at most 13"},
		{"exp(1e9)", "at character 1: exp: the result is larger than 10^10000"},
		{"1e10001", "at character 1: number: the result is larger than 10^10000"},
		{"1e9999 * 1e9999", "at character 8: *: the result is larger than 10^10000"},
		{"1e999999999999", "at character 1: number"},
		{"round(1.5, 99)", "at character 1: round: the number of places must be an integer from -30 to 30"},
		{"gcd(1.5, 2)", "at character 1: want integers of at most 30 digits"},
		{"off 80", "at character 1: got \"off\", want a number, a function or \"(\""},
		{"20 off 80", "at character 4: \"off\" wants a percentage before it, as in 20% off 80"},
		{"1e80 mod 7", "at character 6: mod: not defined for these numbers"},
		{"üöä", "at character 1: unknown word \"üöä\""},
		{"日本", "at character 1: unknown word \"日本\""},
		{strings.Repeat("1+", 6000) + "1", "at character 10001: the expression is too long: 12001 characters, want at most 10000"},
		{strings.Repeat("-", 9000) + "1", "at character 4001: more than 4000 parentheses, signs or powers inside each other"},
		{strings.Repeat("(", 9000), "more than 4000 parentheses"},
		{strings.Repeat("3000!+", 1600) + "1", "the expression takes too long to evaluate"},
	} {
		got, err := arithmetic.Evaluate(t.Context(), test.expression)
		var placed *arithmetic.Error
		if err == nil || !strings.Contains(err.Error(), test.want) || got != "" || !errors.As(err, &placed) {
			t.Errorf("%.60s:\ngot  %q, %v\nwant %s", test.expression, got, err, test.want)
		}
	}
}

func TestNesting(t *testing.T) {
	for _, test := range []struct{ expression, want string }{
		{strings.Repeat("(", 1000) + "7" + strings.Repeat(")", 1000), "7"},
		{strings.Repeat("sqrt(", 1000) + "1" + strings.Repeat(")", 1000), "1"},
		{strings.Repeat("1+(", 1000) + "1" + strings.Repeat(")", 1000), "1001"},
		{strings.Repeat("max(1, ", 1000) + "9" + strings.Repeat(")", 1000), "9"},
		{"1" + strings.Repeat("^1", 300), "1"},
		{"1" + strings.Repeat("+1", 4999), "5000"},
	} {
		if got, err := arithmetic.Evaluate(t.Context(), test.expression); err != nil || got != test.want {
			t.Errorf("%.20s…: got %s, %v, want %s", test.expression, got, err, test.want)
		}
	}
}

func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := arithmetic.Evaluate(ctx, "1+1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

// Large powers of e are computed over powers of ten: they agree with the plain way, to the last digit that is shown.
func TestExponential(t *testing.T) {
	plain := apd.BaseContext.WithPrecision(60)
	for _, x := range []string{"1", "2.302585092994045684", "-7.25", "88.5", "-350.125", "1234.5678", "-2302.585", "0.5", "3000"} {
		got, err := arithmetic.Evaluate(t.Context(), "exp("+x+")")
		if err != nil {
			t.Errorf("exp(%s): %v", x, err)
			continue
		}
		number, _, err := apd.NewFromString(x)
		if err != nil {
			t.Fatal(err)
		}
		var want, have, difference apd.Decimal
		if _, err := plain.Exp(&want, number); err != nil {
			t.Fatal(err)
		}
		if _, _, err := have.SetString(got); err != nil {
			t.Fatal(err)
		}
		if _, err := plain.Sub(&difference, &have, &want); err != nil {
			t.Fatal(err)
		}
		if _, err := plain.Quo(&difference, &difference, &want); err != nil {
			t.Fatal(err)
		}
		if size, _ := difference.Float64(); size > 5e-20 || size < -5e-20 {
			t.Errorf("exp(%s) is %s, want %s", x, got, want.String())
		}
	}
}

// Against big.Rat: sums, products and quotients of random decimals are exact, or right to twenty digits.
func TestAgainstRationals(t *testing.T) {
	state := uint64(1)
	random := func(n int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int(state>>33) % n
	}
	for range 2000 {
		expression, want := strings.Builder{}, new(big.Rat)
		for i := range 1 + random(6) {
			a := fmt.Sprintf("%d.%0*d", random(1000), 1+random(3), random(10))
			b := strconv.Itoa(1 + random(99))
			value, _ := new(big.Rat).SetString(a)
			other, _ := new(big.Rat).SetString(b)
			if i > 0 {
				expression.WriteString(" + ")
			}
			if random(2) == 0 {
				fmt.Fprintf(&expression, "%s*%s", a, b)
				value.Mul(value, other)
			} else {
				fmt.Fprintf(&expression, "%s/%s", a, b)
				value.Quo(value, other)
			}
			want.Add(want, value)
		}
		text, err := arithmetic.Evaluate(t.Context(), expression.String())
		if err != nil {
			t.Fatalf("%s: %v", expression.String(), err)
		}
		got, _ := new(big.Rat).SetString(text)
		difference := new(big.Rat).Sub(got, want)
		bound := new(big.Rat).Mul(want, new(big.Rat).SetFrac64(1, 1e18))
		bound.Mul(bound, new(big.Rat).SetFrac64(6, 10))
		if difference.Abs(difference).Cmp(bound.Abs(bound)) > 0 {
			t.Fatalf("%s = %s, want %s", expression.String(), text, want.FloatString(30))
		}
	}
}

// Against float64: the functions agree to what float64 can tell.
func TestAgainstFloats(t *testing.T) {
	for name, f := range map[string]func(float64) float64{
		"sqrt": math.Sqrt, "cbrt": math.Cbrt, "exp": math.Exp, "ln": math.Log, "log10": math.Log10, "log2": math.Log2,
		"sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "atan": math.Atan,
	} {
		for _, x := range []float64{0.001, 0.3, 0.5, 1, 1.5, 2, 3, 3.2, 7, 10.25, 33, 100, 355} {
			text, err := arithmetic.Evaluate(t.Context(), fmt.Sprintf("%s(%v)", name, x))
			if err != nil {
				t.Fatal(err)
			}
			got, err := strconv.ParseFloat(text, 64)
			if want := f(x); err != nil || math.Abs(got-want) > 1e-13*math.Max(1, math.Abs(want)) {
				t.Errorf("%s(%v) = %s, %v, want %v", name, x, text, err, want)
			}
		}
	}
}

// Whatever the text is, there is a plain number or an error with a place in the text. A result evaluates to itself.
func FuzzEvaluate(f *testing.F) {
	for _, seed := range []string{"17.5% of 2,340", "max(1, 2,000)", "2(3)!^-1", "sin(30°)/cos pi", "((((", "1 000 x 3", "$5 off 20%", "1e400*√2", "a", "10 % 3 % 2", "round(2/3, 4) mod 1", "1,00,000//7"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		result, err := arithmetic.Evaluate(t.Context(), expression)
		if err != nil {
			var placed *arithmetic.Error
			if !errors.As(err, &placed) {
				t.Fatalf("%q: error without a place: %v", expression, err)
			}
			if length := len([]rune(expression)); placed.Position < 1 || placed.Position > length+1 {
				t.Fatalf("%q: position %d of %d: %v", expression, placed.Position, length, err)
			}
			return
		}
		again, err := arithmetic.Evaluate(t.Context(), result)
		if err != nil || again != result {
			t.Fatalf("%q = %s, which is %s, %v", expression, result, again, err)
		}
	})
}
