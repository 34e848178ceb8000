package builtin

import (
	"context"
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the zones are part of the program: not every machine has them
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/internal/nearest"
)

type nowInput struct {
	Place *string `json:"place,omitempty"`
}

// Now returns a tool that tells date and time, here or in a city, country or time zone: by name ("Tokyo", "the UK", "New York
// City"), IANA name ("Europe/Paris"), abbreviation ("PST") or offset ("UTC+2"). A country with several zones has that of its
// capital. clock is what tells the time; nil is the system's.
func Now(clock func() time.Time) tools.Tool {
	if clock == nil {
		clock = time.Now
	}
	return tools.Must(tools.New("now", "Tell the current date and time, in a city or time zone if one is given.",
		func(_ context.Context, in nowInput) (string, error) {
			place := ""
			if in.Place != nil {
				place = strings.TrimSpace(*in.Place)
			}
			if place == "" {
				return describe(clock(), ""), nil
			}
			zone, name, err := findZone(place)
			if err != nil {
				return "", err
			}
			return describe(clock().In(zone), name), nil
		}, tools.WithEffects(tools.Pure), tools.WithRepeatable(true)))
}

// describe tells a time with its zone: "Tuesday, 24 November 2026, 14:05 in Tokyo (JST, UTC+9)".
func describe(t time.Time, place string) string {
	abbreviation, seconds := t.Zone()
	offset := fmt.Sprintf("UTC%+d", seconds/3600)
	if minutes := seconds / 60 % 60; minutes != 0 {
		offset += fmt.Sprintf(":%02d", max(minutes, -minutes))
	}
	zone := offset
	if abbreviation != "" && !strings.ContainsAny(abbreviation, "+-0123456789") && abbreviation != "UTC" {
		zone = abbreviation + ", " + offset
	}
	in := ""
	if place != "" {
		in = " in " + place
	}
	return t.Format("Monday, 2 January 2006, 15:04") + in + " (" + zone + ")"
}

//go:embed places.txt
var placesText string

// place is a name with its zone.
type place struct{ name, zone string }

// places are the known names by their plain form.
var places = sync.OnceValue(func() map[string]place {
	known := map[string]place{}
	for line := range strings.Lines(placesText) {
		zone, names, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for name := range strings.SplitSeq(names, ", ") {
			known[plainName(name)] = place{name, zone}
		}
	}
	return known
})

// plainName is a name without case, accents, punctuation and articles: "São Paulo" and "the sao paulo" are one.
func plainName(name string) string {
	var out strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '+':
			out.WriteRune(r)
		case unicode.IsSpace(r) || r == '-' || r == '_' || r == '/' || r == ',':
			out.WriteByte(' ')
		}
	}
	words := strings.Fields(out.String())
	for len(words) > 1 && (words[0] == "the" || words[0] == "in") {
		words = words[1:]
	}
	for len(words) > 1 && (words[len(words)-1] == "time" || words[len(words)-1] == "timezone" || words[len(words)-1] == "city" && len(words) > 2) {
		words = words[:len(words)-1]
	}
	return strings.Join(words, " ")
}

// offsetPattern is a distance from UTC: UTC+2, GMT-5:30, +09:00.
var offsetPattern = regexp.MustCompile(`^(?i:utc|gmt)?\s*([+-])(\d{1,2})(?::?(\d{2}))?$`)

// findZone finds the zone of a place, and the name to show for it.
func findZone(name string) (*time.Location, string, error) {
	if m := offsetPattern.FindStringSubmatch(name); m != nil {
		hours, _ := strconv.Atoi(m[2])
		minutes, _ := strconv.Atoi(m[3])
		if hours > 14 || minutes > 59 {
			return nil, "", fmt.Errorf("%s is no time zone: offsets go from UTC-12 to UTC+14", name)
		}
		seconds := 3600*hours + 60*minutes
		if m[1] == "-" {
			seconds = -seconds
		}
		return time.FixedZone("", seconds), strings.ToUpper(name), nil
	}
	known := places()
	plain := plainName(name)
	candidates := []string{plain}
	if first, _, ok := strings.Cut(name, ","); ok { // "Paris, France"
		candidates = append(candidates, plainName(first))
	}
	for _, c := range candidates {
		for _, form := range []string{c, strings.TrimSuffix(c, " city"), c + " time"} {
			if p, ok := known[form]; ok {
				zone, err := time.LoadLocation(p.zone)
				if err != nil {
					return nil, "", fmt.Errorf("time zone %s: %w", p.zone, err)
				}
				return zone, p.name, nil
			}
		}
	}
	if strings.Contains(name, "/") && !strings.Contains(name, "..") {
		if zone, err := time.LoadLocation(strings.ReplaceAll(name, " ", "_")); err == nil {
			return zone, name, nil
		}
	}
	var names []string
	for _, p := range known {
		names = append(names, p.name)
	}
	hint := "use a large city, a country or a time zone such as Europe/Paris"
	if near := nearest.Names(name, names, 3); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, ", ") + "?"
	}
	return nil, "", fmt.Errorf("no place or time zone named %s; %s", name, hint)
}
