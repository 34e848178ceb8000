package chat

import (
	"slices"
	"testing"

	"github.com/drover-ai/drover/prompts"
)

func TestCallScanner(t *testing.T) {
	for _, test := range []struct {
		text    string
		outside int
		want    []string
		inside  bool
	}{
		{text: `{"name": "f", "parameters": {"a": "}\"{"}}; {"name": "g", "parameters": {}}`, want: []string{`{"name": "f", "parameters": {"a": "}\"{"}}`, `{"name": "g", "parameters": {}}`}},
		{text: "{\"a\":[1,{}]}\n{\"b\":", want: []string{`{"a":[1,{}]}`}, inside: true},
		{text: `[f(a='x)', b=[1, (2)]), g.h(), i(c="it's \"]")]`, outside: 1, want: []string{`f(a='x)', b=[1, (2)])`, `g.h()`, `i(c="it's \"]")`}},
		{text: `[f(), g`, outside: 1, want: []string{`f()`}, inside: true},
		{text: `[`, outside: 1},
	} {
		s := callScanner{outside: test.outside}
		var got []string
		for i := range len(test.text) {
			if begin, end := s.next(test.text[i], i); end {
				got = append(got, test.text[begin:i+1])
			}
		}
		if !slices.Equal(got, test.want) || s.inside != test.inside {
			t.Errorf("%s: %q, inside %v, want %q, %v", test.text, got, s.inside, test.want, test.inside)
		}
	}
}

func TestSameCall(t *testing.T) {
	call := func(arguments string) string {
		return sameCall(prompts.ToolCall{Name: "f", Arguments: []byte(arguments)})
	}
	if call(`{"a":1,"b":[2]}`) != call(`{"b": [2], "a": 1}`) || call(`{"a":1}`) == call(`{"a":"1"}`) {
		t.Error("calls are compared by their spelling")
	}
}
