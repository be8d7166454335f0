package train

import "strconv"

// Sizes of the mental arithmetic task.
const (
	mentalOperands = 100                  // a and b are 0..99
	mentalAnswers  = 2*mentalOperands - 1 // 0..198
)

// mental2op is addition and subtraction of two numbers below 100. Each number
// is one token, so each operand sits at a position of its own and the answer
// has to be put together at the last position, behind "=". Differences below 0
// are left out: a − b with a ≥ b only.
func mental2op() Task {
	t := Task{
		Name:   "mental-2op",
		Data:   `"<bos> a + b =" and "<bos> a - b =" for all a and b in 0..99 whose result is at least 0; each number is one token, the answer is the next token`,
		Split:  "by pairs of operands without order: a held-out pair is held out for both operators and in both orders",
		Tokens: []string{"<bos>", "+", "-", "="},
	}
	const bos, plus, minus, equals, zero = 0, 1, 2, 3, 4
	for n := range mentalAnswers {
		t.Tokens = append(t.Tokens, strconv.Itoa(n))
	}
	for a := range mentalOperands {
		for b := range mentalOperands {
			pair := min(a, b)*mentalOperands + max(a, b)
			t.Examples = append(t.Examples, Example{IDs: []int{bos, zero + a, plus, zero + b, equals}, Answers: []int{zero + a + b}, Group: pair})
			if a >= b {
				t.Examples = append(t.Examples, Example{IDs: []int{bos, zero + a, minus, zero + b, equals}, Answers: []int{zero + a - b}, Group: pair})
			}
		}
	}
	t.Tokenizer = wordTokenizer(t.Tokens, t.Tokens[bos], false)
	return t
}
