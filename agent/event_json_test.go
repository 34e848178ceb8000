package agent_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
)

// Scripts read these lines: a change here breaks them.
func TestEventsAsJSON(t *testing.T) {
	clock := time.Date(2026, 11, 24, 14, 5, 0, 0, time.UTC)
	model := agenttest.NewScript(calls("echo"), calls("delete"), agenttest.Say("ok"))
	a := newAgent(t, model, agent.WithTools(echo()), agent.WithClock(func() time.Time { return clock }))
	var got []string
	for event, err := range a.Run(context.Background(), "go") {
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatal(err)
		}
		forget(fields, "ms", "prefill_seconds", "decode_seconds")
		stable, _ := json.Marshal(fields)
		got = append(got, string(stable))
	}
	want := []string{
		`{"cached_tokens":0,"completion_tokens":1,"decode_seconds":0,"prefill_seconds":0,"prompt_tokens":1,"step":0,"time":"2026-11-24T14:05:00Z","type":"usage"}`,
		`{"arguments":{"text":"0"},"id":"call_1","name":"echo","time":"2026-11-24T14:05:00Z","type":"tool_call"}`,
		`{"error":null,"id":"call_1","ms":0,"name":"echo","result":"0","time":"2026-11-24T14:05:00Z","type":"tool_result"}`,
		`{"cached_tokens":0,"completion_tokens":1,"decode_seconds":0,"prefill_seconds":0,"prompt_tokens":2,"step":1,"time":"2026-11-24T14:05:00Z","type":"usage"}`,
		`{"arguments":{"text":"0"},"id":"call_2","name":"delete","time":"2026-11-24T14:05:00Z","type":"tool_call"}`,
		`{"error":"unknown tool \"delete\": use one of echo","id":"call_2","ms":0,"name":"delete","result":"","time":"2026-11-24T14:05:00Z","type":"tool_result"}`,
		`{"text":"ok","time":"2026-11-24T14:05:00Z","type":"text_delta"}`,
		`{"cached_tokens":0,"completion_tokens":1,"decode_seconds":0,"prefill_seconds":0,"prompt_tokens":10,"step":2,"time":"2026-11-24T14:05:00Z","type":"usage"}`,
		`{"answer":"ok","citations":[],"guard":[],"model":"script","steps":[` +
			`{"tool_calls":[{"arguments":{"text":"0"},"error":null,"id":"call_1","ms":0,"name":"echo","result":"0"}]},` +
			`{"tool_calls":[{"arguments":{"text":"0"},"error":"unknown tool \"delete\": use one of echo","id":"call_2","ms":0,"name":"delete","result":""}]},` +
			`{"tool_calls":[]}],"stop_reason":"stop","time":"2026-11-24T14:05:00Z","type":"done",` +
			`"usage":{"cached_tokens":0,"completion_tokens":3,"decode_seconds":0,"prefill_seconds":0,"prompt_tokens":13}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// forget sets what differs from run to run to 0, wherever it stands.
func forget(v any, names ...string) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range names {
			if _, ok := v[name]; ok {
				v[name] = 0
			}
		}
		for _, inner := range v {
			forget(inner, names...)
		}
	case []any:
		for _, inner := range v {
			forget(inner, names...)
		}
	}
}
