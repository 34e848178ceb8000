package langchain

import (
	"encoding/json"
	"slices"

	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/prompts"
)

// functionType is the only type of tools and calls.
const functionType = "function"

// tools takes Tools and the deprecated Functions.
func (l *LLM) tools(o *llms.CallOptions) ([]prompts.ToolDefinition, error) {
	var out []prompts.ToolDefinition
	add := func(f *llms.FunctionDefinition) error {
		if f.Name == "" {
			return refuse(llms.ErrCodeInvalidRequest, "tool %d has no name", len(out))
		}
		if hasTool(out, f.Name) {
			return refuse(llms.ErrCodeInvalidRequest, "two tools have the name %q", f.Name)
		}
		definition := prompts.ToolDefinition{Name: f.Name, Description: f.Description}
		if f.Parameters != nil {
			parameters, err := toJSON(f.Parameters)
			if err != nil {
				return refuse(llms.ErrCodeInvalidRequest, "the parameters of %s are no JSON: %v", f.Name, err).WithCause(err)
			}
			switch {
			case string(parameters) == "null":
			case parameters[0] != '{':
				return refuse(llms.ErrCodeInvalidRequest, "the parameters of %s are %.60s, want a JSON Schema object", f.Name, parameters)
			default:
				definition.Parameters = parameters
			}
		}
		out = append(out, definition)
		return nil
	}
	for i, tool := range o.Tools {
		if tool.Type != functionType || tool.Function == nil {
			return nil, refuse(llms.ErrCodeInvalidRequest, "tool %d has the type %q, want %q with a function", i, tool.Type, functionType)
		}
		if err := add(tool.Function); err != nil {
			return nil, err
		}
	}
	for i := range o.Functions {
		if err := add(&o.Functions[i]); err != nil {
			return nil, err
		}
	}
	if m, ok := l.model.(agent.ToolLimiter); ok && m.MaxTools() > 0 && len(out) > m.MaxTools() {
		return nil, refuse(llms.ErrCodeInvalidRequest, "%d tools; %s can be shown %d at once", len(out), l.model.Name(), m.MaxTools())
	}
	return out, nil
}

func hasTool(tools []prompts.ToolDefinition, name string) bool {
	return slices.ContainsFunc(tools, func(d prompts.ToolDefinition) bool { return d.Name == name })
}

// toolChoice takes ToolChoice, or the deprecated FunctionCallBehavior where it is not set.
func toolChoice(o *llms.CallOptions, tools []prompts.ToolDefinition) (prompts.ToolChoice, error) {
	given := o.ToolChoice
	if given == nil && o.FunctionCallBehavior != "" {
		given = behavior(o.FunctionCallBehavior)
	}
	choice, ok := readToolChoice(given)
	switch {
	case !ok:
		return choice, refuse(llms.ErrCodeInvalidRequest,
			`tool choice is %T %v, want "auto", "none", "required" or llms.ToolChoice{Type: "function", Function: …}`, given, given)
	case choice.Mode == prompts.ToolChoiceNamed && !hasTool(tools, choice.Name):
		return choice, refuse(llms.ErrCodeInvalidRequest, "the tool choice names %q, which is not among the %d tools", choice.Name, len(tools))
	case choice.Mode == prompts.ToolChoiceRequired && len(tools) == 0:
		return choice, refuse(llms.ErrCodeInvalidRequest, "a call is required, and there are no tools")
	}
	return choice, nil
}

// behavior turns the deprecated form into a tool choice: a word, or {"name": …}.
func behavior(b llms.FunctionCallBehavior) any {
	var named llms.FunctionReference
	if json.Unmarshal([]byte(b), &named) == nil && named.Name != "" {
		return llms.ToolChoice{Type: functionType, Function: &named}
	}
	return string(b)
}

func readToolChoice(given any) (prompts.ToolChoice, bool) {
	switch v := given.(type) {
	case nil:
		return prompts.ToolChoice{}, true
	case llms.FunctionCallBehavior:
		return readToolChoice(behavior(v))
	case string:
		switch v {
		case "", "auto":
			return prompts.ToolChoice{Mode: prompts.ToolChoiceAuto}, true
		case "none":
			return prompts.ToolChoice{Mode: prompts.ToolChoiceNone}, true
		case "required", "any":
			return prompts.ToolChoice{Mode: prompts.ToolChoiceRequired}, true
		}
	case *llms.ToolChoice:
		if v == nil {
			return prompts.ToolChoice{}, true
		}
		return readToolChoice(*v)
	case llms.ToolChoice:
		if v.Function == nil && v.Type != functionType {
			return readToolChoice(v.Type)
		}
		if v.Function != nil && v.Function.Name != "" && v.Type == functionType {
			return prompts.ToolChoice{Mode: prompts.ToolChoiceNamed, Name: v.Function.Name}, true
		}
	case map[string]any:
		var choice llms.ToolChoice
		if text, err := toJSON(v); err == nil && json.Unmarshal(text, &choice) == nil && choice.Type != "" {
			return readToolChoice(choice)
		}
	}
	return prompts.ToolChoice{}, false
}
