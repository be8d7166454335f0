package tokenizer

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"orrery/models/nearest"
)

// UnknownPieceError says that a piece of a text has no token, and the vocabulary no token for the unknown.
type UnknownPieceError struct {
	Piece   string   // as the vocabulary was asked for it: normalized
	Offset  int      // byte of the text where it begins
	Nearest []string // tokens like it, nearest first; numbers by value
	Range   *[2]int  // lowest and highest number of a vocabulary that has every integer between; nil otherwise
}

func (e *UnknownPieceError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q at byte %d is not in the vocabulary", e.Piece, e.Offset)
	if e.Range != nil {
		fmt.Fprintf(&b, ", which has the integers %d to %d", e.Range[0], e.Range[1])
	}
	for i, token := range e.Nearest {
		if i == 0 {
			b.WriteString("; nearest are ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(token))
	}
	return b.String()
}

func (t *Tokenizer) unknownPiece(piece string, offset int) error {
	e := &UnknownPieceError{Piece: piece, Offset: offset, Nearest: t.Nearest(piece, 3)}
	if _, ok := integer(piece); !ok {
		return e
	}
	numbers := t.integers()
	if len(numbers) < 2 {
		return e
	}
	slices.Sort(numbers)
	lo, hi := numbers[0], numbers[len(numbers)-1]
	if hi-lo == len(numbers)-1 {
		e.Range = &[2]int{lo, hi}
	}
	return e
}

// integers returns the value of every token that is an integer.
func (t *Tokenizer) integers() []int {
	var out []int
	for _, e := range t.vocab.entries {
		if n, err := strconv.Atoi(e.token); err == nil && strconv.Itoa(n) == e.token {
			out = append(out, n)
		}
	}
	return out
}

// integer reads s as a whole number of any size.
func integer(s string) (*big.Int, bool) {
	if len(s) > 1000 {
		return nil, false
	}
	return new(big.Int).SetString(s, 10)
}

// Nearest returns up to n tokens that token may have been meant to be, best first. For a number those are the tokens that are
// numbers, by distance in value (for "100" in a vocabulary of 0 to 99: 99, 98, 97); otherwise those with the fewest characters
// to insert, delete or replace, then those that share the longest beginning. Special tokens are never among them.
func (t *Tokenizer) Nearest(token string, n int) []string {
	if n <= 0 {
		return nil
	}
	if want, ok := integer(token); ok {
		if numbers := t.integers(); len(numbers) > 0 {
			return nearestNumbers(want, numbers, n)
		}
	}
	const longest = 64 // characters: the cost is the product of both lengths
	want := []rune(token)
	want = want[:min(len(want), longest)]
	type near struct {
		token          string
		distance, same int
	}
	var all []near
	worst := len(want) // a token that shares no character with the wanted one is no help
	for _, e := range t.vocab.entries {
		count := utf8.RuneCountInString(e.token)
		if !e.there || e.special || count > longest || count-len(want) > worst || len(want)-count > worst {
			continue
		}
		got := []rune(e.token)
		if d := nearest.Distance(want, got); d < max(len(want), len(got)) {
			same := 0
			for same < min(len(want), len(got)) && want[same] == got[same] {
				same++
			}
			all = append(all, near{e.token, d, same})
		}
	}
	slices.SortStableFunc(all, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(b.same, a.same))
	})
	var out []string
	for _, x := range all[:min(n, len(all))] {
		out = append(out, x.token)
	}
	return out
}

func nearestNumbers(want *big.Int, numbers []int, n int) []string {
	away := func(x int) *big.Int {
		d := new(big.Int).Sub(big.NewInt(int64(x)), want)
		return d.Abs(d)
	}
	slices.SortStableFunc(numbers, func(a, b int) int { return away(a).Cmp(away(b)) })
	var out []string
	for _, x := range numbers[:min(n, len(numbers))] {
		out = append(out, strconv.Itoa(x))
	}
	return out
}
