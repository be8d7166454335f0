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

// cache remembers the symbols of pieces lately seen. Each piece has one slot, and a piece that wants it twice in a row keeps it:
// what comes once, as most numbers do, costs no memory. Entries are immutable and slots atomic, so that readers and writers never
// wait; what it answers does not depend on what it holds.
type cache struct {
	seed  maphash.Seed
	slots [cacheSlots]cacheSlot
}

// cacheSlot lies within one line of memory.
type cacheSlot struct {
	tags  atomic.Uint64 // half a hash each of the piece in the slot (high) and of the last that was not (low)
	entry atomic.Pointer[cached]
}

// cached is a piece and its symbols, within one line of memory if there are few.
type cached struct {
	length, count uint8 // of the piece and of its symbols
	letters       [22]byte
	few           [4]symbol
	long          *longCached // of a piece that has more of either
}

type longCached struct {
	word    string
	symbols []symbol
}

func newCached(word string, symbols []symbol) *cached {
	e := &cached{length: uint8(len(word)), count: uint8(len(symbols))}
	if len(word) > len(e.letters) || len(symbols) > len(e.few) {
		e.long = &longCached{strings.Clone(word), slices.Clone(symbols)}
		return e
	}
	copy(e.letters[:], word)
	copy(e.few[:], symbols)
	return e
}

// of returns the symbols if the piece is word, else nil.
func (e *cached) of(word string) []symbol {
	if e.long != nil {
		if e.long.word == word {
			return e.long.symbols
		}
		return nil
	}
	if n := int(e.length); n == len(word) && string(e.letters[:n]) == word {
		return e.few[:e.count]
	}
	return nil
}

func newCache() *cache { return &cache{seed: maphash.MakeSeed()} }

// get returns the symbols of word, nil if it does not have them, and what put is to be given.
func (c *cache) get(word string) ([]symbol, uint64) {
	if len(word) > cacheWidth {
		return nil, 0
	}
	hash := maphash.String(c.seed, word)
	if slot := &c.slots[hash%cacheSlots]; slot.tags.Load()>>32 == hash>>32 { // a tag is only a hint: it spares a look at the piece
		if e := slot.entry.Load(); e != nil {
			return e.of(word), hash
		}
	}
	return nil, hash
}

// put remembers the symbols of word, of that hash, when it is asked for the second time; it copies both.
func (c *cache) put(hash uint64, word string, symbols []symbol) {
	if len(word) > cacheWidth {
		return
	}
	slot := &c.slots[hash%cacheSlots]
	tags := slot.tags.Load()
	if uint32(tags) != uint32(hash>>32) {
		slot.tags.Store(tags>>32<<32 | hash>>32)
		return
	}
	slot.entry.Store(newCached(word, symbols))
	slot.tags.Store(hash>>32<<32 | hash>>32)
}
