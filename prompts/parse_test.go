package prompts

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

// parseTools are on offer in the parser's tests.
func parseTools() []ToolDefinition {
	return []ToolDefinition{
		{Name: "get_weather", Parameters: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},"metric":{"type":"string"},"alerts":{"type":"boolean"},"hours":{"type":"array","items":{"type":"number"}},"place":{"type":"object","properties":{"zip":{"type":"string"},"n":{"type":["integer","null"]}}}},"required":["city"]}`)},
		{Name: "calculator", Parameters: json.RawMessage(`{"type":"object","properties":{"expression":{"type":"string"}},"required":["expression"]}`)},
		{Name: "now"},
		{Name: "brave_search", Parameters: json.RawMessage(`{"type":"object","properties":{"query":{"type":"string"}}}`)},
		{Name: "math.factorial", Parameters: json.RawMessage(`{"type":"object","properties":{"number":{"type":"integer"}}}`)},
	}
}

type parseCase struct {
	name, text string
	content    string
	calls      string // one a line: name arguments
	err        string // what the error's text contains
}

var parseCases = []parseCase{
	// Text.
	{name: "empty"},
	{name: "prose", text: " It is 25 C in Paris. \n", content: "It is 25 C in Paris."},
	{name: "list", text: "[1, 2, 3] are numbers", content: "[1, 2, 3] are numbers"},
	{name: "markdown link", text: "[now](https://example.com) and [now()](x)", content: "[now](https://example.com) and [now()](x)"},
	{name: "citation", text: "[see(1)] as said", content: "[see(1)] as said"},
	{name: "check box", text: "[ ] buy milk\n[x] sleep", content: "[ ] buy milk\n[x] sleep"},
	{name: "prose in braces", text: "{curly} words", content: "{curly} words"},
	{name: "lone brace", text: "{", content: "{"},
	{name: "answer in JSON", text: `{"answer": 4, "name": "x"}`, content: `{"answer": 4, "name": "x"}`},
	{name: "person in JSON", text: `{"name": "Bob", "age": 3}`, content: `{"name": "Bob", "age": 3}`},
	{name: "model card in JSON", text: `{"name": "net", "parameters": {"lr": 1}, "loss": 2}`, content: `{"name": "net", "parameters": {"lr": 1}, "loss": 2}`},
	{name: "GeoJSON", text: `{"type": "Point", "coordinates": [1, 2]}`, content: `{"type": "Point", "coordinates": [1, 2]}`},
	{name: "GeoJSON cut off", text: `{"type": "Point", "coordinates": [1, 2`, content: `{"type": "Point", "coordinates": [1, 2`},
	{name: "person cut off", text: `{"name": "Bob", "age": 3`, content: `{"name": "Bob", "age": 3`},
	{name: "code", text: "```python\nprint({1: 2})\n```", content: "```python\nprint({1: 2})\n```"},
	{name: "inline code", text: "use `calculator` or `{x}`", content: "use `calculator` or `{x}`"},
	{name: "name in prose", text: "The calculator(s) say now() is late.", content: "The calculator(s) say now() is late."},
	{name: "prose that begins with a name", text: "now() tells the time.", content: "now() tells the time."},
	{name: "comparison", text: "a < b and c <d> e", content: "a < b and c <d> e"},
	{name: "special tokens around", text: "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>", content: "Hello"},
	{name: "special token inside", text: "say <|eot_id|> to me", content: "say <|eot_id|> to me"},
	{name: "no special token", text: "<|foo|> x", content: "<|foo|> x"},
	{name: "broken special token", text: "x <|eot", content: "x <|eot"},
	{name: "rest of a header", text: "assistant\n\nHello", content: "Hello"},
	{name: "the word assistant", text: "assistant manager", content: "assistant manager"},

	// JSON.
	{name: "parameters", text: `{"name": "get_weather", "parameters": {"city": "Paris"}}`, calls: `get_weather {"city":"Paris"}`},
	{name: "arguments", text: `{"name": "get_weather", "arguments": {"city": "Paris", "days": 2}}`, calls: `get_weather {"city":"Paris","days":2}`},
	{name: "keys in their order", text: `{"parameters": {"days": 2, "city": "x"}, "name": "get_weather"}`, calls: `get_weather {"days":2,"city":"x"}`},
	{name: "type function", text: `<|python_tag|>{"type": "function", "name": "now", "parameters": {}}<|eom_id|>`, calls: `now {}`},
	{name: "OpenAI", text: `{"id": "call_1", "type": "function", "function": {"name": "calculator", "arguments": "{\"expression\": \"1+1\"}"}}`, calls: `calculator {"expression":"1+1"}`},
	{name: "tool_calls", text: `{"tool_calls": [{"function": {"name": "now", "arguments": ""}}, {"name": "now", "arguments": null}]}`, calls: "now {}\nnow {}"},
	{name: "function is the name", text: `{"function": "calculator", "parameters": {"expression": "2"}}`, calls: `calculator {"expression":"2"}`},
	{name: "name only", text: `{"name": "now"}`, calls: `now {}`},
	{name: "array", text: `[{"name": "now", "parameters": {}}, {"name": "calculator", "parameters": {"expression": "[1; 2]"}},]`, calls: "now {}\ncalculator {\"expression\":\"[1; 2]\"}"},
	{name: "semicolon", text: `{"name": "now", "parameters": {}}; {"name": "calculator", "parameters": {"expression": "a;}{b"}};`, calls: "now {}\ncalculator {\"expression\":\"a;}{b\"}"},
	{name: "lines", text: "{\"name\": \"now\", \"parameters\": {}}\n{\"name\": \"now\", \"parameters\": {}}", calls: "now {}\nnow {}"},
	{name: "adjacent with markers", text: `<|reserved_special_token_10|>{"name":"now","parameters":{}}<|reserved_special_token_9|>{"name":"calculator","parameters":{"expression":"1"}}<|eot_id|>`, calls: "now {}\ncalculator {\"expression\":\"1\"}"},
	{name: "fence", text: "```json\n{\"name\": \"now\", \"parameters\": {}}\n```", calls: "now {}"},
	{name: "fence and prose", text: "I will look.\n\n```\n{\"name\": \"now\", \"parameters\": {}}\n```\nWait.", content: "I will look.\n\nWait.", calls: "now {}"},
	{name: "tags", text: "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>", calls: "now {}"},
	{name: "prose on the same line", text: `Sure: {"name": "now", "parameters": {}} done`, content: "Sure: done", calls: "now {}"},
	{name: "inline code call", text: "Call `{\"name\": \"now\", \"parameters\": {}}`.", content: "Call .", calls: "now {}"},
	{name: "too many brackets", text: `{"name": "now", "parameters": {}}}}`, calls: "now {}"},
	{name: "single quotes", text: `{'name': 'get_weather', 'parameters': {'city': "L'Aquila", 'alerts': True, 'metric': None,}}`, calls: `get_weather {"city":"L'Aquila","alerts":true}`},
	{name: "escaped quote", text: `{'name': 'calculator', 'parameters': {'expression': 'it\'s "1"\d'}}`, calls: `calculator {"expression":"it's \"1\"\\d"}`},
	{name: "line break in a string", text: "{\"name\": \"calculator\", \"parameters\": {\"expression\": \"1\n2\"}}", calls: `calculator {"expression":"1\n2"}`},
	{name: "escapes", text: `{"name": "calculator", "parameters": {"expression": "\u00e9\ud83d\ude00\ud800\/<\u2028"}}`, calls: "calculator {\"expression\":\"é😀\uFFFD/<\u2028\"}"},
	{name: "special token in a string", text: `{"name": "calculator", "parameters": {"expression": "<|eot_id|>"}}`, calls: `calculator {"expression":"<|eot_id|>"}`},
	{name: "object before the call", text: `{"thought": "hm"} {"name": "now", "parameters": {}}`, content: `{"thought": "hm"}`, calls: "now {}"},

	// JSON that is wrong.
	{name: "cut off in a string", text: `I try. {"name": "calculator", "parameters": {"expression": "17.5`, content: "I try.", err: "the call of \"calculator\" is cut off: the text ends inside a string, and `\"}}` is missing"},
	{name: "cut off behind a value", text: `{"name": "calculator", "parameters": {"expression": "17.5"}`, err: "`}` is missing"},
	{name: "cut off in the name", text: `{"name": "calcul`, err: "is cut off"},
	{name: "cut off in the first key", text: `{"nam`, err: "is cut off"},
	{name: "cut off before the name", text: `{"type": "function", `, err: "is cut off"},
	{name: "cut off in an array", text: `[{"name": "now", "parameters": {}}, {"name":`, err: "`}]` is missing"},
	{name: "malformed", text: `{"name": "calculator", "parameters": {"expression": 1 + 2}}`, err: `'+' where a comma or '}' should be`},
	{name: "unknown tool", text: `{"name": "calculater", "parameters": {}}`, err: `there is no tool "calculater"; the tools are calculator, `},
	{name: "unknown tool in Python", text: `[get_wether(city="x")]`, err: `there is no tool "get_wether"; the tools are get_weather, `},
	{name: "key twice", text: `{"name": "calculator", "parameters": {"expression": "1", "expression": "2"}}`, err: `the key "expression" comes twice`},
	{name: "arguments twice", text: `{"name": "now", "parameters": {}, "arguments": {}}`, err: `"parameters" and "arguments"`},
	{name: "arguments are a list", text: `{"name": "now", "parameters": [1]}`, err: "got an array, want an object"},
	{name: "arguments outside", text: `{"name": "calculator", "expression": "1"}`, err: `the key "expression" stands outside of "parameters"`},
	{name: "string of no JSON", text: `{"name": "now", "arguments": "x"}`, err: "a string that is no JSON"},
	{name: "all or nothing", text: `{"name": "now", "parameters": {}} {"name": "other", "parameters": {}}`, err: `no tool "other"`},
	{name: "list with an odd element", text: `[{"name": "now", "parameters": {}}, 3]`, err: "has an element that is none"},
	{name: "too deep", text: `{"name": "calculator", "parameters": {"expression": ` + strings.Repeat("[", 80) + strings.Repeat("]", 80) + `}}`, err: "nested deeper than 64 levels"},

	// Types put right by the schema.
	{name: "coercion", text: `{"name": "get_weather", "parameters": {"city": 75001, "days": "10", "alerts": "True", "hours": ["1.5", 2], "place": {"zip": 8, "n": 3.0, "x": "1"}}}`,
		calls: `get_weather {"city":"75001","days":10,"alerts":true,"hours":[1.5,2],"place":{"zip":"8","n":3,"x":"1"}}`},
	{name: "coercion of structures", text: `{"name": "get_weather", "parameters": {"city": "x", "hours": "[1, '2']", "place": "{\"n\": null}"}}`, calls: `get_weather {"city":"x","hours":[1,2],"place":{"n":null}}`},
	{name: "no coercion", text: `{"name": "get_weather", "parameters": {"city": ["a"], "days": "ten", "alerts": "yes", "hours": 3}}`, calls: `get_weather {"city":["a"],"days":"ten","alerts":"yes","hours":3}`},
	{name: "null for a required one", text: `{"name": "get_weather", "parameters": {"city": null, "days": null}}`, calls: `get_weather {"city":null}`},
	{name: "large numbers", text: `{"name": "get_weather", "parameters": {"days": 123456789012345678901234567890, "city": 1e3}}`, calls: `get_weather {"days":123456789012345678901234567890,"city":"1e3"}`},

	// Python.
	{name: "pythonic", text: `[get_weather(city='San Francisco', metric="celsius"), now()]<|eot_id|>`, calls: "get_weather {\"city\":\"San Francisco\",\"metric\":\"celsius\"}\nnow {}"},
	{name: "pythonic behind the tag", text: `<|python_tag|>[get_weather(city="San Francisco", metric="celsius")]<|eot_id|>`, calls: `get_weather {"city":"San Francisco","metric":"celsius"}`},
	{name: "literals", text: `[get_weather(city='a\n\t\\\'\x41\u00e9\U0001F600\101' "b" r'\d', days=-1_000, hours=[1., .5, +2, 0x1F, 1e3,], alerts=True, place={'zip': "1", 'n': None})]`,
		calls: `get_weather {"city":"a\n\t\\'Aé😀Ab\\d","days":-1000,"hours":[1.0,0.5,2,31,1e3],"alerts":true,"place":{"zip":"1","n":null}}`},
	{name: "tuples and Meta's dictionaries", text: `[get_weather(hours=(1, 2), days=(3), city="x", place={zip="1"})]`, calls: `get_weather {"hours":[1,2],"days":3,"city":"x","place":{"zip":"1"}}`},
	{name: "triple quotes", text: "[calculator(expression=\"\"\"1\n\"2\" \"\"\")]", calls: `calculator {"expression":"1\n\"2\" "}`},
	{name: "dotted name", text: `[math.factorial(number="5")]`, calls: `math.factorial {"number":5}`},
	{name: "blanks and commas", text: "[\n  calculator( expression = '1' , ) ,\n]", calls: `calculator {"expression":"1"}`},
	{name: "one positional argument", text: `[calculator("1+1")]`, calls: `calculator {"expression":"1+1"}`},
	{name: "positional arguments", text: `[get_weather("Paris", 2)]`, err: "write name=value with the names city, days"},
	{name: "argument twice", text: `[calculator(expression="1", expression="2")]`, err: "the argument expression comes twice"},
	{name: "dictionary key twice", text: `[get_weather(place={"n": 1, "n": 2})]`, err: `the key "n" comes twice`},
	{name: "expression", text: `[calculator(expression=17.5/100)]`, err: "'/' where a comma or ')' should be"},
	{name: "name as a value", text: `[calculator(expression=pi)]`, err: "pi is no literal; put text in quotes"},
	{name: "attribute", text: `[calculator(expression=os.environ)]`, err: "os.environ is no literal"},
	{name: "f-string", text: `[calculator(expression=f"{x}")]`, err: "f is no literal"},
	{name: "call as a value", text: `[calculator(expression=open("x"))]`, err: "open is no literal"},
	{name: "bad number", text: `[get_weather(days=007)]`, err: "007 is no number"},
	{name: "pythonic cut off", text: `[get_weather(city='San Fr`, err: "`')]` is missing"},
	{name: "pythonic without its end", text: `[get_weather(city='San Francisco')`, err: "`]` is missing"},
	{name: "bare call", text: "calculator(expression='1+1')", calls: `calculator {"expression":"1+1"}`},
	{name: "bare calls in a fence", text: "```python\ncalculator(expression='1+1')\nnow()\n```", calls: "calculator {\"expression\":\"1+1\"}\nnow {}"},
	{name: "bare call cut off", text: "calculator(expression='1+1", err: "is cut off"},
	{name: "bare call that is wrong", text: "calculator(17.5 / 100)", err: "cannot be read"},
	{name: "nested too deep", text: "[get_weather(hours=" + strings.Repeat("[", 100) + "])]", err: "nested deeper than 64 levels"},

	// Other notations.
	{name: "function tag", text: `<function=calculator>{"expression": "1"}</function><|eot_id|>`, calls: `calculator {"expression":"1"}`},
	{name: "function tag in prose", text: "Let me see.\n<function=now>{}</function> There.", content: "Let me see.\nThere.", calls: "now {}"},
	{name: "function tag cut off", text: `<function=calculator>{"expression": "1"`, err: "`}` is missing"},
	{name: "function tag with an unknown name", text: `<function=calc>{}</function>`, err: `no tool "calc"`},
	{name: "built-in", text: `<|python_tag|>brave_search.call(query="Menlo Park")<|eom_id|>`, calls: `brave_search {"query":"Menlo Park"}`},
	{name: "built-in in prose", text: `I call brave_search.call(query="x; y") now`, content: "I call now", calls: `brave_search {"query":"x; y"}`},
	{name: "unknown built-in", text: `wolfram.call(query="x")`, content: `wolfram.call(query="x")`},
	{name: "code", text: "<|python_tag|>print(1)\n<|eom_id|>", err: "there is no tool that runs code"},
}

func TestParse(t *testing.T) {
	for _, tt := range parseCases {
		t.Run(tt.name, func(t *testing.T) { checkParse(t, tt, parseTools()) })
	}
}

// checkParse parses a case whole, and as a stream cut at every place, and byte by byte.
func checkParse(t *testing.T, tt parseCase, tools []ToolDefinition) {
	t.Helper()
	reply, err := Parse(tt.text, tools)
	if got := callLines(reply.ToolCalls); got != tt.calls {
		t.Errorf("got calls\n%s\nwant\n%s", got, tt.calls)
	}
	if reply.Content != tt.content {
		t.Errorf("got content %q, want %q", reply.Content, tt.content)
	}
	switch {
	case tt.err == "" && err != nil:
		t.Errorf("got error %v", err)
	case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
		t.Errorf("got error %v, want one with %q", err, tt.err)
	}
	if err != nil {
		var parseError *ParseError
		if !errors.As(err, &parseError) || parseError.Text == "" || !strings.HasSuffix(tt.text, parseError.Text) {
			t.Errorf("error %#v does not say what was written", err)
		}
	}
	for cut := range tt.text {
		if t.Failed() {
			return
		}
		checkStream(t, tt.text, tools, func(yield func(string) bool) { _ = yield(tt.text[:cut]) && yield(tt.text[cut:]) })
	}
	checkStream(t, tt.text, tools, func(yield func(string) bool) {
		for _, c := range tt.text {
			if !yield(string(c)) {
				return
			}
		}
	})
}

// checkStream compares a stream's results with those of the whole text.
func checkStream(t *testing.T, text string, tools []ToolDefinition, pieces func(func(string) bool)) {
	t.Helper()
	want, wantErr := Parse(text, tools)
	stream := Parser{}.Stream(tools)
	var given strings.Builder
	for piece := range pieces {
		given.WriteString(stream.Write(piece))
		if !strings.HasPrefix(want.Content, given.String()) {
			t.Errorf("%q: gave %q away, content is %q", text, given.String(), want.Content)
			return
		}
	}
	rest, got, err := stream.Close()
	given.WriteString(rest)
	if given.String() != want.Content || got.Content != want.Content || callLines(got.ToolCalls) != callLines(want.ToolCalls) {
		t.Errorf("%q: stream gave %q and %+v, want %+v", text, given.String(), got, want)
	}
	if errText(err) != errText(wantErr) {
		t.Errorf("%q: stream gave error %v, want %v", text, err, wantErr)
	}
}

func errText(err error) string {
	var parseError *ParseError
	if errors.As(err, &parseError) {
		return err.Error() + parseError.Text
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func callLines(calls []ToolCall) string {
	var lines []string
	for _, c := range calls {
		lines = append(lines, c.Name+" "+string(c.Arguments))
	}
	return strings.Join(lines, "\n")
}

func TestParseAnyTool(t *testing.T) {
	for _, tt := range []parseCase{
		{name: "JSON", text: `{"name": "x", "parameters": {"a": "1"}}`, calls: `x {"a":"1"}`},
		{name: "person", text: `{"name": "Bob"}`, content: `{"name": "Bob"}`},
		{name: "pythonic", text: `[x(a=1), y()]`, calls: "x {\"a\":1}\ny {}"},
		{name: "built-in", text: `brave.call(query="1")`, calls: `brave {"query":"1"}`},
		{name: "code", text: "<|python_tag|>print('x')\n", calls: `code_interpreter {"code":"print('x')"}`},
		{name: "cut off", text: `{"name": "x", "parameters": {"a": "1`, err: "cut off"},
	} {
		t.Run(tt.name, func(t *testing.T) { checkParse(t, tt, nil) })
	}
}

func TestParseNoTools(t *testing.T) {
	for _, tt := range []parseCase{
		{name: "call", text: `{"name": "x", "parameters": {}}`, content: `{"name": "x", "parameters": {}}`},
		{name: "special tokens", text: "<|python_tag|>[x()]<|eot_id|>", content: "[x()]"},
		{name: "fence", text: "```json\n{}\n```", content: "```json\n{}\n```"},
	} {
		t.Run(tt.name, func(t *testing.T) { checkParse(t, tt, []ToolDefinition{}) })
	}
}

// TestParseCode gives code to the tool that runs it.
func TestParseCode(t *testing.T) {
	tools := append(parseTools(), ToolDefinition{Name: "code_interpreter"})
	for _, tt := range []parseCase{
		{name: "code", text: "<|python_tag|>{1: 2}.get(1)\nprint('x')<|eom_id|>", calls: `code_interpreter {"code":"{1: 2}.get(1)\nprint('x')"}`},
		{name: "call", text: `<|python_tag|>{"name": "now", "parameters": {}}`, calls: `now {}`},
	} {
		t.Run(tt.name, func(t *testing.T) { checkParse(t, tt, tools) })
	}
}

// TestParseHostile reads long texts that could take more than linear time. Twice the text may take at most
// about three times as long; a parser that goes back takes four.
func TestParseHostile(t *testing.T) {
	patterns := map[string][3]string{
		"braces":           {"", "{", ""},
		"brackets":         {"", "[", ""},
		"objects":          {"", `{"name":`, ""},
		"calls":            {"", `{"name":"now","parameters":{`, ""},
		"strings":          {`{"name":"now","parameters":{"a":"`, "x", ""},
		"open strings":     {"", `{"name": "`, ""},
		"backslashes":      {`{"name":"now","parameters":{"a":"`, `\\`, ""},
		"keys":             {`{"name":"now","parameters":{`, `"a":1,`, ""},
		"python":           {"", "[now(a=", ""},
		"python lists":     {"[now(a=", "[", ""},
		"python names":     {"[", "now", "("},
		"python strings":   {"[now(a=", "'a' ", ")]"},
		"python digits":    {"[now(a=", "9", ")]"},
		"python hex":       {"[now(a=0x", "f", ")]"},
		"many arguments":   {"[get_weather(", "a=1,", ")]"},
		"fences":           {"", "```", ""},
		"fences in lines":  {"", "```json\n", ""},
		"tags":             {"", "<tool_call>", ""},
		"functions":        {"", "<function=", ""},
		"special tokens":   {"", "<|eot_id|>", ""},
		"python tags":      {"", "<|python_tag|>", ""},
		"half tokens":      {"", "<|", ""},
		"headers":          {"", "<|start_header_id|>", ""},
		"words":            {"", "now ", ""},
		"dotted words":     {"", "now.call", ""},
		"bare calls":       {"", "now() ", "x"},
		"built-ins":        {"x ", "now.call( ", ""},
		"blanks":           {"x", " ", "y"},
		"blanks in braces": {"", "{    ", ""},
		"whole calls":      {"", `{"name":"now","parameters":{}};`, ""},
	}
	const size = 1 << 20
	for name, p := range patterns {
		t.Run(name, func(t *testing.T) {
			text := p[0] + strings.Repeat(p[1], size/len(p[1])) + p[2]
			start := time.Now()
			_, _ = Parse(text, parseTools())
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("1 MiB took %v", took)
			}
			stream := Parser{}.Stream(parseTools())
			start = time.Now()
			short := text[:len(text)/16]
			for i := 0; i < len(short); i += 4 {
				stream.Write(short[i:min(i+4, len(short))])
			}
			_, _, _ = stream.Close()
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("64 KiB in pieces of 4 bytes took %v", took)
			}
		})
	}
}
