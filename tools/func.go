package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/drover-ai/drover/prompts"
)

// DefaultMaxResult is the limit on a result's bytes of a tool made by [New] that sets none.
const DefaultMaxResult = 1 << 20

// Option sets a property of a tool made by [New].
type Option func(*settings)

type settings struct {
	effects    Effects
	repeatable *bool
	timeout    time.Duration
	maxResult  int
}

// WithEffects declares what calls of the tool do, by the sum of the effects; WithEffects(Pure) says that they do nothing.
// A tool without this option is taken to do [Anything].
func WithEffects(effects Effects) Option {
	return func(s *settings) { s.effects = effects }
}

// WithRepeatable declares whether the same call made twice is as good as made once; see [IsRepeatable].
func WithRepeatable(repeatable bool) Option {
	return func(s *settings) { s.repeatable = &repeatable }
}

// WithTimeout ends calls that take longer than limit with a [CallError] of kind [TimedOut].
func WithTimeout(limit time.Duration) Option { return func(s *settings) { s.timeout = limit } }

// WithMaxResult cuts results to at most that many bytes, between characters, and says so at their end. 0 is no limit.
func WithMaxResult(bytes int) Option { return func(s *settings) { s.maxResult = bytes } }

// function is a tool made from a Go function.
type function struct {
	definition prompts.ToolDefinition
	settings   settings
	validator  *validator
	call       func(ctx context.Context, arguments json.RawMessage) (Result, error)
}

// New makes a tool of fn, which must be safe for concurrent use. In is a struct with a field for each argument, and the
// tool's schema is made from it; Out may be anything with a textual or JSON form.
//
// Fields are named by their json tag and described by `jsonschema:"description=…"`, whose other keywords (enum, minimum,
// maxLength, pattern, …) are those of github.com/invopop/jsonschema; a comma inside a text is written `\\,`. An argument
// is required unless its field is a pointer or has omitempty or omitzero. A field with `jsonschema:"-"` is no argument.
//
// New returns an error, naming the type and the field, where JSON Schema cannot express In, and where the name or the
// description cannot be used. Calls check arguments against the schema first: fn only sees arguments that it allows.
// Names must match exactly; null for an optional argument is as good as leaving it out. If fn panics or ignores the
// end of its context, the call ends in a [*CallError] all the same.
func New[In, Out any](name, description string, fn func(context.Context, In) (Out, error), options ...Option) (Tool, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if strings.TrimSpace(description) == "" {
		return nil, fmt.Errorf("tool %s: no description; models choose tools by it", name)
	}
	if fn == nil {
		return nil, fmt.Errorf("tool %s: no function", name)
	}
	parameters, err := SchemaOf(reflect.TypeFor[In]())
	if err != nil {
		return nil, fmt.Errorf("tool %s: %w", name, err)
	}
	v, err := newValidator(parameters, true)
	if err != nil {
		return nil, fmt.Errorf("tool %s: %w", name, err)
	}
	f := &function{
		definition: prompts.ToolDefinition{Name: name, Description: description, Parameters: parameters},
		settings:   settings{effects: Anything, maxResult: DefaultMaxResult},
		validator:  v,
		call: func(ctx context.Context, arguments json.RawMessage) (Result, error) {
			var in In
			if err := json.Unmarshal(arguments, &in); err != nil {
				return Result{}, &CallError{Tool: name, Kind: InvalidArguments, Err: decodeProblem(err)}
			}
			out, err := fn(ctx, in)
			if err != nil {
				return Result{}, err
			}
			return resultOf(&out)
		},
	}
	for _, option := range options {
		option(&f.settings)
	}
	return f, nil
}

// Must returns t, or panics if err is not nil. It is for tools in package variables: Must(New(…)).
func Must(t Tool, err error) Tool {
	if err != nil {
		panic("tools: " + err.Error())
	}
	return t
}

// decodeProblem turns what encoding/json still finds wrong after validation, numbers outside a Go type's range, into
// a problem with a place.
func decodeProblem(err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return problemAt(pointerTo(strings.Split(mismatch.Field, ".")), "got %s, which does not fit into %v", mismatch.Value, mismatch.Type)
	}
	return problemAt("", "%v", err)
}

// Definition implements [Tool].
func (f *function) Definition() prompts.ToolDefinition { return f.definition }

// Call implements [Tool]. Its errors are of type [*CallError].
func (f *function) Call(ctx context.Context, arguments json.RawMessage) (Result, error) {
	checked, err := f.validator.check(arguments)
	if err != nil {
		return Result{}, &CallError{Tool: f.definition.Name, Kind: InvalidArguments, Err: err}
	}
	return run(ctx, f.definition.Name, f.settings.timeout, func(ctx context.Context) (Result, error) {
		result, err := f.call(ctx, checked)
		return bound(result, f.settings.maxResult), err
	})
}

// Timeout is the limit on a call's time; 0 is none.
func (f *function) Timeout() time.Duration { return f.settings.timeout }

// Effects returns the declared effects, [Anything] if none were.
func (f *function) Effects() Effects { return f.settings.effects }

// Repeatable reports whether a call may be made twice; see [IsRepeatable].
func (f *function) Repeatable() bool {
	if f.settings.repeatable != nil {
		return *f.settings.repeatable
	}
	return !f.settings.effects.Has(Writes)
}

// ownValidator marks tools whose Call does itself what a registry does for others.
func (f *function) ownValidator() *validator { return f.validator }
