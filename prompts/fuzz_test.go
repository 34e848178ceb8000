package prompts

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzParse holds the parser to its promises: it never panics, its arguments are JSON objects with unique
// keys, and a stream gives the same however the text is cut.
func FuzzParse(f *testing.F) {
	for _, c := range parseCases {
		f.Add(c.text, uint8(0), uint64(len(c.text))*2654435761)
		f.Add(c.text, uint8(1), uint64(7))
	}
	f.Fuzz(func(t *testing.T, text string, offer uint8, cuts uint64) {
		if !utf8.ValidString(text) || len(text) > 1<<16 {
			return
		}
		tools := [][]ToolDefinition{parseTools(), nil, {}}[offer%3]
		reply, err := Parse(text, tools)
		if err != nil && reply.ToolCalls != nil {
			t.Errorf("calls %v came with error %v", reply.ToolCalls, err)
		}
		for _, call := range reply.ToolCalls {
			checkArguments(t, call.Arguments)
			if tools != nil && !newToolIndex(tools).known(call.Name) {
				t.Errorf("tool %q was called; it was not offered", call.Name)
			}
		}
		checkStream(t, text, tools, func(yield func(string) bool) {
			for rest, bits := text, cuts; rest != ""; {
				size := min(len(rest), 1+int(bits%7))
				for size < len(rest) && !utf8.RuneStart(rest[size]) {
					size++
				}
				if !yield(rest[:size]) {
					return
				}
				rest, bits = rest[size:], bits>>3|bits<<61
			}
		})
	})
}

// checkArguments fails when arguments are no JSON object with unique keys in all its objects.
func checkArguments(t *testing.T, arguments json.RawMessage) {
	t.Helper()
	if !json.Valid(arguments) || !utf8.Valid(arguments) || arguments[0] != '{' {
		t.Errorf("arguments are no JSON object: %q", arguments)
		return
	}
	strict := jsonReader{text: string(arguments), maxDepth: maxInputDepth}
	v, err := strict.value()
	if err != nil || string(v.compact()) != string(arguments) {
		t.Errorf("arguments are not compact or have a key twice: %q", arguments)
	}
}

// FuzzCallRoundTrip renders a call with each template and parses what a model that writes it so has written.
func FuzzCallRoundTrip(f *testing.F) {
	f.Add(`{}`)
	f.Add(`{"city": "São Paulo", "n": 3, "x": -1.5e3, "ok": true, "none": null, "list": [1, "two", {"a": []}]}`)
	f.Add(`{"s": "\"\\\n\u0000\u007f\u2028 <|eot_id|> </function> ` + "```" + ` {}[]();,'"}`)
	f.Fuzz(func(t *testing.T, arguments string) {
		v, err := readJSON(arguments)
		if err != nil || v.kind != kindObject || depth(v) > maxReplyDepth/2 || strings.Contains(pythonJSON(v), "Infinity") {
			return
		}
		want := ToolCall{Name: "get_weather", Arguments: v.compact()}
		tools := []ToolDefinition{{Name: "get_weather"}, {Name: "now"}}
		for _, template := range []Template{Llama32(), Llama32Pythonic(), Compact()} {
			if template == Llama32Pythonic() && !pythonKeys(v) {
				continue
			}
			calls := AssistantCalls(want)
			if template != Llama32() {
				calls = AssistantCalls(want, want)
			}
			input := RenderInput{Messages: []Message{User("x")}, Tools: tools, AddGenerationPrompt: true}
			before, err := template.Render(input)
			if err != nil {
				t.Fatal(err)
			}
			input.Messages = append(input.Messages, calls)
			input.AddGenerationPrompt = false
			after, err := template.Render(input)
			if err != nil {
				t.Fatal(err)
			}
			written, ok := strings.CutPrefix(after.String(), before.String())
			if !ok {
				t.Fatalf("%s: the generation prompt is no prefix of the conversation with the answer", template.Name())
			}
			reply, err := template.Parser().Parse(written, tools)
			if err != nil || len(reply.ToolCalls) != len(calls.ToolCalls) || reply.Content != "" {
				t.Fatalf("%s: %q gave %+v, %v", template.Name(), written, reply, err)
			}
			for _, got := range reply.ToolCalls {
				g, err := readJSON(string(got.Arguments))
				if err != nil || got.Name != want.Name || pythonJSON(g) != pythonJSON(v) {
					t.Errorf("%s: %q gave %s %s, want %s", template.Name(), written, got.Name, got.Arguments, want.Arguments)
				}
			}
		}
	})
}

func depth(v value) int {
	deepest := 0
	for _, e := range v.list {
		deepest = max(deepest, depth(e))
	}
	for _, m := range v.object {
		deepest = max(deepest, depth(m.value))
	}
	return deepest + 1
}

// pythonKeys reports whether all keys of the object can be keyword arguments.
func pythonKeys(v value) bool {
	for _, m := range v.object {
		if m.key == "" || strings.ContainsFunc(m.key, func(r rune) bool { return r >= 0x80 || !isNameByte(byte(r)) }) {
			return false
		}
	}
	return true
}

// FuzzFromSource gives template texts to FromSource and renders them: errors are fine, panics, long runs and
// large outputs are not.
func FuzzFromSource(f *testing.F) {
	f.Add(CompactSource())
	f.Add(`{{range .Messages}}{{.Role}}: {{.Content}}{{range .ToolCalls}}{{.Name}}{{json .Arguments}}{{end}}{{end}}`)
	f.Add(`{{define "a"}}{{template "b"}}{{end}}{{define "b"}}x{{end}}{{template "a"}}`)
	f.Add(`{{range $i, $e := .Tools}}{{if lt $i 3}}{{continue}}{{end}}{{break}}{{else}}{{with .System}}{{.}}{{end}}{{end}}`)
	f.Add(`{{range 100}}{{$x := print . "a"}}{{slice $x 1}}{{end}}{{len .Messages}}`)
	input := RenderInput{Date: "today", Tools: weatherTools(), Messages: []Message{
		System("sys"), User("hi"), AssistantCalls(ToolCall{Name: "now"}), ToolResult(ToolCall{Name: "now"}, "12"), Assistant("ok"),
	}}
	f.Fuzz(func(t *testing.T, source string) {
		start := time.Now()
		template, err := FromSource("fuzz", source)
		if err != nil {
			return
		}
		prompt, err := template.Render(input)
		if err == nil && len(prompt.String()) > 8<<20 {
			t.Errorf("wrote %d bytes", len(prompt.String()))
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		for _, s := range prompt {
			if s.Text == "" {
				t.Error("a segment is empty")
			}
		}
	})
}

// FuzzReadConversation compares the reader with encoding/json, and renders what it read.
func FuzzReadConversation(f *testing.F) {
	f.Add(`{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\": 1.0}"}}]},{"role":"tool","tool_call_id":"c","content":{"x":[1e5,-0,null]}}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"date":"x","add_generation_prompt":true,"tools_in_user_message":false}`)
	f.Add(`{"messages":[{"role":"tool","content":1e400}],"tools":[]}`)
	f.Add(`[1,2,"\ud800\u00e9",tru`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := readJSON(text)
		if valid := json.Valid([]byte(text)); (err == nil) != valid && !(valid && strings.Contains(err.Error(), "nested deeper")) {
			t.Fatalf("%q: error %v, encoding/json says valid: %v", text, err, valid)
		}
		if err == nil {
			again, err := readJSON(string(v.compact()))
			if err != nil || string(again.compact()) != string(v.compact()) {
				t.Errorf("%q is written as %s, which reads as %s, %v", text, v.compact(), again.compact(), err)
			}
		}
		input, err := ReadConversation([]byte(text))
		if err != nil {
			return
		}
		for _, template := range []Template{Llama32(), Llama32Pythonic(), Compact()} {
			if prompt, err := template.Render(input); err == nil && !strings.HasPrefix(prompt.String(), beginOfText) {
				t.Errorf("%s: the prompt begins %q", template.Name(), prompt)
			}
		}
	})
}
