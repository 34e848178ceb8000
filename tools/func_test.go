package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/drover-ai/drover/tools"
)

// echo is a tool that tells what arguments arrived.
func echo[In any](t *testing.T, options ...tools.Option) tools.Tool {
	t.Helper()
	tool, err := tools.New("echo", "Echo.", func(_ context.Context, in In) (string, error) {
		return fmt.Sprintf("%+v", in), nil
	}, options...)
	if err != nil {
		t.Fatal(err)
	}
	return tool
}

type trip struct {
	From  string   `json:"from"`
	Seats int      `json:"seats,omitempty" jsonschema:"minimum=1,maximum=9"`
	Class string   `json:"class,omitempty" jsonschema:"enum=first,enum=second"`
	Price *float64 `json:"price"`
	Stops []stop   `json:"stops,omitempty"`
	Small int8     `json:"small,omitempty"`
}

type stop struct {
	City string `json:"city"`
	A_B  int    `json:"a/b~,omitempty"`
}

func TestArguments(t *testing.T) {
	tool := echo[trip](t)
	for _, test := range []struct{ arguments, want string }{
		{`{"from":"Bonn"}`, "{From:Bonn Seats:0 Class: Price:<nil> Stops:[] Small:0}"},
		{` { "from" : "B\u00f6hn" , "seats" : 2 } `, "{From:Böhn Seats:2 Class: Price:<nil> Stops:[] Small:0}"},
		{`{"from":"Bonn","seats":3.0,"stops":[{"city":"Köln","a/b~":1e2}]}`, "{From:Bonn Seats:3 Class: Price:<nil> Stops:[{City:Köln A_B:100}] Small:0}"},
		{`{"from":"Bonn","price":null,"seats":null,"class":null,"stops":null}`, "{From:Bonn Seats:0 Class: Price:<nil> Stops:[] Small:0}"},
		{`{"from":"Bonn","small":-0.0}`, "{From:Bonn Seats:0 Class: Price:<nil> Stops:[] Small:0}"},
		{`{"from":"Bonn","small":-1.20e2}`, "{From:Bonn Seats:0 Class: Price:<nil> Stops:[] Small:-120}"},
	} {
		result, err := tool.Call(t.Context(), json.RawMessage(test.arguments))
		if err != nil || result.Content != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.arguments, result.Content, err, test.want)
		}
	}
}

func TestInvalidArguments(t *testing.T) {
	tool := echo[trip](t)
	for _, test := range []struct{ arguments, want string }{
		{``, `/from: missing`},
		{`null`, `/from: missing`},
		{`{}`, `/from: missing`},
		{`[]`, `got an array, want an object like {"name": value}`},
		{`"Bonn"`, `got a string, want an object like {"name": value}`},
		{`{"from":"Bonn"`, `not valid JSON: unexpected end of JSON input, at byte 14 of 14`},
		{`{"from":"Bonn",}`, `not valid JSON: invalid character '}' looking for beginning of object key string, at byte 16 of 16`},
		{`{"from":"Bonn"} {}`, `not valid JSON: invalid character '{' after top-level value, at byte 17 of 18`},
		{`{"from":"Bonn","from":"Rom"}`, `"from" is given twice`},
		{`{"from":"Bonn","stops":[{"city":"a"},{"city":"b","city":"c"}]}`, `/stops/1: "city" is given twice`},
		{`{"from":7}`, `/from: got the number 7, want a string`},
		{`{"from":null}`, `/from: got null, want a string`},
		{`{"from":["Bonn"]}`, `/from: got an array, want a string`},
		{`{"From":"Bonn"}`, `/From: unknown argument, known: class, from, price, seats, small, stops; /from: missing`},
		{`{"from":"Bonn","seats":"2"}`, `/seats: got the string "2", want an integer`},
		{`{"from":"Bonn","seats":2.5}`, `/seats: got the number 2.5, want an integer`},
		{`{"from":"Bonn","seats":10}`, `/seats: maximum: got 10, want 9`},
		{`{"from":"Bonn","class":"third"}`, `/class: got the string "third", value must be one of 'first', 'second'`},
		{`{"from":"Bonn","stops":[{"city":"Rom"},{"town":"Rom"}]}`, `/stops/1/city: missing; /stops/1/town: unknown argument, known: a/b~, city`},
		{`{"from":"Bonn","stops":[{"city":"Rom","a/b~":true}]}`, `/stops/0/a~1b~0: got the boolean true, want an integer`},
		{`{"from":"Bonn","small":300}`, `/small: got number 300, which does not fit into int8`},
		{`{"from":"Bonn","price":1e500}`, `/price: number 1e500: want a power of ten between -400 and 400`},
		{`{"from":"Bonn","price":1e99999999999999999999}`, `/price: number 1e99999999999999999999: want a power of ten between -400 and 400`},
		{`{"from":"Bonn","price":1` + strings.Repeat("0", 500) + `}`, `/price: a number of 501 characters, want at most 400`},
		{`{"from":"Bonn","price":1e399}`, `/price: got number 1e399, which does not fit into float64`},
		{`{"from":"` + strings.Repeat("x", 50) + `","seats":"` + strings.Repeat("y", 50) + `"}`, `/seats: got a string, want an integer`},
		{`{"from":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, `/from/0/0/0: objects and arrays nested more than 64 deep`},
	} {
		result, err := tool.Call(t.Context(), json.RawMessage(test.arguments))
		var invalid *tools.CallError
		if !errors.As(err, &invalid) || invalid.Kind != tools.InvalidArguments {
			t.Errorf("%s: got %+v, %v, want invalid arguments", test.arguments, result, err)
			continue
		}
		if want := "echo: invalid arguments: " + test.want; err.Error() != want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.arguments, err, want)
		}
		var list *tools.ArgumentsError
		if !errors.As(err, &list) || len(list.Problems) == 0 {
			t.Errorf("%s: no list of problems in %#v", test.arguments, invalid.Err)
		}
	}
}

func TestInvalidArgumentsOfMany(t *testing.T) {
	var arguments strings.Builder
	arguments.WriteString(`{"from":"Bonn"`)
	for i := range 20 {
		fmt.Fprintf(&arguments, `,"u%02d":0`, i)
	}
	arguments.WriteString("}")
	_, err := echo[trip](t).Call(t.Context(), json.RawMessage(arguments.String()))
	if err == nil || !strings.HasSuffix(err.Error(), "; and 14 more") || !strings.Contains(err.Error(), "/u05") || strings.Contains(err.Error(), "/u06") {
		t.Errorf("got %v, want the first six problems and a count", err)
	}
}

// Other argument types: formats are checked, exact numbers stay exact, fields without a place in the schema stay unset.
func TestArgumentTypes(t *testing.T) {
	type in struct {
		At     *time.Time      `json:"at"`
		Exact  json.Number     `json:"exact,omitempty"`
		Raw    json.RawMessage `json:"raw,omitempty"`
		Data   []byte          `json:"data,omitempty"`
		Null   *int            `json:"null" jsonschema:"nullable"`
		Hidden string          `json:"hidden" jsonschema:"-"`
		Names  map[string]int  `json:"names,omitempty"`
	}
	tool := tools.Must(tools.New("t", "T.", func(_ context.Context, in in) (string, error) {
		at := ""
		if in.At != nil {
			at = in.At.Format(time.RFC3339)
		}
		return fmt.Sprint(at, "|", in.Exact, "|", string(in.Raw), "|", string(in.Data), "|", in.Null == nil, "|", in.Hidden, "|", in.Names), nil
	}))
	for _, test := range []struct{ arguments, want string }{
		{`{"at":"2026-11-24T14:05:00+01:00","exact":0.10}`, `2026-11-24T14:05:00+01:00|0.10|||true||map[]`},
		{`{"exact":12345678901234567890.123456789}`, `|12345678901234567890.123456789|||true||map[]`},
		{`{"raw":{"b":1,"a":[ 2 ]}}`, `||{"b":1,"a":[ 2 ]}||true||map[]`},
		{`{"data":"aGV5","null":null,"names":{"x":1,"y":2.0}}`, `|||hey|true||map[x:1 y:2]`},
		{`{"null":4}`, `||||false||map[]`},
	} {
		result, err := tool.Call(t.Context(), json.RawMessage(test.arguments))
		if err != nil || result.Content != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.arguments, result.Content, err, test.want)
		}
	}
	for _, test := range []struct{ arguments, want string }{
		{`{"at":"tomorrow"}`, "/at: 'tomorrow' is not valid date-time"},
		{`{"hidden":"x"}`, "/hidden: unknown argument"},
		{`{"null":"x"}`, `/null: got the string "x", want an integer or null`},
		{`{"names":{"x":"1"}}`, `/names/x: got the string "1", want an integer`},
		{`{"data":"%%%"}`, `illegal base64`},
	} {
		if _, err := tool.Call(t.Context(), json.RawMessage(test.arguments)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q in it", test.arguments, err, test.want)
		}
	}
}

func TestNewErrors(t *testing.T) {
	ok := func(context.Context, struct{}) (string, error) { return "", nil }
	for _, test := range []struct {
		name, description string
		fn                func(context.Context, struct{}) (string, error)
		want              string
	}{
		{"", "D.", ok, `tool name ""`},
		{"two words", "D.", ok, `tool name "two words"`},
		{"ümlaut", "D.", ok, `tool name "ümlaut"`},
		{strings.Repeat("x", 65), "D.", ok, `1 to 64 of the characters`},
		{"t", " ", ok, "tool t: no description"},
		{"t", "D.", nil, "tool t: no function"},
	} {
		if _, err := tools.New(test.name, test.description, test.fn); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("New(%q, %q): got %v, want %q in it", test.name, test.description, err, test.want)
		}
	}
	defer func() {
		if value := recover(); value == nil || !strings.Contains(fmt.Sprint(value), "tool name") {
			t.Errorf("Must: got panic %v, want the error", value)
		}
	}()
	tools.Must(tools.New("", "D.", ok))
}

type celsius float64

func (c celsius) String() string { return fmt.Sprintf("%.1f °C", float64(c)) }

type pointerText struct{ name string }

func (p *pointerText) MarshalText() ([]byte, error) { return []byte("text of " + p.name), nil }

func resultOf[Out any](t *testing.T, value Out) (tools.Result, error) {
	t.Helper()
	tool, err := tools.New("t", "T.", func(context.Context, struct{}) (Out, error) { return value, nil })
	if err != nil {
		t.Fatal(err)
	}
	return tool.Call(t.Context(), nil)
}

func TestResults(t *testing.T) {
	check := func(result tools.Result, err error) func(want string) {
		return func(want string) {
			t.Helper()
			if err != nil || result.Content != want {
				t.Errorf("got %q, %v, want %q", result.Content, err, want)
			}
		}
	}
	check(resultOf(t, "a <b> & \"c\"\n"))("a <b> & \"c\"\n")
	check(resultOf(t, []byte("bytes")))("bytes")
	check(resultOf(t, json.RawMessage(`{"a": 1}`)))(`{"a": 1}`)
	check(resultOf(t, tools.Result{Content: "as it is"}))("as it is")
	check(resultOf(t, errors.New("an error as a value")))("an error as a value")
	check(resultOf(t, struct{}{}))("done")
	check(resultOf(t, celsius(21.5)))("21.5 °C")
	check(resultOf(t, pointerText{"x"}))("text of x")
	check(resultOf(t, time.Date(2026, 11, 24, 14, 5, 0, 0, time.UTC)))("2026-11-24T14:05:00Z")
	check(resultOf(t, big.NewInt(1<<40)))("1099511627776")
	check(resultOf(t, map[string]any{"tag": "<b> & c", "n": 1.5}))(`{"n":1.5,"tag":"<b> & c"}`)
	check(resultOf(t, stop{City: "Köln"}))(`{"city":"Köln"}`)
	check(resultOf(t, []string(nil)))(`[]`)
	check(resultOf(t, map[string]int(nil)))(`{}`)
	check(resultOf(t, (*stop)(nil)))(`null`)
	check(resultOf[any](t, nil))(`null`)
	check(resultOf[error](t, nil))(`null`)
	check(resultOf[any](t, "text in an interface"))("text in an interface")
	check(resultOf(t, 42))("42")
	check(resultOf(t, color("red")))("red")
	check(resultOf(t, "a\xffb\xc3"))("a\uFFFDb\uFFFD")

	if _, err := resultOf(t, math.NaN()); err == nil || !strings.Contains(err.Error(), "t: result of type float64") {
		t.Errorf("NaN: got %v, want an error with the tool and the type", err)
	}
	if _, err := resultOf(t, func() {}); err == nil || !strings.Contains(err.Error(), "result of type func()") {
		t.Errorf("func: got %v, want an error with the type", err)
	}
}

func TestMaxResult(t *testing.T) {
	long := func(text string, options ...tools.Option) tools.Result {
		t.Helper()
		tool := tools.Must(tools.New("t", "T.", func(context.Context, struct{}) (string, error) { return text, nil }, options...))
		result, err := tool.Call(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	if got, want := long("ääää", tools.WithMaxResult(5)), (tools.Result{Content: "ää\n[cut: the first 4 of 8 bytes]", Cut: 4}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := long("12345", tools.WithMaxResult(5)); got.Cut != 0 || got.Content != "12345" {
		t.Errorf("got %+v, want all of it", got)
	}
	if got := long("\x80\x80\x80\x80\x80\x80\x80", tools.WithMaxResult(5)); got.Cut != 6 || !strings.HasPrefix(got.Content, "\uFFFD\n[cut") {
		t.Errorf("got %+v, want a cut that does not hunt for the start of a character for ever", got)
	}
	huge := strings.Repeat("x", 100<<20)
	if got := long(huge); got.Cut != 99<<20 || len(got.Content) > 1<<20+100 {
		t.Errorf("100 MB: got %d bytes, %d cut, want 1 MiB shown", len(got.Content), got.Cut)
	}
	if got := long(huge, tools.WithMaxResult(0)); got.Cut != 0 || len(got.Content) != len(huge) {
		t.Errorf("no limit: got %d bytes, %d cut", len(got.Content), got.Cut)
	}
}

func TestEffects(t *testing.T) {
	undeclared := echo[struct{}](t)
	pure := echo[struct{}](t, tools.WithEffects(tools.Pure))
	writes := echo[struct{}](t, tools.WithEffects(tools.Writes|tools.Network))
	repeatable := echo[struct{}](t, tools.WithEffects(tools.Writes), tools.WithRepeatable(true))
	byHand := handmade{}
	for _, test := range []struct {
		tool       tools.Tool
		effects    string
		repeatable bool
	}{
		{undeclared, "reads, writes, network", false},
		{pure, "pure", true},
		{writes, "writes, network", false},
		{repeatable, "writes", true},
		{byHand, "reads, writes, network", false},
		{wrapper{pure}, "pure", true},
		{wrapper{wrapper{repeatable}}, "writes", true},
		{nil, "reads, writes, network", false},
	} {
		if got := tools.EffectsOf(test.tool).String(); got != test.effects {
			t.Errorf("%#v: got effects %q, want %q", test.tool, got, test.effects)
		}
		if got := tools.IsRepeatable(test.tool); got != test.repeatable {
			t.Errorf("%#v: got repeatable %v, want %v", test.tool, got, test.repeatable)
		}
	}
	if timed, ok := tools.As[interface{ Timeout() time.Duration }](wrapper{echo[struct{}](t, tools.WithTimeout(time.Second))}); !ok || timed.Timeout() != time.Second {
		t.Error("the timeout is not found through a wrapper")
	}
	if !tools.Anything.Has(tools.Reads|tools.Network) || tools.Reads.Has(tools.Reads|tools.Network) {
		t.Error("Has wants all of the effects")
	}
}
