package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/drover-ai/drover/prompts"
)

// reply is what the model wrote.
type reply struct {
	text  string
	calls []prompts.ToolCall
	err   error // a call that could not be read
}

// judgment says how good a reply is.
type judgment struct {
	tool  bool   // the right tools were called, or rightly none
	exact bool   // and with accepted arguments; for an answer in words: it is right
	why   string // what is wrong
}

func judge(e expectation, r reply) judgment {
	if r.err != nil {
		return judgment{why: "unreadable call: " + r.err.Error()}
	}
	if e.NoCall {
		return judgeText(e, r)
	}
	if got, want := names(r.calls), expectedNames(e.Calls); !slices.Equal(got, want) {
		if len(got) == 0 {
			return judgment{why: fmt.Sprintf("called nothing, want %v", want)}
		}
		return judgment{why: fmt.Sprintf("called %v, want %v", got, want)}
	}
	// Calls may come in any order: each expected call takes the first call left that fits.
	left := slices.Clone(r.calls)
	for _, want := range e.Calls {
		var why string
		i := slices.IndexFunc(left, func(got prompts.ToolCall) bool {
			reason := mismatch(want, got)
			if why == "" || got.Name == want.Name {
				why = reason
			}
			return reason == ""
		})
		if i < 0 {
			return judgment{tool: true, why: why}
		}
		left = slices.Delete(left, i, i+1)
	}
	return judgment{tool: true, exact: true}
}

func judgeText(e expectation, r reply) judgment {
	if len(r.calls) > 0 {
		return judgment{why: fmt.Sprintf("called %v, want an answer in words", names(r.calls))}
	}
	text := strings.ToLower(r.text)
	for _, part := range e.Contains {
		if !strings.Contains(text, strings.ToLower(part)) {
			return judgment{tool: true, why: fmt.Sprintf("answered %q, which lacks %q", r.text, part)}
		}
	}
	for _, part := range e.Lacks {
		if strings.Contains(text, strings.ToLower(part)) {
			return judgment{tool: true, why: fmt.Sprintf("answered %q, which must not have %q", r.text, part)}
		}
	}
	return judgment{tool: true, exact: true}
}

func names(calls []prompts.ToolCall) []string {
	var list []string
	for _, c := range calls {
		list = append(list, c.Name)
	}
	slices.Sort(list)
	return list
}

func expectedNames(calls []expectedCall) []string {
	var list []string
	for _, c := range calls {
		list = append(list, c.Name)
	}
	slices.Sort(list)
	return list
}

// mismatch says why a call is not the expected one, or "". The rules are the leaderboard's: every argument must be one of
// the accepted values, none may be invented, one may be left out if its accepted values say so.
func mismatch(want expectedCall, got prompts.ToolCall) string {
	if got.Name != want.Name {
		return fmt.Sprintf("called %s, want %s", got.Name, want.Name)
	}
	var arguments map[string]json.RawMessage
	if err := json.Unmarshal(got.Arguments, &arguments); err != nil {
		return "arguments: " + err.Error()
	}
	for name, value := range arguments {
		accepted, ok := want.Accept[name]
		if !ok {
			return fmt.Sprintf("invented argument %s", name)
		}
		if !slices.ContainsFunc(accepted, func(a json.RawMessage) bool { return sameValue(a, value) }) {
			return fmt.Sprintf("%s is %s, want %s", name, value, bytes.Join(raws(accepted), []byte(" or ")))
		}
	}
	for name, accepted := range want.Accept {
		if _, ok := arguments[name]; !ok && !slices.ContainsFunc(accepted, optional) {
			return fmt.Sprintf("%s is missing", name)
		}
	}
	return ""
}

func raws(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, r := range list {
		out[i] = r
	}
	return out
}

func optional(accepted json.RawMessage) bool {
	return string(accepted) == `""` || string(accepted) == "null"
}

// sameValue compares an accepted value with a given one: numbers by value, texts without case, spaces and the punctuation
// that the leaderboard ignores, lists item by item, objects as lists of accepted values by key.
func sameValue(accepted, given json.RawMessage) bool {
	var a, g any
	if json.Unmarshal(accepted, &a) != nil || json.Unmarshal(given, &g) != nil {
		return false
	}
	return same(a, g)
}

func same(a, g any) bool {
	switch a := a.(type) {
	case string:
		g, ok := g.(string)
		return ok && plain(a) == plain(g)
	case float64:
		g, ok := g.(float64)
		return ok && math.Abs(a-g) <= 1e-9*math.Max(math.Abs(a), 1)
	case []any:
		g, ok := g.([]any)
		return ok && len(a) == len(g) && !slices.ContainsFunc(indices(a), func(i int) bool { return !same(a[i], g[i]) })
	case map[string]any:
		g, ok := g.(map[string]any)
		return ok && sameObject(a, g)
	}
	return a == g
}

// sameObject compares an object whose values are lists of accepted values.
func sameObject(a, g map[string]any) bool {
	for key := range g {
		if _, ok := a[key]; !ok {
			return false
		}
	}
	for key, accepted := range a {
		list, ok := accepted.([]any)
		if !ok {
			list = []any{accepted}
		}
		value, given := g[key]
		if !slices.ContainsFunc(list, func(x any) bool { return given && same(x, value) || !given && x == "" }) {
			return false
		}
	}
	return true
}

func indices(list []any) []int {
	out := make([]int, len(list))
	for i := range out {
		out[i] = i
	}
	return out
}

// plain is a text without what the comparison ignores.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune(",./-_*^'\"", r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}
