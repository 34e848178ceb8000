package langchain_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tmc/langchaingo/agents"
	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/memory"
	"github.com/tmc/langchaingo/schema"
	lctools "github.com/tmc/langchaingo/tools"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/llm/langchain"
	"github.com/drover-ai/drover/prompts"
)

// langchaingo's chains and agents run twice: on a model that answers from a table, which shows that what they ask for arrives
// and what they are told is used; and on the embedded model, which has no knowledge, so that only the mechanics count.

// questions are what a model was asked, request by request.
type questions struct {
	mu       sync.Mutex
	requests []prompts.Request
}

// texts are the last messages.
func (q *questions) texts() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []string
	for _, r := range q.requests {
		out = append(out, r.Messages[len(r.Messages)-1].Content)
	}
	return out
}

// table is a model that answers with the first of the pairs (part of the question, answer) that fits. It fails on a question
// that it does not know.
func table(t *testing.T, pairs ...string) (*langchain.LLM, *questions) {
	t.Helper()
	q := &questions{}
	return langchain.New(agenttest.NewFunc(func(req prompts.Request) agenttest.Reply {
		q.mu.Lock()
		q.requests = append(q.requests, req)
		q.mu.Unlock()
		question := req.Messages[len(req.Messages)-1].Content
		for i := 0; i < len(pairs); i += 2 {
			if strings.Contains(question, pairs[i]) {
				return agenttest.Say(pairs[i+1])
			}
		}
		t.Errorf("no answer to %q", question)
		return agenttest.Say("?")
	})), q
}

// mustContain fails unless the i-th question has all the parts.
func mustContain(t *testing.T, questions []string, i int, parts ...string) {
	t.Helper()
	if i >= len(questions) {
		t.Errorf("the model was asked %d times, want question %d with %q", len(questions), i, parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(questions[i], part) {
			t.Errorf("question %d lacks %q:\n%s", i, part, questions[i])
		}
	}
}

var documents = []schema.Document{
	{PageContent: "Oslo is cold in May.", Metadata: map[string]any{"page": 1}},
	{PageContent: "The museum opens at ten.", Metadata: map[string]any{"page": 2}},
}

// retriever finds the documents that share a word with the query.
type retriever struct{ queries []string }

func (r *retriever) GetRelevantDocuments(_ context.Context, query string) ([]schema.Document, error) {
	r.queries = append(r.queries, query)
	var found []schema.Document
	for _, d := range documents {
		for _, word := range strings.Fields(strings.Trim(query, "?")) {
			if strings.Contains(d.PageContent, word) {
				found = append(found, d)
				break
			}
		}
	}
	return found, nil
}

func TestConversationChain(t *testing.T) {
	model, script := table(t, "Human: What am I called?", "You are Sam.", "Human: I am Sam.", "Hello Sam.")
	chain := chains.NewConversation(model, memory.NewConversationBuffer())
	for _, c := range [][2]string{{"I am Sam.", "Hello Sam."}, {"What am I called?", "You are Sam."}} {
		got, err := chains.Run(context.Background(), chain, c[0])
		if err != nil || got != c[1] {
			t.Errorf("%q: %q, error %v, want %q", c[0], got, err, c[1])
		}
	}
	mustContain(t, script.texts(), 1, "Human: I am Sam.", "AI: Hello Sam.", "Human: What am I called?")
}

func TestSummarizers(t *testing.T) {
	const oslo, museum = "Oslo is cold", "museum opens"
	for name, c := range map[string]struct {
		chain  func(model *langchain.LLM) chains.Chain
		pairs  []string
		check  func(t *testing.T, questions []string)
		number int
	}{
		"stuff": {
			func(m *langchain.LLM) chains.Chain { return chains.LoadStuffSummarization(m) }, []string{oslo, "both"},
			func(t *testing.T, q []string) { mustContain(t, q, 0, oslo, museum) }, 1,
		},
		"map-reduce": {
			func(m *langchain.LLM) chains.Chain { return chains.LoadMapReduceSummarization(m) },
			[]string{"cold place", "both", oslo, "cold place", museum, "late museum"},
			func(t *testing.T, q []string) { mustContain(t, q, 2, "cold place", "late museum") }, 3,
		},
		"refine": {
			func(m *langchain.LLM) chains.Chain { return chains.LoadRefineSummarization(m) },
			[]string{museum, "both", oslo, "cold place"},
			func(t *testing.T, q []string) { mustContain(t, q, 1, "cold place", museum) }, 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			model, script := table(t, c.pairs...)
			out, err := chains.Call(context.Background(), c.chain(model), map[string]any{"input_documents": documents})
			if err != nil || out["text"] != "both" {
				t.Errorf("got %v, error %v, want the last answer", out, err)
			}
			questions := script.texts()
			if len(questions) != c.number {
				t.Fatalf("the model was asked %d times, want %d", len(questions), c.number)
			}
			if name == "map-reduce" { // the first two run at once
				slices.Sort(questions[:2])
			}
			c.check(t, questions)
			small := c.chain(langchain.New(embedded(t)))
			out, err = chains.Call(context.Background(), small, map[string]any{"input_documents": documents}, chains.WithMaxTokens(16))
			if _, ok := out["text"].(string); err != nil || !ok {
				t.Errorf("on the embedded model: %v, error %v", out, err)
			}
		})
	}
}

func TestRetrievalChains(t *testing.T) {
	t.Run("RetrievalQA", func(t *testing.T) {
		model, script := table(t, "Question: When does the museum open?", "At ten.")
		found := &retriever{}
		chain := chains.NewRetrievalQAFromLLM(model, found)
		chain.ReturnSourceDocuments = true
		out, err := chains.Call(context.Background(), chain, map[string]any{"query": "When does the museum open?"})
		if err != nil || out["text"] != "At ten." {
			t.Fatalf("got %v, error %v", out, err)
		}
		if sources, _ := out["source_documents"].([]schema.Document); len(sources) != 1 || sources[0].Metadata["page"] != 2 {
			t.Errorf("sources are %v, want page 2", out["source_documents"])
		}
		mustContain(t, script.texts(), 0, "The museum opens at ten.")
	})
	t.Run("ConversationalRetrievalQA", func(t *testing.T) {
		model, script := table(t,
			"Standalone question:", "When does the museum open?",
			"Question: When does the museum open?", "At ten.",
			"Question: How is Oslo in May?", "Cold.")
		found := &retriever{}
		chain := chains.NewConversationalRetrievalQAFromLLM(model, found, memory.NewConversationBuffer(memory.WithReturnMessages(true)))
		for _, c := range [][2]string{{"How is Oslo in May?", "Cold."}, {"And the museum, when?", "At ten."}} {
			if got, err := chains.Run(context.Background(), chain, c[0]); err != nil || got != c[1] {
				t.Errorf("%q: %q, error %v, want %q", c[0], got, err, c[1])
			}
		}
		if want := []string{"How is Oslo in May?", "When does the museum open?"}; !slices.Equal(found.queries, want) {
			t.Errorf("searched for %q, want %q: the question made to stand alone", found.queries, want)
		}
		mustContain(t, script.texts(), 1, "Human: How is Oslo in May?", "AI: Cold.", "Follow Up Input: And the museum, when?")
	})
	t.Run("MapRerankQA", func(t *testing.T) {
		model, _ := table(t, "---------\nOslo is cold in May.\n", "Cold.\nScore: 90", "---------\nThe museum", "Unknown.\nScore: 0")
		out, err := chains.Call(context.Background(), chains.LoadMapRerankQA(model), map[string]any{
			"input_documents": documents, "question": "How is Oslo?",
		})
		if err != nil || out["text"] != "Cold." {
			t.Errorf("got %v, error %v, want the answer with the best score", out, err)
		}
	})
	t.Run("embedded", func(t *testing.T) {
		model := langchain.New(embedded(t))
		chain := chains.NewConversationalRetrievalQAFromLLM(model, &retriever{}, memory.NewConversationBuffer(memory.WithReturnMessages(true)))
		for range 2 {
			if _, err := chains.Run(context.Background(), chain, "How is Oslo in May?", chains.WithMaxTokens(16)); err != nil {
				t.Error(err)
			}
		}
	})
}

// store is a vector store in memory: what langchaingo asks of one, and no more.
type store struct {
	embedder embeddings.Embedder
	docs     []schema.Document
	vectors  [][]float32
}

func (s *store) AddDocuments(ctx context.Context, docs []schema.Document, _ ...vectorstores.Option) ([]string, error) {
	var texts, ids []string
	for i, d := range docs {
		texts, ids = append(texts, d.PageContent), append(ids, fmt.Sprint(len(s.docs)+i))
	}
	vectors, err := s.embedder.EmbedDocuments(ctx, texts)
	s.docs, s.vectors = append(s.docs, docs...), append(s.vectors, vectors...)
	return ids, err
}

func (s *store) SimilaritySearch(ctx context.Context, query string, n int, _ ...vectorstores.Option) ([]schema.Document, error) {
	v, err := s.embedder.EmbedQuery(ctx, query)
	if err != nil {
		return nil, err
	}
	found := slices.Clone(s.docs)
	for i := range found {
		found[i].Score = float32(cosine(v, s.vectors[i]))
	}
	slices.SortStableFunc(found, func(a, b schema.Document) int { return int((b.Score - a.Score) * 1e6) })
	return found[:min(n, len(found))], nil
}

// The model's own vectors find a text by itself among others, through langchaingo's retriever.
func TestVectorStore(t *testing.T) {
	model := langchain.New(embedded(t))
	embedder, err := embeddings.NewEmbedder(model)
	if err != nil {
		t.Fatal(err)
	}
	s := &store{embedder: embedder}
	docs := append(slices.Clone(documents), schema.Document{PageContent: "Call Anna."}, schema.Document{PageContent: "2 + 3 is 5."})
	if _, err := s.AddDocuments(context.Background(), docs); err != nil {
		t.Fatal(err)
	}
	for _, want := range docs {
		found, err := vectorstores.ToRetriever(s, 2).GetRelevantDocuments(context.Background(), want.PageContent)
		if err != nil || len(found) != 2 || found[0].PageContent != want.PageContent || found[0].Score < 0.9999 || found[1].Score >= found[0].Score {
			t.Errorf("%q finds %v, error %v", want.PageContent, found, err)
		}
	}
}

// lookup is a tool of langchaingo that notes what it was asked.
type lookup struct{ asked *[]string }

func (lookup) Name() string        { return "get_weather" }
func (lookup) Description() string { return "Get the weather of a city." }
func (l lookup) Call(_ context.Context, city string) (string, error) {
	*l.asked = append(*l.asked, city)
	return "4 degrees and rain in " + city, nil
}

// The agent of functions runs on the embedded model. Those that look for words in the answer (ReAct and its conversational
// sister) run on the table: the embedded model has not learned to write "Action:" and "Final Answer:", which is knowledge.
func TestAgents(t *testing.T) {
	t.Run("functions", func(t *testing.T) {
		var cities []string
		agent := agents.NewOpenAIFunctionsAgent(langchain.New(embedded(t)), []lctools.Tool{lookup{&cities}})
		got, err := chains.Run(context.Background(), agents.NewExecutor(agent), "What is the weather in Oslo?")
		if err != nil || !slices.Equal(cities, []string{"Oslo"}) || !strings.Contains(got, "4 degrees") {
			t.Errorf("asked for %q, answered %q, error %v", cities, got, err)
		}
	})
	t.Run("ReAct", func(t *testing.T) {
		var cities []string
		model, script := table(t,
			"Observation: 4 degrees and rain in Oslo", " I know it now.\nFinal Answer: Rain.",
			"Question: What is the weather in Oslo?", "I must look.\nAction: get_weather\nAction Input: Oslo")
		got, err := chains.Run(context.Background(), agents.NewExecutor(agents.NewOneShotAgent(model, []lctools.Tool{lookup{&cities}})), "What is the weather in Oslo?")
		if err != nil || !slices.Equal(cities, []string{"Oslo"}) || strings.TrimSpace(got) != "Rain." {
			t.Errorf("asked for %q, answered %q, error %v", cities, got, err)
		}
		if r := script.requests[0]; !slices.ContainsFunc(r.Stop, func(s string) bool { return strings.Contains(s, "Observation") }) {
			t.Errorf("stop words are %q, want the agent's: it must not write the tool's result itself", r.Stop)
		}
	})
	t.Run("conversational", func(t *testing.T) {
		var cities []string
		model, _ := table(t,
			"Observation: 4 degrees and rain in Oslo", "Thought: Do I need to use a tool? No\nAI: Rain.",
			"New input: What is the weather in Oslo?", "Thought: Do I need to use a tool? Yes\nAction: get_weather\nAction Input: Oslo")
		executor := agents.NewExecutor(agents.NewConversationalAgent(model, []lctools.Tool{lookup{&cities}}), agents.WithMemory(memory.NewConversationBuffer()))
		got, err := chains.Run(context.Background(), executor, "What is the weather in Oslo?")
		if err != nil || !slices.Equal(cities, []string{"Oslo"}) || strings.TrimSpace(got) != "Rain." {
			t.Errorf("asked for %q, answered %q, error %v", cities, got, err)
		}
	})
}
