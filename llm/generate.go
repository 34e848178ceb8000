package llm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// GenerateOptions says what [Session.Generate] writes and when it stops. The zero value is greedy and
// goes on to a stop token or the end of the context.
type GenerateOptions struct {
	// MaxTokens bounds the tokens generated, forced ones included. 0 is no bound but the context's.
	MaxTokens int
	// Sampling says how tokens are chosen.
	Sampling Sampling
	// Stop are texts that end the generation. They are not part of the text that is returned, also when
	// they begin in one token and end in another.
	Stop []string
	// StopTokens are tokens that end the generation, instead of the tokenizer's own
	// (<|end_of_text|>, <|eom_id|>, <|eot_id|>), which nil stands for.
	StopTokens []Token
	// Constraint restricts the tokens to what a grammar allows. It may be nil.
	Constraint Constraint
	// Logprobs is how many of the most likely tokens to report with every token. 0 reports none.
	Logprobs int
	// Draft is how many tokens are guessed at most, from what the session holds, and computed along with the next one.
	// That makes text that repeats its context faster and changes nothing else. 0 is 8, and none for a model so small that
	// it stays in the processor's caches, where guessing gains nothing; negative is none.
	Draft int
}

// Constraint decides which tokens may come next. Package llm/grammar has one for JSON Schema.
// A constraint belongs to one generation; its methods are called from the goroutine that ranges over it.
type Constraint interface {
	// Forced appends the tokens that must come next, if there is but one way to go on, to dst. They are not
	// sampled, and are computed together in one pass.
	Forced(dst []Token) []Token
	// Mask sets the logits [vocabSize] of all tokens that may not come next to -Inf. Where the text may
	// end, the stop tokens stay.
	Mask(logits []float32) error
	// Accept goes on by a token, chosen or forced. Stop tokens are not told.
	Accept(t Token) error
	// Done reports that the text is complete and nothing may follow. The generation then ends.
	Done() bool
}

// StopReason says why a generation ended.
type StopReason string

const (
	// StopReasonStop: a stop token, a stop sequence, or a constraint that is done.
	StopReasonStop StopReason = "stop"
	// StopReasonLength: MaxTokens, or the end of the context.
	StopReasonLength StopReason = "length"
	// StopReasonCancelled: the context.Context ended.
	StopReasonCancelled StopReason = "cancelled"
)

// Usage counts tokens and time of one prompt and what was generated from it.
type Usage struct {
	PromptTokens     int           // tokens before the first generated one
	CachedTokens     int           // of those, the ones that the session held already
	CompletionTokens int           // tokens generated, forced ones included, the stop token not
	ForcedTokens     int           // of those, the ones that a constraint forced
	DraftTokens      int           // of those, the ones that were computed before they were chosen: guessed, and guessed right
	ForwardPasses    int           // of decoding: fewer than tokens where forced or guessed ones were computed together
	PrefillTime      time.Duration // computing the prompt
	DecodeTime       time.Duration // generating, without what the consumer of the stream does meanwhile
}

// Logprob is the natural logarithm of a token's probability, as the model has it: before penalties,
// masks and temperature.
type Logprob struct {
	Token   Token
	Logprob float64
}

// TokenLogprobs is the logprob of a token that was generated and those of the most likely ones at its
// place, best first.
type TokenLogprobs struct {
	Logprob
	Top []Logprob
}

// Chunk is a piece of a generation: as a rule one token, or several that were forced. The last one has a
// StopReason.
type Chunk struct {
	// Tokens are the tokens generated since the chunk before. The slice is valid until the next chunk.
	Tokens []Token
	// Text is valid UTF-8. It may be empty while a character is incomplete or a stop sequence may have begun,
	// and then comes with a later chunk. Special tokens have no text.
	Text string
	// Logprobs has an entry for each of Tokens that was chosen, none for forced ones.
	Logprobs []TokenLogprobs

	// StopReason is empty but in the last chunk, which also has the following.
	StopReason StopReason
	// StopToken is the stop token that ended the generation, -1 if none did. It is not among Tokens.
	StopToken Token
	// StopSequence is the stop sequence that ended it, if one did.
	StopSequence string
	Usage        Usage
}

// Final reports whether this is the last chunk.
func (c *Chunk) Final() bool { return c.StopReason != "" }

// generation is the state of one Generate. It stays with the session, so that its buffers are allocated
// once.
type generation struct {
	options    GenerateOptions
	stopTokens []Token
	sampler    sampler
	text       textStream
	masked     []float32 // [vocabSize] logits after penalties and mask
	pending    []Token   // generated, not yet part of the session
	draft      draft
	forced     []Token
	logprobs   []TokenLogprobs
	usage      Usage
}

// Generate continues from the session's tokens and yields what it writes as it is written. The sequence
// ends with a chunk that has a StopReason, or with an error. When ctx ends, that is no error but a
// last chunk with StopReasonCancelled, which comes within milliseconds.
//
// Breaking off the loop is allowed at any time. The session then holds the prompt and the tokens yielded,
// but for the last few, which would only have been computed when needed; Sync with the conversation
// as it goes on sees to that. Inside of the loop the session may be read and forked, not changed.
//
// In steady state a token costs no allocation.
func (s *Session) Generate(ctx context.Context, options GenerateOptions) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		if err := s.beginGeneration(ctx, options); err != nil {
			if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
				yield(s.lastChunk(StopReasonCancelled), nil)
			} else {
				yield(Chunk{}, err)
			}
			return
		}
		defer s.endGeneration()
		for {
			begin := time.Now()
			chunk, err := s.step(ctx)
			s.generation.usage.DecodeTime += time.Since(begin)
			if err != nil {
				if ended := ctx.Err(); ended == nil || !errors.Is(err, ended) {
					yield(Chunk{}, err)
					return
				}
				chunk = s.lastChunk(StopReasonCancelled)
			}
			if chunk.Final() {
				chunk.Usage = s.generation.usage
				yield(chunk, nil)
				return
			}
			if !yield(chunk, nil) {
				return
			}
		}
	}
}

// beginGeneration validates the options and makes sure that there are logits to begin with.
func (s *Session) beginGeneration(ctx context.Context, options GenerateOptions) error {
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.release()
	if err := options.validate(); err != nil {
		return err
	}
	if len(s.tokens) == 0 {
		return ErrEmptyPrompt
	}
	g := &s.generation
	g.options = options
	g.stopTokens = options.StopTokens
	if g.stopTokens == nil {
		g.stopTokens = s.model.tokenizer.StopTokens()
	}
	g.sampler.reset(options.Sampling, s.model.config.VocabSize, s.tokens)
	g.text.reset(options.Stop)
	g.pending = g.pending[:0]
	g.draft.reset()
	g.usage = Usage{PromptTokens: len(s.tokens)}

	var err error
	if s.Logits() == nil { // after a rewind
		last := s.tokens[len(s.tokens)-1]
		s.rewind(len(s.tokens) - 1)
		err = s.compute(ctx, []Token{last}, lastLogits, nil)
	}
	g.usage.CachedTokens = max(g.usage.PromptTokens-s.computed, 0)
	g.usage.PrefillTime = s.prefillTime
	s.computed, s.prefillTime = 0, 0
	return err
}

func (o *GenerateOptions) validate() error {
	if err := o.Sampling.Validate(); err != nil {
		return err
	}
	if o.MaxTokens < 0 {
		return fmt.Errorf("generate: MaxTokens is %d, want 0 (no bound) or more", o.MaxTokens)
	}
	if o.Logprobs < 0 {
		return fmt.Errorf("generate: Logprobs is %d, want 0 (none) or more", o.Logprobs)
	}
	for i, stop := range o.Stop {
		if stop == "" {
			return fmt.Errorf("generate: stop sequence %d is empty, which would end every text at once", i)
		}
	}
	return nil
}

// step generates one chunk: the tokens that are forced, or else one.
func (s *Session) step(ctx context.Context) (Chunk, error) {
	if err := s.acquire(); err != nil {
		return Chunk{}, err
	}
	defer s.release()
	g := &s.generation
	if err := ctx.Err(); err != nil {
		return Chunk{}, err
	}
	room := s.model.contextLength - len(s.tokens) - len(g.pending)
	if g.options.MaxTokens > 0 {
		room = min(room, g.options.MaxTokens-g.usage.CompletionTokens)
	}
	if room <= 0 {
		return s.lastChunk(StopReasonLength), nil
	}
	g.logprobs = g.logprobs[:0]
	computed := len(g.pending)
	if c := g.options.Constraint; c != nil {
		if c.Done() {
			return s.lastChunk(StopReasonStop), nil
		}
		g.forced = c.Forced(g.forced[:0])
		if len(g.forced) > 0 {
			return s.take(g.forced[:min(len(g.forced), room)], true)
		}
	}
	if computed > 0 {
		if err := s.decode(ctx); err != nil {
			return Chunk{}, err
		}
	}
	t, err := s.chooseToken()
	if err != nil {
		return Chunk{}, err
	}
	g.forced = append(g.forced[:0], t)
	return s.take(g.forced, false)
}

// chooseToken draws from the logits after penalties and mask.
func (s *Session) chooseToken() (Token, error) {
	g := &s.generation
	logits := s.logits
	if g.options.Constraint != nil || g.sampler.changesLogits() {
		g.masked = append(g.masked[:0], logits...)
		logits = g.masked
		g.sampler.penalize(logits)
		if c := g.options.Constraint; c != nil {
			if err := c.Mask(logits); err != nil {
				return 0, err
			}
		}
	}
	t, err := g.sampler.choose(logits)
	if err == nil && g.options.Logprobs > 0 {
		g.logprobs = append(g.logprobs, tokenLogprobs(s.logits, t, g.options.Logprobs))
	}
	return t, err
}

// take makes tokens part of the generation and returns their chunk.
func (s *Session) take(tokens []Token, forced bool) (Chunk, error) {
	g := &s.generation
	chunk := Chunk{StopToken: -1}
	first := len(g.pending)
	var more string // text of this chunk beyond the first token's
	for _, t := range tokens {
		if t < 0 || int(t) >= s.model.config.VocabSize {
			return Chunk{}, &TokenError{Token: t, Index: len(s.tokens) + len(g.pending), VocabSize: s.model.config.VocabSize}
		}
		if g.isStop(t) {
			chunk.StopReason, chunk.StopToken = StopReasonStop, t
			g.logprobs = g.logprobs[:0]
			break
		}
		if g.options.Constraint != nil {
			if err := g.options.Constraint.Accept(t); err != nil {
				return Chunk{}, err
			}
		}
		g.sampler.accept(t)
		g.pending = append(g.pending, t)
		g.usage.CompletionTokens++
		if forced {
			g.usage.ForcedTokens++
		}
		if s.model.tokenizer.IsSpecial(t) {
			continue
		}
		more, chunk.StopSequence = g.text.push(s.model.tokenizer.Piece(t))
		chunk.Text = join(chunk.Text, more)
		if chunk.StopSequence != "" {
			chunk.StopReason = StopReasonStop
			break
		}
	}
	chunk.Tokens = g.pending[first:]
	chunk.Logprobs = g.logprobs
	if chunk.StopReason != "" && chunk.StopSequence == "" {
		chunk.Text = join(chunk.Text, g.text.flush())
	}
	return chunk, nil
}

func (g *generation) isStop(t Token) bool {
	for _, stop := range g.stopTokens {
		if t == stop {
			return true
		}
	}
	return false
}

// lastChunk ends the generation with what text was held back.
func (s *Session) lastChunk(reason StopReason) Chunk {
	return Chunk{StopReason: reason, StopToken: -1, Text: s.generation.text.flush(), Usage: s.generation.usage}
}

// join is a + b, which allocates only if both have something in them.
func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + b
}
