package langchain_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm/langchain"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// server is an OpenAI-compatible one on the loopback: reply k answers request k, the last one all that follow.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	asked   []map[string]any
	replies []func(w http.ResponseWriter, r *http.Request)
}

func serve(t *testing.T, replies ...func(w http.ResponseWriter, r *http.Request)) *server {
	t.Helper()
	s := &server{replies: replies}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		reply := s.replies[min(len(s.asked), len(s.replies)-1)]
		s.asked = append(s.asked, body)
		s.mu.Unlock()
		reply(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// model is drover's model of the server, through langchaingo's provider.
func (s *server) model(t *testing.T, options ...langchain.AgentOption) *langchain.AgentModel {
	t.Helper()
	provider, err := openai.New(openai.WithBaseURL(s.URL), openai.WithToken("none"), openai.WithModel("m"), openai.WithHTTPClient(langchain.HTTPClient(nil)))
	if err != nil {
		t.Fatal(err)
	}
	return langchain.NewAgentModel(provider, "m", options...)
}

type handler = func(w http.ResponseWriter, r *http.Request)

// whole answers with a message that is not streamed.
func whole(message, reason string) handler {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"1","object":"chat.completion","model":"m","choices":[{"index":0,"message":%s,"finish_reason":%q}],"usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":6}}}`, message, reason)
	}
}

// stream answers with events, and closes the connection after the last one, in the middle if cut.
func stream(cut bool, events ...string) handler {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, e := range events {
			fmt.Fprintf(w, "data: %s\n\n", e)
			w.(http.Flusher).Flush()
		}
		if cut {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, "data: [DONE]\n\n")
	}
}

func delta(content string) string {
	text, _ := json.Marshal(content) // a string
	return fmt.Sprintf(`{"choices":[{"index":0,"delta":{"role":"assistant","content":%s},"finish_reason":null}]}`, text)
}

const end = `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`

func fails(status int, body string) handler {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

const callsAdd = `{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"add","arguments":"{\"a\":2,\"b\":3}"}}]}`

// addTool adds two numbers and counts how often.
func addTool(t *testing.T, times *int) tools.Tool {
	t.Helper()
	tool, err := tools.New("add", "Add two numbers.", func(_ context.Context, in struct {
		A int `json:"a"`
		B int `json:"b"`
	}) (int, error) {
		*times++
		return in.A + in.B, nil
	}, tools.WithEffects(tools.Pure))
	if err != nil {
		t.Fatal(err)
	}
	return tool
}

// Text is streamed piece by piece; characters that are cut between pieces come whole.
func TestServerStreams(t *testing.T) {
	s := serve(t, stream(false, delta("It is "), delta("5 € "), delta("now."), end))
	texts, _, done, err := read(context.Background(), s.model(t), prompts.Request{Messages: []prompts.Message{prompts.User("x")}})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(texts, "|"); got != "It is |5 € |now." {
		t.Errorf("pieces %q", got)
	}
	if done.Message.Content != "It is 5 € now." || done.Usage.PromptTokens != 7 || done.Usage.CompletionTokens != 3 || done.StopReason != prompts.StopReasonStop {
		t.Errorf("the end is %+v", done)
	}
	if s.asked[0]["stream"] != true {
		t.Errorf("the request was %v, want one for a stream", s.asked[0])
	}
}

// Answers that are no answers are errors or go back to the model; none is taken for an answer, and the process goes on.
func TestServerMisbehaves(t *testing.T) {
	say := whole(`{"role":"assistant","content":"It is 5."}`, "stop")
	call := func(name, arguments string) handler {
		quoted, _ := json.Marshal(arguments) // a string
		return whole(fmt.Sprintf(`{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":%q,"arguments":%s}}]}`, name, quoted), "tool_calls")
	}
	for name, c := range map[string]struct {
		replies []handler
		answer  string               // "": an error
		is      func(err error) bool // of it; nil: any
		added   int
		told    string // what the model read of its call
	}{
		"call":             {[]handler{whole(callsAdd, "tool_calls"), say}, "It is 5.", nil, 1, "5"},
		"unknown tool":     {[]handler{call("multiply", "{}"), say}, "It is 5.", nil, 0, "multiply"},
		"broken arguments": {[]handler{call("add", `{"a":2,`), say}, "It is 5.", nil, 0, "JSON"},
		"wrong type":       {[]handler{call("add", `{"a":"two","b":3}`), say}, "It is 5.", nil, 0, "integer"},
		"a bare string":    {[]handler{call("add", `2 and 3`), say}, "It is 5.", nil, 0, "cannot be used"},
		"HTML":             {[]handler{func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>502</html>") }}, "", nil, 0, ""},
		"half a body":      {[]handler{func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"choices":[{"mess`) }}, "", nil, 0, ""},
		"no choices":       {[]handler{func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"choices":[]}`) }}, "", nil, 0, ""},
		"429":              {[]handler{fails(429, `{"error":{"message":"slow down"}}`)}, "", llms.IsRateLimitError, 0, ""},
		"500":              {[]handler{fails(500, `oh`)}, "", llms.IsProviderUnavailableError, 0, ""},
		"401":              {[]handler{fails(401, `{"error":{"message":"who?"}}`)}, "", llms.IsAuthenticationError, 0, ""},
		"too long":         {[]handler{fails(400, `{"error":{"message":"This model's maximum context length is 8 tokens"}}`)}, "", llms.IsTokenLimitError, 0, ""},
		"500 after a call": {[]handler{whole(callsAdd, "tool_calls"), fails(500, `oh`)}, "", llms.IsProviderUnavailableError, 1, "5"},
		"cut connection":   {[]handler{func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}, "", llms.IsProviderUnavailableError, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, added := serve(t, c.replies...), 0
			a, err := agent.New(s.model(t), agent.WithTools(addTool(t, &added)), agent.WithRetry(agent.Retry{}))
			if err != nil {
				t.Fatal(err)
			}
			result, err := a.Ask(context.Background(), "What is 2 + 3?")
			switch {
			case c.answer == "" && (err == nil || c.is != nil && !c.is(err)):
				t.Errorf("error %v, answer %+v", err, result)
			case c.answer != "" && (err != nil || result.Answer != c.answer):
				t.Errorf("answer %+v, error %v", result, err)
			}
			if added != c.added {
				t.Errorf("the tool ran %d times, want %d", added, c.added)
			}
			if c.told != "" {
				messages, _ := s.asked[len(s.asked)-1]["messages"].([]any)
				if last := fmt.Sprint(messages[len(messages)-1]); !strings.Contains(last, c.told) {
					t.Errorf("the model was told %s, want something of %q", last, c.told)
				}
			}
		})
	}
}

// A stream that breaks off is an error after the pieces that came, not a short answer; one with garbage in between goes on.
func TestServerCutsStream(t *testing.T) {
	question := prompts.Request{Messages: []prompts.Message{prompts.User("x")}}
	s := serve(t, stream(true, delta("It "), delta("is ")))
	texts, _, done, err := read(context.Background(), s.model(t), question)
	if err == nil || done != nil || strings.Join(texts, "") != "It is " {
		t.Errorf("pieces %q, end %+v, error %v; want the pieces and an error", texts, done, err)
	}
	s = serve(t, stream(false, delta("It "), `{"choices":`, "nonsense", `{"choices":[]}`, delta("is."), end))
	_, _, done, err = read(context.Background(), s.model(t), question)
	if err != nil || done.Message.Content != "It is." {
		t.Errorf("end %+v, error %v, want the answer without the garbage", done, err)
	}
}

// A server that hangs holds nobody up: the context ends the turn, before and in the middle of a stream.
func TestServerHangs(t *testing.T) {
	release := make(chan struct{})
	hang := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	halfway := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "data: %s\n\n", delta("It "))
		w.(http.Flusher).Flush()
		hang(w, r)
	}
	for name, reply := range map[string]handler{"at once": hang, "halfway": halfway} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, reply)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if name == "at once" {
				time.AfterFunc(20*time.Millisecond, cancel)
			}
			var texts []string
			var last error
			for d, err := range s.model(t).Generate(ctx, prompts.Request{Messages: []prompts.Message{prompts.User("x")}}) {
				if d.Text != "" {
					texts = append(texts, d.Text)
					cancel()
				}
				last = err
			}
			if !errors.Is(last, context.Canceled) {
				t.Errorf("pieces %q, error %v, want canceled", texts, last)
			}
		})
	}
	close(release)
	t.Run("time budget", func(t *testing.T) {
		block := make(chan struct{})
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-block:
			case <-r.Context().Done():
			}
		})
		defer close(block)
		limits := agent.DefaultLimits()
		limits.Time = 50 * time.Millisecond
		a, err := agent.New(s.model(t), agent.WithLimits(limits))
		if err != nil {
			t.Fatal(err)
		}
		result, err := a.Ask(context.Background(), "x")
		if err == nil && result.StopReason != agent.StopBudget {
			t.Errorf("result %+v, error %v, want the budget to end it", result, err)
		}
	})
}

// A message that the server cuts off in its second call: the first is made, and what the server gets back is what its API takes.
func TestServerCutsCalls(t *testing.T) {
	cut := `{"role":"assistant","content":"","tool_calls":[` +
		`{"id":"c1","type":"function","function":{"name":"add","arguments":"{\"a\":2,\"b\":3}"}},` +
		`{"id":"c2","type":"function","function":{"name":"add","arguments":"{\"a\":4,"}}]}`
	broken := `{"role":"assistant","content":"","tool_calls":[{"id":"c3","type":"function","function":{"name":"add","arguments":"{\"a\":4,"}}]}`
	s, added := serve(t, whole(cut, "length"), whole(broken, "length"), whole(`{"role":"assistant","content":"It is 5."}`, "stop")), 0
	a, err := agent.New(s.model(t), agent.WithTools(addTool(t, &added)))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []agent.NoticeKind
	for event, err := range a.Run(context.Background(), "What is 2 + 3?") {
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := event.(agent.Notice); ok {
			kinds = append(kinds, e.Kind)
		}
	}
	if added != 1 || len(kinds) != 2 || kinds[0] != agent.NoticeCutOff || kinds[1] != agent.NoticeMalformedCall {
		t.Errorf("the tool ran %d times, notices %q", added, kinds)
	}
	var got []string
	messages, _ := s.asked[len(s.asked)-1]["messages"].([]any)
	for _, m := range messages {
		m, _ := m.(map[string]any)
		calls, _ := m["tool_calls"].([]any)
		content, _ := m["content"].(string)
		got = append(got, fmt.Sprintf("%v %v %d %.12s", m["role"], m["tool_call_id"], len(calls), content))
		if content == "" && len(calls) == 0 {
			t.Errorf("a message without anything: %v", m)
		}
	}
	want := []string{"user <nil> 0 What is 2 + ", "assistant <nil> 1 ", "tool c1 0 5", "user <nil> 0 error: the t", "assistant <nil> 0 (a call that", "user <nil> 0 error: the a"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the third request (-want +got):\n%s", diff)
	}
}
