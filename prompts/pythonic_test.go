package prompts

import (
	"encoding/json"
	"strings"
	"testing"
)

// The texts of TestPythonic are those of Meta's models/llama3_2/text_prompt_format.md, but for the user
// message's list of functions, which is indented by hand there and evenly here.
func TestPythonic(t *testing.T) {
	weather := []ToolDefinition{{Name: "get_weather", Description: "Get weather info for places", Parameters: json.RawMessage(
		`{"type":"object","properties":{"city":{"type":"string","description":"The name of the city to get the weather for"},
		"metric":{"type":"string","description":"The metric for weather. Options are: celsius, fahrenheit","default":"celsius"}},"required":["city"]}`)}}
	const weatherList = `[
    {
        "name": "get_weather",
        "description": "Get weather info for places",
        "parameters": {
            "type": "dict",
            "required": [
                "city"
            ],
            "properties": {
                "city": {
                    "type": "string",
                    "description": "The name of the city to get the weather for"
                },
                "metric": {
                    "type": "string",
                    "description": "The metric for weather. Options are: celsius, fahrenheit",
                    "default": "celsius"
                }
            }
        }
    }
]`
	const systemBlock = `<|begin_of_text|><|start_header_id|>system<|end_header_id|>

You are an expert in composing functions. You are given a question and a set of possible functions.
Based on the question, you will need to make one or more function/tool calls to achieve the purpose.
If none of the function can be used, point it out. If the given question lacks the parameters required by the function,
also point it out. You should only return the function call in tools call sections.

If you decide to invoke any of the function(s), you MUST put it in the format of [func_name1(params_name1=params_value1, params_name2=params_value2...), func_name2(params)]
You SHOULD NOT include any other text in the response.

Here is a list of functions in JSON format that you can invoke.

` + weatherList
	call := func(arguments string) ToolCall {
		return ToolCall{Name: "get_weather", Arguments: json.RawMessage(arguments)}
	}
	sanFrancisco := call(`{"city":"San Francisco","metric":"celsius"}`)
	tests := []struct {
		name  string
		input RenderInput
		want  string
	}{
		{"conversation", RenderInput{Messages: []Message{System("You are a helpful assistant"), User("Who are you?")}, AddGenerationPrompt: true},
			"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nYou are a helpful assistant<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWho are you?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"},
		{"tools in the system message", RenderInput{Tools: weather, Messages: []Message{User("What is the weather in SF and Seattle?")}, AddGenerationPrompt: true},
			systemBlock + "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWhat is the weather in SF and Seattle?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"},
		{"with a system text", RenderInput{Tools: weather, Messages: []Message{System(" Be brief.\n")}}, systemBlock + "\n\nBe brief.<|eot_id|>"},
		{"call and result", RenderInput{Tools: weather, Messages: []Message{User("What is the weather in SF?"), AssistantCalls(sanFrancisco), ToolResult(sanFrancisco, "25 C")}},
			systemBlock + "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWhat is the weather in SF?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n" +
				`[get_weather(city="San Francisco", metric="celsius")]<|eot_id|><|start_header_id|>ipython<|end_header_id|>` + "\n\n\"25 C\"<|eot_id|>"},
		{"several calls, all kinds of values", RenderInput{Messages: []Message{AssistantCalls(sanFrancisco, call(`{"a":[1,-2.50,1e300],"b":{"x":true,"y":null},"c":"\"<é>\n"}`), call(``))}},
			"<|begin_of_text|><|start_header_id|>assistant<|end_header_id|>\n\n" +
				`[get_weather(city="San Francisco", metric="celsius"), get_weather(a=[1, -2.5, 1e+300], b={"x": True, "y": None}, c="\"<é>\n"), get_weather()]<|eot_id|>`},
		{"tools in the user message", RenderInput{Tools: weather, ToolsInUserMessage: true, Messages: []Message{Assistant("Hello"), User("Can you?"), User("Now?")}},
			"<|begin_of_text|><|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nQuestions: Can you?\n" +
				"Here is a list of functions in JSON format that you can invoke:\n" + weatherList +
				"\n\nShould you decide to return the function call(s),Put it in the format of [func1(params_name=params_value, params_name2=params_value2...), func2(params)]\n\n" +
				"NO other text MUST be included.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nNow?<|eot_id|>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Llama32Pythonic().Render(tt.input)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
	_, err := Llama32Pythonic().Render(RenderInput{Tools: weather, ToolsInUserMessage: true, Messages: []Message{Assistant("x")}})
	if err == nil || !strings.Contains(err.Error(), "no user message") {
		t.Errorf("tools without a user message gave error %v", err)
	}
}
