package tokenizer

import (
	"hash/maphash"
	"sync/atomic"
)

const (
	cacheSlots = 1 << 14 // natural text has few thousand frequent words
	cacheWidth = 64      // bytes; longer pieces are seldom met twice
)

// cache remembers the symbols of pieces lately seen. Each piece has one slot, and a piece that wants it twice in a row keeps it:
// what comes once, as most numbers do, costs no memory. Entries are immutable and slots atomic, so that readers and writers never
// wait; what it answers does not depend on what it holds.
type cache struct {
	seed  maphash.Seed
	tags  [cacheSlots]atomic.Uint64 // half a hash each of the piece in the slot (high) and of the last that was not (low)
	slots [cacheSlots]atomic.Pointer[cached]
}

// cached is a piece and its symbols, those that are short within one stretch of memory.
type cached struct {
	word    []byte
	symbols []symbol
	letters [16]byte
	few     [4]symbol
}

func newCache() *cache { return &cache{seed: maphash.MakeSeed()} }

// get returns the symbols of word, nil if it does not have them, and what put is to be given.
func (c *cache) get(word string) ([]symbol, uint64) {
	if len(word) > cacheWidth {
		return nil, 0
	}
	hash := maphash.String(c.seed, word)
	if slot := hash % cacheSlots; c.tags[slot].Load()>>32 == hash>>32 { // a tag is only a hint: it spares a look at the piece
		if e := c.slots[slot].Load(); e != nil && string(e.word) == word {
			return e.symbols, hash
		}
	}
	return nil, hash
}

// put remembers the symbols of word, of that hash, when it is asked for the second time; it copies both.
func (c *cache) put(hash uint64, word string, symbols []symbol) {
	if len(word) > cacheWidth {
		return
	}
	slot := hash % cacheSlots
	tags := c.tags[slot].Load()
	if uint32(tags) != uint32(hash>>32) {
		c.tags[slot].Store(tags>>32<<32 | hash>>32)
		return
	}
	e := &cached{}
	e.word, e.symbols = append(e.letters[:0], word...), append(e.few[:0], symbols...)
	c.slots[slot].Store(e)
	c.tags[slot].Store(hash>>32<<32 | hash>>32)
}
