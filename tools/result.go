package tools

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/drover-ai/drover/tools/internal/cut"
)

// resultOf turns what a function returned into what a model reads:
//
//   - a [Result], a string and []byte as they are; an error by its message; json.RawMessage as it is
//   - struct{} as "done"
//   - a type that writes itself as JSON, as text or has a method String, by the first of these that it has
//   - all else as compact JSON, in which <, > and & stay as they are; no elements as [] or {}
//
// What would be a lone JSON string is that string, without quotes.
func resultOf[Out any](out *Out) (Result, error) {
	switch value := any(*out).(type) {
	case Result:
		return value, nil
	case string:
		return Text(value), nil
	case []byte:
		return Text(string(value)), nil
	case json.RawMessage:
		return Text(string(value)), nil
	case struct{}:
		return Text("done"), nil
	case nil:
		return Text("null"), nil
	case error:
		if !isNilPointer(value) {
			return Text(value.Error()), nil
		}
	}
	value := any(*out)
	switch kind := reflect.TypeOf(value).Kind(); {
	case isNilPointer(value):
		return Text("null"), nil
	case kind == reflect.Slice && reflect.ValueOf(value).IsNil():
		return Text("[]"), nil
	case kind == reflect.Map && reflect.ValueOf(value).IsNil():
		return Text("{}"), nil
	}
	if reflect.TypeFor[Out]().Kind() != reflect.Interface {
		value = out // so that methods of *Out count
	}
	switch value := value.(type) {
	case json.Marshaler:
	case encoding.TextMarshaler:
		text, err := value.MarshalText()
		return Text(string(text)), err
	case fmt.Stringer:
		return Text(value.String()), nil
	}
	text, err := compactJSON(value)
	if err != nil {
		return Result{}, fmt.Errorf("result of type %T: %w", *out, err)
	}
	if len(text) > 0 && text[0] == '"' {
		var plain string
		if err := json.Unmarshal(text, &plain); err == nil {
			return Text(plain), nil
		}
	}
	return Text(string(text)), nil
}

func isNilPointer(value any) bool {
	v := reflect.ValueOf(value)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// compactJSON is json.Marshal without the escaping for HTML pages, which models would copy.
func compactJSON(value any) (json.RawMessage, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// bound makes result fit to be shown: at most limit bytes (0: no limit) of the content, cut between characters with a
// note about the rest, and valid UTF-8.
func bound(result Result, limit int) Result {
	content, missing := cut.Text(result.Content, limit)
	return Result{Content: content, Cut: result.Cut + missing}
}
