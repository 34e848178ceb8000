package chat

import (
	"context"
	"fmt"
	"sync"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/grammar"
	"github.com/drover-ai/drover/prompts"
)

// Model is a model that holds conversations. It is safe for concurrent use: each answer is written in a session of its own.
type Model struct {
	llm       *llm.Model
	template  prompts.Template
	name      string
	threshold float64     // of calling, for templates with markers
	copyBias  float32     // see copying.go; for templates with markers
	draft     int         // see WithDraft
	form      form        // in which calls are written
	markers   []llm.Token // of the tools, in order; nil if the template has none
	sessions  pool
	grammars  *grammar.Cache
	loose     func(tool string, pointers []string) // see WithLooseTools; nil
	// Made when they are first needed: the bytes of every token, and the tables that masks are made with.
	pieces     func() [][]byte
	vocabulary func() *grammar.Vocabulary

	openersOnce  sync.Once
	openerTokens []llm.Token // see openers
	headerOnce   sync.Once
	header, lead []llm.Token // see assistantHeader
}

// Option is a setting of [New].
type Option func(*Model) error

// WithTemplate uses a template instead of the one that the model file names.
func WithTemplate(t prompts.Template) Option {
	return func(m *Model) error { m.template = t; return nil }
}

// WithName sets the name in results and logs. Without it the model file's is used.
func WithName(name string) Option {
	return func(m *Model) error { m.name = name; return nil }
}

// WithCallThreshold sets how likely a tool call must be, 0 to 1, for a call to be made.
// Without it the model file's own is used, or one half. A higher one means fewer needless calls and more missed ones.
func WithCallThreshold(p float64) Option {
	return func(m *Model) error {
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("call threshold is %g, want 0 to 1", p)
		}
		m.threshold = p
		return nil
	}
}

// WithCopyBias sets how much likelier than by itself a model with tool markers repeats the words of the request in a call,
// and those of a result in an answer: the bias, 0 or more, is taken off the logits of tokens that go on otherwise. Without it
// the model file's own is used, or none.
func WithCopyBias(logits float64) Option {
	return func(m *Model) error {
		if !(logits >= 0 && logits <= maxCopyBias) {
			return fmt.Errorf("copy bias is %g, want 0 to %d", logits, maxCopyBias)
		}
		m.copyBias = float32(logits)
		return nil
	}
}

// WithIdleSessions sets how many conversations stay in memory after their last answer, 8 without it. Each holds the KV
// cache of its tokens.
func WithIdleSessions(n int) Option {
	return func(m *Model) error {
		if n < 0 {
			return fmt.Errorf("idle sessions: got %d, want 0 or more", n)
		}
		m.sessions.most = n
		return nil
	}
}

// WithDraft sets how many tokens are guessed at most and computed along with the next one: see [llm.GenerateOptions]. It
// changes how fast answers are, never what they say.
func WithDraft(tokens int) Option {
	return func(m *Model) error { m.draft = tokens; return nil }
}

// keyThreshold is the metadata key of the threshold that a model was measured with.
const keyThreshold = "drover.call_threshold"

// New returns a conversation partner on top of a model. The model stays the caller's, and must be closed after this one.
//
// It fails with a [*prompts.UnknownTemplateError] if the model's chat template is not known; [WithTemplate] names one.
func New(model *llm.Model, options ...Option) (*Model, error) {
	m := &Model{llm: model, name: model.Name(), threshold: 0.5, sessions: pool{most: 8}, grammars: grammar.NewCache(0)}
	if p, ok := model.MetadataNumber(keyThreshold); ok && p >= 0 && p <= 1 {
		m.threshold = p
	}
	if bias, ok := model.MetadataNumber(keyCopyBias); ok && bias >= 0 && bias <= maxCopyBias {
		m.copyBias = float32(bias)
	}
	m.pieces = sync.OnceValue(func() [][]byte { return tokenPieces(model) })
	m.vocabulary = sync.OnceValue(func() *grammar.Vocabulary {
		return grammar.NewVocabulary(m.pieces(), model.Tokenizer().IsSpecial)
	})
	for _, option := range options {
		if err := option(m); err != nil {
			return nil, fmt.Errorf("chat: %w", err)
		}
	}
	explicit := m.template != nil
	if !explicit {
		template, err := prompts.Detect(model.ChatTemplate(), model.Metadata)
		if err != nil {
			return nil, fmt.Errorf("chat: %w", err)
		}
		m.template = template
	}
	if _, ok := model.Metadata(prompts.KeyChatTemplate); ok && !explicit || m.template.Name() == prompts.Compact().Name() {
		if err := m.findMarkers(); err != nil {
			return nil, fmt.Errorf("chat: %w", err)
		}
	}
	m.findForm()
	return m, nil
}

// findMarkers looks up the tokens that mark tools.
func (m *Model) findMarkers() error {
	tokenizer := m.llm.Tokenizer()
	for i := range prompts.MaxToolMarkers {
		id, ok := tokenizer.Special(prompts.ToolMarker(i))
		if !ok {
			return fmt.Errorf("template %s marks tools with %s, which the vocabulary of %s does not have",
				m.template.Name(), prompts.ToolMarker(i), m.name)
		}
		m.markers = append(m.markers, id)
	}
	return nil
}

// Name implements agent.Model.
func (m *Model) Name() string { return m.name }

// ContextLength is how many tokens a conversation may have.
func (m *Model) ContextLength() int { return m.llm.ContextLength() }

// CountTokens is how many tokens a text takes.
func (m *Model) CountTokens(text string) int {
	return len(m.llm.Tokenizer().Encode(nil, text))
}

// MaxTools is how many tools a request may show, 0 for no limit.
func (m *Model) MaxTools() int { return len(m.markers) }

// Close gives up the sessions that are kept. Answers that are being written go on.
func (m *Model) Close() error { return m.sessions.close() }

// ConstrainsAnswers reports that an answer under a schema ([prompts.Request].Schema) always matches it.
func (m *Model) ConstrainsAnswers() bool { return true }

// Embed returns a vector of length 1 for each text; see [llm.Model.Embed]. No template is put around the texts.
func (m *Model) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return m.llm.Embed(ctx, texts)
}

// UnknownToolError says that a tool choice names a tool that is not on offer.
type UnknownToolError struct{ Name string }

func (e *UnknownToolError) Error() string {
	return fmt.Sprintf("the tool choice names %q, which is not among the tools of the request", e.Name)
}
