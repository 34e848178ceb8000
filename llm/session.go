package llm

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Session is one conversation with a model: the tokens so far, their KV cache, and the logits of what
// comes next. Opening one is cheap; memory grows with the tokens it holds.
//
// The record of a conversation is its tokens, not its text. Whoever sends the whole conversation again
// with [Session.Sync] pays only for the tokens that are new.
//
// A session may be used by one goroutine at a time; a second one gets [ErrBusy] while the first
// computes. Sessions of the same model, forks included, may be used at the same time.
type Session struct {
	model  *Model
	busy   atomic.Bool // a method is at work
	closed bool        // read and written while busy

	tokens   []Token
	cache    kvCache
	logits   []float32 // [vocabSize] of what follows tokens[:logitsAt]
	logitsAt int       // 0: logits are of no use

	computed    int           // tokens that were prefilled since the last generation
	prefillTime time.Duration // and how long that took
	generation  generation
}

// acquire makes the session this goroutine's until release.
func (s *Session) acquire() error {
	if !s.busy.CompareAndSwap(false, true) {
		return ErrBusy
	}
	if s.closed || s.model.closed.Load() {
		s.release()
		return ErrClosed
	}
	return nil
}

func (s *Session) release() { s.busy.Store(false) }

// NewSession returns an empty session. It fails with [ErrClosed] if the model is closed.
func (m *Model) NewSession() (*Session, error) {
	if m.closed.Load() {
		return nil, ErrClosed
	}
	return &Session{model: m, cache: kvCache{store: m.kv}}, nil
}

// Tokens returns the tokens whose keys and values the session holds. The slice is the session's own: it
// must not be changed, and is valid until the next call.
func (s *Session) Tokens() []Token { return s.tokens }

// Position returns how many tokens the session holds, which is where the next one goes.
func (s *Session) Position() int { return len(s.tokens) }

// Logits returns the logits [vocabSize] of the token that follows the last one, or nil if they were not
// computed: in an empty session, and after [Session.Rewind] or a prefill that did not end well. The slice
// is the session's own: valid until the next call, not to be changed.
func (s *Session) Logits() []float32 {
	if len(s.tokens) == 0 || s.logitsAt != len(s.tokens) {
		return nil
	}
	return s.logits
}

// MemoryUse returns the bytes that the KV cache takes, and how many of them are shared: with forks, or with the file that
// [Model.LoadSession] mapped.
func (s *Session) MemoryUse() (total, shared int64) { return s.cache.bytes() }

// Prefill computes the tokens, which follow those that the session holds, and the logits of what follows
// them. One token is decoding; many at once are several times as fast for each.
//
// Logits do not depend on how the tokens were divided among calls, nor on the number of threads: they
// are the same bit for bit.
//
// Errors: [ErrEmptyPrompt], *[ContextLengthError], *[TokenError], with the session unchanged, and the
// context's own, within milliseconds; then the session holds a part of the tokens and no logits, and
// Sync takes up from there.
func (s *Session) Prefill(ctx context.Context, tokens []Token) error {
	return s.PrefillLogits(ctx, tokens, nil)
}

// PrefillLogits is [Session.Prefill] that also computes the logits of every position, at the price of the
// LM head for each, and hands them to visit: position is the index of the token that they follow. The slice
// is valid during the call. An error of visit ends the prefill and is returned.
func (s *Session) PrefillLogits(ctx context.Context, tokens []Token, visit func(position int, logits []float32) error) error {
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.release()
	if visit == nil {
		return s.compute(ctx, tokens, lastLogits, nil)
	}
	return s.compute(ctx, tokens, allLogits, visit)
}

// PrefillHidden is [Session.Prefill] that hands the hidden state [Dim] of every position to visit, as the last norm leaves it,
// instead of computing logits: position is the index of the token. The slice is valid during the call. An error of visit ends
// the prefill and is returned. The session has no logits after it.
func (s *Session) PrefillHidden(ctx context.Context, tokens []Token, visit func(position int, hidden []float32) error) error {
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.release()
	return s.compute(ctx, tokens, hiddenStates, visit)
}

// Sync makes the session hold exactly the tokens given, which are a whole prompt: it keeps the longest
// beginning that they have in common with the session, gives up the rest, and prefills what is missing.
// It returns how many tokens did not have to be computed. Errors are those of Prefill.
func (s *Session) Sync(ctx context.Context, tokens []Token) (cached int, err error) {
	if err := s.acquire(); err != nil {
		return 0, err
	}
	defer s.release()
	if err := s.check(tokens, 0); err != nil {
		return 0, err
	}
	for cached < min(len(tokens), len(s.tokens)) && tokens[cached] == s.tokens[cached] {
		cached++
	}
	if cached == len(tokens) && (cached < len(s.tokens) || s.Logits() == nil) {
		cached-- // the logits have to come from somewhere
	}
	s.rewind(cached)
	if cached == len(tokens) {
		return cached, nil
	}
	return cached, s.compute(ctx, tokens[cached:], lastLogits, nil)
}

// Rewind gives up the tokens from position on. It fails if position is not between 0 and
// [Session.Position].
func (s *Session) Rewind(position int) error {
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.release()
	if position < 0 || position > len(s.tokens) {
		return fmt.Errorf("rewind to position %d: the session has positions 0 to %d", position, len(s.tokens))
	}
	s.rewind(position)
	return nil
}

func (s *Session) rewind(position int) {
	if position < len(s.tokens) {
		s.logitsAt = 0
	}
	s.tokens = s.tokens[:position]
	s.cache.truncate(position)
}

// Fork returns a session with the same tokens and logits, which goes its own way from here. It shares the
// memory of the KV cache: the price is that of a slice of pointers, and a copy of the last, partly
// filled block (64 positions) when either side goes on.
func (s *Session) Fork() (*Session, error) {
	if err := s.acquire(); err != nil {
		return nil, err
	}
	defer s.release()
	f := &Session{model: s.model, cache: s.cache.fork(), tokens: append([]Token(nil), s.tokens...)}
	f.cache.truncate(len(f.tokens)) // without what a generation has guessed
	if logits := s.Logits(); logits != nil {
		f.logits, f.logitsAt = append([]float32(nil), logits...), s.logitsAt
	}
	return f, nil
}

// Close gives back the session's memory. Later calls return [ErrClosed]; closing twice is no error.
func (s *Session) Close() error {
	if !s.busy.CompareAndSwap(false, true) {
		return ErrBusy
	}
	defer s.release()
	s.closed = true
	s.cache.truncate(0)
	s.tokens, s.logits, s.logitsAt, s.generation = nil, nil, 0, generation{}
	return nil
}

// check returns the error for tokens that cannot follow the first held ones of the session.
func (s *Session) check(tokens []Token, held int) error {
	if len(tokens) == 0 {
		return ErrEmptyPrompt
	}
	if total := held + len(tokens); total > s.model.contextLength {
		return &ContextLengthError{Tokens: total, ContextLength: s.model.contextLength}
	}
	for i, t := range tokens {
		if t < 0 || int(t) >= s.model.config.VocabSize {
			return &TokenError{Token: t, Index: i, VocabSize: s.model.config.VocabSize}
		}
	}
	return nil
}

// compute adds tokens to a session that is acquired. What is wanted of them is the logits of the last, and what visit, which
// may be nil, gets of some or all.
func (s *Session) compute(ctx context.Context, tokens []Token, want wanted, visit func(int, []float32) error) error {
	if err := s.check(tokens, len(s.tokens)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.model.enter(); err != nil {
		return err
	}
	defer s.model.leave()

	begin := time.Now()
	defer func() { s.prefillTime += time.Since(begin) }()
	if s.logits == nil && !want.hidden {
		s.logits = make([]float32, s.model.config.VocabSize)
	}
	s.logitsAt = 0 // until all is well
	for len(tokens) > 0 {
		n := min(len(tokens), batchLength)
		if err := s.model.forward(ctx, s, tokens[:n], want.before(len(tokens)-n), visit); err != nil {
			return err
		}
		s.tokens = append(s.tokens, tokens[:n]...)
		s.computed += n
		tokens = tokens[n:]
	}
	if !want.hidden {
		s.logitsAt = len(s.tokens)
	}
	return nil
}
