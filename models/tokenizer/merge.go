package tokenizer

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// mergeJSON is one merge, which files write as "a b" or as ["a", "b"].
type mergeJSON struct{ left, right string }

// UnmarshalJSON reads either form.
func (m *mergeJSON) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		var ok bool
		if m.left, m.right, ok = strings.Cut(s, " "); !ok || strings.Contains(m.right, " ") {
			return fmt.Errorf("merge %q is not two tokens with a space between", s)
		}
		return nil
	}
	var pair []string
	if err := json.Unmarshal(raw, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("merge %q is not two tokens", pair)
	}
	m.left, m.right = pair[0], pair[1]
	return nil
}

// merge is what two neighbouring symbols become and how early.
type merge struct{ rank, id int32 }

// parseMerges checks that the two halves and the whole of every merge are tokens.
func parseMerges(list []mergeJSON, v *vocabulary) (*table[merge], error) {
	if len(list) > maxVocab {
		return nil, fmt.Errorf("model.merges: %d merges; at most %d are accepted", len(list), maxVocab)
	}
	merges := newTable[merge]()
	for i, m := range list {
		var ids [3]int32
		for j, token := range [3]string{m.left, m.right, m.left + m.right} {
			id, ok := v.ids[token]
			if !ok {
				return nil, fmt.Errorf("model.merges[%d]: %q of the merge %q with %q is not in model.vocab", i, token, m.left, m.right)
			}
			ids[j] = int32(id)
		}
		merges.put(pair{ids[0], ids[1]}, merge{int32(i), ids[2]})
	}
	return merges, nil
}

// node is a symbol of a piece; width is 0 once it is merged away. In runLong they are a doubly linked list: prev and next are -1 at
// the ends.
type node struct{ id, width, prev, next int32 }

// candidate is a possible merge of the node at left with the one after it, as they were when it was queued.
type candidate struct {
	rank, left, id int32
	pair           pair
}

func (c candidate) before(d candidate) bool {
	return c.rank < d.rank || c.rank == d.rank && c.left < d.left
}

// merger merges the symbols of one piece: always the earliest merge of the list, leftmost first.
type merger struct {
	nodes []node
	queue []candidate // binary heap
	near  []merge     // of each symbol with the next, in a short piece
}

// short is the number of symbols up to which looking at all of them is cheaper than a heap.
const short = 24

// none is the merge of a pair that has none.
const none = math.MaxInt32

// push adds a symbol at the end.
func (m *merger) push(id, width int32) { m.nodes = append(m.nodes, node{id: id, width: width}) }

// run applies merges until none applies and leaves the symbols that remain at the front of the list of nodes. A long piece is taken
// in stretches, between which no merge joins; joined may be nil.
func (m *merger) run(merges *table[merge], joined *seams) {
	all := m.nodes
	if len(all) <= short {
		m.runShort(merges)
		return
	}
	n := 0
	for lo := 0; lo < len(all); {
		hi := lo + 1
		for hi < len(all) && (joined == nil || joined.has(all[hi-1].id, all[hi].id)) {
			hi++
		}
		m.nodes = all[lo:hi:hi]
		switch {
		case hi-lo == 1:
		case hi-lo <= short:
			m.runShort(merges)
		default:
			m.runLong(merges)
		}
		n += copy(all[n:], m.nodes)
		lo = hi
	}
	m.nodes = all[:n]
}

// seams are the pairs of initial symbols that some merge joins as the last symbol of what is left of it and the first of what is
// right: between two others no merge ever joins. A pair may be taken for one of them, which costs time and no more.
type seams struct{ bits [1 << 12]uint64 }

// at is the place of a pair.
func (s *seams) at(left, right int32) (word *uint64, bit uint64) {
	h := (uint64(uint32(left))<<32 | uint64(uint32(right))) * 0x9E3779B97F4A7C15 >> 46 // 2^64 by the golden ratio
	return &s.bits[h>>6], 1 << (h & 63)
}

func (s *seams) has(left, right int32) bool {
	word, bit := s.at(left, right)
	return *word&bit != 0
}

func (s *seams) add(left, right int32) {
	word, bit := s.at(left, right)
	*word |= bit
}

// runShort is run in at most n² steps.
func (m *merger) runShort(merges *table[merge]) {
	nodes, near := m.nodes, m.near[:0]
	pairOf := func(i int) merge {
		if g, ok := merges.get(pair{nodes[i].id, nodes[i+1].id}); ok {
			return g
		}
		return merge{none, 0}
	}
	for i := range nodes[:len(nodes)-1] {
		near = append(near, pairOf(i))
	}
	for {
		first := merge{none, 0}
		at := 0
		for i, g := range near {
			if g.rank < first.rank {
				first, at = g, i
			}
		}
		if first.rank == none {
			break
		}
		nodes[at].id = first.id
		nodes[at].width += nodes[at+1].width
		nodes = append(nodes[:at+1], nodes[at+2:]...)
		near = append(near[:at], near[at+1:]...)
		if at < len(near) {
			near[at] = pairOf(at)
		}
		if at > 0 {
			near[at-1] = pairOf(at - 1)
		}
	}
	m.nodes, m.near = nodes, near
}

// runLong is run in n log n steps.
func (m *merger) runLong(merges *table[merge]) {
	m.queue = m.queue[:0]
	last := len(m.nodes) - 1
	for i := range m.nodes {
		m.nodes[i].prev, m.nodes[i].next = int32(i-1), int32(i+1)
	}
	m.nodes[last].next = -1
	m.runHeap(merges)
	n := 0
	for i := int32(0); i >= 0; i = m.nodes[i].next {
		m.nodes[n] = m.nodes[i]
		n++
	}
	m.nodes = m.nodes[:n]
}

// runHeap merges the linked nodes; their list keeps those that were merged away.
func (m *merger) runHeap(merges *table[merge]) {
	for i := range m.nodes[:len(m.nodes)-1] {
		if c, ok := m.candidate(int32(i), merges); ok {
			m.queue = append(m.queue, c)
		}
	}
	for i := len(m.queue)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	for len(m.queue) > 0 {
		c := m.queue[0]
		last := len(m.queue) - 1
		m.queue[0] = m.queue[last]
		m.queue = m.queue[:last]
		m.down(0)

		left := &m.nodes[c.left]
		if left.width == 0 || left.id != c.pair.left || left.next < 0 || m.nodes[left.next].id != c.pair.right {
			continue // a symbol has changed since
		}
		right := &m.nodes[left.next]
		left.id = c.id
		left.width += right.width
		left.next = right.next
		right.width = 0
		if left.next >= 0 {
			m.nodes[left.next].prev = c.left
			m.offer(c.left, merges)
		}
		if left.prev >= 0 {
			m.offer(left.prev, merges)
		}
	}
}

// candidate looks up the merge of node i, which has a successor, with that.
func (m *merger) candidate(i int32, merges *table[merge]) (candidate, bool) {
	p := pair{m.nodes[i].id, m.nodes[m.nodes[i].next].id}
	g, ok := merges.get(p)
	return candidate{g.rank, i, g.id, p}, ok
}

// offer queues the merge at node i, if there is one.
func (m *merger) offer(i int32, merges *table[merge]) {
	c, ok := m.candidate(i, merges)
	if !ok {
		return
	}
	m.queue = append(m.queue, c)
	for at := len(m.queue) - 1; at > 0; {
		up := (at - 1) / 2
		if !m.queue[at].before(m.queue[up]) {
			break
		}
		m.queue[at], m.queue[up] = m.queue[up], m.queue[at]
		at = up
	}
}

// down restores the heap below at.
func (m *merger) down(at int) {
	for {
		least := at
		for child := 2*at + 1; child <= 2*at+2 && child < len(m.queue); child++ {
			if m.queue[child].before(m.queue[least]) {
				least = child
			}
		}
		if least == at {
			return
		}
		m.queue[at], m.queue[least] = m.queue[least], m.queue[at]
		at = least
	}
}
