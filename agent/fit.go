package agent

import "unicode/utf8"

// resultLimit is how many tokens each of n results may take so that all of them and an answer fit the context.
// Without a known context length it is 0, and only [Limits].ToolResultBytes counts.
func (r *run) resultLimit(n int) int {
	length := r.contextLength()
	if length == 0 {
		return 0
	}
	const frame = 8 // headers around a message
	return max((length-r.state.context-r.answerRoom(length))/n-frame, 16)
}

// contextLength is how many tokens a conversation may have, or 0 if the model does not tell.
func (a *Agent) contextLength() int {
	if model, ok := a.model.(ContextLengther); ok {
		return max(model.ContextLength(), 0)
	}
	return 0
}

// answerRoom is how many tokens of the context are kept free for an answer.
func (a *Agent) answerRoom(length int) int {
	room := length / 4
	if a.limits.StepTokens > 0 {
		room = min(room, a.limits.StepTokens)
	}
	return room
}

// fitted says how much of a result must be cut so that it fits, at a rune. What the model reads tells how much is missing.
func (r *run) fitted(e ToolResult, tokens int) ToolResult {
	text := e.shown()
	keep := len(text)
	if limit := r.limits.ToolResultBytes; limit > 0 {
		keep = min(keep, limit)
	}
	if tokens > 0 {
		keep = min(keep, tokens*16) // no text worth reading has more bytes than this to a token
		const note = 16
		for keep > 0 {
			count := r.countTokens(text[:keep])
			if count <= tokens-note || count <= tokens && keep == len(text) {
				break
			}
			// Cut in proportion, and a little more, so that a few rounds are enough.
			keep = min(keep-1, keep*max(tokens-note, 0)/count)
		}
	}
	for keep > 0 && keep < len(text) && !utf8.RuneStart(text[keep]) {
		keep--
	}
	e.Elided = len(text) - keep
	return e
}

func (a *Agent) countTokens(text string) int {
	if counter, ok := a.model.(TokenCounter); ok {
		return counter.CountTokens(text)
	}
	return (len(text) + 2) / 3
}
