package tools_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/drover-ai/drover/tools"
	"github.com/invopop/jsonschema"
)

type address struct {
	Street string  `json:"street"`
	Floor  *int    `json:"floor"`
	Note   *string `json:"note,omitempty"`
}

type paging struct {
	Limit int `json:"limit,omitempty" jsonschema:"minimum=1"`
}

type color string

// JSONSchema implements the interface of the schema maker.
func (color) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Enum: []any{"red", "green"}}
}

type everything struct {
	paging
	Text     string             `json:"text" jsonschema:"description=Free text\\, as it is,minLength=1"`
	Count    int                `json:"count"`
	Size     uint8              `json:"size"`
	Ratio    float64            `json:"ratio" jsonschema:"minimum=0,maximum=1"`
	Exact    json.Number        `json:"exact"`
	On       bool               `json:"on"`
	Unit     string             `json:"unit" jsonschema:"enum=kg,enum=lb"`
	Level    int                `json:"level" jsonschema:"enum=1,enum=2"`
	Tags     []string           `json:"tags" jsonschema:"minItems=1"`
	Pair     [2]int             `json:"pair"`
	Home     address            `json:"home"`
	Others   []address          `json:"others,omitempty"`
	Work     *address           `json:"work"`
	ByName   map[string]address `json:"by_name,omitempty"`
	At       time.Time          `json:"at"`
	Host     netip.Addr         `json:"host"`
	Color    color              `json:"color"`
	Data     []byte             `json:"data"`
	Any      any                `json:"any,omitzero"`
	Raw      json.RawMessage    `json:"raw,omitempty"`
	Maybe    *string            `json:"maybe" jsonschema:"required"`
	Null     *int               `json:"null" jsonschema:"nullable"`
	Untagged bool
	Hidden   string `json:"hidden" jsonschema:"-"`
	Skipped  string `json:"-"`
	private  int    //nolint:unused // fields that are not exported are no arguments
}

func TestSchemaOf(t *testing.T) {
	got, err := tools.SchemaOf(reflect.TypeFor[everything]())
	if err != nil {
		t.Fatal(err)
	}
	addressSchema := `{"properties":{"street":{"type":"string"},"floor":{"type":"integer"},"note":{"type":"string"}},"type":"object","required":["street"]}`
	want := `{"properties":{` +
		`"limit":{"type":"integer","minimum":1},` +
		`"text":{"type":"string","minLength":1,"description":"Free text, as it is"},` +
		`"count":{"type":"integer"},` +
		`"size":{"type":"integer"},` +
		`"ratio":{"type":"number","maximum":1,"minimum":0},` +
		`"exact":{"type":"number"},` +
		`"on":{"type":"boolean"},` +
		`"unit":{"type":"string","enum":["kg","lb"]},` +
		`"level":{"type":"integer","enum":[1,2]},` +
		`"tags":{"items":{"type":"string"},"type":"array","minItems":1},` +
		`"pair":{"items":{"type":"integer"},"type":"array","maxItems":2,"minItems":2},` +
		`"home":` + addressSchema + `,` +
		`"others":{"items":` + addressSchema + `,"type":"array"},` +
		`"work":` + addressSchema + `,` +
		`"by_name":{"additionalProperties":` + addressSchema + `,"type":"object"},` +
		`"at":{"type":"string","format":"date-time"},` +
		`"host":{"type":"string"},` +
		`"color":{"type":"string","enum":["red","green"]},` +
		`"data":{"type":"string","contentEncoding":"base64"},` +
		`"any":true,` +
		`"raw":true,` +
		`"maybe":{"type":"string"},` +
		`"null":{"oneOf":[{"type":"integer"},{"type":"null"}]},` +
		`"Untagged":{"type":"boolean"}},` +
		`"type":"object","required":["text","count","size","ratio","exact","on","unit","level","tags","pair","home","at","host","color","data","maybe","Untagged"]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSchemaOfNothing(t *testing.T) {
	got, err := tools.SchemaOf(reflect.TypeFor[struct{}]())
	if want := `{"properties":{},"type":"object"}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

type node struct {
	Name     string `json:"name"`
	Children []node `json:"children"`
}

type upsideDown struct{ Inner *wrapped }
type wrapped struct{ Back []upsideDown }

type embedsItself struct{ *embedsItself }

type ownJSON struct{ Value int }

func (*ownJSON) UnmarshalJSON([]byte) error { return nil }

type pointerSchema struct{ Value int }

func (*pointerSchema) JSONSchema() *jsonschema.Schema { return nil }

type panics struct{}

func (panics) JSONSchema() *jsonschema.Schema { panic("no idea") }

type hiddenBase struct{ A int }

func TestSchemaOfErrors(t *testing.T) {
	for _, test := range []struct {
		in   reflect.Type
		want []string // parts of the message
	}{
		{reflect.TypeFor[string](), []string{"argument type string", "want a struct"}},
		{reflect.TypeFor[*address](), []string{"want a struct"}},
		{reflect.TypeFor[map[string]int](), []string{"want a struct"}},
		{reflect.TypeFor[time.Time](), []string{"want a struct"}},
		{reflect.TypeFor[ownJSON](), []string{"want a struct"}},
		{reflect.TypeFor[struct{ C chan int }](), []string{".C", "chan has no JSON form"}},
		{reflect.TypeFor[struct{ F func() }](), []string{".F", "func"}},
		{reflect.TypeFor[struct{ C complex128 }](), []string{".C", "complex128"}},
		{reflect.TypeFor[struct{ P unsafe.Pointer }](), []string{".P", "unsafe.Pointer"}},
		{reflect.TypeFor[struct{ P uintptr }](), []string{".P", "uintptr"}},
		{reflect.TypeFor[struct{ L []map[string]chan int }](), []string{".L[][]", "chan"}},
		{reflect.TypeFor[struct{ M map[int]string }](), []string{".M", "keys of type int"}},
		{reflect.TypeFor[struct{ E error }](), []string{".E", "interface error"}},
		{reflect.TypeFor[struct{ D time.Duration }](), []string{".D", "nanoseconds", "seconds"}},
		{reflect.TypeFor[struct{ U url.URL }](), []string{".U", "url.URL", "use a string"}},
		{reflect.TypeFor[struct{ O ownJSON }](), []string{".O", "JSONSchema()"}},
		{reflect.TypeFor[struct{ O []pointerSchema }](), []string{".O[]", "declare it on the value"}},
		{reflect.TypeFor[struct{ P panics }](), []string{"panicked: no idea"}},
		{reflect.TypeFor[node](), []string{"tools_test.node.Children[]", "contains itself"}},
		{reflect.TypeFor[upsideDown](), []string{".Inner.Back[]", "contains itself"}},
		{reflect.TypeFor[embedsItself](), []string{"contains itself"}},
		{reflect.TypeFor[struct{ *hiddenBase }](), []string{"unexported type"}},
		{reflect.TypeFor[struct {
			A int
			B int `json:"A"`
		}](), []string{".B", `"A" is also`, ".A"}},
		{reflect.TypeFor[struct {
			paging
			Limit string `json:"limit"`
		}](), []string{".Limit", `"limit" is also`, ".paging.Limit"}},
		{reflect.TypeFor[struct {
			A int `json:"-,"`
		}](), []string{".A", `"-"`}},
		{reflect.TypeFor[struct {
			A address `json:",inline"`
		}](), []string{".A", "inline"}},
		{reflect.TypeFor[struct {
			A string `jsonschema:"description=The city, or the zone"`
		}](), []string{".A", `" or the zone" is no keyword`, `\\,`}},
		{reflect.TypeFor[struct {
			A string `jsonschema:"desciption=x"`
		}](), []string{".A", `"desciption"`, "known: title, description"}},
		{reflect.TypeFor[struct {
			A string `jsonschema:"minimum=1"`
		}](), []string{".A", `"minimum" does not apply to string`}},
		{reflect.TypeFor[struct {
			A int `jsonschema:"enum=one"`
		}](), []string{".A", "enum=one", "want a number"}},
		{reflect.TypeFor[struct {
			A []int `jsonschema:"minItems=-1"`
		}](), []string{".A", "minItems=-1", "want a count"}},
		{reflect.TypeFor[struct {
			A address `jsonschema:"enum=x"`
		}](), []string{".A", "enum"}},
	} {
		got, err := tools.SchemaOf(test.in)
		if err == nil {
			t.Errorf("%v: got schema %s, want an error with %q", test.in, got, test.want)
			continue
		}
		for _, part := range test.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%v: got error %q, want %q in it", test.in, err, part)
			}
		}
	}
}

// A pattern that cannot be compiled is only found when the schema is; the message still names the tool and the place.
func TestSchemaPattern(t *testing.T) {
	type in struct {
		Code string `json:"code" jsonschema:"pattern=["`
	}
	_, err := tools.New("t", "T.", func(context.Context, in) (string, error) { return "", nil })
	if err == nil || !strings.Contains(err.Error(), "tool t") || !strings.Contains(err.Error(), "/properties/code/pattern") {
		t.Errorf("got %v, want an error at /properties/code/pattern", err)
	}
}
