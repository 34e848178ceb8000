package llm

import (
	"sync"
	"sync/atomic"

	"github.com/drover-ai/drover/simd"
)

// kvBlockLength is how many positions one block of the KV cache holds. A block is what sharing and
// growth count in: small enough that a fork wastes little and a short chat stays small (2 MiB for
// Llama 3.2 1B), long enough that attention reads long runs of memory.
const kvBlockLength = 64

// kvBlock holds keys and values of kvBlockLength consecutive positions for all layers, in float16, as the kernels of
// attention read them: for each layer the keys [nKVHeads, headDim, kvBlockLength], then the values [nKVHeads, kvBlockLength,
// headDim].
//
// Sessions that were forked from each other share blocks. A block with more than one reference is
// read-only: whoever wants to write gets a copy first.
//
// The memory of a block may be a saved session's. Such a block is born with a reference more, which nobody gives up: so it
// is never written to, and never used for something else.
type kvBlock struct {
	references atomic.Int32
	data       []uint16
	mapping    *savedMapping // where data is, nil for memory of its own
}

// kvStore hands out blocks to all sessions of a model and keeps a few released ones for reuse, which
// spares clearing and collecting megabytes whenever a session is rewound or closed.
type kvStore struct {
	nLayers, nKVHeads, headDim int

	mu   sync.Mutex
	free []*kvBlock
}

// kvFreeBytes bounds what a kvStore keeps for reuse.
const kvFreeBytes = 64 << 20

func newKVStore(c *Config) *kvStore {
	return &kvStore{nLayers: c.NLayers, nKVHeads: c.NKVHeads, headDim: c.HeadDim}
}

// blockElements is the length of a block's data.
func (s *kvStore) blockElements() int {
	return s.nLayers * 2 * s.nKVHeads * kvBlockLength * s.headDim
}

func (s *kvStore) blockBytes() int64 { return 2 * int64(s.blockElements()) }

// get returns a block with one reference. Its content is undefined.
func (s *kvStore) get() *kvBlock {
	s.mu.Lock()
	var b *kvBlock
	if n := len(s.free); n > 0 {
		b, s.free = s.free[n-1], s.free[:n-1]
	}
	s.mu.Unlock()
	if b == nil {
		b = &kvBlock{}
		var err error
		if b.data, err = simd.AllocateFloat16(b, s.blockElements()); err != nil {
			b.data = make([]uint16, s.blockElements()) // on small pages
		}
	}
	b.references.Store(1)
	return b
}

// release gives up one reference.
func (s *kvStore) release(b *kvBlock) {
	if b.references.Add(-1) > 0 {
		return
	}
	s.mu.Lock()
	if int64(len(s.free)+1)*s.blockBytes() <= kvFreeBytes {
		s.free = append(s.free, b)
	}
	s.mu.Unlock()
}

// kvCache is one session's keys and values: a list of blocks, of which the last may be partly filled.
// It does not know how many positions are filled; the session does.
type kvCache struct {
	store  *kvStore
	blocks []*kvBlock
}

// reserve makes positions [from, to) writable: it adds the blocks that are missing and copies the ones
// that are shared with a fork. Positions below from keep their content.
func (c *kvCache) reserve(from, to int) {
	for i := from / kvBlockLength; i*kvBlockLength < to; i++ {
		if i == len(c.blocks) {
			c.blocks = append(c.blocks, c.store.get())
			continue
		}
		shared := c.blocks[i]
		if shared.references.Load() == 1 {
			continue
		}
		own := c.store.get()
		if filled := from - i*kvBlockLength; filled > 0 {
			c.store.copyPositions(own, shared, filled)
		}
		c.blocks[i] = own
		c.store.release(shared)
	}
}

// copyPositions copies the first n positions of every layer and head.
func (s *kvStore) copyPositions(dst, src *kvBlock, n int) {
	run := kvBlockLength * s.headDim
	for i := 0; i < len(dst.data); i += run {
		if isKeys := i/(s.nKVHeads*run)%2 == 0; !isKeys {
			copy(dst.data[i:i+n*s.headDim], src.data[i:])
			continue
		}
		for d := i; d < i+run; d += kvBlockLength {
			copy(dst.data[d:d+n], src.data[d:])
		}
	}
}

// truncate gives up the blocks that hold no position below length.
func (c *kvCache) truncate(length int) {
	keep := (length + kvBlockLength - 1) / kvBlockLength
	for i := keep; i < len(c.blocks); i++ {
		c.store.release(c.blocks[i])
		c.blocks[i] = nil
	}
	c.blocks = c.blocks[:min(keep, len(c.blocks))]
}

// fork returns a cache that shares every block; either side copies a block before it writes there.
func (c *kvCache) fork() kvCache {
	blocks := make([]*kvBlock, len(c.blocks))
	for i, b := range c.blocks {
		b.references.Add(1)
		blocks[i] = b
	}
	return kvCache{store: c.store, blocks: blocks}
}

// bytes returns how much memory the blocks take, and how much of it is shared with forks or is a saved session's.
func (c *kvCache) bytes() (total, shared int64) {
	for _, b := range c.blocks {
		total += c.store.blockBytes()
		if b.references.Load() > 1 {
			shared += c.store.blockBytes()
		}
	}
	return total, shared
}

// keys returns the keys [headDim, kvBlockLength] of one block, layer and head, values its values [kvBlockLength, headDim].
func (c *kvCache) keys(block, layer, head int) []uint16   { return c.part(block, layer, 0, head) }
func (c *kvCache) values(block, layer, head int) []uint16 { return c.part(block, layer, 1, head) }

func (c *kvCache) part(block, layer, which, head int) []uint16 {
	s := c.store
	run := kvBlockLength * s.headDim
	begin := ((layer*2+which)*s.nKVHeads + head) * run
	return c.blocks[block].data[begin : begin+run : begin+run]
}
