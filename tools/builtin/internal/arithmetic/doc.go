// Package arithmetic evaluates the expressions that people and language models write: "17.5% of 2,340",
// "$45.50 x 3", "2^10 - sqrt(16)", "(1 + 2) / 3 =".
//
// Numbers are decimal and exact where the result is: 0.1 + 0.2 is 0.3. Division, roots and the like are computed to 60
// significant digits and shown with 20, so that 1/3*3 is 1. [Evaluate] is the whole interface.
//
// # What is understood
//
//	numbers        12  12.5  .5  1e3  2,340  1,00,000  1 000 000  1'000  1_000  $45.50  3 million
//	operators      + - * / ^ ** // mod × ÷ · − x (between numbers) plus minus times "multiplied by" "divided by"
//	               over "to the power of"; "//" rounds the quotient down, mod has the sign of the divisor
//	after a value  ! % percent squared cubed ² ³ ° degrees
//	percentages    15% is 0.15; 80 + 15% and 80 - 15% take the percentage of the left side, as pocket calculators do,
//	               unless that is a percentage too; 15% of 80; 20% off 80. A % with a value right behind it is mod: 10 % 3
//	constants      pi π tau e
//	functions      sqrt cbrt abs round(x, places) floor ceil trunc min max sum avg ln log(x, base) log2 log10 exp pow mod
//	               sin cos tan asin acos atan (radians; sin(30°) for degrees) radians degrees factorial gcd lcm ncr npr
//
// From loosest to tightest: + and -; then * / // mod of off, and a value written before a parenthesis, a constant or a
// function (2pi, 3(4+5)), from left to right; signs; ^, from right to left (so -2^2 is -4); what stands after a value.
//
// A comma inside a number groups digits. Among the arguments of a function that takes several it separates them; where
// it could be either (max(1,200, 7)), that is an error.
package arithmetic
