package prompts

import (
	"math"
	"strconv"
	"strings"
)

// pythonJSON returns the value as Python's json.dumps(…, ensure_ascii=False) prints it, on one line.
// Hugging Face's tojson filter is this call, so templates written for it need every detail: ", " and ": " as
// separators, keys in their order, no HTML escapes, floats as repr prints them.
func pythonJSON(v value) string { return string(appendPython(nil, v)) }

func appendPython(dst []byte, v value) []byte {
	switch v.kind {
	case kindArray:
		dst = append(dst, '[')
		for i, e := range v.list {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendPython(dst, e)
		}
		return append(dst, ']')
	case kindObject:
		dst = append(dst, '{')
		for i, m := range v.object {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(appendJSONString(dst, m.key), ": "...)
			dst = appendPython(dst, m.value)
		}
		return append(dst, '}')
	case kindNumber:
		return append(dst, pythonNumber(v.text)...)
	default:
		return v.appendSimple(dst)
	}
}

// pythonJSONIndent returns the value as json.dumps(…, indent=4) prints it: empty containers on one line, no
// blank at the end of a line.
func pythonJSONIndent(v value) string { return string(appendPythonIndent(nil, v, 0)) }

func appendPythonIndent(dst []byte, v value, level int) []byte {
	newline := func(level int) {
		dst = append(dst, '\n')
		for range level {
			dst = append(dst, "    "...)
		}
	}
	switch {
	case v.kind == kindArray && len(v.list) > 0:
		dst = append(dst, '[')
		for i, e := range v.list {
			if i > 0 {
				dst = append(dst, ',')
			}
			newline(level + 1)
			dst = appendPythonIndent(dst, e, level+1)
		}
		newline(level)
		return append(dst, ']')
	case v.kind == kindObject && len(v.object) > 0:
		dst = append(dst, '{')
		for i, m := range v.object {
			if i > 0 {
				dst = append(dst, ',')
			}
			newline(level + 1)
			dst = append(appendJSONString(dst, m.key), ": "...)
			dst = appendPythonIndent(dst, m.value, level+1)
		}
		newline(level)
		return append(dst, '}')
	default:
		return appendPython(dst, v)
	}
}

// pythonNumber returns a JSON number as Python prints it after json.loads: an integer digit by digit, a float
// by the shortest digits that give it back, with an exponent below 1e-4 and from 1e16 on.
func pythonNumber(literal string) string {
	if !strings.ContainsAny(literal, ".eE") {
		if literal == "-0" {
			return "0"
		}
		return literal
	}
	f, _ := strconv.ParseFloat(literal, 64) // out of range gives an infinity, as in Python
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0 || (math.Abs(f) >= 1e-4 && math.Abs(f) < 1e16):
		text := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	default:
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
}

// pythonStr returns what Python's str prints for a scalar that is no string, as Jinja's {{ … }} writes it.
func pythonStr(v value) string {
	switch v.kind {
	case kindTrue:
		return "True"
	case kindFalse:
		return "False"
	case kindNumber:
		switch text := pythonNumber(v.text); text {
		case "Infinity":
			return "inf"
		case "-Infinity":
			return "-inf"
		default:
			return text
		}
	default:
		return "None"
	}
}
