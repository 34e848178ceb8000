package builtin

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/cockroachdb/apd/v3"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/internal/nearest"
)

type convertInput struct {
	Value json.Number `json:"value" jsonschema:"type=number"`
	From  string      `json:"from"`
	To    string      `json:"to"`
}

// ConvertUnits returns a tool that converts between units of length, mass, volume, area, speed, time, data, energy, power,
// pressure, force, angle, frequency, temperature and fuel consumption, by their names and symbols. Gallons, pints, cups and
// tons are American unless they are called imperial or metric; an ounce is one of mass unless it is called fluid; a year is
// the mean Gregorian one of 365.2425 days. Results have up to 10 significant digits.
func ConvertUnits() tools.Tool {
	return tools.Must(tools.New("convert_units", "Convert a value from one unit of measurement to another.",
		func(_ context.Context, in convertInput) (string, error) {
			return convert(in.Value.String(), in.From, in.To)
		}, tools.WithEffects(tools.Pure)))
}

// unit is a unit of measurement: value in the base unit = (value + shift)·factor/divisor, or factor / value if it is inverse.
type unit struct {
	dimension       string
	one, many       string
	factor, divisor apd.Decimal
	shift           apd.Decimal
	inverse         bool
}

//go:embed units.txt
var unitsText string

// units are the known units by their names: exact names first, and names without case for those who write freely.
var units = sync.OnceValues(func() (exact, folded map[string]*unit) {
	exact, folded = map[string]*unit{}, map[string]*unit{}
	add := func(u *unit, names ...string) {
		for _, name := range names {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			exact[name] = u
			if key := foldUnit(name); folded[key] == nil {
				folded[key] = u
			}
		}
	}
	for line := range strings.Lines(unitsText) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		if len(fields) != 5 || strings.HasPrefix(line, "#") {
			continue
		}
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		u := &unit{dimension: fields[0], one: fields[2], many: fields[3]}
		over, under, ok := strings.Cut(fields[1], "/")
		if !ok {
			under = "1"
		}
		u.factor, u.divisor = decimal(over), decimal(under)
		add(u, append([]string{u.one, u.many}, strings.Split(fields[4], ",")...)...)
	}
	temperature := func(one, factor, divisor, shift string, names ...string) {
		u := &unit{dimension: "temperature", one: one, many: one, factor: decimal(factor), divisor: decimal(divisor), shift: decimal(shift)}
		add(u, append(names, one)...)
	}
	temperature("°C", "1", "1", "273.15", "C", "celsius", "degrees celsius", "degree celsius", "degrees C", "deg C", "centigrade", "degrees centigrade")
	temperature("°F", "5", "9", "459.67", "F", "fahrenheit", "degrees fahrenheit", "degree fahrenheit", "degrees F", "deg F")
	temperature("K", "1", "1", "0", "kelvin", "kelvins", "degrees kelvin", "degree kelvin")
	temperature("°R", "5", "9", "0", "rankine", "degrees rankine")
	consumption := func(one, factor string, inverse bool, names ...string) {
		u := &unit{dimension: "fuel consumption", one: one, many: one, factor: decimal(factor), divisor: decimal("1"), inverse: inverse}
		add(u, append(names, one)...)
	}
	consumption("L/100km", "1", false, "l/100 km", "liters per 100 km", "litres per 100 km", "liters per 100 kilometers", "liter per 100 km")
	consumption("mpg", "235.214583333333333333333333333333", true, "miles per gallon", "us mpg")
	consumption("imperial mpg", "282.480936331822170370370370370370", true, "uk mpg", "miles per imperial gallon")
	consumption("km/L", "100", true, "kilometers per liter", "kilometres per litre", "kpl")
	return exact, folded
})

// foldUnit is a unit's name without case, full stops and a plural's ending space.
func foldUnit(name string) string {
	return strings.Join(strings.Fields(strings.ToLower(strings.ReplaceAll(name, ".", ""))), " ")
}

func decimal(text string) apd.Decimal {
	d, _, err := apd.NewFromString(text)
	if err != nil {
		panic(fmt.Sprintf("builtin: %q is no number", text)) // the texts are part of this package, and tested
	}
	return *d
}

func findUnit(name string) (*unit, error) {
	exact, folded := units()
	name = strings.TrimSpace(name)
	if u := exact[name]; u != nil {
		return u, nil
	}
	plain := foldUnit(name)
	for _, form := range []string{plain, strings.TrimSuffix(plain, "s"), plain + "s", strings.TrimPrefix(plain, "degrees ")} {
		if u := folded[form]; u != nil {
			return u, nil
		}
	}
	var names []string
	for key := range folded {
		names = append(names, key)
	}
	hint := "use a name such as miles, kg or fahrenheit"
	if near := nearest.Names(plain, names, 3); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, ", ") + "?"
	}
	return nil, fmt.Errorf("unknown unit %q; %s", name, hint)
}

// arithmetic of conversions: more digits than are shown.
var exactly = apd.BaseContext.WithPrecision(40)

const shownDigits = 10

func convert(text, fromName, toName string) (string, error) {
	value, _, err := apd.NewFromString(text)
	if err != nil || value.Form != apd.Finite {
		return "", fmt.Errorf("%q is no number", text)
	}
	if e := value.Exponent + int32(value.NumDigits()); e > 100 || e < -100 {
		return "", fmt.Errorf("%s is too large or too small to convert", text)
	}
	from, err := findUnit(fromName)
	if err != nil {
		return "", err
	}
	to, err := findUnit(toName)
	if err != nil {
		return "", err
	}
	if from.dimension != to.dimension {
		return "", fmt.Errorf("%s is a unit of %s and %s one of %s; they cannot be converted", from.many, from.dimension, to.many, to.dimension)
	}
	base, err := from.toBase(value)
	if err != nil {
		return "", err
	}
	result, err := to.fromBase(base)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s = %s", from.show(value), to.show(result)), nil
}

func (u *unit) toBase(v *apd.Decimal) (*apd.Decimal, error) {
	var out apd.Decimal
	if u.inverse {
		if v.Sign() <= 0 {
			return nil, fmt.Errorf("%s of %s is no fuel consumption; want more than 0", v, u.many)
		}
		_, err := exactly.Quo(&out, &u.factor, v)
		return &out, err
	}
	if _, err := exactly.Add(&out, v, &u.shift); err != nil {
		return nil, err
	}
	if u.dimension == "temperature" && out.Sign() < 0 {
		return nil, fmt.Errorf("%s is below absolute zero", u.show(v))
	}
	if _, err := exactly.Mul(&out, &out, &u.factor); err != nil {
		return nil, err
	}
	_, err := exactly.Quo(&out, &out, &u.divisor)
	return &out, err
}

func (u *unit) fromBase(v *apd.Decimal) (*apd.Decimal, error) {
	var out apd.Decimal
	if u.inverse {
		if v.Sign() <= 0 {
			return nil, fmt.Errorf("a fuel consumption of 0 has no value in %s", u.many)
		}
		_, err := exactly.Quo(&out, &u.factor, v)
		return &out, err
	}
	if _, err := exactly.Mul(&out, v, &u.divisor); err != nil {
		return nil, err
	}
	if _, err := exactly.Quo(&out, &out, &u.factor); err != nil {
		return nil, err
	}
	_, err := exactly.Sub(&out, &out, &u.shift)
	return &out, err
}

// show writes a value with the unit: rounded to 10 digits, without zeros at its end.
func (u *unit) show(v *apd.Decimal) string {
	var shown apd.Decimal
	_, _ = apd.BaseContext.WithPrecision(shownDigits).Round(&shown, v) // rounding sets conditions, not errors
	shown.Reduce(&shown)
	if shown.Sign() == 0 {
		shown.SetInt64(0)
	}
	name := u.many
	if shown.Cmp(apd.New(1, 0)) == 0 {
		name = u.one
	}
	text := shown.Text('f')
	if e := shown.Exponent + int32(shown.NumDigits()); e > 21 || e < -12 {
		text = shown.Text('e')
	}
	return text + " " + name
}
