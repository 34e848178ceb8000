package llm

import "context"

// What a model writes often stands in its context already: an argument in the request, an answer in a tool's result, a
// summary in its source. So the tokens that followed, the last time that the text went as it goes now, are a good guess at
// what comes next; and as decoding waits for memory, computing a few guessed tokens along with the next one costs little.
// A guess only saves time: every token is chosen from its own logits as it would be without, and what was guessed beyond
// the first difference is given up.
//
// The method is prompt lookup decoding (Saxena 2023, github.com/apoorvumang/prompt-lookup-decoding; Yang et al. 2023,
// Inference with Reference, arXiv:2304.04487).

const (
	defaultDraft = 8 // tokens that are guessed at most
	// fromWeights is how many bytes of weights a model has at least for which tokens are guessed by default. Fewer stay in the
	// processor's caches: decoding does not wait for memory then, and every guess costs as much as a token.
	fromWeights = 64 << 20

	// leastMatch and mostMatch are how many tokens must have been the same before one that is guessed: few at first, one more
	// after every guess that was all wrong.
	leastMatch = 2
	mostMatch  = 8
	longMatch  = 16 // tokens that are compared at most
)

// PrefixConstraint is implemented by constraints that can tell how much of a draft they allow, so that no work goes into
// the rest.
type PrefixConstraint interface {
	Constraint
	// AllowedPrefix returns how many of the tokens may come next, one after the other. The constraint does not move.
	AllowedPrefix(tokens []Token) int
}

// draft is tokens that were guessed and computed. They lie in the KV cache behind the session's own.
type draft struct {
	match int // tokens that must have been the same; kept for the whole generation

	batch  []Token   // the pending tokens and the draft
	tokens []Token   // the draft, part of batch
	used   int       // of these, those that were generated
	begin  int       // position of the last pending token
	logits []float32 // [1 + len(tokens), vocabSize] of what follows it and each of tokens
	store  func(position int, logits []float32) error
}

// reset begins a generation.
func (d *draft) reset() { d.match, d.tokens, d.used = leastMatch, nil, 0 }

// guess returns the n tokens, or fewer, that are likely to follow history: those that followed its end before, where most
// tokens were the same, the last time.
func guess(history []Token, least, n int) []Token {
	last := len(history) - 1
	if last < least || n <= 0 {
		return nil
	}
	best, at := least-1, 0
	for i := last - 1; i >= least-1; i-- {
		if history[i] != history[last] {
			continue
		}
		same := 1
		for same <= i && same < longMatch && history[i-same] == history[last-same] {
			same++
		}
		if same > best {
			if best, at = same, i+1; same == longMatch {
				break
			}
		}
	}
	if at == 0 {
		return nil
	}
	// A short match is a poor witness.
	return history[at:min(at+min(n, 2*best), last+1)]
}

// propose makes a draft of at most n tokens that may follow the pending ones. pending and draft are then one in batch.
func (s *Session) propose(n int) {
	g := &s.generation
	d := &g.draft
	d.batch = append(d.batch[:0], g.pending...)
	d.tokens, d.used = nil, 0
	if n <= 0 {
		return
	}
	history := append(s.tokens, g.pending...)
	s.tokens = history[:len(s.tokens)] // with the room that the pending ones will take
	guessed := guess(history, d.match, n)
	for i, t := range guessed {
		if g.isStop(t) { // nothing is computed after one
			guessed = guessed[:i]
			break
		}
	}
	if c, ok := g.options.Constraint.(PrefixConstraint); ok && len(guessed) > 0 {
		guessed = guessed[:c.AllowedPrefix(guessed)]
	}
	d.batch = append(d.batch, guessed...)
	d.tokens = d.batch[len(g.pending):]
}

// learn asks for a longer match after a draft that was all wrong, and for a shorter one after one that was mostly right.
func (d *draft) learn() {
	switch {
	case len(d.tokens) == 0:
	case d.used == 0:
		d.match = min(d.match+1, mostMatch)
	case 2*d.used >= len(d.tokens):
		d.match = max(d.match-1, leastMatch)
	}
}

// decode computes the pending tokens, unless they were guessed right, and with them a draft of what may come next.
func (s *Session) decode(ctx context.Context) error {
	g := &s.generation
	if s.takeDraft() {
		return nil
	}
	s.propose(s.draftRoom())
	d := &g.draft
	if len(d.tokens) == 0 {
		if err := s.compute(ctx, g.pending, lastLogits, nil); err != nil {
			return err
		}
	} else if err := s.computeDraft(ctx); err != nil {
		return err
	}
	g.pending = g.pending[:0]
	g.usage.ForwardPasses++
	s.computed, s.prefillTime = 0, 0 // that was decoding
	return nil
}

// draftRoom is how many tokens may be guessed: none that could not be generated.
func (s *Session) draftRoom() int {
	g := &s.generation
	n := g.options.Draft
	if n == 0 && s.model.WeightBytes() >= fromWeights {
		n = defaultDraft
	}
	n = min(n, s.model.contextLength-len(s.tokens)-len(g.pending), batchLength-len(g.pending))
	if g.options.MaxTokens > 0 {
		n = min(n, g.options.MaxTokens-g.usage.CompletionTokens-1) // the token after the last one guessed is for free
	}
	return n
}

// computeDraft computes the pending tokens and the draft in one pass, and keeps the logits of what follows the last pending
// token and each of the draft's.
func (s *Session) computeDraft(ctx context.Context) error {
	d := &s.generation.draft
	vocabSize := s.model.config.VocabSize
	if n := (len(d.tokens) + 1) * vocabSize; cap(d.logits) < n {
		d.logits = make([]float32, max(n, (defaultDraft+1)*vocabSize))
	}
	if d.store == nil { // bound once: a closure made for each draft would be garbage
		d.store = func(position int, logits []float32) error {
			copy(d.logits[(position-d.begin)*len(logits):][:len(logits)], logits)
			return nil
		}
	}
	d.begin = len(s.tokens) + len(s.generation.pending) - 1
	if err := s.compute(ctx, d.batch, wanted{logits: len(d.tokens) + 1}, d.store); err != nil {
		d.tokens = nil
		return err
	}
	s.tokens = s.tokens[:d.begin+1] // the draft is computed, and not part of the session
	s.showLogits(0)
	return nil
}

// showLogits makes the session's logits those of what follows the first n tokens of the draft.
func (s *Session) showLogits(n int) {
	copy(s.logits, s.generation.draft.logits[n*len(s.logits):])
	s.logitsAt = len(s.tokens)
}

// takeDraft makes pending tokens that were guessed right part of the session, and reports whether that was all of them. If
// not, the draft is of no more use.
func (s *Session) takeDraft() bool {
	g := &s.generation
	d, n := &g.draft, 0
	for n < len(g.pending) && d.used < len(d.tokens) && d.tokens[d.used] == g.pending[n] {
		n++
		d.used++
	}
	g.usage.DraftTokens += n
	s.tokens = append(s.tokens, g.pending[:n]...)
	if n > 0 && n == len(g.pending) {
		s.showLogits(d.used)
		g.pending = g.pending[:0]
		return true
	}
	s.logitsAt = 0
	g.pending = append(g.pending[:0], g.pending[n:]...)
	s.forgetDraft()
	return false
}

// forgetDraft gives up what was guessed and not generated.
func (s *Session) forgetDraft() {
	d := &s.generation.draft
	d.learn()
	if len(d.tokens) > 0 {
		s.cache.truncate(len(s.tokens))
	}
	d.tokens, d.used = nil, 0
}

// endGeneration leaves nothing of a draft behind. A session that was closed meanwhile has nothing.
func (s *Session) endGeneration() {
	if s.acquire() == nil {
		s.forgetDraft()
		s.release()
	}
}
