package prompts

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// The names of the functions that instrument puts into a parsed template.
const (
	hookEmit = "_emit"
	hookStep = "_step"
)

// checkCalls fails when a template calls itself, directly or through others: such a text can only end by
// filling the stack.
func checkCalls(trees map[string]*parse.Tree) error {
	calls := map[string][]string{}
	for name, tree := range trees {
		walk(tree.Root, func(n parse.Node) {
			if t, ok := n.(*parse.TemplateNode); ok {
				calls[name] = append(calls[name], t.Name)
			}
		})
	}
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(path []string, name string) error
	visit = func(path []string, name string) error {
		path = append(path, name)
		if state[name] == visiting {
			return fmt.Errorf("calls itself: %s", strings.Join(path, " → "))
		}
		if state[name] == done {
			return nil
		}
		state[name] = visiting
		for _, callee := range calls[name] {
			if err := visit(path, callee); err != nil {
				return err
			}
		}
		state[name] = done
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		if err := visit(nil, name); err != nil {
			return err
		}
	}
	return nil
}

// walk visits every node of a list and of the lists in it.
func walk(list *parse.ListNode, visit func(parse.Node)) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		visit(n)
		for _, inner := range branches(n) {
			walk(inner, visit)
		}
	}
}

// branches returns the lists inside a node.
func branches(n parse.Node) []*parse.ListNode {
	switch n := n.(type) {
	case *parse.IfNode:
		return []*parse.ListNode{n.List, n.ElseList}
	case *parse.RangeNode:
		return []*parse.ListNode{n.List, n.ElseList}
	case *parse.WithNode:
		return []*parse.ListNode{n.List, n.ElseList}
	default:
		return nil
	}
}

// instrument sends the output of every action in list through the emit hook, and begins every list with a
// step hook that pays for running the list once.
func instrument(list *parse.ListNode) {
	if list == nil {
		return
	}
	cost := 16 // of the list itself, however little is in it
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			cost += len(n.String())
			if len(n.Pipe.Decl) == 0 {
				n.Pipe.Cmds = append(n.Pipe.Cmds, hook(hookEmit, n.Pos))
			}
		case *parse.IfNode:
			cost += len(n.Pipe.String())
		case *parse.RangeNode:
			cost += len(n.Pipe.String())
		case *parse.WithNode:
			cost += len(n.Pipe.String())
		default:
			cost += 8
		}
		for _, inner := range branches(n) {
			instrument(inner)
		}
	}
	step := hook(hookStep, list.Pos)
	step.Args = append(step.Args, &parse.NumberNode{
		NodeType: parse.NodeNumber, Pos: list.Pos, IsInt: true, Int64: int64(cost), Text: strconv.Itoa(cost),
	})
	list.Nodes = slices.Insert(list.Nodes, 0, parse.Node(&parse.ActionNode{
		NodeType: parse.NodeAction, Pos: list.Pos,
		Pipe: &parse.PipeNode{NodeType: parse.NodePipe, Pos: list.Pos, Cmds: []*parse.CommandNode{step}},
	}))
}

// hook returns a call of one of the hooks.
func hook(name string, pos parse.Pos) *parse.CommandNode {
	return &parse.CommandNode{
		NodeType: parse.NodeCommand, Pos: pos,
		Args: []parse.Node{parse.NewIdentifier(name).SetPos(pos)},
	}
}
