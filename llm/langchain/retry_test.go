package langchain_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm/langchain"
)

// refuses answers with a status and headers.
func refuses(status int, body string, headers ...string) handler {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// A server that is busy, that breaks or that cuts the connection before its first word is asked again; one that cuts it later is not,
// and neither is one whose refusal stays.
func TestServerIsAskedAgain(t *testing.T) {
	say := whole(`{"role":"assistant","content":"It is 5."}`, "stop")
	streamed := stream(false, delta("It is "), delta("5."), end)
	cut := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for name, c := range map[string]struct {
		replies []handler
		tools   bool // then nothing is streamed
		asked   int
		is      func(error) bool // nil: an answer
		words   string           // of the error, or of a notice
	}{
		"429":                    {replies: []handler{refuses(429, `{"error":{"message":"slow down"}}`), streamed}, asked: 2, words: "slow down"},
		"429 with tools":         {replies: []handler{refuses(429, `{"error":{"message":"slow down"}}`), say}, tools: true, asked: 2},
		"429 in seconds":         {replies: []handler{refuses(429, `{}`, "Retry-After", "3600"), streamed}, asked: 1, is: llms.IsRateLimitError, words: "asked again in 1h0m0s"},
		"429 in milliseconds":    {replies: []handler{refuses(429, `{}`, "Retry-After-Ms", "40"), streamed}, asked: 2, words: "in 40ms"},
		"503 until a date":       {replies: []handler{refuses(503, `{}`, "Retry-After", time.Now().Add(48*time.Hour).UTC().Format(http.TimeFormat)), streamed}, asked: 1, is: llms.IsProviderUnavailableError, words: "asked again in 47h59m"},
		"429 in words":           {replies: []handler{refuses(429, `{"error":{"message":"Rate limit reached. Please try again in 6m0s."}}`), streamed}, asked: 1, is: llms.IsRateLimitError, words: "asked again in 6m0s"},
		"an empty account":       {replies: []handler{refuses(429, `{"error":{"message":"You exceeded your current quota"}}`), streamed}, asked: 1, is: llms.IsQuotaExceededError},
		"500, 502, 503":          {replies: []handler{refuses(500, `oh`), refuses(502, `<html>`), refuses(503, ``), streamed}, asked: 4},
		"500 for good":           {replies: []handler{refuses(500, `oh`)}, asked: 4, is: llms.IsProviderUnavailableError, words: "(4 attempts)"},
		"401":                    {replies: []handler{refuses(401, `{"error":{"message":"who?"}}`), streamed}, asked: 1, is: llms.IsAuthenticationError},
		"400":                    {replies: []handler{refuses(400, `{"error":{"message":"what?"}}`), streamed}, asked: 1, is: llms.IsInvalidRequestError},
		"a cut connection":       {replies: []handler{cut, streamed}, asked: 2},
		"half a body":            {replies: []handler{func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"choices":[{"mess`) }, say}, tools: true, asked: 2},
		"cut before the word":    {replies: []handler{stream(true), streamed}, asked: 2},
		"cut after the word":     {replies: []handler{stream(true, delta("It is ")), streamed}, asked: 1, is: func(error) bool { return true }},
		"500 in the second step": {replies: []handler{whole(callsAdd, "tool_calls"), refuses(500, `oh`), say}, tools: true, asked: 3},
		"a body that is cut late": {replies: []handler{func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{`)
		}, say}, tools: true, asked: 2},
	} {
		t.Run(name, func(t *testing.T) {
			s, added := serve(t, c.replies...), 0
			options := []agent.Option{agent.WithRetry(agent.Retry{Retries: 3, Backoff: time.Millisecond, MaxPause: time.Second})}
			if c.tools {
				options = append(options, agent.WithTools(addTool(t, &added)))
			}
			a, err := agent.New(s.model(t), options...)
			if err != nil {
				t.Fatal(err)
			}
			var texts, notices []string
			var failure error
			for event, err := range a.Run(context.Background(), "What is 2 + 3?") {
				failure = err
				switch e := event.(type) {
				case agent.TextDelta:
					texts = append(texts, e.Text)
				case agent.Notice:
					notices = append(notices, e.Text)
				}
			}
			if len(s.asked) != c.asked {
				t.Errorf("the server was asked %d times, want %d", len(s.asked), c.asked)
			}
			answer := strings.Join(texts, "")
			switch {
			case c.is == nil && (failure != nil || answer != "It is 5." || len(notices) == 0 || !strings.Contains(notices[0], c.words)):
				t.Errorf("answer %q, error %v, notices %q, want one of %q", answer, failure, notices, c.words)
			case c.is != nil && (failure == nil || !c.is(failure) || !strings.Contains(failure.Error(), c.words)):
				t.Errorf("error %v, want one with %q", failure, c.words)
			}
		})
	}
}

// Without the client of [langchain.HTTPClient] there is no header; the status is in the provider's words.
func TestServerIsAskedAgainByItsWords(t *testing.T) {
	s := serve(t, refuses(503, ``, "Retry-After", "3600"), stream(false, delta("ok"), end))
	provider, err := openai.New(openai.WithBaseURL(s.URL), openai.WithToken("none"), openai.WithModel("m"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := agent.New(langchain.NewAgentModel(provider, "m"), agent.WithRetry(agent.Retry{Retries: 1, Backoff: time.Millisecond, MaxPause: time.Millisecond}))
	if err != nil {
		t.Fatal(err)
	}
	if result, err := a.Ask(context.Background(), "x"); err != nil || result.Answer != "ok" {
		t.Errorf("%+v, %v", result, err)
	}
}

// What an address has in its query, such as a provider's key, is in no error.
func TestProviderErrorsHideKeys(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	for name, address := range map[string]string{"query": gone.URL + "/v1?key=verysecret", "user": strings.Replace(gone.URL, "//", "//verysecret@", 1)} {
		model := langchain.NewAgentModel(providerFunc(func(ctx context.Context, _ []llms.MessageContent, _ *llms.CallOptions) (*llms.ContentResponse, error) {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
			if err != nil {
				return nil, err
			}
			response, err := http.DefaultClient.Do(request)
			if err == nil {
				_ = response.Body.Close()
			}
			return nil, err
		}), "m")
		a, err := agent.New(model, agent.WithRetry(agent.Retry{Retries: 1, Backoff: time.Millisecond, MaxPause: time.Millisecond}))
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for event, err := range a.Run(context.Background(), "x") {
			if e, ok := event.(agent.Notice); ok {
				said = append(said, e.Text)
			}
			if err != nil {
				said = append(said, err.Error())
			}
		}
		if all := strings.Join(said, "\n"); len(said) != 2 || strings.Contains(all, "verysecret") || !strings.Contains(all, "***") || !strings.Contains(all, "refused") {
			t.Errorf("%s: %s", name, all)
		}
	}
}
