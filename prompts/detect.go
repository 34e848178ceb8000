package prompts

import (
	"fmt"
	"strings"
)

// KeyChatTemplate is the metadata key under which a model file carries a template for [FromSource].
const KeyChatTemplate = "drover.chat_template"

// templates are the templates that Named knows.
var templates = []func() Template{Llama32, Llama32Pythonic, Compact}

// Compact returns the template of [CompactSource].
func Compact() Template { return compactTemplate }

var compactTemplate = func() Template {
	t, err := FromSource("compact", compactSource)
	if err != nil {
		panic(err) // the text is part of this package, and tested
	}
	return t
}()

// Named returns the built-in template of this name: "llama-3.2", "llama-3.2-pythonic" or "compact".
func Named(name string) (Template, error) {
	var names []string
	for _, t := range templates {
		if t().Name() == name {
			return t(), nil
		}
		names = append(names, t().Name())
	}
	return nil, fmt.Errorf("template %q is unknown; there are %s", name, strings.Join(names, ", "))
}

// UnknownTemplateError says that a model file's chat template is none that this package can render. The text
// of a template is not run: a template that is rendered almost as the model learned it makes answers worse
// without a sign.
type UnknownTemplateError struct {
	Source string // the model file's template, "" when it has none
}

func (e *UnknownTemplateError) Error() string {
	found := "the model file has no chat template"
	if e.Source != "" {
		start := e.Source
		if runes := []rune(start); len(runes) > 60 {
			start = string(runes[:60]) + "…"
		}
		found = fmt.Sprintf("the model file's chat template is none that drover renders (it starts %q)", start)
	}
	return found + "; supported are Llama 3.1's and 3.2's, and texts under the key " + KeyChatTemplate +
		"; to use one all the same, name it: llama-3.2, llama-3.2-pythonic or compact"
}

// Detect returns the template that a model file asks for. chatTemplate is the file's Jinja template
// (tokenizer.chat_template in GGUF), "" for none; metadata looks up further keys and may be nil. A text under
// [KeyChatTemplate] comes first and goes to [FromSource]; then the Jinja templates of Llama 3.1 and 3.2
// are recognized by what they write. Any other gives an [*UnknownTemplateError].
func Detect(chatTemplate string, metadata func(key string) (string, bool)) (Template, error) {
	if metadata != nil {
		if source, ok := metadata(KeyChatTemplate); ok {
			if source == compactSource {
				return Compact(), nil
			}
			return FromSource(KeyChatTemplate, source)
		}
	}
	for _, mark := range []string{
		startHeader, endOfTurn, "ipython", "Cutting Knowledge Date: December 2023",
		"Given the following functions, please respond with a JSON for a function call",
	} {
		if !strings.Contains(chatTemplate, mark) {
			return nil, &UnknownTemplateError{Source: chatTemplate}
		}
	}
	return Llama32(), nil
}
