package llm

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/llm/tokenizer"
	"github.com/drover-ai/drover/simd"
)

// Token is a token's id: an index into the vocabulary.
type Token = tokenizer.Token

// Model is a language model: weights, vocabulary, and the threads that compute with them. It is immutable and safe for
// concurrent use; what belongs to a conversation is in a [Session], of which a model has any number.
type Model struct {
	file          *gguf.File
	name          string
	config        Config
	contextLength int // positions that a session may have
	parameters    int64
	tokenizer     *tokenizer.Tokenizer

	embedding *simd.Matrix // [VocabSize, Dim]
	lmHead    *simd.Matrix // [VocabSize, Dim]; the embedding if they are tied
	norm      []float32    // [Dim]
	layers    []*layer
	rope      []float64 // [HeadDim/2] θ
	matrices  []*simd.Matrix
	warnings  []string

	kv     *kvStore
	pool   *pool
	passes passList

	printOnce sync.Once
	print     []byte // see fingerprint

	closed atomic.Bool
	using  sync.RWMutex // read: a forward pass is running
}

// layer holds the weights of one transformer block.
type layer struct {
	attentionNorm, ffnNorm []float32    // [Dim]
	query                  *simd.Matrix // [NHeads·HeadDim, Dim]
	key, value             *simd.Matrix // [NKVHeads·HeadDim, Dim]
	output                 *simd.Matrix // [Dim, NHeads·HeadDim]
	gate, up               *simd.Matrix // [HiddenDim, Dim]
	down                   *simd.Matrix // [Dim, HiddenDim]
}

// options are the settings of [Open] and [Load].
type options struct {
	threads, contextLength int
}

// Option is a setting of [Open] and [Load].
type Option func(*options) error

// Threads bounds the threads that compute one forward pass. Without it they are as many CPUs as the process may use:
// GOMAXPROCS, its affinity mask and its cgroup's quota, whichever is the least.
func Threads(n int) Option {
	return func(o *options) error {
		if n < 1 || n > 1024 {
			return fmt.Errorf("threads: got %d, want 1 to 1024", n)
		}
		o.threads = n
		return nil
	}
}

// ContextLength bounds the tokens of a session, below or above what the model was trained for. Without it a session may
// have what the file says. Memory is taken as a session grows, not in advance.
func ContextLength(n int) Option {
	return func(o *options) error {
		if n < 1 || n > maxContext {
			return fmt.Errorf("context length: got %d, want 1 to %d", n, maxContext)
		}
		o.contextLength = n
		return nil
	}
}

// Open opens a model file in GGUF format, maps it into memory, and checks that it is a complete Llama model.
//
// Errors: those of opening a file; *[gguf.FormatError] for a damaged file; *[ArchitectureError], *[ConfigError] and
// *[TensorError] for a sound file that holds no model for this runtime.
func Open(path string, options ...Option) (*Model, error) {
	f, err := gguf.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := Load(f, options...)
	if err != nil {
		_ = f.Close() // the first error says more
		return nil, err
	}
	return m, nil
}

// Load makes a model of an open file, which belongs to the model from then on, unless there is an error. Errors are those of
// [Open].
func Load(f *gguf.File, opts ...Option) (*Model, error) {
	o := options{threads: defaultThreads()}
	for _, option := range opts {
		if err := option(&o); err != nil {
			return nil, err
		}
	}
	config, err := readConfig(f)
	if err != nil {
		return nil, err
	}
	m := &Model{file: f, name: modelName(f), contextLength: config.ContextLength}
	if o.contextLength > 0 {
		m.contextLength = o.contextLength
	}
	vocabulary, err := findVocabulary(f)
	if err != nil {
		return nil, err
	}
	config.VocabSize = vocabulary.size
	l := &loader{file: f, used: map[string]bool{}}
	c := &config
	l.matrix(&m.embedding, "token_embd.weight", c.VocabSize, c.Dim)
	if !c.Tied {
		l.matrix(&m.lmHead, "output.weight", c.VocabSize, c.Dim)
	}
	m.norm = l.norm("output_norm.weight", c.Dim)
	for i := 0; i < c.NLayers && l.err == nil; i++ {
		m.layers = append(m.layers, l.layer(i, c))
	}
	if m.rope, err = m.loadRoPE(l, c); err != nil {
		return nil, err
	}
	l.refuseOthers()
	if l.err != nil {
		return nil, l.err
	}
	if m.tokenizer, err = vocabulary.tokenizer(f); err != nil {
		return nil, err
	}
	m.matrices = l.pack(o.threads)
	if l.err != nil {
		m.release()
		return nil, l.err
	}
	if c.Tied {
		m.lmHead = m.embedding
	}
	m.config, m.parameters = config, l.parameters
	m.kv, m.pool = newKVStore(c), newPool(o.threads)
	m.passes.make, m.passes.keep = func() *pass { return newPass(m) }, o.threads
	return m, nil
}

// modelName is what the file calls the model, or the file's own name.
func modelName(f *gguf.File) string {
	if v, ok := f.Lookup("general.name"); ok {
		if name, ok := v.Text(); ok && strings.TrimSpace(name) != "" {
			return name
		}
	}
	return strings.TrimSuffix(filepath.Base(f.Name()), ".gguf")
}

// enter keeps the model open until leave.
func (m *Model) enter() error {
	m.using.RLock()
	if m.closed.Load() {
		m.using.RUnlock()
		return ErrClosed
	}
	return nil
}

func (m *Model) leave() { m.using.RUnlock() }

// Close stops the computations that are running, waits for them, and releases memory and file. Sessions of the model return
// [ErrClosed] from then on. Closing twice is no error.
func (m *Model) Close() error {
	if m.closed.Swap(true) {
		return nil
	}
	m.using.Lock()
	defer m.using.Unlock()
	m.pool.close()
	m.release()
	return m.file.Close()
}

func (m *Model) release() {
	for _, matrix := range m.matrices {
		matrix.Release()
	}
}

// Name is what the model file calls the model, such as "Llama 3.2 1B Instruct".
func (m *Model) Name() string { return m.name }

// Config returns the hyperparameters.
func (m *Model) Config() Config { return m.config }

// ContextLength is how many tokens a session may have.
func (m *Model) ContextLength() int { return m.contextLength }

// Tokenizer returns the model's tokenizer.
func (m *Model) Tokenizer() *tokenizer.Tokenizer { return m.tokenizer }

// Warnings tells what was noticed about the file that does not keep the model from running, but may make it worse; as a
// rule nothing.
func (m *Model) Warnings() []string { return slices.Clone(m.warnings) }

// Parameters is the number of weights, tied ones counted once.
func (m *Model) Parameters() int64 { return m.parameters }

// FileSize is the size of the model file in bytes.
func (m *Model) FileSize() int64 { return m.file.Size() }

// WeightBytes is the memory that the weights take, the part of the file that is used in place included.
func (m *Model) WeightBytes() int64 {
	total := int64(0)
	for _, matrix := range m.matrices {
		total += int64(matrix.Bytes())
	}
	return total
}

// Threads is how many threads compute one forward pass at most.
func (m *Model) Threads() int { return m.pool.threads }

// Quantization tells how the linear layers are stored: the format that most of the weights have, such as "Q4_0".
func (m *Model) Quantization() string {
	elements := map[simd.Format]int64{}
	var names []simd.Format
	for _, matrix := range m.matrices {
		if elements[matrix.Format()] == 0 {
			names = append(names, matrix.Format())
		}
		elements[matrix.Format()] += int64(matrix.Rows()) * int64(matrix.Cols())
	}
	most := slices.MaxFunc(names, func(a, b simd.Format) int { return int(min(max(elements[a]-elements[b], -1), 1)) })
	return most.String()
}

// ChatTemplate is the Jinja source of the chat template in the file, "" if it has none. It is text for recognizing the
// template by; nothing here runs it.
func (m *Model) ChatTemplate() string {
	text, _ := m.Metadata("tokenizer.chat_template")
	return text
}

// Metadata returns a text in the file's metadata. A closed model has none.
func (m *Model) Metadata(key string) (string, bool) {
	v, leave, ok := m.lookup(key)
	if !ok {
		return "", false
	}
	defer leave()
	return v.Text()
}

// MetadataNumber returns a number in the file's metadata. A closed model has none.
func (m *Model) MetadataNumber(key string) (float64, bool) {
	v, leave, ok := m.lookup(key)
	if !ok {
		return 0, false
	}
	defer leave()
	return v.Float()
}

// lookup finds a value, whose bytes lie in the file: the model stays open until leave is called.
func (m *Model) lookup(key string) (v gguf.Value, leave func(), ok bool) {
	if m.enter() != nil {
		return v, nil, false
	}
	if v, ok = m.file.Lookup(key); !ok {
		m.leave()
		return v, nil, false
	}
	return v, m.leave, true
}
