package grammar

import "sync"

const maxCachedMasks = 256

// maskCache keeps the last masks that took a walk, by a 64-bit hash of the readings with their whole stacks. Once it is full,
// it allocates nothing.
type maskCache struct {
	mutex      sync.RWMutex
	vocabulary *Vocabulary
	at         map[uint64]int32 // by key, the place in masks
	keys       []uint64
	masks      [][]uint64
	oldest     int
}

func newMaskCache() *maskCache { return &maskCache{at: map[uint64]int32{}} }

func (c *maskCache) load(key uint64, v *Vocabulary, into []uint64) bool {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	at, ok := c.at[key]
	if !ok || c.vocabulary != v {
		return false
	}
	copy(into, c.masks[at])
	return true
}

func (c *maskCache) store(key uint64, v *Vocabulary, mask []uint64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.vocabulary != v {
		clear(c.at)
		c.vocabulary, c.keys, c.masks, c.oldest = v, nil, nil, 0
	}
	if _, ok := c.at[key]; ok {
		return
	}
	at := len(c.masks)
	if at < maxCachedMasks {
		c.keys, c.masks = append(c.keys, key), append(c.masks, append([]uint64(nil), mask...))
	} else {
		at = c.oldest
		c.oldest = (at + 1) % maxCachedMasks
		delete(c.at, c.keys[at])
		c.keys[at] = key
		copy(c.masks[at], mask)
	}
	c.at[key] = int32(at)
}
