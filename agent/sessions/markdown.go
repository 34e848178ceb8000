package sessions

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/drover-ai/drover/agent"
)

// Markdown writes a conversation as a text to read: prompts, tool calls with their results, answers. What was rewound is
// left out.
func (s *Store) Markdown(ctx context.Context, name string, w io.Writer) error {
	session, err := s.Existing(ctx, name)
	if err != nil {
		return err
	}
	events, err := session.Events(ctx)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# %s\n", name)
	for _, event := range events {
		writeMarkdown(out, event)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing session %s: %w", name, err)
	}
	return nil
}

func writeMarkdown(w io.Writer, event agent.Event) {
	switch e := event.(type) {
	case agent.Start:
		fmt.Fprintf(w, "\n## User\n\n%s\n", e.Prompt)
	case agent.UserMessage:
		fmt.Fprintf(w, "\n## User\n\n%s\n", e.Text)
	case agent.Message:
		if e.Message.Content != "" && len(e.Message.ToolCalls) == 0 {
			fmt.Fprintf(w, "\n## Assistant\n\n%s\n", e.Message.Content)
		}
		if e.Malformed != "" {
			fmt.Fprintf(w, "\n*A call could not be read: %s*\n", oneLine(e.Malformed))
		}
	case agent.ToolCall:
		fmt.Fprintf(w, "\n**%s** called with\n\n%s", e.Name, fenced(indented(e.Arguments), "json"))
	case agent.Approval:
		said := "denied"
		if e.Approved {
			said = "approved"
		}
		fmt.Fprintf(w, "\n*%s: %s (%s)*\n", e.Name, said, oneLine(e.Reason))
	case agent.ToolResult:
		if e.Error != "" {
			fmt.Fprintf(w, "\n**%s** did not succeed:\n\n%s", e.Name, fenced(e.Error, ""))
		} else {
			fmt.Fprintf(w, "\n**%s** gave\n\n%s", e.Name, fenced(e.Result, ""))
		}
	case agent.Compaction:
		fmt.Fprintf(w, "\n*The conversation was shortened from %d to %d tokens.*\n", e.Before, e.After)
		if e.Summary != "" {
			fmt.Fprintf(w, "\n%s", fenced(e.Summary, ""))
		}
	case agent.Notice:
		fmt.Fprintf(w, "\n*%s*\n", oneLine(e.Text))
	}
}

// fenced puts a text into a code block whose fence the text does not have.
func fenced(text, language string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fmt.Sprintf("%s%s\n%s\n%s\n", fence, language, strings.TrimSuffix(text, "\n"), fence)
}

func indented(object json.RawMessage) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if encoder.Encode(object) != nil {
		return string(object)
	}
	return strings.TrimSpace(out.String())
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
