package tokenizer

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// drawnText draws n characters of those that patterns tell apart.
func drawnText(r *rand.Rand, n int) string {
	const chars = "aZéßſİ09²५  \t\n\r\u00a0\u3000.,!?/'()|_-…。،\u0301日▁\U0001F600"
	all := []rune(chars)
	var b strings.Builder
	for range n {
		b.WriteRune(all[r.IntN(len(all))])
	}
	return b.String()
}

// TestSeparateIsJoin compares the short way of a splitter with the general one, on texts of the input and rewritten ones, for
// patterns with empty matches too.
func TestSeparateIsJoin(t *testing.T) {
	empty := func(s string, from int) (int, int) { // an empty match before every digit
		for i := from; i < len(s); i++ {
			if '0' <= s[i] && s[i] <= '9' {
				return i, i
			}
		}
		return -1, 0
	}
	patterns := map[string]pattern{
		"gpt2": scan(gpt2), "cl100k": scan(cl100k{digits: 3}.match), "o200k": scan(o200k{3, true}.match), "bloom": scan(bloom),
		"digits": each(&numerics), "from the right": digitsFromRight, "blanks": each(&blanks), "literal": literal("a"), "nothing": literal(""), "empty": empty,
	}
	r := rand.New(rand.NewPCG(1, 2))
	for name, p := range patterns {
		for range 300 {
			u := text{s: drawnText(r, 1+r.IntN(40)), at: 7}
			if r.IntN(2) == 0 {
				u = u.prepend("▁")
			}
			s := splitter{p, []behavior{isolated, removed}[r.IntN(2)], r.IntN(2) == 0}
			var got, want []text
			keep := func(to *[]text) func(text) error {
				return func(u text) error { *to = append(*to, u); return nil }
			}
			if err := s.separate(u, keep(&got)); err != nil {
				t.Fatal(err)
			}
			if err := s.join(u, keep(&want)); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s, %s, invert %v, %q: pieces %v, the general way has %v", name, s.behavior, s.invert, u.s, got, want)
			}
		}
	}
}

// TestClasses compares the look-up of every class with the question that it was made from, on every character.
func TestClasses(t *testing.T) {
	for i, k := range []*class{&letters, &numbers, &numerics, &digits, &upperish, &lowerish, &words, &notWords, &symbols, &blanks, &newlines,
		&newlinesOrSlash, &punctuation, &bloomWords, &anything} {
		for r := rune(0); r <= utf8.MaxRune; r++ {
			if !utf8.ValidRune(r) {
				continue
			}
			s := string(r)
			want := 0
			if k.has(r) {
				want = len(s)
			}
			if got := k.width("a"+s, 1); got != want {
				t.Fatalf("class %d: %U has width %d, want %d", i, r, got, want)
			}
		}
	}
}

// TestRoom writes texts through one room, nested and released, and compares each, while it is in use, with one of its own memory.
func TestRoom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	shared := &room{}
	var nest func(u, plain text, depth int)
	nest = func(u, plain text, depth int) {
		for range 4 {
			m := shared.mark()
			front := strings.Repeat("▁", r.IntN(3))
			v, alone := u.prepend(front), plain.prepend(front)
			if n := r.IntN(3); n > 0 {
				swap := replaceText{" ", strings.Repeat("_", n)}
				v, alone = swap.normalize(v), swap.normalize(alone)
			}
			if depth < 4 {
				nest(v, alone, depth+1)
			}
			if v.s != alone.s || !reflect.DeepEqual(v.origin, alone.origin) {
				t.Fatalf("%q with extents %v, in memory of its own %q with %v", v.s, v.origin, alone.s, alone.origin)
			}
			shared.release(m)
		}
	}
	for range 100 {
		s := drawnText(r, 1+r.IntN(120))
		nest(text{s: s, room: shared}, text{s: s}, 0)
	}
}
