// Command remote runs the same agent on a model elsewhere: any server that speaks OpenAI's API, such as vLLM on a machine with
// GPUs, or llama.cpp's and Ollama's. Only the lines that open the model differ from examples/minimal.
//
//	OPENAI_API_KEY=… go run ./examples/remote -url http://localhost:8000/v1 -model meta-llama/Llama-3.2-3B-Instruct
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/tmc/langchaingo/llms/openai"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/llm/langchain"
	"github.com/drover-ai/drover/tools/builtin"
)

func main() {
	url := flag.String("url", "http://localhost:8000/v1", "where the server is")
	name := flag.String("model", "default", "what the server calls the model")
	flag.Parse()
	key := cmp.Or(os.Getenv("OPENAI_API_KEY"), "none") // langchaingo wants one; local servers do not look at it
	provider, err := openai.New(openai.WithBaseURL(*url), openai.WithModel(*name), openai.WithToken(key),
		openai.WithHTTPClient(langchain.HTTPClient(nil))) // so that the agent knows how long a busy server asks to wait
	if err != nil {
		log.Fatal(err)
	}
	model := langchain.NewAgentModel(provider, *name, langchain.WithContextLength(8192))
	a, err := agent.New(model, agent.WithTools(builtin.Calculator()))
	if err != nil {
		log.Fatal(err)
	}
	for event, err := range a.Run(context.Background(), "What is 17.5% of 2,340?") {
		if err != nil {
			log.Fatal(err) // the server's words, with the code of langchaingo: see llms.IsRateLimitError and its sisters
		}
		switch e := event.(type) {
		case agent.ToolResult:
			fmt.Printf("%s: %s%s\n", e.Name, e.Result, e.Error)
		case agent.Notice:
			fmt.Println(e.Text) // such as that the server is busy and will be asked again
		case agent.TextDelta:
			fmt.Print(e.Text)
		case agent.Done:
			fmt.Printf("\n%d tokens read there, %d written\n", e.Result.Usage.PromptTokens, e.Result.Usage.CompletionTokens)
		}
	}
}
