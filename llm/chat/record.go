package chat

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/prompts"
)

// CountRequest is how many tokens a request takes, template and tools included.
func (m *Model) CountRequest(req prompts.Request) (int, error) {
	tokens, err := (&answer{Model: m, req: req}).prompt()
	return len(tokens), err
}

// asWritten puts the tokens that the model wrote in the place of those that its text encodes to, message by message.
//
// One text has many encodings, and a model does not always write the one that the encoder gives, least of all under a
// grammar. What was computed for a conversation can only be used again if its tokens are the same, and a replay is only
// the same then. A message is left as it is encoded where its rendered text is not what its tokens say: it was edited,
// trimmed, or written by another model.
func (m *Model) asWritten(prompt []llm.Token, messages []prompts.Message) []llm.Token {
	var written [][]llm.Token
	for _, message := range messages {
		if message.Role == prompts.RoleAssistant && len(message.Tokens) > 0 {
			written = append(written, message.Tokens)
		}
	}
	header, lead := m.assistantHeader()
	if len(written) == 0 || len(header) == 0 {
		return prompt
	}
	stops := m.llm.Tokenizer().StopTokens()
	out := make([]llm.Token, 0, len(prompt)+16)
	for at := 0; at < len(prompt); {
		if !startsWith(prompt[at:], header) {
			out = append(out, prompt[at])
			at++
			continue
		}
		begin := at + len(header)
		end := begin
		for end < len(prompt) && !slices.Contains(stops, prompt[end]) {
			end++
		}
		body := prompt[begin:end]
		if end < len(prompt) { // else it is the message to be written
			said := bytes.TrimSpace(m.said(body)) // white space around a message is trimmed when it is rendered
			for i, tokens := range written {
				if whole := append(slices.Clone(lead), tokens...); bytes.Equal(bytes.TrimSpace(m.said(whole)), said) {
					body, written = whole, written[i+1:]
					break
				}
			}
		}
		out = append(append(out, header...), body...)
		at = end
	}
	return out
}

func startsWith(tokens, beginning []llm.Token) bool {
	return len(tokens) >= len(beginning) && slices.Equal(tokens[:len(beginning)], beginning)
}

// said is what tokens say: the same for two encodings of one text. Special tokens are not their names.
func (m *Model) said(tokens []llm.Token) []byte {
	tokenizer := m.llm.Tokenizer()
	var text []byte
	for _, t := range tokens {
		if tokenizer.IsSpecial(t) {
			text = append(strconv.AppendInt(append(text, 0xff), int64(t), 10), 0xff) // a byte that UTF-8 does not have
			continue
		}
		text = append(text, tokenizer.Piece(t)...)
	}
	return text
}

// assistantHeader returns how an assistant's message begins: up to the last special token, and what follows it before the
// first word. Both are empty if the template does not say so in tokens.
func (m *Model) assistantHeader() (header, lead []llm.Token) {
	m.headerOnce.Do(func() {
		encode := func(generation bool) []llm.Token {
			rendered, err := m.template.Render(prompts.RenderInput{
				Messages: []prompts.Message{prompts.User("x")}, AddGenerationPrompt: generation,
			})
			if err != nil {
				return nil
			}
			return m.encode(rendered)
		}
		without, with := encode(false), encode(true)
		if len(without) == 0 || len(with) <= len(without) || !startsWith(with, without) {
			return
		}
		tail := with[len(without):]
		for i := len(tail) - 1; i >= 0; i-- {
			if m.llm.Tokenizer().IsSpecial(tail[i]) {
				m.header, m.lead = tail[:i+1], tail[i+1:]
				return
			}
		}
	})
	return m.header, m.lead
}

// encode turns a rendered prompt into tokens. Only the template's own text may become special tokens.
func (m *Model) encode(rendered prompts.Prompt) []llm.Token {
	return m.llm.Tokenizer().EncodeSegments(nil, func(yield func(string, bool) bool) {
		for _, s := range rendered {
			if !yield(s.Text, s.Trusted) {
				return
			}
		}
	})
}
