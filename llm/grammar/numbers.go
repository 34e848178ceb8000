package grammar

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

const widestInteger = 999_999_999_999_999_999

// numeric reads a number within the schema's bounds. Integers have any bounds of up to 18 digits; other
// numbers only a lower bound of zero.
func (c *compiler) numeric(o *object, pointer string, integer bool, next uint32) (uint32, error) {
	least, most := int64(-widestInteger), int64(widestInteger)
	bounded := false
	for _, key := range []string{"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"} {
		v, ok := o.get(key)
		if !ok {
			continue
		}
		n, isNumber := v.(json.Number)
		f, err := strconv.ParseFloat(n.String(), 64)
		if !isNumber || err != nil || math.Abs(f) > 1e15 {
			return 0, c.refuse(pointer+"/"+key, "bound %v is not a number within 1e15", v)
		}
		if !integer && (key != "minimum" || f != 0) {
			return 0, c.refuse(pointer+"/"+key, "a bound of numbers with decimals other than minimum 0 is not enforced")
		}
		bounded = true
		switch key {
		case "minimum":
			least = max(least, int64(math.Ceil(f)))
		case "exclusiveMinimum":
			least = max(least, int64(math.Floor(f))+1)
		case "maximum":
			most = min(most, int64(math.Floor(f)))
		default:
			most = min(most, int64(math.Ceil(f))-1)
		}
	}
	switch {
	case !bounded:
		return c.number(!integer, next), nil
	case !integer:
		g := c.g
		end := g.either(g.bytes('.', '.', g.digits(1, 12, next)), next)
		return g.either(g.bytes('0', '0', end), g.bytes('1', '9', g.digits(0, 18, end))), nil
	}
	return c.g.integers(least, most, next), nil
}

// integers reads a whole number of [least, most] without leading zeros.
func (g *Grammar) integers(least, most int64, next uint32) uint32 {
	var out []uint32
	if least < 0 && least <= most {
		out = append(out, g.bytes('-', '-', g.integers(max(1, -most), -least, next)))
	}
	if least = max(least, 0); least <= most {
		low, high := strconv.FormatInt(least, 10), strconv.FormatInt(most, 10)
		for n := len(low); n <= len(high); n++ {
			from, to := low, high
			if n > len(low) {
				from = "1" + strings.Repeat("0", n-1)
			}
			if n < len(high) {
				to = strings.Repeat("9", n)
			}
			out = append(out, g.sameLength(from, to, next))
		}
	}
	return g.either(out...)
}

func (g *Grammar) sameLength(low, high string, next uint32) uint32 {
	if low == "" {
		return next
	}
	n := len(low) - 1
	if strings.Trim(low, "0") == "" && strings.Trim(high, "9") == "" {
		return g.digits(n+1, n+1, next)
	}
	if low[0] == high[0] {
		return g.bytes(low[0], low[0], g.sameLength(low[1:], high[1:], next))
	}
	out := []uint32{
		g.bytes(low[0], low[0], g.sameLength(low[1:], strings.Repeat("9", n), next)),
		g.bytes(high[0], high[0], g.sameLength(strings.Repeat("0", n), high[1:], next)),
	}
	if high[0]-low[0] > 1 {
		out = append(out, g.bytes(low[0]+1, high[0]-1, g.digits(n, n, next)))
	}
	return g.either(out...)
}
