// Package telemetry reports what an agent does to OpenTelemetry: spans and metrics under the semantic conventions for
// generative AI, as they stand in 2026 (status: development).
//
// [New] makes an option for agent.New. It uses the providers that it is given, or the program's global ones; as long as the
// program configures none, these drop everything. Only the API is linked, and only by programs that import this package:
// which SDK and which exporter there are is the program's choice.
//
// Spans, each a child of the one before: "invoke_agent" for a run, "chat" for a model call, "execute_tool" for an attempt of
// a tool call. A sub-agent's run is a child of the tool call that started it. Metrics: gen_ai.client.token.usage,
// gen_ai.client.operation.duration, gen_ai.client.operation.time_to_first_chunk, gen_ai.invoke_agent.duration,
// gen_ai.execute_tool.duration. Spans of a run with a session carry gen_ai.conversation.id.
//
// Texts of the conversation, arguments and results are not reported.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// scope names the instrumentation.
const scope = "github.com/drover-ai/drover/agent/telemetry"

// Config says what is reported where.
type Config struct {
	Traces  trace.TracerProvider // nil: the global one
	Metrics metric.MeterProvider // nil: the global one
	// Agent is the agent's name: gen_ai.agent.name.
	Agent string
	// Model is the model's name: gen_ai.request.model.
	Model string
	// Provider says who runs the model: gen_ai.provider.name. Empty: "drover", the model in this process.
	Provider string
}

// telemetry is what the middleware needs.
type telemetry struct {
	tracer trace.Tracer
	common []attribute.KeyValue // of all spans and metrics of model calls
	config Config

	tokens       metric.Int64Histogram
	operation    metric.Float64Histogram
	firstChunk   metric.Float64Histogram
	runDuration  metric.Float64Histogram
	toolDuration metric.Float64Histogram
}

// The buckets that the conventions recommend.
var (
	tokenBuckets  = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
	secondBuckets = []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
	chunkBuckets  = []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
)

// New returns an option for agent.New. It fails if the meter provider refuses an instrument.
func New(c Config) (agent.Option, error) {
	if c.Traces == nil {
		c.Traces = otel.GetTracerProvider()
	}
	if c.Metrics == nil {
		c.Metrics = otel.GetMeterProvider()
	}
	if c.Provider == "" {
		c.Provider = "drover"
	}
	t := &telemetry{tracer: c.Traces.Tracer(scope), config: c, common: []attribute.KeyValue{attribute.String("gen_ai.provider.name", c.Provider)}}
	if c.Model != "" {
		t.common = append(t.common, attribute.String("gen_ai.request.model", c.Model))
	}
	meter := c.Metrics.Meter(scope)
	var failed []error
	seconds := func(name, description string, buckets []float64) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
			metric.WithExplicitBucketBoundaries(buckets...))
		failed = append(failed, err)
		return h
	}
	t.operation = seconds("gen_ai.client.operation.duration", "Time of one model call.", secondBuckets)
	t.firstChunk = seconds("gen_ai.client.operation.time_to_first_chunk", "Time until a model call yields its first piece.", chunkBuckets)
	t.runDuration = seconds("gen_ai.invoke_agent.duration", "Time of one run of an agent.", secondBuckets)
	t.toolDuration = seconds("gen_ai.execute_tool.duration", "Time of one attempt of a tool call.", secondBuckets)
	var err error
	t.tokens, err = meter.Int64Histogram("gen_ai.client.token.usage", metric.WithUnit("{token}"),
		metric.WithDescription("Tokens that a model call read and wrote."), metric.WithExplicitBucketBoundaries(tokenBuckets...))
	if err := errors.Join(append(failed, err)...); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return agent.WithMiddleware(agent.Middleware{Run: t.run, Generate: t.generate, Call: t.call}), nil
}

// with returns the common attributes and more.
func (t *telemetry) with(more ...attribute.KeyValue) []attribute.KeyValue {
	return append(append(make([]attribute.KeyValue, 0, len(t.common)+len(more)), t.common...), more...)
}

// named is the name of a span: the operation and what it is about, if that is known.
func named(operation, about string) string {
	if about == "" {
		return operation
	}
	return operation + " " + about
}

// end closes a span; err, if any, is what went wrong. It returns the attribute that says so in metrics.
func end(span trace.Span, err error) []attribute.KeyValue {
	defer span.End()
	if err == nil {
		return nil
	}
	failure := attribute.String("error.type", errorType(err))
	span.SetAttributes(failure)
	span.SetStatus(codes.Error, err.Error())
	return []attribute.KeyValue{failure}
}

// errorType is a short name of the kind of an error, of which there are few.
func errorType(err error) string {
	var call *tools.CallError
	var transient *agent.TransientError
	switch {
	case errors.As(err, &call):
		return string(call.Kind)
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &transient):
		return "transient"
	}
	return fmt.Sprintf("%T", err)
}

// record adds a time to a histogram.
func record(ctx context.Context, h metric.Float64Histogram, since time.Time, attributes ...attribute.KeyValue) {
	h.Record(ctx, time.Since(since).Seconds(), metric.WithAttributes(attributes...))
}

// run reports one run.
func (t *telemetry) run(next agent.RunFunc) agent.RunFunc {
	return func(ctx context.Context, prompt string, opts ...agent.RunOption) iter.Seq2[agent.Event, error] {
		return func(yield func(agent.Event, error) bool) {
			attributes := t.with(attribute.String("gen_ai.operation.name", "invoke_agent"))
			if t.config.Agent != "" {
				attributes = append(attributes, attribute.String("gen_ai.agent.name", t.config.Agent))
			}
			start := time.Now()
			ctx, span := t.tracer.Start(ctx, named("invoke_agent", t.config.Agent), trace.WithSpanKind(trace.SpanKindInternal),
				trace.WithAttributes(attributes...))
			ctx = context.WithValue(ctx, runKey{}, span)
			var failure error
			defer func() {
				record(ctx, t.runDuration, start, append(attributes, end(span, failure)...)...)
			}()
			for event, err := range next(ctx, prompt, opts...) {
				failure = err
				switch e := event.(type) {
				case agent.Done:
					span.SetAttributes(attribute.String("drover.stop_reason", string(e.Result.StopReason)),
						attribute.Int("drover.steps", len(e.Result.Steps)))
					span.SetAttributes(usage(prompts.Usage(e.Result.Usage))...)
				case agent.Notice:
					span.AddEvent("drover."+string(e.Kind), trace.WithAttributes(attribute.String("message", e.Text)))
				case agent.Compaction:
					span.AddEvent("drover.compaction", trace.WithAttributes(
						attribute.Int("drover.tokens_before", e.Before), attribute.Int("drover.tokens_after", e.After)))
				}
				if !yield(event, err) {
					return
				}
			}
		}
	}
}

type runKey struct{} // trace.Span of the run

// conversation sets the id of the session on a span of a run's part, and on that of the run, which learns it only now.
func conversation(ctx context.Context, span trace.Span) {
	id := agent.SessionID(ctx)
	if id == "" {
		return
	}
	span.SetAttributes(attribute.String("gen_ai.conversation.id", id))
	if run, ok := ctx.Value(runKey{}).(trace.Span); ok {
		run.SetAttributes(attribute.String("gen_ai.conversation.id", id))
	}
}

// usage is the attributes of a token count.
func usage(u prompts.Usage) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.Int("gen_ai.usage.input_tokens", u.PromptTokens),
		attribute.Int("gen_ai.usage.output_tokens", u.CompletionTokens),
		attribute.Int("gen_ai.usage.cache_read.input_tokens", u.CachedTokens),
	}
}

// generate reports one model call.
func (t *telemetry) generate(next agent.GenerateFunc) agent.GenerateFunc {
	return func(ctx context.Context, req prompts.Request) iter.Seq2[prompts.Delta, error] {
		return func(yield func(prompts.Delta, error) bool) {
			attributes := t.with(attribute.String("gen_ai.operation.name", "chat"))
			kind := trace.SpanKindInternal // the model runs here
			if t.config.Provider != "drover" {
				kind = trace.SpanKindClient
			}
			start := time.Now()
			ctx, span := t.tracer.Start(ctx, named("chat", t.config.Model), trace.WithSpanKind(kind),
				trace.WithAttributes(attributes...), trace.WithAttributes(request(req)...))
			conversation(ctx, span)
			var failure error
			defer func() {
				record(ctx, t.operation, start, append(attributes, end(span, failure)...)...)
			}()
			first := true
			for delta, err := range next(ctx, req) {
				if failure = err; first {
					record(ctx, t.firstChunk, start, attributes...)
					first = false
				}
				if done := delta.Done; done != nil {
					span.SetAttributes(usage(done.Usage)...)
					span.SetAttributes(attribute.StringSlice("gen_ai.response.finish_reasons", []string{string(done.StopReason)}))
					for of, n := range map[string]int{"input": done.Usage.PromptTokens, "output": done.Usage.CompletionTokens} {
						t.tokens.Record(ctx, int64(n), metric.WithAttributes(append(attributes[:len(attributes):len(attributes)],
							attribute.String("gen_ai.token.type", of))...))
					}
				}
				if !yield(delta, err) {
					return
				}
			}
		}
	}
}

// request is the attributes of what a model is asked.
func request(req prompts.Request) (attributes []attribute.KeyValue) {
	number := func(key string, value *float64) {
		if value != nil {
			attributes = append(attributes, attribute.Float64(key, *value))
		}
	}
	s := req.Sampling
	number("gen_ai.request.temperature", s.Temperature)
	number("gen_ai.request.top_p", s.TopP)
	number("gen_ai.request.frequency_penalty", s.FrequencyPenalty)
	number("gen_ai.request.presence_penalty", s.PresencePenalty)
	if s.TopK != nil {
		attributes = append(attributes, attribute.Int("gen_ai.request.top_k", *s.TopK))
	}
	if s.Seed != nil {
		attributes = append(attributes, attribute.Int64("gen_ai.request.seed", int64(*s.Seed)))
	}
	if req.MaxTokens > 0 {
		attributes = append(attributes, attribute.Int("gen_ai.request.max_tokens", req.MaxTokens))
	}
	if len(req.Stop) > 0 {
		attributes = append(attributes, attribute.StringSlice("gen_ai.request.stop_sequences", req.Stop))
	}
	output := "text"
	if req.Schema != nil {
		output = "json"
	}
	return append(attributes, attribute.String("gen_ai.output.type", output))
}

// call reports one attempt of a tool call.
func (t *telemetry) call(next agent.CallFunc) agent.CallFunc {
	return func(ctx context.Context, call prompts.ToolCall) (result tools.Result, err error) {
		about := []attribute.KeyValue{
			attribute.String("gen_ai.operation.name", "execute_tool"),
			attribute.String("gen_ai.tool.name", call.Name), attribute.String("gen_ai.tool.type", "function"),
		}
		start := time.Now()
		ctx, span := t.tracer.Start(ctx, named("execute_tool", call.Name), trace.WithSpanKind(trace.SpanKindInternal),
			trace.WithAttributes(about...), trace.WithAttributes(attribute.String("gen_ai.tool.call.id", call.ID)))
		conversation(ctx, span)
		defer func() {
			record(ctx, t.toolDuration, start, append(about, end(span, err)...)...)
		}()
		return next(ctx, call)
	}
}
