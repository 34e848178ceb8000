package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/drover-ai/drover/prompts"
)

// testCase is one conversation that the model continues, and what it should write.
type testCase struct {
	ID       string
	Messages []prompts.Message
	Tools    []prompts.ToolDefinition
	Schema   json.RawMessage // of the answer; its values are then judged like the arguments of a call
	Expect   expectation
}

// structured makes cases whose answers are JSON under a schema out of cases of calls: what the call's arguments are to be, the
// answer is to be, by the schema of the tool's parameters and without the tool.
func structured(calls []testCase) (list []testCase) {
	for _, c := range calls {
		for _, tool := range c.Tools {
			if len(c.Expect.Calls) == 1 && tool.Name == c.Expect.Calls[0].Name {
				c.Tools, c.Schema = nil, tool.Parameters
				list = append(list, c)
				break
			}
		}
	}
	return list
}

// expectation is what counts as right. Exactly one kind of answer is expected: a call, no call, or a text.
type expectation struct {
	// Calls are the tool calls, in any order.
	Calls []expectedCall
	// NoCall expects an answer in words.
	NoCall bool
	// Contains lists what an answer in words must have in it, ignoring case.
	Contains []string
	// Lacks lists what it must not have in it.
	Lacks []string
}

// expectedCall is a call with, for each parameter, the values that are accepted. JSON null or "" among them means that the
// parameter may be left out.
type expectedCall struct {
	Name   string
	Accept map[string][]json.RawMessage
}

// rawCase is a line of our own files.
type rawCase struct {
	ID       string          `json:"id"`
	Messages json.RawMessage `json:"messages"`
	Tools    json.RawMessage `json:"tools"`
	Expect   struct {
		Tool      json.RawMessage              `json:"tool"` // a name, or null for no call
		Arguments map[string]json.RawMessage   `json:"arguments"`
		Accept    map[string][]json.RawMessage `json:"accept"`
		Answer    string                       `json:"answer"`
		Contains  []string                     `json:"contains"`
		Lacks     []string                     `json:"lacks"`
	} `json:"expect"`
}

func (r rawCase) testCase() (testCase, error) {
	conversation, err := prompts.ReadConversation(fmt.Appendf(nil, `{"messages":%s,"tools":%s}`, r.Messages, orNull(r.Tools)))
	if err != nil {
		return testCase{}, err
	}
	c := testCase{ID: r.ID, Messages: conversation.Messages, Tools: conversation.Tools}
	c.Expect.Contains, c.Expect.Lacks = r.Expect.Contains, r.Expect.Lacks
	if r.Expect.Answer != "" && len(c.Expect.Contains) == 0 {
		c.Expect.Contains = []string{r.Expect.Answer}
	}
	var name *string
	if len(r.Expect.Tool) > 0 {
		if err := json.Unmarshal(r.Expect.Tool, &name); err != nil {
			return testCase{}, fmt.Errorf("expect.tool: %w", err)
		}
	}
	switch {
	case name != nil:
		call := expectedCall{Name: *name, Accept: r.Expect.Accept}
		if call.Accept == nil {
			call.Accept = map[string][]json.RawMessage{}
			for key, value := range r.Expect.Arguments {
				call.Accept[key] = []json.RawMessage{value}
			}
		}
		c.Expect.Calls = []expectedCall{call}
	case string(r.Expect.Tool) == "null" || len(c.Expect.Contains) > 0:
		c.Expect.NoCall = true
	default:
		return testCase{}, errors.New(`expect has neither "tool" nor "contains"; the case could not fail`)
	}
	return c, nil
}

func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

// readLines calls each for every line of a file of JSON lines, which may be compressed (.gz).
func readLines(path string, each func(line []byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var in io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	reader := bufio.NewReaderSize(in, 1<<20)
	for n := 1; ; n++ {
		line, err := reader.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := each(line); err != nil {
				return fmt.Errorf("%s, line %d: %w", path, n, err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
	}
}

// readCases reads our own form, from NAME.jsonl or NAME.jsonl.gz in a folder.
func readCases(folder, name string) ([]testCase, error) {
	path := filepath.Join(folder, name+".jsonl")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		path += ".gz"
	}
	var cases []testCase
	err := readLines(path, func(line []byte) error {
		var raw rawCase
		if err := json.Unmarshal(line, &raw); err != nil {
			return err
		}
		c, err := raw.testCase()
		if err != nil {
			return fmt.Errorf("case %s: %w", raw.ID, err)
		}
		cases = append(cases, c)
		return nil
	})
	if err == nil && len(cases) == 0 {
		err = fmt.Errorf("%s has no cases", path)
	}
	return cases, err
}
