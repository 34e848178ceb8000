package builtin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/builtin"
)

func open(t testing.TB, folder string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func call(t testing.TB, tool tools.Tool, arguments string) (string, error) {
	t.Helper()
	registry, err := tools.NewRegistry(tool)
	if err != nil {
		t.Fatal(err)
	}
	result, err := registry.Call(context.Background(), tool.Definition().Name, json.RawMessage(arguments))
	return result.Content, err
}

func Example() {
	result, err := builtin.Calculator().Call(context.Background(), json.RawMessage(`{"expression": "17.5% of 2,340"}`))
	fmt.Println(result.Content, err)
	// Output: 409.5 <nil>
}

// The embedded model is trained on exactly these names, descriptions and parameters.
func TestDefinitions(t *testing.T) {
	var got []string
	for _, tool := range builtin.All(open(t, t.TempDir())) {
		d := tool.Definition()
		var schema struct {
			Properties map[string]struct{ Type string }
			Required   []string
		}
		if err := json.Unmarshal(d.Parameters, &schema); err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, name := range []string{"expression", "place", "value", "from", "to", "folder", "path"} {
			if p, ok := schema.Properties[name]; ok {
				types = append(types, name+":"+p.Type)
			}
		}
		got = append(got, fmt.Sprintf("%s(%s) %v %s | %s", d.Name, strings.Join(types, ","), schema.Required, d.Description, tools.EffectsOf(tool)))
	}
	want := []string{
		"calculator(expression:string) [expression] Evaluate an arithmetic expression: + - * / ^, percentages, parentheses, sqrt and other functions. | pure",
		"now(place:string) [] Tell the current date and time, in a city or time zone if one is given. | pure",
		"convert_units(value:number,from:string,to:string) [value from to] Convert a value from one unit of measurement to another. | pure",
		"list_files(folder:string) [] List the files in a folder. | reads",
		"read_file(path:string) [path] Read a text file. | reads",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestNow(t *testing.T) {
	clock := func() time.Time { return time.Date(2026, 11, 24, 5, 5, 0, 0, time.UTC) }
	for place, want := range map[string]string{
		"Tokyo":                          "Tuesday, 24 November 2026, 14:05 in Tokyo (JST, UTC+9)",
		"tokyo":                          "14:05 in Tokyo",
		"Japan":                          "14:05 in Japan",
		"the UK":                         "05:05 in UK (GMT, UTC+0)",
		"new york city":                  "Tuesday, 24 November 2026, 00:05 in New York City (EST, UTC-5)",
		"NYC":                            "00:05 in NYC",
		"São Paulo":                      "02:05 in Sao Paulo (UTC-3)",
		"Sao Paulo":                      "02:05 in Sao Paulo",
		"Mumbai":                         "10:35 in Mumbai (IST, UTC+5:30)",
		"Kathmandu":                      "10:50 in Kathmandu (UTC+5:45)",
		"Newfoundland":                   "01:35 in Newfoundland (NST, UTC-3:30)",
		"Europe/Paris":                   "06:05 in Europe/Paris (CET, UTC+1)",
		"Paris, France":                  "06:05 in Paris",
		"PST":                            "Monday, 23 November 2026, 21:05 in PST",
		"Pacific time":                   "21:05 in Pacific",
		"UTC":                            "05:05 in UTC (UTC+0)",
		"UTC+2":                          "07:05 in UTC+2 (UTC+2)",
		"gmt-5:30":                       "23:35 in GMT-5:30 (UTC-5:30)",
		"Los Angeles":                    "21:05 in Los Angeles (PST, UTC-8)",
		"in Berlin":                      "06:05 in Berlin",
		"America/Argentina/Buenos_Aires": "02:05 in America/Argentina/Buenos_Aires",
	} {
		got, err := call(t, builtin.Now(clock), fmt.Sprintf(`{"place": %q}`, place))
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %q, %v; want %q", place, got, err, want)
		}
	}
	if got, err := call(t, builtin.Now(clock), `{}`); err != nil || got != "Tuesday, 24 November 2026, 05:05 (UTC+0)" {
		t.Errorf("here: %q, %v", got, err)
	}
	for place, want := range map[string]string{
		"Tokio": "did you mean Tokyo", "Atlantis Prime": "no place or time zone named Atlantis Prime", "UTC+99": "offsets go from",
		"../../etc/passwd": "no place", "/etc/localtime": "no place",
	} {
		if got, err := call(t, builtin.Now(clock), fmt.Sprintf(`{"place": %q}`, place)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want an error with %q", place, got, err, want)
		}
	}
}

// Every zone in the list exists, and every name is found.
func TestPlaces(t *testing.T) {
	text, err := os.ReadFile("places.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		zone, names, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := time.LoadLocation(zone); err != nil {
			t.Errorf("%v", err)
		}
		for name := range strings.SplitSeq(names, ", ") {
			n++
			if _, err := call(t, builtin.Now(nil), fmt.Sprintf(`{"place": %q}`, name)); err != nil {
				t.Errorf("%v", err)
			}
		}
	}
	if n < 300 {
		t.Errorf("%d names; there are several hundred", n)
	}
}

func TestConvertUnits(t *testing.T) {
	for _, c := range []struct{ value, from, to, want string }{
		{"5", "miles", "km", "5 miles = 8.04672 km"},
		{"1", "mile", "feet", "1 mile = 5280 feet"},
		{"1", "km", "miles", "1 km = 0.6213711922 miles"},
		{"72", "inches", "cm", "72 inches = 182.88 cm"},
		{"100", "°F", "°C", "100 °F = 37.77777778 °C"},
		{"-40", "celsius", "fahrenheit", "-40 °C = -40 °F"},
		{"37", "degrees Celsius", "F", "37 °C = 98.6 °F"},
		{"0", "K", "celsius", "0 K = -273.15 °C"},
		{"32", "F", "C", "32 °F = 0 °C"},
		{"180", "lbs", "kg", "180 pounds = 81.6466266 kg"},
		{"2.5", "cups", "ml", "2.5 cups = 591.4705913 ml"},
		{"1", "imperial gallon", "liters", "1 imperial gallon = 4.54609 liters"},
		{"100", "km/h", "mph", "100 km/h = 62.13711922 mph"},
		{"36", "km/h", "m/s", "36 km/h = 10 m/s"},
		{"10", "knots", "km/h", "10 knots = 18.52 km/h"},
		{"1", "GB", "MiB", "1 GB = 953.6743164 MiB"},
		{"1", "TB", "GB", "1 TB = 1000 GB"},
		{"90", "minutes", "hours", "90 minutes = 1.5 hours"},
		{"30", "mpg", "L/100km", "30 mpg = 7.840486111 L/100km"},
		{"5", "l/100 km", "mpg", "5 L/100km = 47.04291667 mpg"},
		{"1", "atm", "psi", "1 atm = 14.69594878 psi"},
		{"180", "degrees", "radians", "180 degrees = 3.141592654 radians"},
		{"1", "light year", "km", "1 light year = 9460730473000 km"},
		{"2", "square feet", "m2", "2 square feet = 0.18580608 square meters"},
		{"6", "ft", "m", "6 feet = 1.8288 meters"},
		{"0.1", "kg", "g", "0.1 kg = 100 grams"},
		{"1", "ns", "years", "1 ns = 3.168873851e-17 years"},
	} {
		got, err := call(t, builtin.ConvertUnits(), fmt.Sprintf(`{"value": %s, "from": %q, "to": %q}`, c.value, c.from, c.to))
		if err != nil || got != c.want {
			t.Errorf("%s %s in %s: %q, %v; want %q", c.value, c.from, c.to, got, err, c.want)
		}
	}
	for _, c := range []struct{ value, from, to, want string }{
		{"1", "km", "kg", "km is a unit of length and kg one of mass"},
		{"1", "mils", "km", "did you mean"},
		{"1", "flurbs", "km", `unknown unit "flurbs"`},
		{"-300", "celsius", "K", "below absolute zero"},
		{"0", "mpg", "L/100km", "want more than 0"},
		{"1e300", "km", "miles", "too large"},
	} {
		got, err := call(t, builtin.ConvertUnits(), fmt.Sprintf(`{"value": %s, "from": %q, "to": %q}`, c.value, c.from, c.to))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s in %s: %q, %v; want an error with %q", c.value, c.from, c.to, got, err, c.want)
		}
	}
}

// Every unit in the list, by every name, converts to itself.
func TestUnits(t *testing.T) {
	text, err := os.ReadFile("units.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		if len(fields) != 5 || strings.HasPrefix(line, "#") {
			continue
		}
		one := strings.TrimSpace(fields[2])
		for name := range strings.SplitSeq(fields[3]+","+fields[4], ",") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			n++
			quoted, _ := json.Marshal(name)
			got, err := call(t, builtin.ConvertUnits(), fmt.Sprintf(`{"value": 1, "from": %s, "to": %s}`, quoted, quoted))
			if want := fmt.Sprintf("1 %s = 1 %s", one, one); err != nil || got != want {
				t.Errorf("%s: %q, %v; want %q", name, got, err, want)
			}
		}
	}
	if n < 300 {
		t.Errorf("%d names; there are several hundred", n)
	}
}

func write(t *testing.T, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	outer := t.TempDir()
	folder := filepath.Join(outer, "inner")
	write(t, outer, "secret.txt", "secret")
	write(t, folder, "notes.txt", "one\r\ntwo\n")
	write(t, folder, "sub/deep.md", "deep")
	write(t, folder, ".hidden", "x")
	write(t, folder, "image.png", "\x89PNG\x00\x00")
	write(t, folder, "latin1.txt", "caf\xe9")
	write(t, folder, "bom.txt", "\xef\xbb\xbfhello")
	write(t, folder, "empty.txt", "")
	write(t, folder, "big.txt", strings.Repeat("ä", 600_000))
	for link, target := range map[string]string{"out.txt": "../secret.txt", "outdir": "..", "ok.txt": "notes.txt", "abs.txt": filepath.Join(outer, "secret.txt")} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	root := open(t, folder)
	read, list := builtin.ReadFile(root), builtin.ListFiles(root)
	for path, want := range map[string]string{
		"notes.txt": "one\r\ntwo\n", "./notes.txt": "one\r\ntwo\n", " notes.txt ": "one\r\ntwo\n", "sub/../notes.txt": "one\r\ntwo\n",
		`sub\\deep.md`: "deep", "sub/deep.md": "deep", "ok.txt": "one\r\ntwo\n", "bom.txt": "hello", "empty.txt": "(the file is empty)",
	} {
		if got, err := call(t, read, fmt.Sprintf(`{"path": "%s"}`, path)); err != nil || got != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	big, err := call(t, read, `{"path": "big.txt"}`)
	if err != nil || !strings.HasSuffix(big, "(cut: these are the first 1048576 of 1200000 bytes)") {
		t.Errorf("big.txt: %d bytes, %v", len(big), err)
	}
	for path, want := range map[string]string{
		"../secret.txt": "outside of the folder", "/etc/passwd": "outside of the folder", "~/x": "outside of the folder",
		"sub/../../secret.txt": "outside of the folder", "out.txt": "escapes", "outdir/secret.txt": "escapes", "abs.txt": "escapes",
		"": "the path is empty", "sub": "list it with list_files", "note.txt": "there is notes.txt",
		"image.png": "not a text file", "latin1.txt": "not a text file", "missing/x.txt": "no file named missing/x.txt",
	} {
		got, err := call(t, read, fmt.Sprintf(`{"path": %q}`, path))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want an error with %q", path, got, err, want)
		}
		if err != nil && strings.Contains(err.Error(), outer) {
			t.Errorf("%s: the error tells where the folder is: %v", path, err)
		}
		var failed *tools.CallError
		if err != nil && !errors.As(err, &failed) {
			t.Errorf("%s: error is a %T", path, err)
		}
	}
	if got, err := call(t, list, `{}`); err != nil || !strings.Contains(got, "notes.txt\n") || !strings.Contains(got, "sub/") || strings.Contains(got, "hidden") {
		t.Errorf("list: %q, %v", got, err)
	}
	if got, err := call(t, list, `{"folder": "sub"}`); err != nil || got != "deep.md" {
		t.Errorf("list sub: %q, %v", got, err)
	}
	for folder, want := range map[string]string{"..": "outside", "outdir": "escapes", "notes.txt": "is a file", "nope": "no folder named nope"} {
		if got, err := call(t, list, fmt.Sprintf(`{"folder": %q}`, folder)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("list %s: %q, %v; want an error with %q", folder, got, err, want)
		}
	}
}
