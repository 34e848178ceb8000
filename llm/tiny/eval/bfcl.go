package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/drover-ai/drover/prompts"
)

// bfclCategories are the parts of the Berkeley Function Calling Leaderboard that have one question each and can be scored
// from the call alone (ShishirPatil/gorilla, Apache-2.0). The data is not in the repository.
var bfclCategories = []string{"simple_python", "multiple", "parallel", "parallel_multiple", "live_simple", "irrelevance"}

type bfclQuestion struct {
	ID       string `json:"id"`
	Question [][]struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"question"`
	Function []struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"function"`
}

type bfclAnswer struct {
	ID          string                                    `json:"id"`
	GroundTruth []map[string]map[string][]json.RawMessage `json:"ground_truth"`
}

// readBFCL reads one category. Questions of "irrelevance" have no answers: no call is right.
func readBFCL(folder, category string) ([]testCase, error) {
	answers := map[string][]expectedCall{}
	path := filepath.Join(folder, category+".answers.jsonl.gz")
	err := readLines(path, func(line []byte) error {
		var a bfclAnswer
		if err := json.Unmarshal(line, &a); err != nil {
			return err
		}
		for _, truth := range a.GroundTruth {
			for name, accept := range truth {
				answers[a.ID] = append(answers[a.ID], expectedCall{name, accept})
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var cases []testCase
	err = readLines(filepath.Join(folder, category+".jsonl.gz"), func(line []byte) error {
		var q bfclQuestion
		if err := json.Unmarshal(line, &q); err != nil {
			return err
		}
		if len(q.Question) == 0 {
			return fmt.Errorf("question %s has no messages", q.ID)
		}
		c := testCase{ID: q.ID, Expect: expectation{Calls: answers[q.ID], NoCall: len(answers[q.ID]) == 0}}
		for _, m := range q.Question[0] {
			c.Messages = append(c.Messages, prompts.Message{Role: prompts.Role(m.Role), Content: m.Content})
		}
		for _, f := range q.Function {
			schema, err := standardSchema(f.Parameters)
			if err != nil {
				return fmt.Errorf("question %s, function %s: %w", q.ID, f.Name, err)
			}
			c.Tools = append(c.Tools, prompts.ToolDefinition{Name: f.Name, Description: f.Description, Parameters: schema})
		}
		cases = append(cases, c)
		return nil
	})
	return cases, err
}

// standardTypes maps the type names of the leaderboard, which are Python's, to those of JSON Schema. "any" is no type.
var standardTypes = map[string]string{
	"dict": "object", "float": "number", "tuple": "array", "list": "array", "str": "string", "int": "integer", "bool": "boolean",
}

// standardSchema rewrites a parameter description of the leaderboard as JSON Schema, keeping the order of the keys.
func standardSchema(raw json.RawMessage) (json.RawMessage, error) {
	return rewriteObjects(raw, func(key string, value json.RawMessage) (json.RawMessage, bool) {
		var name string
		if key != "type" || json.Unmarshal(value, &name) != nil {
			return value, true
		}
		if name == "any" {
			return nil, false
		}
		if standard, ok := standardTypes[name]; ok {
			return json.RawMessage(`"` + standard + `"`), true
		}
		return value, true
	})
}
