package chat

import (
	"errors"
	"sync"

	"github.com/drover-ai/drover/llm"
)

// pool keeps the sessions of conversations that are not being answered, the last used last.
type pool struct {
	most int

	mu     sync.Mutex
	idle   []*llm.Session
	closed bool
}

// take returns the session whose tokens have the longest beginning in common with a prompt. A session that goes on
// differently is forked, which costs next to nothing, so that its own conversation can still go on.
func (p *pool) take(model *llm.Model, prompt []llm.Token) (*llm.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	best, common := -1, 0
	for i, s := range p.idle {
		if n := commonPrefix(s.Tokens(), prompt); n > common || n == common && n > 0 && s.Position() < p.idle[best].Position() {
			best, common = i, n
		}
	}
	if best < 0 {
		return model.NewSession()
	}
	s := p.idle[best]
	if common < s.Position() {
		return s.Fork()
	}
	p.idle = append(p.idle[:best], p.idle[best+1:]...)
	return s, nil
}

func commonPrefix(a, b []llm.Token) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// put gives a session back.
func (p *pool) put(s *llm.Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.most == 0 {
		_ = s.Close() // nothing is computing in it
		return
	}
	p.idle = append(p.idle, s)
	for len(p.idle) > p.most {
		_ = p.idle[0].Close()
		p.idle = p.idle[1:]
	}
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for _, s := range p.idle {
		errs = append(errs, s.Close())
	}
	p.idle = nil
	return errors.Join(errs...)
}
