package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools"
)

// AnswerError is why [Into] got no value: the model's answer does not fit the type.
type AnswerError struct {
	Answer string
	Err    error // what is wrong with it, and where
}

func (e *AnswerError) Error() string {
	const most = 200
	answer := e.Answer
	if len(answer) > most {
		answer = strings.ToValidUTF8(answer[:most], "") + "…"
	}
	return fmt.Sprintf("the answer %q does not fit: %v; ask a larger model, or for less at once", answer, e.Err)
}

// Unwrap returns what is wrong.
func (e *AnswerError) Unwrap() error { return e.Err }

// Into answers a prompt with a value: T is a struct, whose JSON Schema is made as for the arguments of a tool (see
// [tools.New]). Tools may be called before.
//
// The model gets the schema with its request. One that can only write what a schema allows ([Constrainer]) does so; others
// are told in words, may refuse the schema with an error that is [errors.ErrUnsupported], and get one chance to repair an answer that does not fit. The error is then an [*AnswerError]. The
// result is not nil unless the run itself failed; what the repair cost is part of its usage.
func Into[T any](ctx context.Context, a *Agent, prompt string, opts ...RunOption) (T, *Result, error) {
	var value T
	schema, err := tools.SchemaOf(reflect.TypeFor[T]())
	if err != nil {
		return value, nil, fmt.Errorf("agent: %w", err)
	}
	check, err := tools.New("answer", "The answer.", func(_ context.Context, in T) (string, error) {
		value = in
		return "", nil
	})
	if err != nil {
		return value, nil, fmt.Errorf("agent: %w", err)
	}
	constrained := false
	if model, ok := a.model.(Constrainer); ok {
		constrained = model.ConstrainsAnswers()
	}
	if !constrained {
		prompt = prompts.WithSchema(prompt, schema)
	}
	opts = append(opts, WithSchema(schema), func(r *run) { r.optionalSchema = !constrained })
	result, err := a.Ask(ctx, prompt, opts...)
	if err != nil {
		return value, result, err
	}
	problem := fits(ctx, check, result.Answer)
	if problem == nil {
		return value, result, nil
	}
	if constrained {
		return value, result, problem
	}
	again, err := a.Ask(ctx, prompts.RepairAnswer(problem.Err), goOn(opts, result)...)
	if err != nil {
		return value, result, err
	}
	again.Usage.sum(result.Usage)
	again.Cost += result.Cost
	again.Steps = append(result.Steps, again.Steps...)
	again.Messages = append(result.Messages, again.Messages...)
	if problem := fits(ctx, check, again.Answer); problem != nil {
		return value, again, problem
	}
	return value, again, nil
}

// goOn returns the options of a run that goes on after another: a session remembers, without one the messages are history.
func goOn(opts []RunOption, result *Result) []RunOption {
	return append(opts, func(r *run) {
		r.choice.Mode, r.choice.Name = "", ""
		if r.session == nil {
			r.history = append(r.history, result.Messages...)
		}
	})
}

// fits checks an answer and has it read. It returns what is wrong with it, or nil.
func fits(ctx context.Context, check tools.Tool, answer string) *AnswerError {
	object := jsonOf(answer)
	if !json.Valid(object) {
		return &AnswerError{answer, errors.New("it is not a JSON object")}
	}
	if _, err := check.Call(ctx, object); err != nil {
		var call *tools.CallError
		if errors.As(err, &call) && call.Err != nil {
			err = call.Err
		}
		return &AnswerError{answer, err}
	}
	return nil
}

// jsonOf takes the object out of an answer that has something around it, as models that are only told to write JSON do.
func jsonOf(answer string) json.RawMessage {
	text := strings.TrimSpace(answer)
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	first, last := strings.IndexByte(text, '{'), strings.LastIndexByte(text, '}')
	if first >= 0 && last > first {
		return json.RawMessage(text[first : last+1])
	}
	return json.RawMessage(text)
}
