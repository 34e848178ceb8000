package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/drover-ai/drover/tools"
)

// behavior is the environment variable that makes the test binary a server that behaves in a certain way.
const behavior = "DROVER_MCP_TEST_SERVER"

func TestMain(m *testing.M) {
	if how := os.Getenv(behavior); how != "" {
		helperServer(how)
		return
	}
	os.Exit(m.Run())
}

// helperServer is a server as a process, which serves until its input ends or it does something worse.
func helperServer(how string) {
	for _, later := range []struct{ file, how string }{{os.Getenv(behavior + "_BROKEN"), "dead"}, {os.Getenv(behavior + "_MUTE"), "mute"}} {
		if _, err := os.Stat(later.file); err == nil { // from when the file is there
			how = later.how
		}
	}
	switch how {
	case "mute": // never answers
		time.Sleep(time.Hour)
	case "dead":
		fmt.Fprintln(os.Stderr, "no license found")
		os.Exit(4)
	case "babble":
		fmt.Println("Welcome to the server!")
		time.Sleep(time.Hour)
	}
	server := sdk.NewServer(&sdk.Implementation{Name: "helper", Version: "1"}, nil)
	add := func(name string, handler func(context.Context) (string, error)) {
		server.AddTool(&sdk.Tool{Name: name, Description: "For tests.", InputSchema: json.RawMessage(`{"type":"object"}`)},
			func(ctx context.Context, _ *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
				text, err := handler(ctx)
				return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: text}}}, err
			})
	}
	add("pid", func(context.Context) (string, error) { return fmt.Sprint(os.Getpid()), nil })
	add("die", func(context.Context) (string, error) {
		fmt.Fprintln(os.Stderr, "panic: out of cheese")
		os.Exit(3)
		return "", nil
	})
	add("hang", func(context.Context) (string, error) { time.Sleep(time.Hour); return "", nil })
	add("refuse", func(context.Context) (string, error) { return "", errors.New("not today") })
	server.AddReceivingMiddleware(func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, request sdk.Request) (sdk.Result, error) {
			switch {
			case how == "old" && method == "server/discover":
				os.Exit(5)
			case how == "new" && method == "initialize":
				return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: "initialize is history"}
			}
			return next(ctx, method, request)
		}
	})
	err := server.Run(context.Background(), &sdk.StdioTransport{})
	if how == "stubborn" {
		time.Sleep(time.Hour)
	}
	if err != nil {
		os.Exit(1)
	}
}

// startHelper connects to a server that is this test binary.
func startHelper(t *testing.T, how string, options Options) *Client {
	t.Helper()
	c, err := command(t, how, options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func command(t *testing.T, how string, options Options) (*Client, error) {
	t.Helper()
	if options.Environment == nil {
		options.Environment = append(os.Environ(), behavior+"="+how)
	}
	c, err := Command(t.Context(), []string{os.Args[0]}, options)
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

type greeting struct {
	Way   string `json:"way,omitempty" jsonschema:"enum=loud,enum=quiet"`
	Name  string `json:"name" jsonschema:"description=whom to greet"`
	Count int    `json:"count,omitempty" jsonschema:"minimum=1,maximum=9007199254740993"`
}

// sample is a registry with a tool for every effect that matters.
func sample(t *testing.T) *tools.Registry {
	t.Helper()
	greet := func(_ context.Context, in greeting) (string, error) {
		if in.Name == "nobody" {
			return "", errors.New("there is nobody; name somebody")
		}
		return strings.Repeat("Hello, "+in.Name+"!", max(1, in.Count)), nil
	}
	registry, err := tools.NewRegistry(
		tools.Must(tools.New("greet", "Greet somebody.", greet, tools.WithEffects(tools.Pure))),
		tools.Must(tools.New("carve", "Carve a greeting in stone.", greet, tools.WithEffects(tools.Writes))),
		tools.Must(tools.New("fetch", "Fetch a greeting.", greet, tools.WithEffects(tools.Reads|tools.Network))),
	)
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

// overHTTP serves a registry and connects to it.
func overHTTP(t *testing.T, registry *tools.Registry, options Options) *Client {
	t.Helper()
	server, err := NewServer(registry, ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return dialed(t, server.Handler(), options)
}

// dialed connects to what a handler serves.
func dialed(t *testing.T, handler http.Handler, options Options) *Client {
	t.Helper()
	listener := httptest.NewServer(handler)
	t.Cleanup(listener.Close)
	c, err := Dial(t.Context(), listener.URL, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// linked connects to a server in this process.
func linked(t *testing.T, run func(context.Context, sdk.Transport) error, options Options) *Client {
	t.Helper()
	c, err := connect(t.Context(), []string{"in process"}, options, func(found *schemas) (link, error) {
		ours, theirs := sdk.NewInMemoryTransports()
		go func() { _ = run(t.Context(), theirs) }()
		return link{transport: seeing{ours, found}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func registryOf(t *testing.T, all ...tools.Tool) *tools.Registry {
	t.Helper()
	registry, err := tools.NewRegistry(all...)
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

// What goes through the protocol comes out as it went in: names, descriptions, schemas, results, errors.
func TestThroughTheProtocol(t *testing.T) {
	ours := sample(t)
	server, err := NewServer(ours, ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"", "2025-06-18", "2025-11-25", "2026-07-28"} {
		for name, c := range map[string]*Client{
			"in process": linked(t, server.server.Run, Options{ProtocolVersion: version}),
			"HTTP":       overHTTP(t, ours, Options{ProtocolVersion: version}),
			"HTTP, JSON": dialed(t, sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server.server },
				&sdk.StreamableHTTPOptions{Stateless: true, JSONResponse: true}), Options{ProtocolVersion: version}),
		} {
			t.Run(name+" "+version, func(t *testing.T) {
				if got := c.conn.session.InitializeResult().ProtocolVersion; version != "" && got != version {
					t.Errorf("spoke %q, want %q", got, version)
				}
				theirs := registryOf(t, c.Tools()...)
				if diff := cmp.Diff([]string{"carve", "fetch", "greet"}, theirs.Names()); diff != "" {
					t.Fatal(diff)
				}
				for _, d := range theirs.Definitions() {
					tool, _ := ours.Lookup(d.Name)
					// Byte for byte: the order of the properties is part of it.
					if diff := cmp.Diff(string(tool.Definition().Parameters), string(d.Parameters)); diff != "" || d.Description != tool.Definition().Description {
						t.Errorf("%s: %q %s", d.Name, d.Description, diff)
					}
				}
				result, err := theirs.Call(t.Context(), "greet", json.RawMessage(`{"name":"Ada","count":2}`))
				if err != nil || result.Content != "Hello, Ada!Hello, Ada!" {
					t.Errorf("got %q, %v", result.Content, err)
				}
				_, err = theirs.Call(t.Context(), "greet", json.RawMessage(`{"name":"nobody"}`))
				var failed *tools.CallError
				if !errors.As(err, &failed) || failed.Kind != tools.Failed || !strings.Contains(err.Error(), "name somebody") {
					t.Errorf("got %v, want the tool's own error", err)
				}
				_, err = theirs.Call(t.Context(), "greet", json.RawMessage(`{"name":7}`))
				if !errors.As(err, &failed) || failed.Kind != tools.InvalidArguments {
					t.Errorf("got %v, want invalid arguments", err)
				}
			})
		}
	}
}

// A server's word about effects counts only if the user says so.
func TestEffects(t *testing.T) {
	for _, c := range []struct {
		name       string
		trust      bool
		want       tools.Effects
		repeatable bool
	}{
		{"greet", false, tools.Anything, false},
		{"carve", false, tools.Anything, false},
		{"fetch", false, tools.Anything, false},
		{"greet", true, tools.Reads, true},
		{"carve", true, tools.Reads | tools.Writes, false},
		{"fetch", true, tools.Reads | tools.Network, true},
	} {
		tool, ok := registryOf(t, overHTTP(t, sample(t), Options{TrustAnnotations: c.trust}).Tools()...).Lookup(c.name)
		if !ok {
			t.Fatalf("no tool %s", c.name)
		}
		if got := tools.EffectsOf(tool); got != c.want || tools.IsRepeatable(tool) != c.repeatable {
			t.Errorf("%s, trusted %v: %v, repeatable %v; want %v, %v", c.name, c.trust, got, tools.IsRepeatable(tool), c.want, c.repeatable)
		}
	}
}

func TestCombine(t *testing.T) {
	ours := sample(t)
	a := overHTTP(t, ours, Options{Name: "stone mason"})
	b := overHTTP(t, ours, Options{Name: "b"})
	greet, _ := ours.Lookup("greet")

	got := registryOf(t, Combine(nil, a)...).Names()
	if diff := cmp.Diff([]string{"carve", "fetch", "greet"}, got); diff != "" {
		t.Error("nothing clashes:", diff)
	}
	got = registryOf(t, Combine([]tools.Tool{greet}, a)...).Names()
	if diff := cmp.Diff([]string{"greet", "carve", "fetch", "stone_mason_greet"}, got); diff != "" {
		t.Error("one clashes:", diff)
	}
	all := registryOf(t, Combine([]tools.Tool{greet}, a, b, b)...)
	if want := 10; all.Len() != want {
		t.Errorf("%d tools, want %d", all.Len(), want)
	}
	for _, name := range []string{"stone_mason_carve", "b_carve", "b_carve_2", "b_greet_2"} {
		if _, err := all.Call(t.Context(), name, json.RawMessage(`{"name":"Ada"}`)); err != nil {
			t.Error(err)
		}
	}
	if tool, _ := all.Lookup("greet"); tool != greet {
		t.Error("greet is no longer ours")
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("x", 70)
	for theirs, want := range map[string]string{
		"read_file": "read_file", "files/read": "files_read", "über": "_ber", "a b.c-d": "a_b.c-d", "": "", "//": "",
	} {
		if got := validName(theirs); got != want {
			t.Errorf("validName(%q) = %q, want %q", theirs, got, want)
		}
	}
	a, b := validName(long+"a"), validName(long+"b")
	if a == b || tools.CheckName(a) != nil || tools.CheckName(b) != nil {
		t.Errorf("long names became %q and %q", a, b)
	}
	if got := unused(strings.Repeat("y", 64), map[string]bool{strings.Repeat("y", 64): true}); tools.CheckName(got) != nil || !strings.HasSuffix(got, "_2") {
		t.Errorf("got %q", got)
	}
}

// A tool whose schema cannot be checked is left out; the others stay.
func TestSkippedTools(t *testing.T) {
	server := sdk.NewServer(&sdk.Implementation{Name: "odd"}, nil)
	nothing := func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return &sdk.CallToolResult{}, nil
	}
	server.AddTool(&sdk.Tool{Name: "good", InputSchema: json.RawMessage(`{"type":"object"}`)}, nothing)
	server.AddTool(&sdk.Tool{Name: "elsewhere", InputSchema: json.RawMessage(`{"type":"object","properties":{"a":{"$ref":"https://example.com/a.json"}}}`)}, nothing)
	server.AddTool(&sdk.Tool{Name: "broken", InputSchema: json.RawMessage(`{"type":"object","properties":{"a":{"type":"strange"}}}`)}, nothing)
	c := linked(t, server.Run, Options{})
	if names := registryOf(t, c.Tools()...).Names(); !cmp.Equal(names, []string{"good"}) {
		t.Errorf("tools %v", names)
	}
	if d := c.Tools()[0].Definition(); d.Description != "The tool good of odd." {
		t.Errorf("description %q", d.Description)
	}
	var skipped []string
	for _, s := range c.Skipped() {
		if s.Reason == nil {
			t.Errorf("%s: no reason", s.Name)
		}
		skipped = append(skipped, s.Name)
	}
	if !cmp.Equal(skipped, []string{"broken", "elsewhere"}) {
		t.Errorf("skipped %v", skipped)
	}
}

func TestContent(t *testing.T) {
	for _, c := range []struct {
		result sdk.CallToolResult
		want   string
	}{
		{sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "a"}, &sdk.TextContent{Text: "b"}}}, "a\nb"},
		{sdk.CallToolResult{Content: []sdk.Content{&sdk.ImageContent{MIMEType: "image/png", Data: make([]byte, 7)}}}, "[an image, image/png, 7 bytes, which cannot be shown]"},
		{sdk.CallToolResult{Content: []sdk.Content{&sdk.AudioContent{MIMEType: "audio/wav", Data: make([]byte, 7)}}}, "[a sound, audio/wav, 7 bytes, which cannot be played]"},
		{sdk.CallToolResult{Content: []sdk.Content{&sdk.ResourceLink{Name: "notes", URI: "file:///n"}}}, "[a link to notes: file:///n]"},
		{sdk.CallToolResult{Content: []sdk.Content{&sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: "file:///n", Text: "text"}}}}, "text"},
		{sdk.CallToolResult{Content: []sdk.Content{&sdk.EmbeddedResource{}}}, ""},
		{sdk.CallToolResult{StructuredContent: map[string]any{"a": 1}}, `{"a":1}`},
		{sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "one"}}, StructuredContent: map[string]any{"a": 1}}, "one"},
		{sdk.CallToolResult{}, ""},
	} {
		if got := textOf(&c.result); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// A result that is too long is cut, and says so.
func TestResultLimit(t *testing.T) {
	c := overHTTP(t, sample(t), Options{MaxResult: 8})
	result, err := registryOf(t, c.Tools()...).Call(t.Context(), "greet", json.RawMessage(`{"name":"Ada"}`))
	if want := "Hello, A\n[cut: the first 8 of 11 bytes]"; err != nil || result.Content != want || result.Cut != 3 {
		t.Errorf("got %q, cut %d, %v; want %q", result.Content, result.Cut, err, want)
	}
}

// A server over HTTP that knows nothing any more of a session, as after a restart, costs no call: a new session is begun.
func TestSessionIsForgotten(t *testing.T) {
	t.Parallel()
	for _, version := range append([]string{""}, fallbacks...) {
		var handler atomic.Pointer[http.Handler]
		restart := func() {
			server := sdk.NewServer(&sdk.Implementation{Name: "web"}, nil)
			server.AddTool(&sdk.Tool{Name: "greet", InputSchema: json.RawMessage(`{"type":"object"}`)},
				func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
					return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "hello"}}}, nil
				})
			var h http.Handler = sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, nil)
			handler.Store(&h)
		}
		restart()
		c := dialed(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }), Options{ProtocolVersion: version})
		registry := registryOf(t, c.Tools()...)
		for range 3 {
			if result, err := registry.Call(t.Context(), "greet", nil); err != nil || result.Content != "hello" {
				t.Errorf("version %q: got %q, %v", version, result.Content, err)
			}
			restart()
		}
		down := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "back soon", http.StatusServiceUnavailable)
		}))
		handler.Store(&down)
		if _, err := registry.Call(t.Context(), "greet", nil); err == nil {
			t.Errorf("version %q: a server that is down is no error", version)
		}
		restart()
		if result, err := registry.Call(t.Context(), "greet", nil); err != nil || result.Content != "hello" {
			t.Errorf("version %q, after the server was down: got %q, %v", version, result.Content, err)
		}
	}
}

// Several calls at once go through one connection.
func TestConcurrentCalls(t *testing.T) {
	registry := registryOf(t, startHelper(t, "well", Options{}).Tools()...)
	var failed atomic.Int32
	done := make(chan bool)
	for range 8 {
		go func() {
			if _, err := registry.Call(t.Context(), "pid", nil); err != nil {
				failed.Add(1)
			}
			done <- true
		}()
	}
	for range 8 {
		<-done
	}
	if failed.Load() > 0 {
		t.Errorf("%d of 8 calls failed", failed.Load())
	}
}

// A server of a pair of streams answers everything that was asked before its input ended, and writes nothing else.
func TestServe(t *testing.T) {
	server, err := NewServer(sample(t), ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"greet","arguments":{"name":"Ada"}}}
`
	var out bytes.Buffer
	if err := server.Serve(t.Context(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[1], "Hello, Ada!") {
		t.Errorf("got %q", lines)
	}
	if err := server.Serve(t.Context(), strings.NewReader("{\"jsonrpc\"\n!"), &out); err == nil {
		t.Error("what is no protocol was accepted")
	}
}

// What a server over HTTP may do wrong is told, and bounded.
func TestHTTPServerThatMisbehaves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"asks who we are": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusUnauthorized) }, "Unauthorized"},
		"is no server":    {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Hello") }, "content type"},
		"is broken":       {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusInternalServerError) }, "Internal Server Error"},
		"never ends": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for {
				if _, err := io.WriteString(w, strings.Repeat(" ", 1<<20)); err != nil {
					return
				}
			}
		}, "more than 16 MiB"},
		"never answers": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then the end of the connection is noticed
			<-r.Context().Done()
		}, "no answer within 500ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener := httptest.NewServer(c.handler)
			defer listener.Close()
			options := Options{}
			if name == "never answers" {
				options.StartTimeout = 500 * time.Millisecond
			}
			_, err := Dial(t.Context(), listener.URL, options)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), listener.URL) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A list of tools that has no end is refused.
func TestTooManyTools(t *testing.T) {
	server := sdk.NewServer(&sdk.Implementation{Name: "endless"}, nil)
	server.AddTool(&sdk.Tool{Name: "one", InputSchema: json.RawMessage(`{"type":"object"}`)}, nil)
	server.AddReceivingMiddleware(func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, request sdk.Request) (sdk.Result, error) {
			result, err := next(ctx, method, request)
			if list, ok := result.(*sdk.ListToolsResult); ok {
				list.NextCursor = "more"
			}
			return result, err
		}
	})
	server.AddReceivingMiddleware(func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, request sdk.Request) (sdk.Result, error) {
			if list, ok := request.GetParams().(*sdk.ListToolsParams); ok {
				list.Cursor = ""
			}
			return next(ctx, method, request)
		}
	})
	_, err := connect(t.Context(), []string{"in process"}, Options{}, func(found *schemas) (link, error) {
		ours, theirs := sdk.NewInMemoryTransports()
		go func() { _ = server.Run(t.Context(), theirs) }()
		return link{transport: seeing{ours, found}}, nil
	})
	if err == nil || !strings.Contains(err.Error(), "more than 1000 tools") {
		t.Errorf("got %v", err)
	}
}
