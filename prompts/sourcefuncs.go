package prompts

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
)

// errTemplateWork ends a template that does more than rendering takes.
var errTemplateWork = errors.New("does far more work than this conversation needs; the template is broken or hostile")

// rendering is one run of a source template. Text nodes arrive through Write and are trusted; the output of
// actions arrives through the emit hook and is not.
type rendering struct {
	prompt promptBuilder
	budget int // bytes of template text that may still be run, of values made and of output written
	data   *templateData
}

func newRendering(budget int, data *templateData) *rendering {
	return &rendering{budget: budget, data: data}
}

// spend takes n from the budget.
func (r *rendering) spend(n int) error {
	if r.budget -= n; r.budget < 0 {
		return errTemplateWork
	}
	return nil
}

// Write takes the template's own text.
func (r *rendering) Write(text []byte) (int, error) {
	if err := r.spend(len(text)); err != nil {
		return 0, err
	}
	r.prompt.trusted(string(text))
	return len(text), nil
}

// trustedText is what marker returns: special tokens of the template's choice.
type trustedText string

// hooks are the functions that FromSource puts into a parsed template. They are registered after parsing, so
// that no text can call them.
func (r *rendering) hooks() template.FuncMap {
	return template.FuncMap{
		hookEmit: func(output any) (string, error) {
			if text, ok := output.(trustedText); ok {
				r.prompt.trusted(string(text))
				return "", r.spend(len(text))
			}
			text, err := plainText(output)
			if err == nil {
				err = r.spend(len(text))
			}
			r.prompt.untrusted(text)
			return "", err
		},
		hookStep: func(cost int) (string, error) { return "", r.spend(cost) },
	}
}

// functions are what a template's text may call. Those of text/template that can build a value far larger
// than their arguments are replaced by bounded ones or refused.
func (r *rendering) functions() template.FuncMap {
	text := func(f func(string) string) func(any) (string, error) {
		return func(argument any) (string, error) {
			s, err := plainText(argument)
			if err != nil {
				return "", err
			}
			result := f(s)
			return result, r.spend(len(s) + len(result))
		}
	}
	functions := template.FuncMap{
		"marker":    marker,
		"signature": func(tool templateTool) (string, error) { s := tool.signature(); return s, r.spend(len(s)) },
		"trim":      text(trimPython),
		"oneline": func(limit int, argument any) (string, error) {
			return text(func(s string) string { return oneLine(s, limit) })(argument)
		},
		"json": func(argument any) (jsonText, error) {
			if j, ok := argument.(jsonText); ok {
				return j, r.spend(len(j))
			}
			s, ok := argument.(string)
			if !ok {
				return "", fmt.Errorf("json takes a text, .Arguments or .Parameters, not %T", argument)
			}
			j := appendJSONString(nil, s)
			return jsonText(j), r.spend(len(j))
		},
		"print": func(arguments ...any) (string, error) {
			var all strings.Builder
			for _, a := range arguments {
				s, err := plainText(a)
				if err == nil {
					err = r.spend(len(s))
				}
				if err != nil {
					return "", err
				}
				all.WriteString(s)
			}
			return all.String(), nil
		},
	}
	for _, name := range []string{"printf", "println", "html", "js", "urlquery", "call"} {
		functions[name] = func(...any) (string, error) {
			return "", fmt.Errorf("the function %s is not available in chat templates; use print, json or trim", name)
		}
	}
	return functions
}

// plainText returns a scalar's text; other values have none.
func plainText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case jsonText:
		return string(v), nil
	case trustedText:
		return string(v), nil
	case int, bool, float64:
		return fmt.Sprint(v), nil
	default:
		return "", fmt.Errorf("a %T cannot be written as text; name one of its fields", v)
	}
}

// Tool markers: special tokens that stand before a tool's line and before its calls.
const (
	toolMarkers     = 16
	firstToolMarker = 8 // as in <|reserved_special_token_8|>
)

// MaxToolMarkers is how many tools a template with tool markers can show.
const MaxToolMarkers = toolMarkers

// ToolMarker returns the special token that marks tool index in templates with markers, 0 to
// [MaxToolMarkers]-1.
func ToolMarker(index int) string {
	return fmt.Sprintf("<|reserved_special_token_%d|>", firstToolMarker+index)
}

func marker(index int) (trustedText, error) {
	if index == -1 {
		return "", nil // a call of a tool that is no longer on offer
	}
	if index < 0 || index >= toolMarkers {
		return "", fmt.Errorf("there is no marker for tool %d: the template has %d; show fewer tools", index, toolMarkers)
	}
	return trustedText(ToolMarker(index)), nil
}

// oneLine collapses white space and cuts a text that is longer than limit bytes after its last whole word
// within the limit; a longer word is cut between characters.
func oneLine(text string, limit int) string {
	text = strings.Join(strings.FieldsFunc(text, isPythonSpace), " ")
	if limit < 0 || len(text) <= limit {
		return text
	}
	if space := strings.LastIndexByte(text[:limit+1], ' '); space >= 0 {
		return text[:space]
	}
	return strings.ToValidUTF8(text[:limit], "")
}

// signature returns the tool as NAME(PARAM,…).
func (t templateTool) signature() string {
	var text strings.Builder
	text.WriteString(t.Name + "(")
	required := map[string]bool{}
	list, _ := t.schema.member("required")
	for _, name := range list.list {
		required[name.text] = true
	}
	properties, _ := t.schema.member("properties")
	for i, p := range properties.object {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(p.key)
		if !required[p.key] {
			text.WriteByte('?')
		}
		text.WriteString(typeTag(p.value))
	}
	text.WriteByte(')')
	return text.String()
}

// typeTag returns the tag of a property's schema; strings and unknown types have none.
func typeTag(schema value) string {
	if enum, ok := schema.member("enum"); ok && len(enum.list) > 0 {
		options := make([]string, len(enum.list))
		for i, option := range enum.list {
			if options[i] = option.text; option.kind != kindString {
				options[i] = string(option.compact())
			}
		}
		return ":" + strings.Join(options, "|")
	}
	return map[string]string{
		"integer": ":int", "number": ":num", "boolean": ":bool", "array": ":list", "object": ":object",
	}[schemaType(schema)]
}

// schemaType returns a schema's type; of a list of types the first that is not null.
func schemaType(schema value) string {
	t, _ := schema.member("type")
	for _, option := range t.list {
		if option.text != "null" {
			return option.text
		}
	}
	return t.text
}
