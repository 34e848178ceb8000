package prompts_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/drover-ai/drover/prompts"
)

func Example() {
	tools := []prompts.ToolDefinition{{
		Name:        "calculator",
		Description: "Evaluate an expression",
		Parameters:  json.RawMessage(`{"type":"object","properties":{"expression":{"type":"string"}},"required":["expression"]}`),
	}}
	prompt, err := prompts.Compact().Render(prompts.RenderInput{
		Messages:            []prompts.Message{prompts.User("What is 17.5% of 2,340?")},
		Tools:               tools,
		AddGenerationPrompt: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(prompt)

	reply, err := prompts.Parse(`{"name": "calculator", "arguments": {'expression': "2340 * 0.175",}}`, tools)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, call := range reply.ToolCalls {
		fmt.Println(call.Name, string(call.Arguments))
	}
	// Output:
	// <|begin_of_text|><|start_header_id|>system<|end_header_id|>
	//
	// Tools:
	// <|reserved_special_token_8|>calculator(expression) Evaluate an expression<|eot_id|><|start_header_id|>user<|end_header_id|>
	//
	// What is 17.5% of 2,340?<|eot_id|><|start_header_id|>assistant<|end_header_id|>
	//
	// calculator {"expression":"2340 * 0.175"}
}

// A call that cannot be used is an error whose text is fit to go back to the model.
func ExampleParse_error() {
	tools := []prompts.ToolDefinition{{Name: "now"}, {Name: "calculator"}}
	_, err := prompts.Parse(`{"name": "calculate", "parameters": {}}`, tools)
	fmt.Println(err)
	_, err = prompts.Parse(`{"name": "calculator", "parameters": {"expression": "17`, tools)
	var parseError *prompts.ParseError
	if errors.As(err, &parseError) {
		fmt.Println(parseError.Problem)
	}
	fmt.Println(err)
	// Output:
	// there is no tool "calculate"; the tools are calculator, now
	// cut off
	// the call of "calculator" is cut off: the text ends inside a string, and `"}}` is missing; write the whole call again
}

// While a reply streams, text that is certainly text can be shown at once.
func ExampleStream() {
	stream := prompts.Parser{}.Stream([]prompts.ToolDefinition{{Name: "now"}})
	for _, piece := range []string{"Let me", " look. ", "{", `"name": "now`, `", "parameters": {}}`} {
		fmt.Printf("%q\n", stream.Write(piece))
	}
	rest, reply, err := stream.Close()
	fmt.Printf("%q %d %v\n", rest, len(reply.ToolCalls), err)
	// Output:
	// "Let me"
	// " look."
	// ""
	// ""
	// ""
	// "" 1 <nil>
}
