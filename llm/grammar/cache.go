package grammar

import (
	"crypto/sha256"
	"fmt"
	"sync"
)

// Cache keeps the grammars that were used last, so that a tool's schema is compiled once and its masks stay
// ready. It is safe for concurrent use.
type Cache struct {
	mutex   sync.Mutex
	limit   int
	clock   uint64
	entries map[[sha256.Size]byte]*cacheEntry
}

type cacheEntry struct {
	once    sync.Once
	used    uint64
	grammar *Grammar
	err     error
}

// DefaultCacheSize is how many grammars a cache keeps if it is not said otherwise.
const DefaultCacheSize = 64

// NewCache returns a cache of limit grammars; [DefaultCacheSize] if limit is not above 0.
func NewCache(limit int) *Cache {
	if limit <= 0 {
		limit = DefaultCacheSize
	}
	return &Cache{limit: limit, entries: map[[sha256.Size]byte]*cacheEntry{}}
}

// Schema is [CompileSchema], or what it returned before for the same bytes and options.
func (c *Cache) Schema(schema []byte, options Options) (*Grammar, error) {
	return c.Compile(fmt.Sprintf("%+v %s", options, schema), func() (*Grammar, error) { return CompileSchema(schema, options) })
}

// Compile returns what build returned for the same key before, errors included, or calls it. Two callers
// with one key wait for one build.
func (c *Cache) Compile(key string, build func() (*Grammar, error)) (*Grammar, error) {
	hash := sha256.Sum256([]byte(key))
	c.mutex.Lock()
	e := c.entries[hash]
	if e == nil {
		if len(c.entries) >= c.limit {
			c.evict()
		}
		e = &cacheEntry{}
		c.entries[hash] = e
	}
	c.clock++
	e.used = c.clock
	c.mutex.Unlock()
	e.once.Do(func() { e.grammar, e.err = build() })
	return e.grammar, e.err
}

// evict drops the entry that was used longest ago.
func (c *Cache) evict() {
	var oldest [sha256.Size]byte
	used := c.clock + 1
	for hash, e := range c.entries {
		if e.used < used {
			oldest, used = hash, e.used
		}
	}
	delete(c.entries, oldest)
}
