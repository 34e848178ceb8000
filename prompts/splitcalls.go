package prompts

import "unicode"

// SplitToolCalls returns messages in which no message calls more than one tool: a message with several calls
// becomes one message a call, each followed by its result, for templates that know no parallel calls. Results
// are matched by ToolCallID; those that name no call keep their order behind the split messages. Messages that
// need no splitting are kept as they are; when none does, the result is messages itself.
func SplitToolCalls(messages []Message) []Message {
	var split []Message // nil until a message was split
	for i := 0; i < len(messages); i++ {
		m := messages[i]
		if len(m.ToolCalls) < 2 {
			if split != nil {
				split = append(split, m)
			}
			continue
		}
		if split == nil {
			split = append(make([]Message, 0, len(messages)+len(m.ToolCalls)), messages[:i]...)
		}
		end := i + 1
		for end < len(messages) && messages[end].Role.isToolResult() && messages[end].ToolCalls == nil {
			end++
		}
		split = append(split, splitCalls(m, messages[i+1:end])...)
		i = end - 1
	}
	if split == nil {
		return messages
	}
	return split
}

// splitCalls deals the calls of m and their results out.
func splitCalls(m Message, results []Message) []Message {
	var split []Message
	used := make([]bool, len(results))
	for i, call := range m.ToolCalls {
		single := m
		single.ToolCalls = []ToolCall{call}
		if i > 0 {
			single.Content = ""
		}
		split = append(split, single)
		for j, result := range results {
			answers := result.ToolCallID == call.ID && call.ID != ""
			inOrder := result.ToolCallID == "" && len(results) == len(m.ToolCalls) && i == j
			if !used[j] && (answers || inOrder) {
				used[j] = true
				split = append(split, result)
				break
			}
		}
	}
	for j, result := range results {
		if !used[j] {
			split = append(split, result)
		}
	}
	return split
}

// isPythonSpace is Python's str.isspace for one character.
func isPythonSpace(r rune) bool {
	return unicode.IsSpace(r) || (r >= 0x1c && r <= 0x1f)
}
