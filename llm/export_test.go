package llm

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// BatchLength is how many tokens a pass takes.
const BatchLength = batchLength

// Recording holds what a model's forward passes round, in the order in which they compute it: of each step that prepares a
// product the activations [tokens, cols], and of each layer the rotated keys and the values [tokens, nKVHeads·headDim].
type Recording struct {
	Values []float32

	mu      sync.Mutex
	buffers [2][]float32 // of the step at hand; ranges of its tokens may come in any order
	done    int          // tokens of it
}

// Record makes a model's passes record. It must be called before the first one.
func Record(m *Model) *Recording {
	r := &Recording{}
	m.passes.make = func() *pass {
		p := newPass(m)
		wrap := func(step int, sources func() [][]float32) {
			compute := p.functions[step]
			p.functions[step] = func(begin, end int) {
				compute(begin, end)
				r.add(sources(), begin, end, p.n)
			}
		}
		activations := func() [][]float32 { return [][]float32{p.step.source} }
		wrap(normalizeStep, activations)
		wrap(quantizeStep, activations)
		wrap(swigluStep, activations)
		wrap(rotateStep, func() [][]float32 { return [][]float32{p.key, p.value} })
		return p
	}
	return r
}

func (r *Recording) add(sources [][]float32, begin, end, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, source := range sources {
		width := len(source) / n
		r.buffers[i] = slices.Grow(r.buffers[i][:0], len(source))[:len(source)]
		copy(r.buffers[i][begin*width:], source[begin*width:end*width])
	}
	if r.done += end - begin; r.done == n {
		for i := range sources {
			r.Values = append(r.Values, r.buffers[i]...)
		}
		r.done = 0
	}
}

// CountChunks calls begun, with 0, 1, 2 …, whenever a thread begins a chunk of a product or of attention, and returns how to
// read how many there were. It must be called before the first pass.
func CountChunks(m *Model, begun func(n int)) func() int {
	var count atomic.Int64
	m.passes.make = func() *pass {
		p := newPass(m)
		for _, step := range []int{multiplyStep, attendStep} {
			compute := p.functions[step]
			p.functions[step] = func(begin, end int) {
				begun(int(count.Add(1) - 1))
				compute(begin, end)
			}
		}
		return p
	}
	return func() int { return int(count.Load()) }
}

// Guess is the draft that follows a history.
var Guess = guess

// Changeable reports whether a saved session may be changed in place.
func Changeable(t testing.TB, path string) bool {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return changeable(file)
}
