package prompts

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func weatherTools() []ToolDefinition {
	return []ToolDefinition{
		{Name: "get_weather", Description: "Get the\n weather  of a place", Parameters: json.RawMessage(
			`{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},"unit":{"type":"string","enum":["celsius","fahrenheit"]},
			"alerts":{"type":["null","boolean"]},"hours":{"type":"array"},"more":{"type":"object"},"height":{"type":"number"},"step":{"enum":[1,"two",null]}},"required":["city","hours"]}`)},
		{Name: "now", Description: "Tell the time"},
	}
}

func TestCompact(t *testing.T) {
	call := func(name, arguments string) ToolCall {
		return ToolCall{ID: "1", Name: name, Arguments: json.RawMessage(arguments)}
	}
	const toolLines = "Tools:\n" +
		"<|reserved_special_token_8|>get_weather(city,days?:int,unit?:celsius|fahrenheit,alerts?:bool,hours:list,more?:object,height?:num,step?:1|two|null) Get the weather of a place\n" +
		"<|reserved_special_token_9|>now() Tell the time"
	tests := []struct {
		name  string
		input RenderInput
		want  string
	}{
		{"user only", RenderInput{Messages: []Message{User(" Hi <|eot_id|>\n")}, AddGenerationPrompt: true},
			"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi <|eot_id|><|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"},
		{"nothing", RenderInput{}, "<|begin_of_text|>"},
		{"blank system", RenderInput{Messages: []Message{System(" \n"), User("Hi")}},
			"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"},
		{"system", RenderInput{Messages: []Message{System("Be kind.\n"), User("Hi")}},
			"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"},
		{"tools", RenderInput{Messages: []Message{User("Hi")}, Tools: weatherTools()},
			"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n" + toolLines + "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"},
		{"system and tools", RenderInput{Messages: []Message{System("Be kind."), User("Hi")}, Tools: weatherTools()},
			"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe kind.\n" + toolLines + "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"},
		{"calls", RenderInput{Tools: weatherTools(), AddGenerationPrompt: true, Messages: []Message{
			User("Weather & time?"),
			AssistantCalls(call("now", ``), call("get_weather", `{"hours": [1, 2], "city": "<Köln>"}`), call("gone", `{}`)),
			ToolResult(call("now", ``), " 12:00\n"), Assistant(" It is noon. ")}},
			"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n" + toolLines + "<|eot_id|>" +
				"<|start_header_id|>user<|end_header_id|>\n\nWeather & time?<|eot_id|>" +
				"<|start_header_id|>assistant<|end_header_id|>\n\n" +
				`<|reserved_special_token_9|>{"name":"now","parameters":{}}` +
				`<|reserved_special_token_8|>{"name":"get_weather","parameters":{"hours":[1,2],"city":"<Köln>"}}` +
				`{"name":"gone","parameters":{}}<|eot_id|>` +
				"<|start_header_id|>ipython<|end_header_id|>\n\n 12:00\n<|eot_id|>" +
				"<|start_header_id|>assistant<|end_header_id|>\n\nIt is noon.<|eot_id|>" +
				"<|start_header_id|>assistant<|end_header_id|>\n\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Compact().Render(tt.input)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			for _, s := range got {
				if s.Trusted && strings.Contains(s.Text, "Hi") || !s.Trusted && strings.Contains(s.Text, "_id|>user") {
					t.Errorf("segment %q has trust %v", s.Text, s.Trusted)
				}
			}
		})
	}
}

func TestCompactTooManyTools(t *testing.T) {
	var tools []ToolDefinition
	for i := range MaxToolMarkers + 1 {
		tools = append(tools, ToolDefinition{Name: fmt.Sprintf("t%d", i)})
	}
	if _, err := Compact().Render(RenderInput{Tools: tools[:MaxToolMarkers]}); err != nil {
		t.Errorf("%d tools: %v", MaxToolMarkers, err)
	}
	if _, err := Compact().Render(RenderInput{Tools: tools}); err == nil || !strings.Contains(err.Error(), "no marker for tool 16") {
		t.Errorf("17 tools: got error %v", err)
	}
}

func TestSourceTrust(t *testing.T) {
	template, err := FromSource("t", `<a>{{.System}}{{$x := .Date}}{{print "<b>" $x}}{{print (marker 3)}}{{marker 2}}{{define "d"}}<d>{{.}}{{end}}{{template "d" .Date}}`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := template.Render(RenderInput{Messages: []Message{System("s")}, Date: "now"})
	if err != nil {
		t.Fatal(err)
	}
	want := Prompt{{"<a>", true}, {"s<b>now<|reserved_special_token_11|>", false}, {"<|reserved_special_token_10|><d>", true}, {"now", false}}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestHostileSources runs texts that a model file could carry to hang or crash the program.
func TestHostileSources(t *testing.T) {
	nested := func(n int) string {
		return strings.Repeat("{{range $.Messages}}", n) + "x" + strings.Repeat("{{end}}", n)
	}
	var doubling strings.Builder
	for i := range 60 {
		fmt.Fprintf(&doubling, `{{define "t%d"}}{{template "t%d"}}{{template "t%d"}}{{end}}`, i, i+1, i+1)
	}
	tests := []struct{ name, source, want string }{
		{"recursion", `{{define "a"}}{{template "a" .}}{{end}}{{template "a" .}}`, "calls itself: a → a"},
		{"mutual recursion", `{{define "a"}}{{template "b" .}}{{end}}{{define "b"}}{{if .}}{{template "a" .}}{{end}}{{end}}x`, "calls itself"},
		{"self", `{{template "hostile"}}`, "calls itself"},
		{"doubling templates", doubling.String() + `{{define "t60"}}{{end}}{{template "t0"}}`, "far more work"},
		{"long loop", `{{range 1000000000}}{{end}}`, "far more work"},
		{"long output", `{{range 1000000000}}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{{end}}`, "far more work"},
		{"nested loops", nested(20), "far more work"},
		{"doubling text", `{{$x := "0123456789"}}{{range 60}}{{$x = print $x $x}}{{end}}{{$x}}`, "far more work"},
		{"doubling quotes", `{{$x := "\""}}{{range 60}}{{$x = print (json $x)}}{{end}}{{$x}}`, "far more work"},
		{"wide format", `{{printf "%1000000000d" 1}}`, "not available"},
		{"missing field", `{{.Secrets}}`, "Secrets"},
		{"missing method", `{{.Messages.Close}}`, "Close"},
		{"missing function", `{{env "HOME"}}`, `function "env" not defined`},
		{"hook", `{{_step -1000}}`, `function "_step" not defined`},
		{"missing template", `{{template "none"}}`, `"none"`},
		{"whole struct", `{{.}}`, "cannot be written"},
		{"index", `{{index .Messages 1000000}}`, "out of range"},
		{"marker", `{{marker 16}}`, "no marker for tool 16"},
		{"wrong argument", `{{signature .}}`, "wrong type"},
		{"unclosed", `{{if .System}}`, "unexpected EOF"},
		{"too long", strings.Repeat("a", 64<<10+1), "65537 bytes"},
		{"not UTF-8", "\xff", "UTF-8"},
		{"deep nesting", strings.Repeat("{{if 1}}", 4000) + strings.Repeat("{{end}}", 4000), ""},
		{"deep parentheses", "{{" + strings.Repeat("(", 30000) + "1" + strings.Repeat(")", 30000) + "}}", ""},
	}
	input := RenderInput{Tools: weatherTools()}
	for range 20 {
		input.Messages = append(input.Messages, User("hello"))
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			template, err := FromSource("hostile", tt.source)
			if err == nil {
				_, err = template.Render(input)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestDetect(t *testing.T) {
	jinja := `{{- bos_token }} "<|start_header_id|>system<|end_header_id|>\n\n" Environment: ipython Cutting Knowledge Date: December 2023
		Given the following functions, please respond with a JSON for a function call <|eot_id|>`
	key := func(source string) func(string) (string, bool) {
		return func(k string) (string, bool) { return source, k == KeyChatTemplate }
	}
	tests := []struct {
		name, jinja string
		metadata    func(string) (string, bool)
		want, err   string
	}{
		{"llama", jinja, nil, "llama-3.2", ""},
		{"compact", jinja, key(CompactSource()), "compact", ""},
		{"own", "", key("{{.System}}"), KeyChatTemplate, ""},
		{"broken", jinja, key("{{"), "", "unclosed action"},
		{"none", "", nil, "", "has no chat template; supported are Llama 3.1's"},
		{"other", "{% for m in messages %}<|im_start|>", nil, "", `it starts "{% for m in`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Detect(tt.jinja, tt.metadata)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil || got.Name() != tt.want {
				t.Fatalf("got %v, %v, want %s", got, err, tt.want)
			}
		})
	}
	for _, f := range templates {
		if got, err := Named(f().Name()); err != nil || got.Name() != f().Name() {
			t.Errorf("Named(%q): %v", f().Name(), err)
		}
	}
	if _, err := Named("chatml"); err == nil {
		t.Error("Named(chatml) gave no error")
	}
}
