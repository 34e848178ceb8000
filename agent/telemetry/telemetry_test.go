package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/agent/agenttest"
	"github.com/drover-ai/drover/agent/telemetry"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

type text struct {
	Text string `json:"text"`
}

func TestSpansAndMetrics(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	reader := sdkmetric.NewManualReader()
	option, err := telemetry.New(telemetry.Config{
		Traces:  sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
		Metrics: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		Agent:   "helper", Model: "script",
	})
	if err != nil {
		t.Fatal(err)
	}
	fail := tools.Must(tools.New("fail", "Fails.", func(context.Context, text) (string, error) { return "", errors.New("no luck") },
		tools.WithEffects(tools.Pure)))
	a, err := agent.New(agenttest.NewScript(agenttest.Call("fail", `{"text":"secret"}`), agenttest.Say("So it goes.")),
		agent.WithTools(fail), option, agent.WithSampling(prompts.Sampling{Temperature: prompts.Set(0.5), Seed: prompts.Set(uint64(7))}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Ask(context.Background(), "secret question"); err != nil {
		t.Fatal(err)
	}
	var got []string
	parents := map[string]string{}
	for _, s := range spans.GetSpans() {
		parents[s.SpanContext.SpanID().String()] = s.Name
	}
	for _, s := range spans.GetSpans() {
		got = append(got, fmt.Sprintf("%s < %s [%s] %s", s.Name, parents[s.Parent.SpanID().String()], list(s.Attributes), s.Status.Description))
	}
	request := "gen_ai.operation.name=chat gen_ai.output.type=text gen_ai.provider.name=drover gen_ai.request.max_tokens=1024 " +
		"gen_ai.request.model=script gen_ai.request.seed=7 gen_ai.request.temperature=0.5 gen_ai.response.finish_reasons="
	want := []string{
		"chat script < invoke_agent helper [" + request + `["tool_calls"] gen_ai.usage.cache_read.input_tokens=0 gen_ai.usage.input_tokens=2 gen_ai.usage.output_tokens=1] `,
		"execute_tool fail < invoke_agent helper [error.type=failed gen_ai.operation.name=execute_tool gen_ai.tool.call.id=call_1 gen_ai.tool.name=fail gen_ai.tool.type=function] fail: no luck",
		"chat script < invoke_agent helper [" + request + `["stop"] gen_ai.usage.cache_read.input_tokens=0 gen_ai.usage.input_tokens=6 gen_ai.usage.output_tokens=3] `,
		"invoke_agent helper <  [drover.steps=2 drover.stop_reason=stop gen_ai.agent.name=helper gen_ai.operation.name=invoke_agent gen_ai.provider.name=drover " +
			"gen_ai.request.model=script gen_ai.usage.cache_read.input_tokens=0 gen_ai.usage.input_tokens=8 gen_ai.usage.output_tokens=4] ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	if strings.Contains(strings.Join(got, " "), "secret") {
		t.Error("texts of the conversation are reported")
	}

	var data metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, m := range data.ScopeMetrics[0].Metrics {
		switch h := m.Data.(type) {
		case metricdata.Histogram[float64]:
			for _, p := range h.DataPoints {
				counts[m.Name+" "+list(p.Attributes.ToSlice())] += int(p.Count)
			}
		case metricdata.Histogram[int64]:
			for _, p := range h.DataPoints {
				counts[m.Name+" "+list(p.Attributes.ToSlice())] += int(p.Sum)
			}
		}
	}
	chat := " gen_ai.operation.name=chat gen_ai.provider.name=drover gen_ai.request.model=script"
	wantCounts := map[string]int{
		"gen_ai.client.operation.duration" + chat:                                                                                                          2,
		"gen_ai.client.operation.time_to_first_chunk" + chat:                                                                                               2,
		"gen_ai.client.token.usage" + chat + " gen_ai.token.type=input":                                                                                    8,
		"gen_ai.client.token.usage" + chat + " gen_ai.token.type=output":                                                                                   4,
		"gen_ai.execute_tool.duration error.type=failed gen_ai.operation.name=execute_tool gen_ai.tool.name=fail gen_ai.tool.type=function":                1,
		"gen_ai.invoke_agent.duration gen_ai.agent.name=helper gen_ai.operation.name=invoke_agent gen_ai.provider.name=drover gen_ai.request.model=script": 1,
	}
	if diff := cmp.Diff(wantCounts, counts); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// Spans of a stored conversation carry its id, those of a run without a session none, and those of a sub-agent that of the run
// around it. A call that is made again is an event of the run and two spans.
func TestConversationID(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	option, err := telemetry.New(telemetry.Config{Traces: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))})
	if err != nil {
		t.Fatal(err)
	}
	below, err := agent.New(agenttest.NewFunc(func(prompts.Request) agenttest.Reply { return agenttest.Say("4") }), option)
	if err != nil {
		t.Fatal(err)
	}
	helper, err := below.AsTool("helper", "Helps.")
	if err != nil {
		t.Fatal(err)
	}
	busy := agenttest.Fail("", &agent.TransientError{Err: errors.New("busy")})
	a, err := agent.New(agenttest.NewScript(agenttest.Call("helper", `{"task":"2+2"}`), busy, agenttest.Say("4"), agenttest.Say("no session")),
		agent.WithTools(helper), agent.WithRetry(agent.Retry{Retries: 1}), option)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Ask(t.Context(), "x", agent.WithSession(agent.NewSession(agent.NewMemoryLog("abc")))); err != nil {
		t.Fatal(err)
	}
	stored := len(spans.GetSpans())
	if _, err := a.Ask(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	retries := 0
	for i, s := range spans.GetSpans() {
		if has := strings.Contains(list(s.Attributes), "gen_ai.conversation.id=abc"); has != (i < stored) {
			t.Errorf("span %d, %s, has the id: %v", i, s.Name, has)
		}
		for _, e := range s.Events {
			if e.Name == "drover.retry" {
				retries++
			}
		}
	}
	if stored != 7 || retries != 1 { // run, call, call of the tool, run and call below, failed call, call
		t.Errorf("%d spans and %d retries, want 7 and 1", stored, retries)
	}
}

func list(attributes []attribute.KeyValue) string {
	var all []string
	for _, a := range attributes {
		all = append(all, string(a.Key)+"="+a.Value.String())
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// Programs that do not ask for telemetry do not link it, and this package links no SDK.
func TestLinked(t *testing.T) {
	for pkg, forbidden := range map[string]string{
		"github.com/drover-ai/drover/agent":           "go.opentelemetry.io/",
		"github.com/drover-ai/drover/agent/telemetry": "go.opentelemetry.io/otel/sdk",
	} {
		out, err := exec.Command("go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		if len(out) == 0 || strings.Contains(string(out), forbidden) {
			t.Errorf("%s depends on %s", pkg, forbidden)
		}
	}
}

func Example() {
	// Without a configured provider everything is dropped: set one by otel.SetTracerProvider, or pass it here.
	option, err := telemetry.New(telemetry.Config{Agent: "greeter", Model: "script"})
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := agent.New(agenttest.NewScript(agenttest.Say("Hello.")), option)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := a.Ask(context.Background(), "Hi")
	fmt.Println(result.Answer, err)
	// Output: Hello. <nil>
}
