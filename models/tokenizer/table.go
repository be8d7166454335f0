package tokenizer

import (
	"math/bits"
	"math/rand/v2"
)

// table maps pairs of numbers to a value, by open addressing: one line of memory a look-up in nearly all cases, where Go's map takes
// several. Once built it is only read. The seed is drawn, so that no file can be made whose keys collide; what a table
// answers does not depend on it.
type table[V any] struct {
	seed  uint64
	count int
	slots []slot[V] // a power of two, at most three quarters used
}

// slot holds a pair; used tells an empty one from the pair 0, 0.
type slot[V any] struct {
	pair  pair
	used  bool
	value V
}

// pair is two numbers: the ids of neighbouring symbols, or a trie's node and the byte after it.
type pair struct{ left, right int32 }

func newTable[V any]() *table[V] { return &table[V]{seed: rand.Uint64(), slots: make([]slot[V], 8)} }

// at returns the slot of a pair: where it is or would be.
func (t *table[V]) at(p pair) *slot[V] {
	hi, lo := bits.Mul64((uint64(uint32(p.left))<<32|uint64(uint32(p.right)))^t.seed, 0x9E3779B97F4A7C15) // 2^64 by the golden ratio
	for i := hi ^ lo; ; i++ {
		s := &t.slots[i&uint64(len(t.slots)-1)]
		if s.pair == p || !s.used {
			return s
		}
	}
}

// put sets the value of a pair.
func (t *table[V]) put(p pair, v V) {
	if 4*(t.count+1) > 3*len(t.slots) {
		old := t.slots
		t.slots = make([]slot[V], 2*len(old))
		for _, s := range old {
			if s.used {
				*t.at(s.pair) = s
			}
		}
	}
	s := t.at(p)
	if !s.used {
		t.count++
	}
	*s = slot[V]{p, true, v}
}

// get returns the value of a pair; false if there is none.
func (t *table[V]) get(p pair) (V, bool) {
	s := t.at(p)
	return s.value, s.used
}
