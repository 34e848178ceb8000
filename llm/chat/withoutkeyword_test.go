package chat

import "testing"

func TestWithoutKeyword(t *testing.T) {
	for _, c := range []struct{ schema, pointer, want string }{
		{`{"type":"object","not":{}}`, "/not", `{"type":"object"}`},
		{`{"b":1,"properties":{"z":{"type":"array","uniqueItems":true},"a":true}}`, "/properties/z/uniqueItems", `{"b":1,"properties":{"z":{"type":"array"},"a":true}}`},
		{`{"properties":{"z":{"type":"array"},"a":true}}`, "/properties/z", `{"properties":{"z":{},"a":true}}`},
		{`{"anyOf":[{"type":"string"},{"not":{}}]}`, "/anyOf/1/not", `{"anyOf":[{"type":"string"},{}]}`},
		{`{"anyOf":[{"type":"string"},{"not":{}}]}`, "/anyOf/1", `{"anyOf":[{"type":"string"},{}]}`},
		{`{"items":{"pattern":"x"}}`, "/items/pattern", `{"items":{}}`},
		{`{"items":[{"pattern":"x"}]}`, "/items/0/pattern", `{"items":[{}]}`},
		{`{"enum":[1,2]}`, "/enum/1", `{}`},
		{`{"$defs":{"a/b~c":{"pattern":"x","type":"string"}}}`, "/$defs/a~1b~0c/pattern", `{"$defs":{"a/b~c":{"type":"string"}}}`},
		{`{"type":"object"}`, "", `{}`},
		{`{"type":"object"}`, "/gone", ""},
		{`{"anyOf":[]}`, "/anyOf/0", ""},
		{`[1]`, "/a", ""},
	} {
		got, err := withoutKeyword([]byte(c.schema), segments(c.pointer))
		if string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s without %s: %s, %v; want %s", c.schema, c.pointer, got, err, c.want)
		}
	}
}
