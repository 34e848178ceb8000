package chat

import (
	"slices"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/prompts"
)

// SaveState writes what was computed for a conversation to a file, which [Model.RestoreState] reads in another process: the
// next answer then costs only what is new. Saving again to the same file writes only what is new.
//
// It saves the session that is kept for the conversation in memory; if there is none any more, nothing is written.
func (m *Model) SaveState(req prompts.Request, path string) error {
	prompt, err := (&answer{Model: m, req: req}).prompt()
	if err != nil {
		return err
	}
	s := m.sessions.borrow(prompt)
	if s == nil {
		return nil
	}
	defer m.sessions.put(s)
	return s.Save(path)
}

// RestoreState reads what SaveState wrote and keeps it for the conversation that it belongs to. Errors: those of the file,
// and a *[llm.SavedError] for one that cannot be used, after which everything is computed as if there were none.
func (m *Model) RestoreState(path string) error {
	s, err := m.llm.LoadSession(path)
	if err != nil {
		return err
	}
	m.sessions.put(s)
	return nil
}

// borrow takes the session out of the pool that has most of a conversation, if it has more than half of it.
func (p *pool) borrow(prompt []llm.Token) *llm.Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	best, common := -1, len(prompt)/2
	for i, s := range p.idle {
		if n := commonPrefix(s.Tokens(), prompt); n > common {
			best, common = i, n
		}
	}
	if best < 0 {
		return nil
	}
	s := p.idle[best]
	p.idle = slices.Delete(p.idle, best, best+1)
	return s
}
