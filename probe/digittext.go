package probe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// AdditionFormat is a way of writing a sum for a model that reads digits.
type AdditionFormat string

// The formats. Reversed is that of "Teaching Arithmetic to Small Transformers"
// (Lee et al. 2023, arXiv 2307.03381): the units of the answer come first, between
// signs that mark the sample.
const (
	PlainSum    AdditionFormat = "plain"        // 128+367=495
	ReversedSum AdditionFormat = "reversed"     // $128+367=594$
	AllReversed AdditionFormat = "all_reversed" // 821+763=594
	PaddedSum   AdditionFormat = "padded"       // 028+367=0395, operands to the longer, the sum one longer
	SpacedSum   AdditionFormat = "spaced"       // 1 2 8 + 3 6 7 = 4 9 5
)

// FormatAddition writes a + b = c. Numbers below 0 and an unknown format are
// refused.
func FormatAddition(a, b int, f AdditionFormat) (string, error) {
	if a < 0 || b < 0 {
		return "", fmt.Errorf("addition as text: %d and %d: numbers from 0 on are needed", a, b)
	}
	x, y, c := strconv.Itoa(a), strconv.Itoa(b), strconv.Itoa(a+b)
	plain := x + "+" + y + "=" + c
	switch f {
	case PlainSum:
		return plain, nil
	case ReversedSum:
		return "$" + x + "+" + y + "=" + backwards(c) + "$", nil
	case AllReversed:
		return backwards(x) + "+" + backwards(y) + "=" + backwards(c), nil
	case PaddedSum:
		w := max(len(x), len(y))
		return zeros(x, w) + "+" + zeros(y, w) + "=" + zeros(c, w+1), nil
	case SpacedSum:
		return strings.Join(strings.Split(plain, ""), " "), nil
	}
	return "", fmt.Errorf("addition as text: format %q; there are %q", f, []AdditionFormat{PlainSum, ReversedSum, AllReversed, PaddedSum, SpacedSum})
}

func zeros(s string, width int) string { return strings.Repeat("0", max(0, width-len(s))) + s }

func backwards(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// ChunkDigits puts a separator between groups of three digits, counted from the
// left or from the right: 1234567 is 123,456,7 or 1,234,567 (Singh and Strouse,
// "Tokenization counts: the impact of tokenization on arithmetic in frontier
// LLMs", 2024, arXiv 2402.14903).
func ChunkDigits(digits, separator string, fromRight bool) string {
	var groups []string
	for len(digits) > 3 {
		n := 3
		if fromRight {
			n = (len(digits)-1)%3 + 1
		}
		groups, digits = append(groups, digits[:n]), digits[n:]
	}
	return strings.Join(append(groups, digits), separator)
}

// AbacusPositions are the positions of the characters of a text as Abacus
// embeddings count them: in every run of digits 1, 2, ... plus an offset, which
// training draws at random, and 0 for anything else (McLeish et al.,
// "Transformers Can Do Arithmetic with the Right Embeddings", 2024, arXiv
// 2405.17399; operands are written units first there).
func AbacusPositions(text string, offset int) []int {
	out := make([]int, 0, len(text))
	run := 0
	for _, c := range text {
		if c < '0' || c > '9' {
			run = 0
			out = append(out, 0)
			continue
		}
		run++
		out = append(out, run+offset)
	}
	return out
}

// CoupledOptions are those of CoupledPositions.
type CoupledOptions struct {
	Start   int  // the first position, which training draws at random; 1 to 2^30
	Reverse bool // the sum is written units first
	Pad     bool // with zeros: operands to the longer one, the sum one longer
}

// maxStart bounds where positions begin: no table of positions is as long.
const maxStart = 1 << 30

// CoupledPositions writes the sum of two numbers of digits, character by
// character, with positions that are the same for digits of the same
// significance, and one more for "+" and "=" (Cho et al., "Position Coupling:
// Improving Length Generalization of Arithmetic Transformers Using Task
// Structure", 2024, arXiv 2405.20671). Zeros in front of an operand count. What
// is no number of 1 to 18 digits is refused.
func CoupledPositions(a, b string, opt CoupledOptions) (tokens []string, positions []int, err error) {
	var value [2]int
	for i, s := range []string{a, b} {
		v, err := strconv.Atoi(s)
		if err != nil || v < 0 || len(s) > 18 || s[0] == '+' || s[0] == '-' {
			return nil, nil, fmt.Errorf("coupled positions: %q: a number of 1 to 18 digits is needed", s)
		}
		value[i] = v
	}
	if opt.Start < 1 || opt.Start > maxStart {
		return nil, nil, fmt.Errorf("coupled positions: start %d: positions begin at 1 to %d, 0 is of what is none of the task", opt.Start, maxStart)
	}
	w, c := max(len(a), len(b)), strconv.Itoa(value[0]+value[1])
	if opt.Pad {
		a, b, c = zeros(a, w), zeros(b, w), zeros(c, w+1)
	}
	end := opt.Start + w + 1
	put := func(s string, last int) {
		for i, r := range s {
			tokens, positions = append(tokens, string(r)), append(positions, last-len(s)+1+i)
		}
	}
	put(a+"+", end)
	put(b+"=", end)
	put(c, end-1)
	if opt.Reverse {
		at := len(tokens) - len(c)
		slices.Reverse(tokens[at:])
		slices.Reverse(positions[at:])
	}
	return tokens, positions, nil
}
