package prompts

import (
	"slices"
	"strings"
)

// toolIndex answers the parser's questions about the tools on offer.
type toolIndex struct {
	any    bool // no tools were given: every name counts as known, and nothing is coerced
	byName map[string]int
	tools  []ToolDefinition
}

func newToolIndex(tools []ToolDefinition) *toolIndex {
	x := &toolIndex{any: tools == nil, byName: make(map[string]int, len(tools)), tools: tools}
	for i, tool := range tools {
		if _, ok := x.byName[tool.Name]; !ok {
			x.byName[tool.Name] = i
		}
	}
	return x
}

// known reports whether a tool of this name may be called.
func (x *toolIndex) known(name string) bool {
	_, ok := x.byName[name]
	return ok || (x.any && name != "")
}

// mayBecomeKnown reports whether name is the beginning of a known tool's name.
func (x *toolIndex) mayBecomeKnown(name string) bool {
	return x.any || slices.ContainsFunc(x.tools, func(t ToolDefinition) bool { return strings.HasPrefix(t.Name, name) })
}

// mayBecomeCall reports whether name is the beginning of a known tool's name with .call behind it.
func (x *toolIndex) mayBecomeCall(name string) bool {
	return x.any || slices.ContainsFunc(x.tools, func(t ToolDefinition) bool { return strings.HasPrefix(t.Name+".call", name) })
}

// schema returns the parameter schema of a tool; it is no object when there is none to check against.
func (x *toolIndex) schema(name string) value {
	i, ok := x.byName[name]
	if !ok {
		return value{}
	}
	schema, err := x.tools[i].parametersValue()
	if err != nil {
		return value{}
	}
	return schema
}

// nearest returns the names of all tools, those most like name first.
func (x *toolIndex) nearest(name string) []string {
	distance := make(map[string]int, len(x.tools))
	names := make([]string, 0, len(x.tools))
	for _, tool := range x.tools {
		if _, ok := distance[tool.Name]; !ok {
			distance[tool.Name] = editDistance(name, tool.Name)
			names = append(names, tool.Name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return distance[a] - distance[b] })
	return names
}

// editDistance counts the single-byte changes between two names, upper and lower case being the same. Of
// long names only the beginning is compared.
func editDistance(a, b string) int {
	const longest = 100
	a, b = strings.ToLower(a), strings.ToLower(b)
	a, b = a[:min(len(a), longest)], b[:min(len(b), longest)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
