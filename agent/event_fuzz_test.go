package agent_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/agent"
)

// What was read is written such that it reads the same; an error means no event.
func FuzzDecodeEvent(f *testing.F) {
	files, err := filepath.Glob("testdata/events/*.jsonl")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in testdata/events (%v)", err)
	}
	types := map[agent.EventType]bool{}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			f.Add([]byte(line))
			event, err := agent.DecodeEvent([]byte(line))
			if err != nil {
				f.Fatalf("%s: %v", line, err)
			}
			types[event.Type()] = true
		}
	}
	for _, want := range []agent.EventType{
		agent.EventStart, agent.EventUserMessage, agent.EventTextDelta, agent.EventMessage, agent.EventToolCall, agent.EventApproval,
		agent.EventToolStart, agent.EventToolResult, agent.EventUsage, agent.EventCompaction, agent.EventNotice, agent.EventDone, agent.EventRewind,
	} {
		if !types[want] {
			f.Errorf("no seed of type %s", want)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		event, err := agent.DecodeEvent(data)
		if err != nil {
			if event != nil {
				t.Errorf("an error and the event %v", event)
			}
			return
		}
		first, err := json.Marshal(event)
		if err != nil {
			t.Skip() // such as arguments that are no JSON at all: nobody can store them
		}
		again, err := agent.DecodeEvent(first)
		if err != nil {
			t.Fatalf("%s is written as %s, which is not read: %v", data, first, err)
		}
		second, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(first), string(second)); diff != "" {
			t.Errorf("written twice (-first +second):\n%s", diff)
		}
	})
}
