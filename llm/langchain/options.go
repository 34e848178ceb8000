package langchain

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/drover-ai/drover/agent"
	"github.com/drover-ai/drover/prompts"
)

// The keys of Metadata that this provider knows, and the beginning of those that are its own.
const (
	ownKeys     = "drover:"
	schemaKey   = ownKeys + "json_schema"
	thinkingKey = "thinking_config"
)

// WithJSONSchema asks for an answer that matches a JSON Schema: JSON as bytes, or anything that marshals to it. It is kept in
// the metadata: llms.WithMetadata after it would drop it.
func WithJSONSchema(schema any) llms.CallOption {
	return func(o *llms.CallOptions) {
		metadata := maps.Clone(o.Metadata) // the map may be the caller's
		if metadata == nil {
			metadata = map[string]any{}
		}
		metadata[schemaKey] = schema
		o.Metadata = metadata
	}
}

// unset fills the fields whose zero means something with values that nobody sets.
func unset() llms.CallOptions {
	nan := math.NaN()
	return llms.CallOptions{
		Temperature: nan, TopP: nan, RepetitionPenalty: nan, FrequencyPenalty: nan, PresencePenalty: nan,
		TopK: math.MinInt, Seed: math.MinInt,
	}
}

// newCall reads messages and options, and refuses what cannot be honored.
func (l *LLM) newCall(messages []llms.MessageContent, options []llms.CallOption) (*call, error) {
	o := unset()
	for _, option := range options {
		option(&o)
	}
	c := &call{streaming: o.StreamingFunc, reasoning: o.StreamingReasoningFunc}
	var err error
	if c.request.Messages, err = toMessages(messages); err != nil {
		return nil, err
	}
	if err := l.checkPlain(&o); err != nil {
		return nil, err
	}
	c.request.MaxTokens, c.request.Stop, c.request.Sampling = o.MaxTokens, o.StopWords, sampling(&o)
	if c.choices, err = choices(&o); err != nil {
		return nil, err
	}
	if c.request.Tools, err = l.tools(&o); err != nil {
		return nil, err
	}
	if c.request.ToolChoice, err = toolChoice(&o, c.request.Tools); err != nil {
		return nil, err
	}
	if c.request.Schema, err = l.schema(&o); err != nil {
		return nil, err
	}
	c.drawsLots()
	return c, nil
}

// checkPlain checks the fields that need no conversion.
func (l *LLM) checkPlain(o *llms.CallOptions) error {
	switch {
	case o.Model != "" && o.Model != l.model.Name() && !slices.Contains(l.aliases, o.Model):
		return refuse(llms.ErrCodeResourceNotFound, "model %q is not loaded; this is %q (WithAliases adds names)", o.Model, l.model.Name())
	case o.MaxTokens < 0:
		return refuse(llms.ErrCodeInvalidRequest, "max tokens is %d, want 1 or more, or 0 for as many as fit", o.MaxTokens)
	case o.MinLength != 0:
		return refuse(llms.ErrCodeNotImplemented, "a minimum length (%d) cannot be promised; leave it out", o.MinLength)
	case o.MaxLength != 0:
		return refuse(llms.ErrCodeNotImplemented, "a maximum length (%d) has no agreed unit; use llms.WithMaxTokens", o.MaxLength)
	case slices.Contains(o.StopWords, ""):
		return refuse(llms.ErrCodeInvalidRequest, "stop word %d is empty", slices.Index(o.StopWords, ""))
	}
	for _, key := range slices.Sorted(maps.Keys(o.Metadata)) {
		if strings.HasPrefix(key, ownKeys) && key != schemaKey {
			return refuse(llms.ErrCodeInvalidRequest, "metadata key %q is not known; the only one is %q", key, schemaKey)
		}
	}
	if config, ok := o.Metadata[thinkingKey].(*llms.ThinkingConfig); ok && config != nil && config.Mode != "" && config.Mode != llms.ThinkingModeNone {
		return refuse(llms.ErrCodeNotImplemented, "thinking mode %q: the model has no reasoning of its own; leave it out", config.Mode)
	}
	return nil
}

// sampling takes the settings that were set.
func sampling(o *llms.CallOptions) prompts.Sampling {
	if o.Temperature == 0 && o.TopP == 0 && o.RepetitionPenalty == 0 && o.FrequencyPenalty == 0 && o.PresencePenalty == 0 &&
		o.TopK == 0 && o.Seed == 0 { // WithOptions put a whole value in the place of ours, which says nothing of these
		return prompts.Sampling{}
	}
	number := func(f float64) *float64 {
		if math.IsNaN(f) {
			return nil
		}
		return &f
	}
	s := prompts.Sampling{
		Temperature: number(o.Temperature), TopP: number(o.TopP), RepetitionPenalty: number(o.RepetitionPenalty),
		FrequencyPenalty: number(o.FrequencyPenalty), PresencePenalty: number(o.PresencePenalty),
	}
	if o.TopK != math.MinInt {
		s.TopK = &o.TopK
	}
	if o.Seed != math.MinInt {
		s.Seed = prompts.Set(uint64(o.Seed))
	}
	return s
}

// choices is how many answers are asked for, under either name.
func choices(o *llms.CallOptions) (int, error) {
	n, m := o.N, o.CandidateCount
	switch {
	case n < 0 || m < 0:
		return 0, refuse(llms.ErrCodeInvalidRequest, "n is %d and the candidate count %d, want 1 or more", n, m)
	case n > 0 && m > 0 && n != m:
		return 0, refuse(llms.ErrCodeInvalidRequest, "n is %d and the candidate count %d; set one of them", n, m)
	}
	return max(n, m, 1), nil
}

// schema is the one that the answer's text must match, nil for any text.
func (l *LLM) schema(o *llms.CallOptions) (json.RawMessage, error) {
	object := o.JSONMode
	switch o.ResponseMIMEType {
	case "":
	case "application/json":
		object = true
	case "text/plain":
		if object || o.Metadata[schemaKey] != nil {
			return nil, refuse(llms.ErrCodeInvalidRequest, "the response type is text/plain, and JSON is asked for; choose one")
		}
	default:
		return nil, refuse(llms.ErrCodeNotImplemented, "response type %q; there are text/plain and application/json", o.ResponseMIMEType)
	}
	var schema json.RawMessage
	if given := o.Metadata[schemaKey]; given != nil {
		var err error
		if schema, err = toJSON(given); err != nil {
			return nil, refuse(llms.ErrCodeInvalidRequest, "the JSON schema is no JSON: %v", err).WithCause(err)
		}
	} else if object {
		schema = json.RawMessage(`{"type":"object"}`)
	}
	if schema == nil {
		return nil, nil
	}
	if m, ok := l.model.(agent.Constrainer); !ok || !m.ConstrainsAnswers() {
		return nil, refuse(llms.ErrCodeNotImplemented, "%s cannot be held to JSON; ask for it in the prompt, and check the answer", l.model.Name())
	}
	if len(o.StopWords) > 0 {
		return nil, refuse(llms.ErrCodeInvalidRequest, "stop words would break the JSON off; leave one of the two out")
	}
	return schema, nil
}

// toJSON writes a value as JSON, without escaping what only HTML needs escaped. Bytes and strings are taken to be JSON.
func toJSON(value any) (json.RawMessage, error) {
	switch v := value.(type) {
	case []byte:
		value = json.RawMessage(v)
	case string:
		value = json.RawMessage(v)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(out.Bytes()), nil
}
