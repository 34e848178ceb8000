package main

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// rewriteObjects copies a JSON text and lets change replace the value of each key of each object, or drop it. Keys keep
// their order, which decoding into a map would lose; models see schemas in that order.
func rewriteObjects(raw json.RawMessage, change func(key string, value json.RawMessage) (json.RawMessage, bool)) (json.RawMessage, error) {
	trimmed := bytes.TrimSpace(raw)
	if len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return raw, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(trimmed))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	object := trimmed[0] == '{'
	var out bytes.Buffer
	out.WriteByte(trimmed[0])
	for first := true; decoder.More(); {
		var key string
		if object {
			token, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			key, _ = token.(string)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		keep := true
		if object {
			value, keep = change(key, value)
		}
		if !keep {
			continue
		}
		value, err := rewriteObjects(value, change)
		if err != nil {
			return nil, err
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		if object {
			fmt.Fprintf(&out, "%s:", quote(key))
		}
		out.Write(value)
	}
	out.WriteByte(trimmed[0] + 2) // '}' and ']' are two after '{' and '['
	return out.Bytes(), nil
}

func quote(text string) []byte {
	quoted, _ := json.Marshal(text) // a string always marshals
	return quoted
}
