package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/drover-ai/drover/tools"
)

const recalled = 5 // memories that a model gets

type rememberInput struct {
	Text string `json:"text"`
}

type recallInput struct {
	Query *string `json:"query,omitempty"`
}

// Tools returns remember and recall for the store.
func (s *Store) Tools() []tools.Tool { return []tools.Tool{s.rememberTool(), s.recallTool()} }

// rememberer has a preview for whoever approves: what is remembered may steer every later conversation.
type rememberer struct {
	tools.Tool
	store *Store
}

// Unwrap returns the tool that is called.
func (r rememberer) Unwrap() tools.Tool { return r.Tool }

// Preview implements [tools.Previewer].
func (r rememberer) Preview(_ context.Context, arguments json.RawMessage) (string, error) {
	var in rememberInput
	if err := json.Unmarshal(arguments, &in); err != nil {
		return "", err
	}
	text, err := checkText(in.Text)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("remember for later conversations, in %s:\n+ %s", r.store.path, text), nil
}

func (s *Store) rememberTool() tools.Tool {
	return rememberer{tools.Must(tools.New("remember", "Remember a fact about the user for later conversations.",
		func(ctx context.Context, in rememberInput) (string, error) {
			m, err := s.Remember(ctx, in.Text)
			if err != nil {
				return "", err
			}
			return "remembered: " + m.Text, nil
		}, tools.WithEffects(tools.Writes), tools.WithRepeatable(true), tools.WithTimeout(20*time.Second))), s}
}

func (s *Store) recallTool() tools.Tool {
	return tools.Must(tools.New("recall", "Recall facts about the user that were remembered before.",
		func(ctx context.Context, in recallInput) (string, error) {
			query := ""
			if in.Query != nil {
				query = *in.Query
			}
			list, err := s.Recall(ctx, query, recalled)
			if err != nil {
				return "", err
			}
			heading := ""
			if len(list) == 0 { // what is asked for may be there in other words
				if list, err = s.newest(ctx, recalled); err != nil {
					return "", err
				}
				if len(list) == 0 {
					return "nothing is remembered yet", nil
				}
				if strings.TrimSpace(query) != "" {
					heading = "nothing has these words; the newest memories are:\n"
				}
			}
			lines := make([]string, len(list))
			for i, m := range list {
				lines[i] = fmt.Sprintf("%s (remembered %s)", m.Text, m.Created.Local().Format(time.DateOnly))
			}
			return heading + strings.Join(lines, "\n"), nil
		}, tools.WithEffects(tools.Reads), tools.WithTimeout(20*time.Second)))
}
