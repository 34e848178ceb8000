package agent

import (
	"context"
	"strings"

	"github.com/drover-ai/drover/prompts"
)

// makeRoom shortens the conversation when the next message of the model would not fit. The system prompt and the turn at
// hand always stay. First old tool results go, the oldest first; if that is not enough, the model writes a summary of the
// turns before, which takes their place.
func (r *run) makeRoom(ctx context.Context) error {
	length := r.contextLength()
	if length == 0 {
		return nil
	}
	if r.replay != nil {
		return r.replay.compact(ctx, r, len(r.turn.steps))
	}
	limit := length - r.answerRoom(length)
	if r.estimate() <= limit*9/10 {
		return nil // counting exactly costs more
	}
	before, err := r.count(r.request())
	if err != nil || before <= limit {
		return err
	}
	target := length / 2
	event := Compaction{Header: r.header(), Before: before}
	event.Elided, event.After = r.elide(before, target)
	if event.After > limit {
		if cut := r.cutAt(length / 4); cut > 0 {
			event.Replaced = cut
			event.Summary, event.Usage = r.summarize(ctx, cut, length)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	if event.Replaced == 0 && len(event.Elided) == 0 {
		return nil // nothing can go; the model says what does not fit
	}
	after, _ := compacted(r.state.messages, event, r.turn.first)
	if event.After, err = r.count(r.requestOf(after)); err != nil {
		return err
	}
	r.logger.Info("conversation shortened", "tokens_before", event.Before, "tokens_after", event.After,
		"results_elided", len(event.Elided), "messages_replaced", event.Replaced)
	return r.emit(ctx, event)
}

// estimate is about how many tokens the conversation takes: those that the model counted, and what was added since.
func (r *run) estimate() int {
	text := 0
	messages := r.state.messages
	if r.state.context > 0 {
		// Everything up to the model's last message has been counted.
		for i := len(messages) - 1; i >= 0 && messages[i].Role != prompts.RoleAssistant; i-- {
			text += len(messages[i].Content)
		}
		return r.state.context + (text+1)/2
	}
	for _, m := range messages {
		text += len(m.Content)
	}
	return len(r.system)/2 + (text+1)/2 + r.tools.Len()*100
}

// requestOf is the next request with other messages.
func (r *run) requestOf(messages []prompts.Message) prompts.Request {
	req := r.request()
	req.Messages = make([]prompts.Message, 0, len(messages)+1)
	if r.system != "" {
		req.Messages = append(req.Messages, prompts.System(r.system))
	}
	req.Messages = append(req.Messages, messages...)
	return req
}

// count is how many tokens a request takes.
func (a *Agent) count(req prompts.Request) (int, error) {
	if counter, ok := a.model.(RequestCounter); ok {
		return counter.CountRequest(req)
	}
	const frame = 6 // tokens around a message
	n := 0
	for _, m := range req.Messages {
		n += a.countTokens(m.Content) + frame
		for _, call := range m.ToolCalls {
			n += a.countTokens(call.Name) + a.countTokens(string(call.Arguments)) + frame
		}
	}
	for _, tool := range req.Tools {
		n += a.countTokens(tool.Name) + a.countTokens(tool.Description) + a.countTokens(string(tool.Parameters)) + frame
	}
	return n, nil
}

// elide chooses old tool results until so many tokens are left as wanted. The results that the model has not read yet stay.
func (r *run) elide(tokens, target int) (elided []int, left int) {
	messages := r.state.messages
	end := len(messages)
	for end > 0 && messages[end-1].Role != prompts.RoleAssistant {
		end--
	}
	note := r.countTokens(elidedResult)
	for i := 0; i < end && tokens > target; i++ {
		m := messages[i]
		if m.Role != prompts.RoleTool || m.Content == elidedResult {
			continue
		}
		if saved := r.countTokens(m.Content) - note; saved > 0 {
			elided = append(elided, i)
			tokens -= saved
		}
	}
	return elided, tokens
}

// cutAt returns how many of the first messages to summarize: as many as it takes for the whole turns after them to have no
// more than so many tokens. The turn at hand is never cut.
func (r *run) cutAt(tokens int) int {
	messages := r.state.messages
	cut, sum := r.turn.first, 0
	for i := r.turn.first - 1; i >= 0; i-- {
		sum += r.countTokens(messages[i].Content) + 8
		if sum > tokens {
			break
		}
		if messages[i].Role == prompts.RoleUser {
			cut = i
		}
	}
	return cut
}

// summarize lets the model write about the first messages. It reads them as they are, so that what was computed for them
// is used again. Without a usable answer the summary only says that something is missing.
func (r *run) summarize(ctx context.Context, cut, length int) (text string, usage Usage) {
	old := r.state.messages[:cut:cut]
	var request string
	for _, m := range old {
		if m.Role == prompts.RoleUser {
			request = m.Content
			break
		}
	}
	if earlier, ok := strings.CutPrefix(request, prompts.Summarized("", "")); ok { // of a summary, keep its first request
		_, request, _ = strings.Cut(earlier, "\n\nThe first request was: ")
	}
	first := r.fitted(ToolResult{Result: request}, max(length/16, 32))
	request = first.shown()
	most := min(max(length/8, 64), 512)
	ask := func() prompts.Request {
		req := r.requestOf(append(old, prompts.User(prompts.Compaction())))
		req.ToolChoice = prompts.ToolChoice{Mode: prompts.ToolChoiceNone}
		req.Schema, req.MaxTokens = nil, most
		return req
	}
	req := ask()
	for len(old) > 1 {
		if n, err := r.count(req); err != nil || n+most <= length {
			break
		}
		old = old[max(len(old)/8, 1):] // the oldest messages do not even fit for being summarized
		req = ask()
	}
	var summary strings.Builder
	for delta, err := range r.ask(ctx, req) {
		if err != nil {
			r.logger.Warn("no summary", "error", err)
			summary.Reset()
			break
		}
		summary.WriteString(delta.Text)
		if delta.Done != nil {
			usage.add(delta.Done.Usage)
		}
	}
	text = strings.TrimSpace(summary.String())
	if text == "" {
		text = "(the earlier messages were removed; ask the user if something from them is needed)"
	}
	return prompts.Summarized(request, text), usage
}
