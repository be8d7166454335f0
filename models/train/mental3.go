package train

import (
	"slices"
	"strconv"
)

// Sizes of the task of three operands.
const (
	mental3Operands = 50                    // a, b and c are 0..49
	mental3Answers  = 3*mental3Operands - 2 // 0..147
)

// mental3op is a ± b ± c for numbers below 50, from left to right, each number
// one token. Only the end result has to be 0 or more.
func mental3op() Task {
	t := Task{
		Name:   "mental-3op",
		Data:   `"<bos> a ± b ± c =" with both signs free, for all a, b and c in 0..49 whose result is at least 0; each number is one token, the answer is the next token`,
		Split:  "by triples of operands without order: a held-out triple is held out for all operators and in all orders",
		Tokens: []string{"<bos>", "+", "-", "="},
	}
	const bos, plus, minus, equals, zero = 0, 1, 2, 3, 4
	for n := range mental3Answers {
		t.Tokens = append(t.Tokens, strconv.Itoa(n))
	}
	for i := range mental3Operands * mental3Operands * mental3Operands {
		a, b, c := i/(mental3Operands*mental3Operands), i/mental3Operands%mental3Operands, i%mental3Operands
		sorted := [...]int{a, b, c}
		slices.Sort(sorted[:])
		group := (sorted[0]*mental3Operands+sorted[1])*mental3Operands + sorted[2]
		for _, second := range [...]int{plus, minus} {
			for _, third := range [...]int{plus, minus} {
				result := a + b + c
				if second == minus {
					result -= 2 * b
				}
				if third == minus {
					result -= 2 * c
				}
				if result >= 0 {
					t.Examples = append(t.Examples, Example{
						IDs:     []int{bos, zero + a, second, zero + b, third, zero + c, equals},
						Answers: []int{zero + result}, Group: group,
					})
				}
			}
		}
	}
	t.Tokenizer = wordTokenizer(t.Tokens, t.Tokens[bos], false)
	return t
}
