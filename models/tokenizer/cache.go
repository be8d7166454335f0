package tokenizer

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
)

const (
	cacheSlots = 1 << 14 // natural text has few thousand frequent words
	cacheWidth = 64      // bytes; longer pieces are seldom met twice
)

// cache remembers the symbols of pieces lately seen. Each piece has one slot, and the latest to want it keeps it. Entries are
// immutable and slots atomic, so that readers and writers never wait; what it answers does not depend on what it holds.
type cache struct {
	seed  maphash.Seed
	slots [cacheSlots]atomic.Pointer[cached]
}

type cached struct {
	word    string
	symbols []symbol
}

func newCache() *cache { return &cache{seed: maphash.MakeSeed()} }

// get returns the symbols of word, nil if it does not have them, and the slot for put.
func (c *cache) get(word string) ([]symbol, int) {
	if len(word) > cacheWidth {
		return nil, -1
	}
	slot := int(maphash.String(c.seed, word) % cacheSlots)
	if e := c.slots[slot].Load(); e != nil && e.word == word {
		return e.symbols, slot
	}
	return nil, slot
}

// put remembers the symbols of word at the slot that get named; it copies both.
func (c *cache) put(slot int, word string, symbols []symbol) {
	if slot >= 0 {
		c.slots[slot].Store(&cached{strings.Clone(word), slices.Clone(symbols)})
	}
}
