package tokenizer

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
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
			"long":  func(m *merger) { m.runLong(merges) },
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

// TestSeams compares long pieces that are cut where no merge joins with the same left whole, and those left whole with short ones
// put together: whether bytes, characters or words, known or not.
func TestSeams(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	letters := []string{"a", "b", "c", "é", "▁", "<"}
	for round := range 400 {
		vocab, merges := map[string]int{"<unk>": 0, "<0x0A>": 1}, []string{}
		var tokens []string
		for _, x := range letters[:3+r.IntN(4)] {
			vocab[x] = len(vocab)
			tokens = append(tokens, x)
		}
		if round%5 == 0 { // a merge of a symbol that is no character
			tokens = append(tokens, []string{"<0x0A>", "<unk>"}[r.IntN(2)])
		}
		for range 1 + r.IntN(12) {
			x, y := tokens[r.IntN(len(tokens))], tokens[r.IntN(len(tokens))]
			if _, ok := vocab[x+y]; !ok {
				vocab[x+y] = len(vocab)
				tokens = append(tokens, x+y)
			}
			merges = append(merges, x+" "+y)
		}
		file, err := json.Marshal(map[string]any{"model": map[string]any{"type": "BPE", "vocab": vocab, "merges": merges,
			"unk_token": "<unk>", "byte_fallback": r.IntN(2) == 0, "fuse_unk": r.IntN(2) == 0}})
		if err != nil {
			t.Fatal(err)
		}
		tok, err := Parse(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := tok.model.(*bpe)
		if odd := round%5 == 0 && b.joined == nil; b.joined == nil && !odd {
			t.Fatalf("no seams of %v", merges)
		}
		for range 20 {
			var word strings.Builder
			for range short + r.IntN(3*short) {
				word.WriteString([]string{"a", "b", "c", "é", "▁", "<", "\n", "?", "a", "b"}[r.IntN(10)])
			}
			var cut, whole merger
			for _, m := range []*merger{&cut, &whole} {
				if err := b.start(m, word.String()); err != nil {
					t.Fatal(err)
				}
			}
			cut.run(b.merges, b.joined)
			whole.runShort(b.merges)
			if !slices.EqualFunc(cut.nodes, whole.nodes, func(x, y node) bool { return x.id == y.id && x.width == y.width }) {
				t.Fatalf("%q by %v: %v in stretches, %v whole", word.String(), merges, cut.nodes, whole.nodes)
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
