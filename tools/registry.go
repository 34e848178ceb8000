package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/drover-ai/drover/prompts"
	"github.com/drover-ai/drover/tools/internal/nearest"
)

// Registry is an ordered set of tools with different names. It does not change and is safe for concurrent use; the
// nil Registry is empty.
type Registry struct {
	entries []entry
	index   map[string]int
}

type entry struct {
	tool       Tool
	definition prompts.ToolDefinition
	validator  *validator
	guarded    bool // the tool does for itself what Call does for others
}

// NewRegistry returns the set of the tools, in their order. It is an error if a name is invalid or there twice, or if
// the schema of a tool cannot be checked: a keyword's value is wrong, it refers to another document.
func NewRegistry(tools ...Tool) (*Registry, error) {
	return (*Registry)(nil).With(tools...)
}

// With returns a registry with the tools of r, then these. r stays as it is.
func (r *Registry) With(tools ...Tool) (*Registry, error) {
	combined := &Registry{index: map[string]int{}}
	if r != nil {
		for _, e := range r.entries {
			combined.add(e)
		}
	}
	for i, tool := range tools {
		if tool == nil {
			return nil, fmt.Errorf("tool %d of %d is nil", i+1, len(tools))
		}
		e := entry{tool: tool, definition: tool.Definition()}
		if err := CheckName(e.definition.Name); err != nil {
			return nil, err
		}
		if _, twice := combined.index[e.definition.Name]; twice {
			return nil, fmt.Errorf("two tools are named %q; rename one of them", e.definition.Name)
		}
		if own, ok := tool.(interface{ ownValidator() *validator }); ok {
			e.validator, e.guarded = own.ownValidator(), true
		} else {
			v, err := newValidator(e.definition.Parameters, false)
			if err != nil {
				return nil, fmt.Errorf("tool %s: %w", e.definition.Name, err)
			}
			e.validator = v
		}
		combined.add(e)
	}
	return combined, nil
}

func (r *Registry) add(e entry) {
	r.index[e.definition.Name] = len(r.entries)
	r.entries = append(r.entries, e)
}

// Len is the number of tools.
func (r *Registry) Len() int {
	if r == nil {
		return 0
	}
	return len(r.entries)
}

// Tools returns the tools in order. The slice is the caller's.
func (r *Registry) Tools() []Tool {
	return collect(r, func(e entry) Tool { return e.tool })
}

// Names returns the names of the tools in order. The slice is the caller's.
func (r *Registry) Names() []string {
	return collect(r, func(e entry) string { return e.definition.Name })
}

// Definitions returns the definitions of the tools in order, never nil. The slice is the caller's; the bytes of the
// schemas are shared and must not be changed.
func (r *Registry) Definitions() []prompts.ToolDefinition {
	return collect(r, func(e entry) prompts.ToolDefinition { return e.definition })
}

func collect[T any](r *Registry, of func(entry) T) []T {
	all := make([]T, 0, r.Len())
	if r != nil {
		for _, e := range r.entries {
			all = append(all, of(e))
		}
	}
	return all
}

// Lookup finds a tool by its exact name.
func (r *Registry) Lookup(name string) (Tool, bool) {
	if e, ok := r.lookup(name); ok {
		return e.tool, true
	}
	return nil, false
}

func (r *Registry) lookup(name string) (entry, bool) {
	if r == nil {
		return entry{}, false
	}
	i, ok := r.index[name]
	if !ok {
		return entry{}, false
	}
	return r.entries[i], true
}

// Subset returns a registry with the named tools only. They keep the order of r, whatever the order of names, so that
// a prompt made from them keeps its prefix. A name that r does not have is a [*CallError] of kind [UnknownTool].
func (r *Registry) Subset(names ...string) (*Registry, error) {
	for _, name := range names {
		if _, ok := r.lookup(name); !ok {
			return nil, r.unknown(name)
		}
	}
	subset := &Registry{index: map[string]int{}}
	if r != nil {
		for _, e := range r.entries {
			if slices.Contains(names, e.definition.Name) {
				subset.add(e)
			}
		}
	}
	return subset, nil
}

// Call runs the named tool. Its errors are of type [*CallError]. Whatever the tool is, arguments are checked against
// its schema before it sees them, a panic is an error, the result is valid UTF-8 of bounded size, and the call returns
// within about a tenth of a second after ctx ends: a tool that does not stop then goes on alone in its goroutine.
func (r *Registry) Call(ctx context.Context, name string, arguments json.RawMessage) (Result, error) {
	e, ok := r.lookup(name)
	if !ok {
		return Result{}, r.unknown(name)
	}
	if e.guarded {
		return e.tool.Call(ctx, arguments)
	}
	checked, err := e.validator.check(arguments)
	if err != nil {
		return Result{}, &CallError{Tool: name, Kind: InvalidArguments, Err: err}
	}
	return run(ctx, name, 0, func(ctx context.Context) (Result, error) {
		result, err := e.tool.Call(ctx, checked)
		return bound(result, DefaultMaxResult), err
	})
}

// Check reports whether a call could be made: nil, or the [*CallError] that Call would return before running anything.
func (r *Registry) Check(name string, arguments json.RawMessage) error {
	e, ok := r.lookup(name)
	if !ok {
		return r.unknown(name)
	}
	if _, err := e.validator.check(arguments); err != nil {
		return &CallError{Tool: name, Kind: InvalidArguments, Err: err}
	}
	return nil
}

func (r *Registry) unknown(name string) *CallError {
	known := nearest.Sort(name, r.Names())
	return &CallError{Tool: name, Kind: UnknownTool, Known: known, Err: fmt.Errorf("no tool has this name")}
}
