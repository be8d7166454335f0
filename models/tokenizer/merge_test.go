package tokenizer

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMergers compares the two ways to merge a piece with the definition: of all pairs of neighbours the one with the earliest
// merge, leftmost first, until none has one.
func TestMergers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		const letters = 4
		merges, byPair := newTable[merge](), map[pair]merge{}
		for id := int32(letters); id < letters+20; id++ { // of random ids before it, in random order of rank
			p := pair{r.Int32N(id), r.Int32N(id)}
			if _, ok := byPair[p]; !ok {
				byPair[p] = merge{r.Int32N(1000), id}
				merges.put(p, byPair[p])
			}
		}
		var ids []int32
		for range 1 + r.IntN(short) {
			ids = append(ids, r.Int32N(letters))
		}
		want := slices.Clone(ids)
		for {
			at, first := -1, merge{none, 0}
			for i := range want[:len(want)-1] {
				if g, ok := byPair[pair{want[i], want[i+1]}]; ok && g.rank < first.rank {
					at, first = i, g
				}
			}
			if at < 0 {
				break
			}
			want[at] = first.id
			want = slices.Delete(want, at+1, at+2)
		}
		for name, run := range map[string]func(*merger){
			"short": func(m *merger) { m.runShort(merges) },
			"long": func(m *merger) {
				for range short + 1 - len(m.nodes) { // past the limit, with what nothing merges with
					m.push(-1, 1)
				}
				m.run(merges)
				for m.nodes[len(m.nodes)-1].id < 0 {
					m.nodes = m.nodes[:len(m.nodes)-1]
				}
			},
		} {
			m := &merger{}
			for _, id := range ids {
				m.push(id, 1)
			}
			run(m)
			var got []int32
			width := int32(0)
			for _, n := range m.nodes {
				got = append(got, n.id)
				width += n.width
			}
			if !slices.Equal(got, want) || width != int32(len(ids)) {
				t.Fatalf("%s: %v becomes %v of %d letters, want %v; merges %v", name, ids, got, width, want, byPair)
			}
		}
	}
}

func TestTable(t *testing.T) {
	got, want := newTable[int](), map[pair]int{}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 20_000 {
		p := pair{r.Int32N(100) - 1, r.Int32N(300) - 1}
		got.put(p, i)
		want[p] = i
	}
	for left := range int32(102) {
		for right := range int32(302) {
			p := pair{left - 1, right - 1}
			v, ok := got.get(p)
			if w, there := want[p]; ok != there || v != w {
				t.Fatalf("%v is %d, %t; want %d, %t", p, v, ok, w, there)
			}
		}
	}
}
