package llm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/drover-ai/drover/llm"
	"github.com/drover-ai/drover/llm/gguf"
	"github.com/drover-ai/drover/test/vectors"
)

// tinyShape is the smallest model: a file of a few kilobytes, most of it header.
func tinyShape() vectors.Shape {
	return vectors.Shape{
		Name: "tiny", Dim: 32, HiddenDim: 32, NLayers: 1, NHeads: 1, NKVHeads: 1, HeadDim: 32, VocabSize: 259,
		ContextLength: 64, RoPEFactor: 32, Type: gguf.Q4_0,
	}
}

func tinyFile(t testing.TB) []byte {
	t.Helper()
	data, err := tinyShape().Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// tryModel loads a file and, if that goes well, computes with it. It fails the test if an error does not say where, or if
// more memory is taken than a file of that size accounts for.
func tryModel(t testing.TB, what string, data []byte) error {
	t.Helper()
	var err error
	most, took := memoryFor(len(data)), uint64(math.MaxUint64)
	for range 3 { // other goroutines, the fuzzer's for one, allocate too
		before := allocated()
		err = tryOnce(data)
		if took = min(took, allocated()-before); took <= most {
			break
		}
	}
	if took > most {
		t.Errorf("%s: %d bytes were taken for a file of %d, want at most %d: %v", what, took, len(data), most, err)
	}
	if err != nil {
		checkPlace(t, what, data, err)
	}
	return err
}

func tryOnce(data []byte) error {
	f, err := gguf.Parse("m.gguf", data)
	if err != nil {
		return err
	}
	m, err := llm.Load(f, llm.Threads(1))
	if err != nil {
		return err
	}
	defer m.Close()
	return tryPrompt(m)
}

// memoryFor is what reading and loading a small file may take: the table of byte pairs, some buffers, and an amount for each
// byte of the vocabulary, which as tokens takes several times its size in the file.
func memoryFor(size int) uint64 { return 1<<20 + 30*uint64(size) }

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// tryPrompt computes with a model, whose weights may be anything.
func tryPrompt(m *llm.Model) error {
	s, err := m.NewSession()
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Prefill(context.Background(), []llm.Token{1, 2}); err != nil {
		var long *llm.ContextLengthError
		if errors.As(err, &long) {
			return nil
		}
		return err
	}
	for _, err := range s.Generate(context.Background(), llm.GenerateOptions{MaxTokens: 1}) {
		if err != nil && !errors.Is(err, llm.ErrNoToken) {
			return err
		}
	}
	return nil
}

// checkPlace makes sure that an error is one of those documented, and names a key or tensor, or a place in the file.
func checkPlace(t testing.TB, what string, data []byte, err error) {
	t.Helper()
	var format *gguf.FormatError
	var config *llm.ConfigError
	var tensor *llm.TensorError
	var architecture *llm.ArchitectureError
	named := ""
	switch {
	case errors.As(err, &format):
		if format.Offset < 0 || format.Offset > int64(len(data)) {
			t.Errorf("%s: the error is at byte %d of %d", what, format.Offset, len(data))
		}
		named = format.Key + format.Tensor
		if named == "" {
			named = fmt.Sprintf("(at byte %d)", format.Offset)
		}
	case errors.As(err, &config):
		named = config.Key
	case errors.As(err, &tensor):
		named = tensor.Tensor
	case errors.As(err, &architecture):
		named = "general.architecture"
	default:
		t.Errorf("%s: an error that nobody can act on: %v", what, err)
	}
	if text := err.Error(); named == "" || !strings.Contains(text, named) || !strings.HasPrefix(text, "m.gguf: ") {
		t.Errorf("%s: the error does not name %q: %v", what, named, err)
	}
}

// TestEveryPrefix: a download that was cut off anywhere is an error.
func TestEveryPrefix(t *testing.T) {
	whole := tinyFile(t)
	if err := tryModel(t, "the whole file", whole); err != nil {
		t.Fatal(err)
	}
	end := len(whole)
	for i := range whole { // what follows the last tensor is padding
		if whole[i] != 0 {
			end = i
		}
	}
	step := 1
	if testing.Short() {
		step = 13
	}
	for n := 0; n < end; n += step {
		if err := tryModel(t, fmt.Sprintf("the first %d bytes", n), whole[:n:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are taken for a model", n, len(whole))
		}
	}
}

// TestEveryBitFlip: with any one bit of the header wrong, loading fails by name or gives a model that computes something.
func TestEveryBitFlip(t *testing.T) {
	whole := tinyFile(t)
	f, err := gguf.Parse("m.gguf", whole)
	if err != nil {
		t.Fatal(err)
	}
	header := int(f.Tensors()[0].Offset)
	step := 1
	if testing.Short() {
		step = 37
	}
	refused := 0
	for bit := 0; bit < 8*header; bit += step {
		flipped := bytes.Clone(whole)
		flipped[bit/8] ^= 1 << (bit % 8)
		if tryModel(t, fmt.Sprintf("bit %d of byte %d", bit%8, bit/8), flipped) != nil {
			refused++
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d of %d flips in a header of %d bytes are refused", refused, 8*header/step, header)
	if refused*2 < 8*header/step {
		t.Error("that is less than half")
	}
}

// FuzzLoad: no file crashes the process, takes memory without end, or fails without saying where.
func FuzzLoad(f *testing.F) {
	whole := tinyFile(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	for _, change := range []func(*vectors.Shape){
		func(s *vectors.Shape) { s.Untied = true }, func(s *vectors.Shape) { s.Type = gguf.F32 },
		func(s *vectors.Shape) { s.OmitTensor = "blk.0.ffn_up.weight" }, func(s *vectors.Shape) { s.OmitKey = "llama.block_count" },
		func(s *vectors.Shape) { s.Set = map[string]any{"llama.block_count": 1 << 30} },
		func(s *vectors.Shape) { s.Set = map[string]any{"llama.attention.head_count_kv": 0} },
		func(s *vectors.Shape) { s.Set = map[string]any{"tokenizer.ggml.tokens": []int32{1}} },
		func(s *vectors.Shape) { s.BreakShapeOf = "rope_freqs.weight" },
	} {
		shape := tinyShape()
		change(&shape)
		data, err := shape.Bytes()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { _ = tryModel(t, "fuzz", data) })
}

// TestOpenRefuses: each file is sound and holds no model for this runtime. The error names what is wrong.
func TestOpenRefuses(t *testing.T) {
	set := func(key string, value any) func(*vectors.Shape) {
		return func(s *vectors.Shape) { s.Set = map[string]any{key: value} }
	}
	omitKey := func(key string) func(*vectors.Shape) { return func(s *vectors.Shape) { s.OmitKey = key } }
	omit := func(tensor string) func(*vectors.Shape) { return func(s *vectors.Shape) { s.OmitTensor = tensor } }
	misshape := func(tensor string) func(*vectors.Shape) { return func(s *vectors.Shape) { s.BreakShapeOf = tensor } }
	inf := float32(math.Inf(1))
	for name, c := range map[string]struct {
		change func(*vectors.Shape)
		want   string
	}{
		"another architecture":    {set("general.architecture", "gemma"), `general.architecture is "gemma"`},
		"no architecture":         {omitKey("general.architecture"), "key general.architecture: it is missing"},
		"an architecture of 7":    {set("general.architecture", 7), "key general.architecture: it is 7, want a string"},
		"no width":                {omitKey("llama.embedding_length"), "key llama.embedding_length: it is missing"},
		"a width of 0":            {set("llama.embedding_length", 0), "key llama.embedding_length: it is 0"},
		"a negative width":        {set("llama.embedding_length", -1), "key llama.embedding_length: it is -1"},
		"a width of 40":           {set("llama.embedding_length", 40), "key llama.embedding_length: it is 40, want a multiple of 16"},
		"a width as text":         {set("llama.embedding_length", "32"), `key llama.embedding_length: it is "32"`},
		"a huge width":            {set("llama.embedding_length", int64(1)<<60), "key llama.embedding_length: it is 1.15"},
		"another width":           {set("llama.embedding_length", 64), "tensor token_embd.weight: its shape is [259 32], want [259 64]"},
		"a hidden width of 1":     {set("llama.feed_forward_length", 1), "key llama.feed_forward_length: it is 1, want a multiple of 16"},
		"4096 layers":             {set("llama.block_count", 4096), "tensor blk.1.attn_norm.weight: it is missing"},
		"2^40 layers":             {set("llama.block_count", int64(1)<<40), "key llama.block_count"},
		"no heads":                {set("llama.attention.head_count", 0), "key llama.attention.head_count: it is 0"},
		"heads in an array":       {set("llama.attention.head_count", []int32{1}), "key llama.attention.head_count: it is an array of 1 int32s"},
		"more key heads":          {set("llama.attention.head_count_kv", 2), "key llama.attention.head_count_kv: 2 key and value heads cannot serve 1"},
		"heads of 8":              {set("llama.attention.key_length", 8), "key llama"},
		"values of another width": {set("llama.attention.value_length", 64), "key llama.attention.value_length: it is 64, only 32"},
		"half of a head rotated":  {set("llama.rope.dimension_count", 16), "key llama.rope.dimension_count: it is 16, only 32"},
		"experts":                 {set("llama.expert_count", 8), "key llama.expert_count: it is 8, only 0"},
		"YaRN":                    {set("llama.rope.scaling.type", "yarn"), `key llama.rope.scaling.type: it is "yarn"`},
		"no base":                 {set("llama.rope.freq_base", float32(0)), "key llama.rope.freq_base: it is 0, want a positive number"},
		"an infinite base":        {set("llama.rope.freq_base", inf), "key llama.rope.freq_base: it is +Inf"},
		"no epsilon":              {set("llama.attention.layer_norm_rms_epsilon", float32(-1)), "key llama.attention.layer_norm_rms_epsilon: it is -1"},
		"no context":              {set("llama.context_length", 0), "key llama.context_length: it is 0"},
		"a linear factor of 0": {func(s *vectors.Shape) {
			s.Set = map[string]any{"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": float32(0)}
		}, "key llama.rope.scaling.factor: it is 0"},
		"SentencePiece":         {set("tokenizer.ggml.model", "llama"), `key tokenizer.ggml.model: it is "llama"; only byte-level BPE`},
		"no tokens":             {omitKey("tokenizer.ggml.tokens"), "key tokenizer.ggml.tokens: want an array of strings"},
		"tokens as numbers":     {set("tokenizer.ggml.tokens", []int32{1, 2}), "key tokenizer.ggml.tokens: want an array of strings"},
		"two tokens":            {set("tokenizer.ggml.tokens", []string{"a", "b"}), "key tokenizer.ggml.tokens: there are 2 tokens"},
		"types of other tokens": {set("tokenizer.ggml.token_type", []int32{1, 1}), "key tokenizer.ggml.token_type: it is an array of 2 int32s, want an array of 259"},
		"types as text":         {set("tokenizer.ggml.token_type", make([]string, 259)), "key tokenizer.ggml.token_type: it is an array of 259 strings"},
		"another size":          {set("llama.vocab_size", 300), "key llama.vocab_size: it is 300, but tokenizer.ggml.tokens has 259"},
		"empty tokens":          {set("tokenizer.ggml.tokens", make([]string, 259)), "key tokenizer.ggml.tokens: vocabulary: token 0 is empty"},
		"no embedding":          {omit("token_embd.weight"), "tensor token_embd.weight: it is missing"},
		"no norm":               {omit("output_norm.weight"), "tensor output_norm.weight: it is missing"},
		"a layer's matrix less": {omit("blk.0.ffn_down.weight"), "tensor blk.0.ffn_down.weight: it is missing"},
		"a matrix misshapen":    {misshape("blk.0.attn_k.weight"), "tensor blk.0.attn_k.weight: its shape is [64 32], want [32 32]"},
		"a norm misshapen":      {misshape("blk.0.attn_norm.weight"), "tensor blk.0.attn_norm.weight: its shape is [33], want [32]"},
		"divisors misshapen":    {misshape("rope_freqs.weight"), "tensor rope_freqs.weight: its shape is [17], want [16]"},
		"divisors of 0":         {func(s *vectors.Shape) { s.RoPEFactor, s.ExtraTensor, s.HeadDim = 0, "rope_freqs.weight", 64 }, "tensor rope_freqs.weight: divisor 0 is 0"},
		"a bias":                {func(s *vectors.Shape) { s.ExtraTensor = "blk.0.attn_q.bias" }, "tensor blk.0.attn_q.bias: it is no part of a Llama model"},
	} {
		shape := tinyShape()
		c.change(&shape)
		data, err := shape.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if err = tryModel(t, name, data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one with %q", name, err, c.want)
		}
	}
}

// An element type that the kernels have no product for is refused by name, not dequantized wrongly.
func TestUnsupportedType(t *testing.T) {
	var w gguf.Writer
	f, err := gguf.Parse("m.gguf", tinyFile(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Pairs() {
		copyPair(&w, p)
	}
	for _, tensor := range f.Tensors() {
		if tensor.Name == "blk.0.ffn_up.weight" {
			tensor.Type, tensor.Data = gguf.Q5_0, make([]byte, 32*22)
		}
		w.Tensor(tensor.Name, tensor.Type, tensor.Shape, tensor.Data)
	}
	var out bytes.Buffer
	if _, err := w.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	err = tryModel(t, "Q5_0", out.Bytes())
	if err == nil || !strings.Contains(err.Error(), "tensor blk.0.ffn_up.weight: it is stored as Q5_0; supported are") {
		t.Errorf("Q5_0: %v", err)
	}
}

// copyPair writes a pair of a synthetic model.
func copyPair(w *gguf.Writer, p gguf.Pair) {
	if text, ok := p.Value.Text(); ok {
		w.Set(p.Key, text)
	} else if p.Value.IsStrings() {
		var list []string
		for _, s := range p.Value.Strings {
			list = append(list, string(s))
		}
		w.Set(p.Key, list)
	} else if ints, ok := p.Value.Ints(); ok {
		var list []int32
		for _, n := range ints {
			list = append(list, int32(n))
		}
		w.Set(p.Key, list)
	} else if n, ok := p.Value.Int(); ok {
		w.Set(p.Key, int(n))
	} else if x, ok := p.Value.Float(); ok {
		w.Set(p.Key, float32(x))
	}
}

// A file that is all vocabulary and no weights is refused before its tokens take memory: less than the file's size.
func TestVocabularyWithoutWeights(t *testing.T) {
	shape := tinyShape()
	shape.VocabSize = 1 << 18
	shape.OmitTensor = "token_embd.weight"
	data, err := shape.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse("m.gguf", data)
	if err != nil {
		t.Fatal(err)
	}
	before := allocated()
	if _, err := llm.Load(f); err == nil {
		t.Error("no error")
	}
	if took := allocated() - before; took > uint64(len(data))/10 {
		t.Errorf("%d bytes were taken for a file of %d", took, len(data))
	}
}

func TestOpenFromDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tiny.gguf")
	if _, err := llm.Open(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, tinyFile(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, options := range map[string][]llm.Option{
		"threads: got 0":                 {llm.Threads(0)},
		"context length: got -1":         {llm.ContextLength(-1)},
		"context length: got 1000000000": {llm.ContextLength(1e9)},
	} {
		if _, err := llm.Open(path, options...); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, err := llm.Open(path, llm.Threads(2))
	if err != nil {
		t.Fatal(err)
	}
	if m.Name() != "tiny" || m.Quantization() != "Q4_0" || m.ContextLength() != 64 || m.Threads() != 2 || len(m.Warnings()) != 0 {
		t.Errorf("%s, %s, %d, %d, %v", m.Name(), m.Quantization(), m.ContextLength(), m.Threads(), m.Warnings())
	}
	if err := tryPrompt(m); err != nil {
		t.Error(err)
	}
	if text := m.ChatTemplate(); text != "{{ messages }}" {
		t.Errorf("chat template %q", text)
	}
	if n, ok := m.MetadataNumber("llama.block_count"); n != 1 || !ok {
		t.Errorf("block count %g, %v", n, ok)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	// A closed model has no file to read from any more.
	if text, ok := m.Metadata("general.name"); ok {
		t.Errorf("a closed model has the name %q", text)
	}
}

// A checkpoint that has lost rope_freqs.weight gets it back by the rule, and says so.
func TestLostRoPEDivisors(t *testing.T) {
	if testing.Short() {
		t.Skip("needs 16 layers of the real width, by which the checkpoints are known")
	}
	shape := vectors.Llama1B(gguf.Q4_0, 16)
	shape.VocabSize, shape.HiddenDim = 259, 32
	tokens := vectors.Tokens("lost", 40, 259)
	whole := loadShape(t, shape)
	shape.OmitTensor = "rope_freqs.weight"
	lost := loadShape(t, shape)
	if len(whole.Warnings()) != 0 || len(lost.Warnings()) != 1 || !strings.Contains(lost.Warnings()[0], "rope_freqs.weight") {
		t.Errorf("warnings %q and %q", whole.Warnings(), lost.Warnings())
	}
	if !sameLogits(prefillAll(t, whole, tokens), prefillAll(t, lost, tokens)) {
		t.Error("the divisors by the rule are not those of the file")
	}
}
