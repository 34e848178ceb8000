package agent

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/drover-ai/drover/prompts"
)

// maxTools is how many tools the model can be shown; 0 for all.
func (a *Agent) maxTools() int {
	most := a.shown
	if limiter, ok := a.model.(ToolLimiter); ok {
		if n := limiter.MaxTools(); n > 0 && (most == 0 || n < most) {
			most = n
		}
	}
	return most
}

// chooseTools makes the registry of the run: the named tools, or all if names is nil. Names that are gone are left out.
func (r *run) chooseTools(names []string) (err error) {
	r.tools = r.registry
	if names == nil {
		return nil
	}
	known := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, ok := r.registry.Lookup(name)
		return !ok
	})
	r.tools, err = r.registry.Subset(known...)
	return err
}

// selectTools returns the names of the tools to show, nil for all. What was chosen for the conversation before stays,
// unless it has nothing to do with the prompt and another tool has.
func (r *run) selectTools(prompt string) []string {
	most := r.maxTools()
	definitions := r.registry.Definitions()
	if most == 0 || len(definitions) <= most {
		return nil
	}
	index := newToolIndex(definitions)
	chosen := slices.DeleteFunc(slices.Clone(r.state.tools), func(name string) bool { return index.of(name) < 0 })
	if len(chosen) == 0 {
		// The conversation may have begun before this run, with a history.
		text := prompt
		for _, m := range r.state.messages {
			if m.Role == prompts.RoleUser {
				text = m.Content
				break
			}
		}
		chosen = index.best(text, most)
	}
	if len(chosen) > most {
		chosen = chosen[:most]
	}
	scores := index.scores(prompt)
	best := 0
	for i := range scores {
		if scores[i] > scores[best] {
			best = i
		}
	}
	name := definitions[best].Name
	about := func(name string) bool { return scores[index.of(name)] > 0 }
	switch {
	case scores[best] == 0 || slices.Contains(chosen, name) || slices.ContainsFunc(chosen, about):
	case len(chosen) < most:
		chosen = append(chosen, name)
	default:
		chosen[len(chosen)-1] = name // the first ones stay, and with them the beginning of the prompt
	}
	return chosen
}

// toolIndex knows which words tools are about.
type toolIndex struct {
	definitions []prompts.ToolDefinition
	words       []map[string]float64 // by tool: word → weight
	documents   map[string]int       // word → tools that have it
}

func newToolIndex(definitions []prompts.ToolDefinition) *toolIndex {
	x := &toolIndex{definitions: definitions, documents: map[string]int{}}
	for _, d := range definitions {
		words := map[string]float64{}
		add := func(text string, weight float64) {
			for _, word := range wordsOf(text) {
				words[word] = max(words[word], weight)
			}
		}
		add(d.Name, 2)
		add(d.Description, 1)
		var schema struct {
			Properties map[string]struct {
				Description string `json:"description"`
			} `json:"properties"`
		}
		if json.Unmarshal(d.Parameters, &schema) == nil { // a tool without readable parameters is found by its name
			for name, p := range schema.Properties {
				add(name, 0.5)
				add(p.Description, 0.5)
			}
		}
		for word := range maps.Keys(words) {
			x.documents[word]++
		}
		x.words = append(x.words, words)
	}
	return x
}

func (x *toolIndex) of(name string) int {
	return slices.IndexFunc(x.definitions, func(d prompts.ToolDefinition) bool { return d.Name == name })
}

// scores says how much each tool has to do with a text: the weights of the words that both have, rare words counting more.
func (x *toolIndex) scores(text string) []float64 {
	scores := make([]float64, len(x.words))
	words := wordsOf(text)
	slices.Sort(words) // sums are the same in every run
	for _, word := range slices.Compact(words) {
		rarity := math.Log(float64(len(x.words)) / float64(max(x.documents[word], 1))) // 0 for what all tools have
		for i, has := range x.words {
			scores[i] += has[word] * rarity
		}
	}
	return scores
}

// best returns the names of the k tools that have most to do with a text, in the order of the definitions. Those that have
// nothing to do with it fill up the rest, the first first.
func (x *toolIndex) best(text string, k int) []string {
	scores := x.scores(text)
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	order = order[:min(k, len(order))]
	slices.Sort(order)
	names := make([]string, len(order))
	for i, tool := range order {
		names[i] = x.definitions[tool].Name
	}
	return names
}

// commonWords say nothing about what a tool is for.
var commonWords = func() map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(`a an and are as at be by can do does for from give has have how i if in into is it its
		me my no not of on one or please so such tell than that the then there this to use used using was what when where
		which who will with without would you your`) {
		set[word] = true
	}
	return set
}()

// wordsOf splits a text into lower-case words, names in snake_case and camelCase too, without endings.
func wordsOf(text string) []string {
	var words []string
	start, last := -1, rune(0)
	flush := func(end int) {
		if start >= 0 {
			word := strings.ToLower(text[start:end])
			if !commonWords[word] {
				words = append(words, stem(word))
			}
		}
		start = -1
	}
	for i, c := range text {
		letter := unicode.IsLetter(c) || unicode.IsDigit(c)
		if !letter || start >= 0 && unicode.IsUpper(c) && unicode.IsLower(last) {
			flush(i)
		}
		if letter && start < 0 {
			start = i
		}
		last = c
	}
	flush(len(text))
	return words
}

// stem takes the commonest English endings off, so that "files" finds "file" and "converting" finds "convert".
func stem(word string) string {
	for _, ending := range []string{"ing", "ies", "es", "ed", "s"} {
		if rest, ok := strings.CutSuffix(word, ending); ok && len(rest) >= 3 {
			return strings.TrimSuffix(rest, "e")
		}
	}
	if len(word) > 3 {
		return strings.TrimSuffix(strings.TrimSuffix(word, "e"), "y")
	}
	return word
}
