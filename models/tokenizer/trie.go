package tokenizer

// trie finds which of a set of strings stand at a place of a text. Node 0 is the root.
type trie struct {
	first [256]int32    // node after one byte, 0 if none
	edges *table[int32] // from a node and a byte after the first to the next node
	value []int32       // per node: the value of the string that ends there, -1 if none
}

func newTrie() *trie { return &trie{edges: newTable[int32](), value: []int32{-1}} }

// add puts s, which is not empty, into the trie.
func (t *trie) add(s string, value int32) {
	node := int32(0)
	for i := range len(s) {
		next := t.next(node, s[i])
		if next == 0 {
			next = int32(len(t.value))
			t.value = append(t.value, -1)
			if node == 0 {
				t.first[s[i]] = next
			} else {
				t.edges.put(pair{node, int32(s[i])}, next)
			}
		}
		node = next
	}
	t.value[node] = value
}

func (t *trie) next(node int32, c byte) int32 {
	if node == 0 {
		return t.first[c]
	}
	next, _ := t.edges.get(pair{node, int32(c)})
	return next
}

// prefixes calls fn for every string of the trie that s has at byte i, shortest first, with its end.
func (t *trie) prefixes(s string, i int, fn func(end int, value int32)) {
	node := int32(0)
	for ; i < len(s); i++ {
		if node = t.next(node, s[i]); node == 0 {
			return
		}
		if v := t.value[node]; v >= 0 {
			fn(i+1, v)
		}
	}
}

// longest returns the longest string of the trie that s has at byte i; end is i if there is none.
func (t *trie) longest(s string, i int) (end int, value int32) {
	end = i
	t.prefixes(s, i, func(e int, v int32) { end, value = e, v })
	return end, value
}
