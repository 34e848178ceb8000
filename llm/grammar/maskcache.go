package grammar

import "sync"

const maxCachedMasks = 256

// maskCache keeps masks that took a long walk, by a 64-bit hash of the readings with their whole stacks.
type maskCache struct {
	mutex      sync.RWMutex
	vocabulary *Vocabulary
	masks      map[uint64][]uint64
}

func newMaskCache() *maskCache { return &maskCache{masks: map[uint64][]uint64{}} }

func (c *maskCache) load(key uint64, v *Vocabulary, into []uint64) bool {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	mask, ok := c.masks[key]
	if !ok || c.vocabulary != v {
		return false
	}
	copy(into, mask)
	return true
}

func (c *maskCache) store(key uint64, v *Vocabulary, mask []uint64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.vocabulary != v || len(c.masks) >= maxCachedMasks {
		clear(c.masks)
		c.vocabulary = v
	}
	c.masks[key] = append([]uint64(nil), mask...)
}
