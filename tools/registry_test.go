package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// handmade is a tool without New: its own Call checks nothing.
type handmade struct {
	name       string
	parameters string
	call       func(ctx context.Context, arguments json.RawMessage) (tools.Result, error)
}

func (h handmade) Definition() prompts.ToolDefinition {
	return prompts.ToolDefinition{Name: h.name, Description: "By hand.", Parameters: json.RawMessage(h.parameters)}
}

func (h handmade) Call(ctx context.Context, arguments json.RawMessage) (tools.Result, error) {
	if h.call == nil {
		return tools.Text(string(arguments)), nil
	}
	return h.call(ctx, arguments)
}

type wrapper struct{ tools.Tool }

func (w wrapper) Unwrap() tools.Tool { return w.Tool }

func registry(t *testing.T, list ...tools.Tool) *tools.Registry {
	t.Helper()
	r, err := tools.NewRegistry(list...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func named(names ...string) []tools.Tool {
	list := make([]tools.Tool, len(names))
	for i, name := range names {
		list[i] = handmade{name: name}
	}
	return list
}

func TestRegistry(t *testing.T) {
	r := registry(t, named("c", "a", "b")...)
	if got := r.Names(); !slices.Equal(got, []string{"c", "a", "b"}) || r.Len() != 3 || len(r.Tools()) != 3 {
		t.Errorf("got %q, want the order given", got)
	}
	if tool, ok := r.Lookup("a"); !ok || tool.Definition().Name != "a" {
		t.Error("Lookup does not find a")
	}
	if _, ok := r.Lookup("A"); ok {
		t.Error("Lookup finds A: names are exact")
	}
	more, err := r.With(named("d")...)
	if err != nil || !slices.Equal(more.Names(), []string{"c", "a", "b", "d"}) || r.Len() != 3 {
		t.Errorf("With: got %q, %v; the original has %d", more.Names(), err, r.Len())
	}
	subset, err := more.Subset("b", "c", "b")
	if err != nil || !slices.Equal(subset.Names(), []string{"c", "b"}) {
		t.Errorf("Subset: got %q, %v, want the registry's order", subset.Names(), err)
	}
	definitions := subset.Definitions()
	if len(definitions) != 2 || definitions[1].Name != "b" {
		t.Errorf("Definitions: got %+v", definitions)
	}
	_, err = more.Subset("a", "x")
	var unknown *tools.CallError
	if !errors.As(err, &unknown) || unknown.Kind != tools.UnknownTool || unknown.Tool != "x" {
		t.Errorf("Subset: got %v, want an unknown tool", err)
	}

	var empty *tools.Registry
	if empty.Len() != 0 || empty.Definitions() == nil || len(empty.Names()) != 0 {
		t.Error("the nil registry is not empty")
	}
	if _, err := empty.Call(t.Context(), "x", nil); err == nil || err.Error() != `unknown tool "x": there are no tools` {
		t.Errorf("empty: got %v", err)
	}
	if r, err := empty.Subset(); err != nil || r.Len() != 0 {
		t.Errorf("empty: got %v, %v", r, err)
	}
}

func TestRegistryErrors(t *testing.T) {
	for _, test := range []struct {
		tools []tools.Tool
		want  string
	}{
		{named("a", "b", "a"), `two tools are named "a"`},
		{named("a b"), `tool name "a b"`},
		{[]tools.Tool{handmade{name: "a"}, nil}, "tool 2 of 2 is nil"},
		{[]tools.Tool{handmade{name: "a", parameters: `{`}}, "tool a: parameters are not valid JSON"},
		{[]tools.Tool{handmade{name: "a", parameters: `[]`}}, "tool a: parameters are an array"},
		{[]tools.Tool{handmade{name: "a", parameters: `{"type":"string"}`}}, `tool a: parameters have type string`},
		{[]tools.Tool{handmade{name: "a", parameters: `{"properties":{"x":{"minLength":"1"}}}`}}, "/properties/x/minLength"},
		{[]tools.Tool{handmade{name: "a", parameters: `{"properties":{"x":{"pattern":"(?=x)"}}}`}}, "/properties/x/pattern"},
		{[]tools.Tool{handmade{name: "a", parameters: `{"$ref":"file:///etc/passwd"}`}}, "may only refer to itself, not to file:///etc/passwd"},
		{[]tools.Tool{handmade{name: "a", parameters: `{"$ref":"http://example.com/s.json"}`}}, "may only refer to itself"},
		{[]tools.Tool{handmade{name: "a", parameters: `{"$schema":"http://example.com/s.json"}`}}, "may only refer to itself"},
		{[]tools.Tool{handmade{name: "a", parameters: `{"$ref":"#/$defs/x"}`}}, "tool a: parameters"},
	} {
		if _, err := tools.NewRegistry(test.tools...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q in it", err, test.want)
		}
	}
}

func TestCallOfForeignTool(t *testing.T) {
	r := registry(t, handmade{name: "search", parameters: `{"$defs":{"n":{"type":"integer","minimum":1}},"properties":{"q":{"type":"string"},"n":{"$ref":"#/$defs/n"}},"required":["q"]}`})
	for _, test := range []struct{ arguments, want string }{
		{`{"q": "x"}`, `{"q": "x"}`},
		{`{"q":"x","n":2,"other":[1]}`, `{"q":"x","n":2,"other":[1]}`}, // its schema does not forbid others
	} {
		result, err := r.Call(t.Context(), "search", json.RawMessage(test.arguments))
		if err != nil || result.Content != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.arguments, result.Content, err, test.want)
		}
		if err := r.Check("search", json.RawMessage(test.arguments)); err != nil {
			t.Errorf("%s: Check: %v", test.arguments, err)
		}
	}
	for _, test := range []struct{ arguments, want string }{
		{``, `search: invalid arguments: /q: missing`},
		{`{"q":"x","n":0}`, `search: invalid arguments: /n: minimum: got 0, want 1`},
		{`{"q":"x","n":null}`, `search: invalid arguments: /n: got null, want an integer`},
		{`{"q":"x","q":1}`, `search: invalid arguments: "q" is given twice`},
		{`{"q":"x","n":1e9999}`, `search: invalid arguments: /n: number 1e9999: want a power of ten between -400 and 400`},
	} {
		if _, err := r.Call(t.Context(), "search", json.RawMessage(test.arguments)); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %q", test.arguments, err, test.want)
		}
		if err := r.Check("search", json.RawMessage(test.arguments)); err == nil || err.Error() != test.want {
			t.Errorf("%s: Check: got %v, want %q", test.arguments, err, test.want)
		}
	}
	if result, err := registry(t, handmade{name: "none"}).Call(t.Context(), "none", nil); err != nil || result.Content != "{}" {
		t.Errorf("no arguments: got %q, %v, want an empty object", result.Content, err)
	}
}

func TestUnknownTool(t *testing.T) {
	r := registry(t, named("now", "convert_units", "calculator", "read_file")...)
	_, err := r.Call(t.Context(), "calculate", nil)
	var unknown *tools.CallError
	if !errors.As(err, &unknown) || unknown.Kind != tools.UnknownTool || unknown.Known[0] != "calculator" || len(unknown.Known) != 4 {
		t.Fatalf("got %#v", err)
	}
	if err := r.Check("calculate", nil); !errors.As(err, &unknown) || unknown.Kind != tools.UnknownTool {
		t.Errorf("Check: got %v", err)
	}
	many := make([]string, 40)
	for i := range many {
		many[i] = "tool_" + string(rune('A'+i/26)) + string(rune('a'+i%26))
	}
	_, err = registry(t, named(many...)...).Call(t.Context(), "x", nil)
	if !strings.HasSuffix(err.Error(), " and 28 more") {
		t.Errorf("got %q, want twelve names and a count", err)
	}
}

// both runs body for a tool made by New and for a handmade one that do the same.
func both(t *testing.T, body func(t *testing.T, tool func(call func(context.Context) (string, error)) tools.Tool)) {
	t.Run("function", func(t *testing.T) {
		body(t, func(call func(context.Context) (string, error)) tools.Tool {
			return tools.Must(tools.New("tool", "T.", func(ctx context.Context, _ struct{}) (string, error) { return call(ctx) }))
		})
	})
	t.Run("handmade", func(t *testing.T) {
		body(t, func(call func(context.Context) (string, error)) tools.Tool {
			return handmade{name: "tool", call: func(ctx context.Context, _ json.RawMessage) (tools.Result, error) {
				text, err := call(ctx)
				return tools.Text(text), err
			}}
		})
	})
}

func kindOf(err error) tools.CallErrorKind {
	var call *tools.CallError
	if errors.As(err, &call) {
		return call.Kind
	}
	return ""
}

func TestFailure(t *testing.T) {
	both(t, func(t *testing.T, tool func(func(context.Context) (string, error)) tools.Tool) {
		cause := errors.New("no such city")
		_, err := registry(t, tool(func(context.Context) (string, error) { return "partial", cause })).Call(t.Context(), "tool", nil)
		if kindOf(err) != tools.Failed || !errors.Is(err, cause) || err.Error() != "tool: no such city" {
			t.Errorf("got %v (%s)", err, kindOf(err))
		}
	})
}

func TestPanic(t *testing.T) {
	both(t, func(t *testing.T, tool func(func(context.Context) (string, error)) tools.Tool) {
		_, err := registry(t, tool(func(context.Context) (string, error) { panic("out of cheese") })).Call(t.Context(), "tool", nil)
		var call *tools.CallError
		if !errors.As(err, &call) || call.Kind != tools.Panicked || err.Error() != "tool: panicked: out of cheese" {
			t.Fatalf("got %v", err)
		}
		if !strings.Contains(string(call.Stack), "registry_test.go") {
			t.Errorf("the stack does not show where:\n%s", call.Stack)
		}
		var zero map[string]int
		_, err = registry(t, tool(func(context.Context) (string, error) { zero["x"] = 1; return "", nil })).Call(t.Context(), "tool", nil)
		if kindOf(err) != tools.Panicked {
			t.Errorf("got %v", err)
		}
	})
}

func TestGoexit(t *testing.T) {
	both(t, func(t *testing.T, tool func(func(context.Context) (string, error)) tools.Tool) {
		_, err := registry(t, tool(func(context.Context) (string, error) { runtime.Goexit(); return "", nil })).Call(t.Context(), "tool", nil)
		if kindOf(err) != tools.Failed || !strings.Contains(err.Error(), "ended its goroutine") {
			t.Errorf("got %v", err)
		}
	})
}

func TestDeadlineIgnored(t *testing.T) {
	both(t, func(t *testing.T, tool func(func(context.Context) (string, error)) tools.Tool) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			defer close(release) // the abandoned goroutine must end inside the bubble
			r := registry(t, tool(func(context.Context) (string, error) { <-release; return "late", nil }))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			_, err := r.Call(ctx, "tool", nil)
			if kindOf(err) != tools.TimedOut || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v (%s)", err, kindOf(err))
			}
			if took := time.Since(start); took < time.Second || took > 1200*time.Millisecond {
				t.Errorf("returned after %v, want soon after a second", took)
			}
		})
	})
}

func TestDeadlineHonored(t *testing.T) {
	both(t, func(t *testing.T, tool func(func(context.Context) (string, error)) tools.Tool) {
		synctest.Test(t, func(t *testing.T) {
			r := registry(t, tool(func(ctx context.Context) (string, error) { <-ctx.Done(); return "", errors.New("stopped the process") }))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			_, err := r.Call(ctx, "tool", nil)
			if kindOf(err) != tools.TimedOut || !strings.Contains(err.Error(), "stopped the process") || time.Since(start) != time.Second {
				t.Errorf("after %v: got %v (%s)", time.Since(start), err, kindOf(err))
			}
			// A tool that gives a result in its last moments is heard.
			r = registry(t, tool(func(ctx context.Context) (string, error) { <-ctx.Done(); return "half of it", nil }))
			ctx, cancel = context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if result, err := r.Call(ctx, "tool", nil); err != nil || result.Content != "half of it" {
				t.Errorf("got %+v, %v", result, err)
			}
		})
	})
}

func TestCancel(t *testing.T) {
	both(t, func(t *testing.T, tool func(func(context.Context) (string, error)) tools.Tool) {
		synctest.Test(t, func(t *testing.T) {
			ran := false
			r := registry(t, tool(func(ctx context.Context) (string, error) { ran = true; <-ctx.Done(); return "", ctx.Err() }))
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() { time.Sleep(time.Second); cancel(errors.New("the user left")) }()
			_, err := r.Call(ctx, "tool", nil)
			if kindOf(err) != tools.Canceled || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the user left") {
				t.Errorf("got %v (%s)", err, kindOf(err))
			}
			ran = false
			if _, err := r.Call(ctx, "tool", nil); kindOf(err) != tools.Canceled || ran {
				t.Errorf("got %v, ran %v: a call after the end must not start", err, ran)
			}
		})
	})
}

func TestOwnTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tool := tools.Must(tools.New("slow", "S.", func(ctx context.Context, _ struct{}) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}, tools.WithTimeout(3*time.Second)))
		_, err := tool.Call(t.Context(), nil)
		if kindOf(err) != tools.TimedOut || err.Error() != "slow: timed out: no result within 3s: context deadline exceeded" {
			t.Errorf("got %v (%s)", err, kindOf(err))
		}
	})
}

func TestForeignResultIsBounded(t *testing.T) {
	r := registry(t, handmade{name: "tool", call: func(context.Context, json.RawMessage) (tools.Result, error) {
		return tools.Text("\xff" + strings.Repeat("x", 3<<20)), nil
	}})
	result, err := r.Call(t.Context(), "tool", nil)
	if err != nil || result.Cut != 2<<20+1 || !strings.HasPrefix(result.Content, "\uFFFDxxx") {
		t.Errorf("got %d bytes, %d cut, %v", len(result.Content), result.Cut, err)
	}
}

func TestParallelCalls(t *testing.T) {
	tool := echo[trip](t)
	r := registry(t, tool, handmade{name: "foreign", parameters: `{"properties":{"n":{"type":"integer"}}}`})
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for range 50 {
				if result, err := r.Call(t.Context(), "echo", json.RawMessage(`{"from":"Bonn","seats":2.0}`)); err != nil || !strings.Contains(result.Content, "Seats:2") {
					t.Errorf("goroutine %d: got %+v, %v", i, result, err)
				}
				if _, err := r.Call(t.Context(), "foreign", json.RawMessage(`{"n":"x"}`)); kindOf(err) != tools.InvalidArguments {
					t.Errorf("goroutine %d: got %v", i, err)
				}
			}
		})
	}
	wait.Wait()
}

// A broken call never reaches the function, whatever the arguments are; a good one decodes to what was checked.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{`{"from":"Bonn"}`, `{"from":"x","seats":2.0,"stops":[{"city":"a","a/b~":1}],"price":1e3}`, `{"from":"x","price":null}`, `[[[[`, `{"from":"a","from":"b"}`, `{"a":{"a":{}}}`, "\xff", `{"from":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	var seen *trip
	tool := tools.Must(tools.New("t", "T.", func(_ context.Context, in trip) (string, error) { seen = &in; return "", nil }))
	f.Fuzz(func(t *testing.T, arguments []byte) {
		seen = nil
		_, err := tool.Call(t.Context(), arguments)
		if (err == nil) != (seen != nil) {
			t.Fatalf("error %v, function ran: %v", err, seen != nil)
		}
		if err != nil {
			if kind := kindOf(err); kind != tools.InvalidArguments {
				t.Fatalf("got kind %q: %v", kind, err)
			}
			return
		}
		var want trip
		if err := json.Unmarshal(arguments, &want); err == nil && want.From != seen.From {
			t.Fatalf("decoded %+v, encoding/json says %+v", seen, want)
		}
		if seen.Seats < 0 || seen.Seats > 9 {
			t.Fatalf("%d seats passed the schema", seen.Seats)
		}
	})
}
