// Command web streams an agent's events to a web page, as server-sent events. Open http://localhost:8080 and ask.
//
//	go run ./examples/web
package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm/chat"
	"github.com/drover-ai/drover/llm/tiny"
	"github.com/drover-ai/drover/tools/builtin"
)

//go:embed page.html
var page []byte

func main() {
	address := flag.String("address", "localhost:8080", "where to listen")
	flag.Parse()
	weights, err := tiny.Open()
	if err != nil {
		log.Fatal(err)
	}
	model, err := chat.New(weights)
	if err != nil {
		log.Fatal(err)
	}
	a, err := agent.New(model, agent.WithTools(builtin.Calculator(), builtin.Now(time.Now), builtin.ConvertUnits()))
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on http://%s", *address)
	log.Fatal(http.ListenAndServe(*address, handler(a)))
}

// handler serves the page and, under /ask?q=…, the events of one run. An agent is safe for any number of requests at once.
func handler(a *agent.Agent) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	})
	mux.HandleFunc("GET /ask", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		flush := http.NewResponseController(w)
		for event, err := range a.Run(r.Context(), r.URL.Query().Get("q")) { // the run ends when the browser leaves
			var data []byte
			if err == nil {
				data, err = json.Marshal(event)
			}
			if err != nil {
				data, _ = json.Marshal(map[string]string{"type": "error", "error": err.Error()})
			}
			if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
				return
			}
			if err := flush.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
				return
			}
		}
	})
	return mux
}
