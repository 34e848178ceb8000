package chat_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/grammar"
	"github.com/drover-ai/drover/llm/tiny"
)

// With a real tokenizer, whose merges look at what follows, forced tokens are those of the canonical encoding of the whole.
func TestForcedTokensAreCanonical(t *testing.T) {
	weights, err := tiny.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	tokenizer := weights.Tokenizer()
	var all [][]byte
	for id := range llm.Token(tokenizer.VocabSize()) {
		all = append(all, tokenizer.Piece(id))
	}
	vocabulary := grammar.NewVocabulary(all, tokenizer.IsSpecial)
	schema := []byte(`{"type":"object","properties":{
		"title":{"type":"string"},"title_of_the_page":{"type":"string"},"start_time":{"type":"string","format":"date"},"start_timezone":{"enum":["red","redder","redden","rest"]},
		"minutes":{"type":"integer"},"guests":{"type":"array","items":{"enum":["north","northern","northeast"]},"minItems":1},"color":{"enum":["red","green","greenish","blue",1,12]},
		"sure":{"type":"boolean"},"note":{"type":["string","null"]}},
		"required":["title","start_time","start_timezone","minutes","guests","color","sure","note"],"additionalProperties":false}`)
	r := rand.New(rand.NewPCG(1, 2))
	some := func(list ...any) any { return list[r.IntN(len(list))] }
	forced, tokens := 0, 0
	for i := range 300 {
		g, err := grammar.CompileSchema(schema, grammar.Options{Spaced: i%2 == 0, Ordered: i%4 < 2})
		if err != nil {
			t.Fatal(err)
		}
		value := map[string]any{
			"title": some("A talk", "", "red and green", "\"x", " of the number"), "start_time": some("2026-01-02", "1999-12-31"),
			"start_timezone": some("red", "redder", "redden", "rest"), "minutes": some(5, 123456, -1), "guests": some([]string{"north"}, []string{"northern", "northeast", "north"}),
			"color": some("red", "green", "greenish", "blue", 1, 12), "sure": some(true, false), "note": some(nil, "the rest"),
		}
		if r.IntN(2) == 0 {
			value["title_of_the_page"] = "the page"
		}
		instance, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		text, err := grammar.Respell(schema, instance, grammar.Options{Spaced: i%2 == 0, Ordered: i%4 < 2})
		if err != nil {
			t.Fatal(err)
		}
		canonical := tokenizer.Encode(nil, text)
		m := grammar.NewMatcher(g, vocabulary, tokenizer.Encode)
		for at := 0; at < len(canonical); {
			list := m.Forced(nil)
			forced += len(list)
			for k, id := range list {
				if at+k >= len(canonical) || id != canonical[at+k] {
					t.Fatalf("%s: behind %q forced %q, want %q", text, pieces(all, canonical[:at]), pieces(all, list), pieces(all, canonical[at:]))
				}
			}
			if len(list) == 0 {
				list = canonical[at : at+1]
			}
			for _, id := range list {
				if err := m.Accept(id); err != nil {
					t.Fatalf("%s: behind %q: %v", text, pieces(all, canonical[:at]), err)
				}
			}
			at += len(list)
		}
		tokens += len(canonical)
	}
	t.Logf("%d of %d tokens are forced", forced, tokens)
	if forced*3 < tokens {
		t.Errorf("%d of %d tokens are forced, want a third or more", forced, tokens)
	}
}

func pieces(all [][]byte, tokens []llm.Token) (out []string) {
	for _, id := range tokens {
		out = append(out, string(all[id]))
	}
	return out
}
